/* SPDX-License-Identifier: Apache-2.0 */
/* One thread's event loop: epoll, timers, tasks posted by others, and closes put off to the turn's
 * end. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/io_int.h"

#define EVENTS_PER_TURN 256 /* the rest stays in the kernel for the next turn */
#define WAIT_MAX_MS (60 * 1000)

/* The eventfd is edge-triggered, so its counter need not be read: the wake itself is the message.
 */
static void wake_ready(struct watch *w, unsigned events)
{
    (void)w;
    (void)events;
}

bool loop_watch(struct loop *l, int fd, struct watch *w, unsigned events)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

void loop_bury(struct loop *l, struct watch *w)
{
    w->ready = NULL;
    list_remove(&w->link);
    list_push(&l->dead, &w->link);
}

struct loop *loop_new(struct err *e)
{
    struct loop *l = calloc(1, sizeof(*l));

    if (l == NULL) {
        err_set(e, "no memory for an event loop");
        return NULL;
    }
    /* OpenSSL writes without MSG_NOSIGNAL; a peer that left must not end the process. */
    (void)signal(SIGPIPE, SIG_IGN);
    list_init(&l->again);
    list_init(&l->dead);
    list_init(&l->asking);
    list_init(&l->wake.link);
    l->wake.ready = wake_ready;
    l->posted_end = &l->posted;
    l->deferred_end = &l->deferred;
    pthread_mutex_init(&l->lock, NULL);
    l->now_ms = clock_mono_ns() / 1000000;
    wheel_init(&l->timers, l->now_ms);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->epoll_fd < 0 || l->wake_fd < 0 ||
        !loop_watch(l, l->wake_fd, &l->wake, EPOLLIN | EPOLLET)) {
        err_set(e, "cannot make an event loop: %s", conn_errno_text(errno));
        loop_free(l);
        return NULL;
    }
    return l;
}

static void bury_all(struct loop *l)
{
    while (!list_empty(&l->dead)) {
        struct watch *w = CONTAINER(l->dead.next, struct watch, link);
        list_remove(&w->link);
        free(w);
    }
}

void loop_free(struct loop *l)
{
    if (l == NULL) {
        return;
    }
    dial_free_asking(l);
    bury_all(l);
    if (l->epoll_fd >= 0) {
        close(l->epoll_fd);
    }
    if (l->wake_fd >= 0) {
        close(l->wake_fd);
    }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

int64_t loop_now_ms(const struct loop *l)
{
    return l->now_ms;
}

struct wheel *loop_timers(struct loop *l)
{
    return &l->timers;
}

void loop_post(struct loop *l, struct task *t)
{
    loop_post_all(l, t, t);
}

void loop_post_all(struct loop *l, struct task *first, struct task *last)
{
    last->next = NULL;
    pthread_mutex_lock(&l->lock);
    bool was_empty = l->posted == NULL;
    *l->posted_end = first;
    l->posted_end = &last->next;
    /* Written under the lock: once a task is out, the loop may end and close the descriptor. */
    if (was_empty) {
        ssize_t n = write(l->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
        assert(n == (ssize_t)sizeof(uint64_t));
    }
    pthread_mutex_unlock(&l->lock);
}

static void run_posted(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct task *t = l->posted;
    l->posted = NULL;
    l->posted_end = &l->posted;
    pthread_mutex_unlock(&l->lock);
    while (t != NULL) {
        struct task *next = t->next; /* run may free the task or post it again */
        t->run(t);
        t = next;
    }
}

void loop_defer(struct loop *l, struct task *t)
{
    t->next = NULL;
    *l->deferred_end = t;
    l->deferred_end = &t->next;
}

void loop_defer_first(struct loop *l, struct task *t)
{
    t->next = l->deferred;
    if (l->deferred == NULL)
        l->deferred_end = &t->next;
    l->deferred = t;
}

/* What is deferred meanwhile comes at the end of the next turn. */
static void run_deferred(struct loop *l)
{
    struct task *t = l->deferred;

    l->deferred = NULL;
    l->deferred_end = &l->deferred;
    while (t != NULL) {
        struct task *next = t->next;
        t->run(t);
        t = next;
    }
}

/* Those that ask again meanwhile come in the next turn. */
static void run_again(struct loop *l)
{
    if (list_empty(&l->again)) {
        return;
    }
    struct list now = l->again;
    now.next->prev = &now;
    now.prev->next = &now;
    list_init(&l->again);
    while (!list_empty(&now)) {
        struct conn *c = CONTAINER(now.next, struct conn, watch.link);
        list_remove(&c->watch.link);
        conn_continue(c);
    }
}

void loop_step(struct loop *l, int wait_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int max_ms = wait_ms < 0 || wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;

    if (!list_empty(&l->again) || l->deferred != NULL) {
        max_ms = 0;
    } else if (max_ms > 0) {
        max_ms = wheel_wait_ms(&l->timers, clock_mono_ns() / 1000000, max_ms);
    }
    int n = epoll_wait(l->epoll_fd, events, EVENTS_PER_TURN, max_ms);
    assert(n >= 0 || errno == EINTR);
    l->now_ms = clock_mono_ns() / 1000000;
    wheel_run(&l->timers, l->now_ms);
    run_again(l);
    for (int i = 0; i < n; i++) {
        struct watch *w = events[i].data.ptr;
        if (w->ready != NULL) {
            w->ready(w, events[i].events);
        }
    }
    run_posted(l);
    run_deferred(l);
    bury_all(l);
}
