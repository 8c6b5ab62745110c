/* SPDX-License-Identifier: Apache-2.0 */
/* The queue in front of the ledger thread, and its loop: whatever waits, up to a batch, in one
 * commit. */
#include "ledger/ledger_int.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"

static struct ledger_op *op_of(struct task *t)
{
    return CONTAINER(t, struct ledger_op, task);
}

static void give_place_back(struct ledger *l)
{
    pthread_mutex_lock(&l->mutex);
    l->queued--;
    pthread_cond_signal(&l->wake); /* a stop may wait for the last place */
    pthread_mutex_unlock(&l->mutex);
}

/* Its place is taken before it is in the queue: so a full queue is known at once, and a stop waits
 * for what is still in an outbox. */
bool ledger_gather(struct ledger *l, struct ledger_outbox *box, struct ledger_op *op)
{
    if (op->kind == LEDGER_READ || op->kind == LEDGER_REPORT)
        return reader_submit(&l->readers[op->kind == LEDGER_READ ? READER_SHORT : READER_LONG], op);
    /* A closing row is always taken: without it the charge would be reversed. */
    bool room = atomic_fetch_add(&l->queued, 1) < LIMIT_LEDGER_QUEUE || op->kind == LEDGER_CLOSE;

    if (!room || !atomic_load(&l->open)) {
        give_place_back(l);
        return false;
    }
    if (op->kind == LEDGER_REVERSE) {
        op->rid = op->charge->rid;
        op->cost_currency = op->charge->cost_currency;
    }
    op->task.next = NULL;
    if (box->last == NULL)
        box->first = &op->task;
    else
        box->last->next = &op->task;
    box->last = &op->task;
    return true;
}

void ledger_send(struct ledger *l, struct ledger_outbox *box)
{
    if (box->first == NULL)
        return;
    pthread_mutex_lock(&l->mutex);
    if (l->last == NULL)
        l->first = box->first;
    else
        l->last->next = box->first;
    l->last = box->last;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->mutex);
    *box = (struct ledger_outbox){NULL, NULL};
}

bool ledger_submit(struct ledger *l, struct ledger_op *op)
{
    struct ledger_outbox box = {NULL, NULL};
    bool taken = ledger_gather(l, &box, op);

    ledger_send(l, &box);
    return taken;
}

bool ledger_admits(struct ledger *l)
{
    return !atomic_load(&l->failing) && !atomic_load(&l->broken) &&
           atomic_load(&l->queued) < LIMIT_LEDGER_QUEUE / 2;
}

#define MEND_NS INT64_C(1000000000)

/* Something of an earlier batch is still to be put right. */
static bool unwell(struct ledger *l)
{
    return atomic_load(&l->failing) || l->kept != NULL;
}

static bool wait_a_while(struct ledger *l, int64_t ns)
{
    struct timespec until = condition_time(clock_mono_ns() + ns);

    return pthread_cond_timedwait(&l->wake, &l->mutex, &until) == 0;
}

/* Under the mutex: no operation is left, nor can one come. */
static bool done(struct ledger *l)
{
    return l->stopping && atomic_load(&l->queued) == 0;
}

/* Waits for work; 0: there is none, but time to mend or to look at the others, or all is done and
 * *stopped. */
static size_t take_batch(struct ledger *l, struct item *items, bool *stopped)
{
    size_t count = 0;

    pthread_mutex_lock(&l->mutex);
    while (l->first == NULL && !done(l)) {
        int64_t ns = unwell(l) ? MEND_NS : SHARE_ROUND_NS;
        if (l->stopping || (!unwell(l) && !atomic_load(&l->shared)))
            pthread_cond_wait(&l->wake, &l->mutex);
        else if (!wait_a_while(l, ns))
            break;
    }
    while (l->first != NULL && count < LIMIT_BATCH) {
        struct task *t = l->first;
        l->first = t->next;
        if (l->first == NULL)
            l->last = NULL;
        l->queued--;
        items[count++] = (struct item){.op = op_of(t)};
    }
    *stopped = count == 0 && done(l);
    pthread_mutex_unlock(&l->mutex);
    return count;
}

/* Last of those that are kept: what counts up and what takes it back stay in their order. */
static void keep(struct ledger *l, struct ledger_op *op)
{
    op->task.next = NULL;
    if (l->kept == NULL)
        l->kept = &op->task;
    else
        l->kept_last->next = &op->task;
    l->kept_last = &op->task;
    l->kept_count++;
}

