/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "assay/probe.h"
#include "assay/run_int.h"
#include "base/limits.h"

#define FAILED_MOST 8 /* one after the other: then it has stopped answering */

static void store_line(struct shared *s, const struct buf *line)
{
    struct run *r = s->run;

    buf_add(r->evidence, buf_str(line));
    for (size_t at = 0; r->file >= 0 && at < line->n;) {
        ssize_t n = write(r->file, line->p + at, line->n - at);
        if (n <= 0) {
            s->end = "the folder of the evidence cannot be written to";
            break;
        }
        at += (size_t)n;
    }
}

/* Worth no further call; what a model does not take (400) is another matter. */
static bool is_shut(unsigned status)
{
    return status != 200 && status != 400 && status != 404 && status != 422;
}

static void count(struct shared *s, const struct asked *a, const struct client_answer *got,
                  const struct said *said)
{
    int64_t nano = 0;

    s->sent += got->tries;
    if (said != NULL) {
        uint64_t in = usage_input(&said->usage), out = usage_output(&said->usage);
        s->progress.tokens += in + out;
        if (run_price_cost(&s->run->price, in, out, &nano)) {
            s->progress.nano += nano;
        }
    }
    if (!a->reference) {
        s->failed = is_shut(got->status) ? s->failed + 1 : 0;
    }
    if (s->failed >= FAILED_MOST && s->end == NULL) {
        s->end = got->status == 401 || got->status == 403 ? "the key is refused"
                 : got->status == 402                     ? "the balance is used up"
                                                          : "it stopped answering";
    }
}

bool run_ask(struct shared *s, struct client *c, const struct asked *a, struct client_answer *got)
{
    static const enum client_auth auths[] = {
        [DIALECT_CHAT] = CLIENT_BEARER,
        [DIALECT_RESPONSES] = CLIENT_BEARER,
        [DIALECT_MESSAGES] = CLIENT_X_API_KEY,
        [DIALECT_GEMINI] = CLIENT_X_GOOG_API_KEY,
    };
    struct run_side *side = &s->run->sides[a->reference];
    struct buf url, body, line;
    struct said said;

    buf_init(&url, 4096);
    buf_init(&body, 4 << 20);
    buf_init(&line, 12 * LIMIT_ASSAY_BODY);
    speak_url(&url, side->url, &side->speaker, a->q);
    speak_write(&body, &side->speaker, a->q);
    client_ask(c,
               &(struct client_call){.url = buf_str(&url),
                                     .body = buf_str(&body),
                                     .key = side->key,
                                     .auth = auths[side->speaker.dialect]},
               got);
    bool answered = got->status == 200 && said_take(&said, side->speaker.dialect, a->q->ask,
                                                    a->q->stream, buf_str(&got->body));
    pthread_mutex_lock(&s->lock);
    if (!str_eq(str_from(got->failure), STR("stopped"))) {
        evidence_write_call(
            &line, &(struct evidence_call){.seq = s->seq++,
                                           .k = a->k,
                                           .max_tokens = a->q->max_tokens,
                                           .reference = a->reference,
                                           .stream = a->q->stream,
                                           .ask = a->q->ask,
                                           .expect = a->q->expect,
                                           .probe = a->probe,
                                           .cell = a->cell,
                                           .dialect = side->speaker.dialect,
                                           .url = buf_str(&url),
                                           .request = buf_str(&body),
                                           .answer = got,
                                           .keys = {s->run->sides[0].key, s->run->sides[1].key}});
        store_line(s, &line);
        count(s, a, got, answered ? &said : NULL);
    }
    pthread_mutex_unlock(&s->lock);
    if (answered) {
        said_release(&said);
    }
    buf_release(&url);
    buf_release(&body);
    buf_release(&line);
    return answered;
}

/* What a planned call costs at most. */
static int64_t most(const struct run *r, const struct planned *c)
{
    unsigned times = 1 + c->q.repeat;
    int64_t nano = 0;

    return run_price_cost(&r->price, planned_input(c) * times, planned_output(c) * times, &nano)
               ? nano
               : 0;
}

/* The next call that may still be made. */
static const struct planned *take(struct shared *s, int64_t *reserved)
{
    const struct run *r = s->run;
    const struct planned *c = NULL;

    pthread_mutex_lock(&s->lock);
    if (*r->stop != 0 && s->end == NULL) {
        s->end = "interrupted";
    }
    if (s->end == NULL && s->next < r->plan->count) {
        c = &r->plan->calls[s->next];
        *reserved = most(r, c);
        if (r->max_calls > 0 && s->sent >= r->max_calls) {
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
                       .other = sides[1].speaker.dialect,
                       .has_reference = sides[1].url.n > 0};

    arena_init(&arena, 2 * LIMIT_ASSAY_BODY);
    while (more && *s->run->stop == 0 && speak_can(sides[f.reference].speaker.dialect, &f.q)) {
        enum dialect d = sides[f.reference].speaker.dialect;
        struct client_answer got;
        client_answer_init(&got);
        run_ask(s, c, &(struct asked){p->probe->name, f.cell, p->k + f.i, f.reference, &f.q}, &got);
        more = go_on(p->probe, &f, &got, d);
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
    struct client *c = client_new(s->run->stop);
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
    struct client *c = client_new(s->run->stop);
    bool ok = c != NULL || err_set(why, "no memory");

    for (int i = 0; i < 2 && ok; i++) {
        ok = s->run->sides[i].url.n == 0 || run_detect(s, c, i == 1, why);
    }
    if (c != NULL) {
        client_free(c);
    }
    return ok;
}

enum run_end run_execute(struct run *r, const struct evidence_head *head, struct err *why)
{
    struct shared s = {.run = r, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct buf line;

    s.progress.planned = (unsigned)head->planned;
    buf_init(&line, 64 << 10);
    evidence_write_head(&line, head);
    store_line(&s, &line);
    bool reached = detect_all(&s, why);
    if (reached) {
        work_all(&s);
    }
    if (*r->stop != 0) {
        s.end = "interrupted";
    }
    buf_clear(&line);
    evidence_write_end(&line, reached || *r->stop != 0
                                  ? str_from(s.end != NULL ? s.end : "complete")
                                  : str_from(why->text));
    store_line(&s, &line);
    buf_release(&line);
    return reached || *r->stop != 0 ? RUN_DONE : RUN_UNREACHABLE;
}
