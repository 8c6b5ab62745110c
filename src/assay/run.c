/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/probe.h"
#include "assay/run_int.h"
#include "base/clock.h"
#include "base/limits.h"

/* What a planned call costs at most. */
static int64_t most(const struct run *r, const struct planned *c)
{
    unsigned times = 1 + c->q.repeat;
    int64_t nano = 0;

    return speak_can(r->sides[c->reference].speaker.dialect, &c->q) &&
                   run_price_cost(&r->price, question_input(&c->q) * times,
                                  question_output(&c->q) * times, &nano)
               ? nano
               : 0;
}

/* The next call that may still be made. */
static const struct planned *take(struct shared *s, int64_t *reserved)
{
    const struct run *r = s->run;
    const struct planned *c = NULL;

    pthread_mutex_lock(&s->lock);
    if (atomic_load(r->stop) != 0 && s->end == NULL) {
        s->end = "interrupted";
    }
    if (s->end == NULL && s->next < r->plan->count) {
        c = &r->plan->calls[s->next];
        *reserved = most(r, c);
        if (clock_mono_ns() > s->until_ns) {
            s->end = "it takes too long";
        } else if (r->max_calls > 0 && s->sent >= r->max_calls) {
            s->end = "the limit of calls is reached";
        } else if (r->max_nano >= 0 && s->progress.nano + s->reserved + *reserved > r->max_nano) {
            s->end = "the limit of cost is reached";
        } else {
            s->reserved += *reserved;
            s->next++;
        }
        c = s->end == NULL ? c : NULL;
    }
    pthread_mutex_unlock(&s->lock);
    return c;
}

/* What follows an answer; false: nothing. */
static bool go_on(const struct probe *probe, struct follow *f, const struct client_answer *got,
                  enum dialect d)
{
    struct said said;

    f->i++;
    if (f->i > f->repeat) {
        return false;
    }
    if (probe->follow == NULL) {
        return true;
    }
    bool answered =
        got->status == 200 && said_take(&said, d, f->q.ask, f->q.stream, buf_str(&got->body));
    f->said = answered ? &said : NULL;
    bool more = probe->follow(f);
    if (answered) {
        said_release(&said);
        f->said = NULL;
    }
    return more;
}

/* Models that take no temperature say so, and are asked without it from then on. */
static void take_back(struct shared *s, struct follow *f)
{
    pthread_mutex_lock(&s->lock);
    if (f->q.or_own_temperature && s->no_temperature[f->reference]) {
        f->q.temperature = NULL;
    }
    pthread_mutex_unlock(&s->lock);
}

static bool refuses_temperature(struct shared *s, struct follow *f, const struct client_answer *got)
{
    bool refused = got->status == 400 && f->q.or_own_temperature && f->q.temperature != NULL &&
                   str_find(buf_str(&got->body), STR("temperature")) != SIZE_MAX;

    if (refused) {
        pthread_mutex_lock(&s->lock);
        s->no_temperature[f->reference] = true;
        pthread_mutex_unlock(&s->lock);
        take_back(s, f);
    }
    return refused;
}

/* A planned call, and what follows it. */
static void carry_out(struct shared *s, struct client *c, const struct planned *p)
{
    const struct run_side *sides = s->run->sides;
    bool more = true;
    struct arena arena;
    struct follow f = {.cell = p->cell,
                       .reference = p->reference,
                       .q = p->q,
                       .repeat = p->q.repeat,
                       .arena = &arena,
                       .dialect = sides[0].speaker.dialect,
                       .other = sides[1].speaker.dialect,
                       .has_reference = sides[1].url.n > 0};

    arena_init(&arena, 2 * LIMIT_ASSAY_BODY);
    take_back(s, &f);
    while (more && atomic_load(s->run->stop) == 0 &&
           speak_can(sides[f.reference].speaker.dialect, &f.q)) {
        enum dialect d = sides[f.reference].speaker.dialect;
        struct client_answer got;
        client_answer_init(&got);
        run_ask(s, c, &(struct asked){p->probe->name, f.cell, p->k + f.i, f.reference, &f.q}, &got);
        more = refuses_temperature(s, &f, &got) || go_on(p->probe, &f, &got, d);
        client_answer_release(&got);
    }
    arena_release(&arena);
}

