/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long reads beside the ledger thread: a reader is a thread with a connection of its own, which
 * sees the last commit (WAL) and hinders no writing. One is for what customers ask, one for what
 * takes as long as the store is large, so that the first never waits for the second. The second
 * checks the books by itself, at the start and then every hour.
 */
#include "ledger/ledger_int.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"

#define MS_NS INT64_C(1000000)

static void answer(struct ledger_op *op)
{
    /* After the post the operation belongs to its submitter again. */
    if (op->loop == NULL)
        free(op);
    else
        loop_post(op->loop, &op->task);
}

bool reader_submit(struct reader *r, struct ledger_op *op)
{
    bool taken = false;

    op->ok = false;
    op->task.next = NULL;
    pthread_mutex_lock(&r->mutex);
    if (r->running && !atomic_load(&r->stopping) && r->queued < LIMIT_READS) {
        if (r->last == NULL)
            r->first = &op->task;
        else
            r->last->next = &op->task;
        r->last = &op->task;
        r->queued++;
        taken = true;
        pthread_cond_signal(&r->wake);
    }
    pthread_mutex_unlock(&r->mutex);
    return taken;
}

static bool check_is_due(const struct reader *r)
{
    return r->check_every_ms > 0 && !atomic_load(&r->stopping) && clock_mono_ns() >= r->check_at_ns;
}

static void wait_for_work(struct reader *r)
{
    struct timespec until = condition_time(r->check_at_ns);

    if (r->check_every_ms > 0)
        (void)pthread_cond_timedwait(&r->wake, &r->mutex, &until);
    else
        pthread_cond_wait(&r->wake, &r->mutex);
}

/* NULL: a check is due, or it is to stop and nothing waits. */
static struct ledger_op *take(struct reader *r)
{
    struct task *t = NULL;

    pthread_mutex_lock(&r->mutex);
    while (r->first == NULL && !atomic_load(&r->stopping) && !check_is_due(r))
        wait_for_work(r);
    if (r->first != NULL && !check_is_due(r)) {
        t = r->first;
        r->first = t->next;
        if (r->first == NULL)
            r->last = NULL;
        r->queued--;
    }
    pthread_mutex_unlock(&r->mutex);
    return t == NULL ? NULL : CONTAINER(t, struct ledger_op, task);
}

static void check_now(struct reader *r)
{
    struct err e;
    bool made = check_alone(&r->view, &e);

    if (!made && !atomic_load(&r->stopping))
        log_event(LOG_ERROR, "ledger_check_failed", "error=\"%s\"", e.text);
    pthread_mutex_lock(&r->mutex);
    int64_t ms = made ? r->check_every_ms : LIMIT_CHECK_AGAIN_MS;
    r->check_at_ns = clock_mono_ns() + ms * MS_NS;
    r->checked = true;
    pthread_cond_signal(&r->first_check);
    pthread_mutex_unlock(&r->mutex);
}

static void *run(void *ctx)
{
    struct reader *r = ctx;
    struct ledger_op *op;

    while ((op = take(r)) != NULL || !atomic_load(&r->stopping)) {
        if (op == NULL) {
            check_now(r);
            continue;
        }
        /* What waits at the stop is answered unread; what is being read ends early. */
        if (!atomic_load(&r->stopping)) {
            op->read(&r->view, op->ctx);
            op->ok = true;
        }
        answer(op);
    }
    return NULL;
}

static bool start_one(struct ledger *l, struct reader *r, struct err *e)
{
    r->view.directory = l->directory;
    r->view.broken = &l->broken;
    r->view.store = store_open_reader(l->store, &r->stopping, e);
    if (r->view.store == NULL)
        return false;
    pthread_mutex_init(&r->mutex, NULL);
    condition_init(&r->wake);
    condition_init(&r->first_check);
    r->running = true;
    int rc = pthread_create(&r->thread, NULL, run, r);
    if (rc != 0) {
        r->running = false;
        store_close(r->view.store);
        return err_set(e, "cannot start a reader of the ledger: %s", strerror(rc));
    }
    return true;
}

/* A small store is known before anybody is admitted; for a large one nobody waits. */
static void await_first_check(struct reader *r)
{
    struct timespec until = condition_time(clock_mono_ns() + LIMIT_CHECK_WAIT_MS * MS_NS);

    pthread_mutex_lock(&r->mutex);
    while (!r->checked && pthread_cond_timedwait(&r->first_check, &r->mutex, &until) == 0)
        ;
    pthread_mutex_unlock(&r->mutex);
}

bool readers_start(struct ledger *l, struct err *e)
{
    sigset_t all, before;
    bool ok = true;

    /* Signals belong to the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    l->readers[READER_LONG].check_every_ms = LIMIT_CHECK_MS;
    for (int i = 0; i < READERS && ok; i++)
        ok = start_one(l, &l->readers[i], e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ok)
        await_first_check(&l->readers[READER_LONG]);
    return ok;
}

void readers_stop(struct ledger *l)
{
    for (int i = 0; i < READERS; i++) {
        struct reader *r = &l->readers[i];
        if (!r->running)
            continue;
        pthread_mutex_lock(&r->mutex);
        atomic_store(&r->stopping, true);
        pthread_cond_signal(&r->wake);
        pthread_mutex_unlock(&r->mutex);
        pthread_join(r->thread, NULL);
        assert(r->first == NULL);
        r->running = false;
        store_close(r->view.store);
        pthread_cond_destroy(&r->wake);
        pthread_cond_destroy(&r->first_check);
        pthread_mutex_destroy(&r->mutex);
    }
}

bool view_begin(struct ledger_view *v, struct err *e)
{
    return store_begin_read(v->store, e);
}

void view_end(struct ledger_view *v)
{
    store_rollback(v->store);
}

struct ledger_view *ledger_view(struct ledger *l)
{
    return &l->own_view;
}
