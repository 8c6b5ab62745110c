/* SPDX-License-Identifier: Apache-2.0 */
/* The queue in front of the ledger thread, and its loop: whatever waits, up to a batch, in one
 * commit. */
#include "ledger/ledger_int.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"

static struct ledger_op *op_of(struct task *t)
{
    return CONTAINER(t, struct ledger_op, task);
}

bool ledger_submit(struct ledger *l, struct ledger_op *op)
{
    bool taken = false;

    if (op->kind == LEDGER_REVERSE)
        op->rid = op->charge->rid;
    op->task.next = NULL;
    pthread_mutex_lock(&l->mutex);
    if (l->running && !l->stopping && l->queued < LIMIT_LEDGER_QUEUE) {
        if (l->last == NULL)
            l->first = &op->task;
        else
            l->last->next = &op->task;
        l->last = &op->task;
        l->queued++;
        taken = true;
        pthread_cond_signal(&l->wake);
    }
    pthread_mutex_unlock(&l->mutex);
    return taken;
}

/* Waits for work. 0: stopped, and nothing is left. */
static size_t take_batch(struct ledger *l, struct item *items)
{
    size_t count = 0;

    pthread_mutex_lock(&l->mutex);
    while (l->first == NULL && !l->stopping)
        pthread_cond_wait(&l->wake, &l->mutex);
    while (l->first != NULL && count < LIMIT_BATCH) {
        struct task *t = l->first;
        l->first = t->next;
        if (l->first == NULL)
            l->last = NULL;
        l->queued--;
        items[count++] = (struct item){.op = op_of(t)};
    }
    pthread_mutex_unlock(&l->mutex);
    return count;
}

static void answer(struct ledger_op *op)
{
    if (op->kind == LEDGER_CLOSE) {
        free(op->closing);
        op->closing = NULL;
    }
    /* After the post the operation belongs to its submitter again. */
    if (op->loop == NULL)
        free(op);
    else
        loop_post(op->loop, &op->task);
}

/* Up to the next call, which has transactions of its own. */
static size_t run_part(struct ledger *l, struct item *items, size_t count)
{
    size_t n = 0;

    if (items[0].op->kind == LEDGER_CALL) {
        items[0].op->call(l, items[0].op->ctx);
        items[0].op->ok = true;
        answer(items[0].op);
        return 1;
    }
    while (n < count && items[n].op->kind != LEDGER_CALL)
        n++;
    batch_run(l, items, n);
    for (size_t i = 0; i < n; i++)
        answer(items[i].op);
    return n;
}

static void *run(void *ctx)
{
    struct ledger *l = ctx;
    static _Thread_local struct item items[LIMIT_BATCH];
    size_t count;

    while ((count = take_batch(l, items)) > 0)
        for (size_t done = 0; done < count;)
            done += run_part(l, items + done, count - done);
    return NULL;
}

bool thread_start(struct ledger *l, struct err *e)
{
    sigset_t all, before;

    /* Signals belong to the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    l->running = true;
    int rc = pthread_create(&l->thread, NULL, run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        l->running = false;
        return err_set(e, "cannot start the ledger thread: %s", strerror(rc));
    }
    return true;
}

void thread_stop(struct ledger *l)
{
    if (!l->running)
        return;
    pthread_mutex_lock(&l->mutex);
    l->stopping = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->mutex);
    pthread_join(l->thread, NULL);
    l->running = false;
    assert(l->first == NULL);
}