static void tell_lost(const struct ledger_op *op)
{
    char id[RID_TEXT + 1];

    rid_text(id, &op->closing->rid);
    log_event(LOG_ERROR, "request_row_lost", "id=%s", id);
}

/* What nobody waits for goes; false: the operation has to be answered. */
static bool dispose(struct ledger *l, struct item *it)
{
    struct ledger_op *op = it->op;

    /* A charge without its closing row is reversed at the next start: the row is not given up. */
    bool kept = op->kind == LEDGER_CLOSE || op->kind == LEDGER_USE;
    if (kept && it->undone && l->kept_count < LIMIT_CLOSINGS_KEPT) {
        keep(l, op);
        return true;
    }
    if (op->kind == LEDGER_CLOSE && !op->ok)
        tell_lost(op);
    if (op->loop != NULL)
        return false;
    free(op);
    return true;
}

/* Back to their submitters, whose they are again after the post: one wake a loop. */
static void answer(struct ledger *l, struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (dispose(l, &items[i]))
            items[i].op = NULL;
    for (size_t i = 0; i < count; i++) {
        if (items[i].op == NULL)
            continue;
        struct loop *loop = items[i].op->loop;
        struct task *last = &items[i].op->task;
        struct task *first = last;
        for (size_t k = i + 1; k < count; k++) {
            if (items[k].op == NULL || items[k].op->loop != loop)
                continue;
            last->next = &items[k].op->task;
            last = last->next;
            items[k].op = NULL;
        }
        loop_post_all(loop, first, last);
    }
}

/* Up to the next call, which has transactions of its own. */
static size_t run_part(struct ledger *l, struct item *items, size_t count)
{
    size_t n = 0;

    if (items[0].op->kind == LEDGER_CALL) {
        items[0].op->call(l, items[0].op->ctx);
        items[0].op->ok = true;
        answer(l, items, 1);
        return 1;
    }
    while (n < count && items[n].op->kind != LEDGER_CALL)
        n++;
    batch_run(l, items, n);
    answer(l, items, n);
    return n;
}

/* Each of those that are kept once: some may be kept again. */
static void mend(struct ledger *l, struct item *items)
{
    if (atomic_load(&l->failing) && !batch_probe(l))
        return;
    for (unsigned left = l->kept_count; left > 0 && !atomic_load(&l->failing);) {
        size_t count = 0;
        while (left > 0 && count < LIMIT_BATCH) {
            struct task *t = l->kept;
            l->kept = t->next;
            l->kept_count--;
            left--;
            items[count++] = (struct item){.op = op_of(t)};
        }
        (void)run_part(l, items, count);
    }
}

static void drop_kept(struct ledger *l)
{
    if (l->kept != NULL)
        log_event(LOG_ERROR, "request_rows_lost", "count=%u", l->kept_count);
    while (l->kept != NULL) {
        struct ledger_op *op = op_of(l->kept);
        l->kept = l->kept->next;
        free(op);
    }
}

static void *run(void *ctx)
{
    struct ledger *l = ctx;
    static _Thread_local struct item items[LIMIT_BATCH];
    bool stopped = false;

    while (!stopped) {
        size_t count = take_batch(l, items, &stopped);
        for (size_t done = 0; done < count;)
            done += run_part(l, items + done, count - done);
        /* While it fails each batch is a try of its own; only silence needs one made for it. */
        if (unwell(l) && (count == 0 || !atomic_load(&l->failing)))
            mend(l, items);
        share_round(l);
    }
    return NULL;
}

bool thread_start(struct ledger *l, struct err *e)
{
    sigset_t all, before;

    /* Signals belong to the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    l->running = true;
    atomic_store(&l->open, true);
    int rc = pthread_create(&l->thread, NULL, run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        l->running = false;
        atomic_store(&l->open, false);
        return err_set(e, "cannot start the ledger thread: %s", strerror(rc));
    }
    (void)pthread_setname_np(l->thread, "ledger");
    return true;
}

void thread_stop(struct ledger *l)
{
    if (!l->running)
        return;
    atomic_store(&l->open, false);
    pthread_mutex_lock(&l->mutex);
    l->stopping = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->mutex);
    pthread_join(l->thread, NULL);
    l->running = false;
    assert(l->first == NULL);
    drop_kept(l);
}
