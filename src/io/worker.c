/* SPDX-License-Identifier: Apache-2.0 */
/* A few threads for slow work, fed in order from one queue. */
#include <pthread.h>

#include "base/limits.h"
#include "io/io.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct task *first;
    struct task *last;
    pthread_t threads[LIMIT_WORKERS];
    unsigned count;
    bool stopping;
} workers = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

/* What was queued before the stop is still run: its owners wait for the answers. */
static void *worker_main(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&workers.lock);
    for (;;) {
        struct task *t = workers.first;
        if (t == NULL && workers.stopping) {
            break;
        }
        if (t == NULL) {
            pthread_cond_wait(&workers.more, &workers.lock);
            continue;
        }
        workers.first = t->next;
        pthread_mutex_unlock(&workers.lock);
        t->run(t);
        pthread_mutex_lock(&workers.lock);
    }
    pthread_mutex_unlock(&workers.lock);
    return NULL;
}

bool workers_start(struct err *e)
{
    sigset_t all;
    sigset_t before;

    /* Signals belong to the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    workers.stopping = false;
    while (workers.count < LIMIT_WORKERS &&
           pthread_create(&workers.threads[workers.count], NULL, worker_main, NULL) == 0) {
        workers.count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return workers.count > 0 || err_set(e, "cannot start a worker thread");
}

void workers_stop(void)
{
    pthread_mutex_lock(&workers.lock);
    workers.stopping = true;
    pthread_cond_broadcast(&workers.more);
    pthread_mutex_unlock(&workers.lock);
    while (workers.count > 0) {
        pthread_join(workers.threads[--workers.count], NULL);
    }
}

void worker_run(struct task *t)
{
    t->next = NULL;
    pthread_mutex_lock(&workers.lock);
    if (workers.first == NULL) {
        workers.first = t;
    } else {
        workers.last->next = t;
    }
    workers.last = t;
    pthread_cond_signal(&workers.more);
    pthread_mutex_unlock(&workers.lock);
}