static void finish(struct shared *s, unsigned calls, int64_t reserved)
{
    pthread_mutex_lock(&s->lock);
    s->reserved -= reserved;
    s->progress.done += calls;
    if (s->run->progress != NULL) {
        s->run->progress(s->run->ctx, &s->progress);
    }
    pthread_mutex_unlock(&s->lock);
}

static void *work(void *ctx)
{
    struct shared *s = ctx;
    struct client *c = client_new(s->run->stop, run_may_send, s);
    const struct planned *p;
    int64_t reserved = 0;

    while (c != NULL && (p = take(s, &reserved)) != NULL) {
        carry_out(s, c, p);
        finish(s, 1 + p->q.repeat, reserved);
    }
    if (c != NULL) {
        client_free(c);
    }
    return NULL;
}

static void work_all(struct shared *s)
{
    pthread_t threads[LIMIT_ASSAY_THREADS];
    unsigned n = 0;

    while (n + 1 < s->run->threads && pthread_create(&threads[n], NULL, work, s) == 0) {
        n++;
    }
    work(s); /* this thread is one of them */
    while (n > 0) {
        pthread_join(threads[--n], NULL);
    }
}

static bool detect_all(struct shared *s, struct err *why)
{
    struct client *c = client_new(s->run->stop, run_may_send, s);
    bool ok = c != NULL || err_set(why, "no memory");

    for (int i = 0; i < 2 && ok; i++) {
        ok = s->run->sides[i].url.n == 0 || run_detect(s, c, i == 1, why);
    }
    if (c != NULL) {
        client_free(c);
    }
    return ok;
}

/* At most: each dialect is tried, and chat under two names of its limit. */
static unsigned greetings(const struct run_side *side)
{
    return side->url.n == 0 ? 0 : side->found ? 2 : 5;
}

void run_measure(const struct run *r, struct plan_size *out)
{
    plan_measure(r->plan, out);
    for (int i = 0; i < 2; i++) {
        unsigned n = greetings(&r->sides[i]);
        out->calls[i] += n;
        out->input[i] += question_input(&run_hello) * n;
        out->output[i] += question_output(&run_hello) * n;
    }
}

enum run_end run_execute(struct run *r, const struct evidence_head *head, struct err *why)
{
    struct shared s = {.run = r,
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .until_ns = clock_mono_ns() + (int64_t)LIMIT_ASSAY_RUN_MS * 1000000};
    struct buf line;

    s.progress.planned = (unsigned)head->planned;
    buf_init(&line, 64 << 10);
    evidence_write_head(&line, head);
    run_store(&s, &line);
    s.progress.done = greetings(&r->sides[0]) + greetings(&r->sides[1]);
    bool reached = detect_all(&s, why);
    if (reached) {
        work_all(&s);
        if (s.next < r->plan->count && s.end == NULL) {
            s.end = "no memory";
        }
    }
    if (atomic_load(r->stop) != 0) {
        s.end = "interrupted";
    }
    buf_clear(&line);
    evidence_write_end(&line, reached || atomic_load(r->stop) != 0
                                  ? str_from(s.end != NULL ? s.end : "complete")
                                  : str_from(why->text));
    run_store(&s, &line);
    buf_release(&line);
    bool done = reached || atomic_load(r->stop) != 0;
    if (done) { /* what was said of dialects that it does not speak is over */
        err_set(why, "%s", s.torn ? s.end : "");
    }
    return done ? RUN_DONE : RUN_UNREACHABLE;
}
