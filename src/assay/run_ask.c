/* SPDX-License-Identifier: Apache-2.0 */
/* One call of a run, its line of evidence, and what it cost. */
#include <errno.h>
#include <unistd.h>

#include "assay/run_int.h"
#include "base/limits.h"

#define FAILED_MOST 8 /* one after the other: then it has stopped answering */
#define END_ROOM 1024 /* what the last line needs */

static bool write_all(int file, struct str s)
{
    while (s.n > 0) {
        ssize_t n = write(file, s.p, s.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        s = str_skip(s, (size_t)n);
    }
    return true;
}

/* The lines in memory and in the file are the same: one that does not fit is in neither. */
void run_store(struct shared *s, const struct buf *line)
{
    struct run *r = s->run;
    size_t before = r->evidence->n;

    if (s->torn) {
        return;
    }
    if (line->overflow || r->evidence->max - before < line->n + END_ROOM) {
        s->end = "the evidence is full";
        return;
    }
    buf_add(r->evidence, buf_str(line));
    if (r->file >= 0 && !write_all(r->file, buf_str(line))) {
        s->torn = true; /* half a line at the end is none (evidence_read) */
        s->end = "the folder of the evidence cannot be written to";
        r->evidence->n = before;
    }
}

bool run_may_send(void *ctx)
{
    struct shared *s = ctx;

    pthread_mutex_lock(&s->lock);
    bool may = s->run->max_calls == 0 || s->sent < s->run->max_calls;
    s->sent += may;
    if (!may && s->end == NULL) {
        s->end = "the limit of calls is reached";
    }
    pthread_mutex_unlock(&s->lock);
    return may;
}

/* Worth no further call; what a model does not take (400) is another matter. */
static bool is_shut(unsigned status)
{
    return status != 200 && status != 400 && status != 404 && status != 422;
}

static void count_failures(struct shared *s, const struct asked *a, unsigned status)
{
    unsigned *failed = &s->failed[a->reference];

    if (a->q->ask != ASK_ANSWER || a->q->wrong) {
        return; /* what many honest sellers refuse */
    }
    *failed = is_shut(status) ? *failed + 1 : 0;
    if (*failed < FAILED_MOST || s->end != NULL) {
        return;
    }
    if (a->reference) {
        s->end = "the reference stopped answering";
    } else {
        s->end = status == 401 || status == 403 ? "the key is refused"
                 : status == 402                ? "the balance is used up"
                                                : "it stopped answering";
    }
}

/* What an answer says that it cost; what may have been made and says nothing costs what it may. */
static void count_cost(struct shared *s, const struct asked *a, const struct client_answer *got,
                       const struct said *said)
{
    int64_t nano = 0;
    bool told = said != NULL && said->usage.state != USAGE_MISSING;
    unsigned untold = got->doubtful + (said != NULL && !told && a->q->ask != ASK_COUNT);

    if (told) {
        uint64_t in = usage_input(&said->usage), out = usage_output(&said->usage);
        s->progress.tokens += in + out;
        s->progress.nano += run_price_cost(&s->run->price, in, out, &nano) ? nano : 0;
    }
    if (untold > 0 && run_price_cost(&s->run->price, question_input(a->q) * untold,
                                     question_output(a->q) * untold, &nano)) {
        s->progress.nano += nano;
    }
}

static void write_line(struct shared *s, const struct asked *a, struct buf *line,
                       const struct buf *url, const struct buf *body,
                       const struct client_answer *got, const struct said *said, uint64_t seq)
{
    const struct run_side *sides = s->run->sides;

    evidence_write_call(
        line, &(struct evidence_call){.seq = seq,
                                      .k = a->k,
                                      .max_tokens = a->q->max_tokens,
                                      .reference = a->reference,
                                      .stream = a->q->stream,
                                      .ask = a->q->ask,
                                      .expect = a->q->expect,
                                      .probe = a->probe,
                                      .cell = a->cell,
                                      .dialect = sides[a->reference].speaker.dialect,
                                      .url = buf_str(url),
                                      .request = buf_str(body),
                                      .said = said != NULL ? buf_str(&said->text) : STR(""),
                                      .answer = got,
                                      .keys = {sides[0].key, sides[1].key}});
}

/* What came back is kept, and counted. A call that Ctrl-C broke off is neither. */
static void keep(struct shared *s, const struct asked *a, const struct buf *url,
                 const struct buf *body, const struct client_answer *got, const struct said *said)
{
    struct buf line;

    if (got->tries == 0 || str_eq(str_from(got->failure), STR("stopped"))) {
        return;
    }
    buf_init(&line, 12 * LIMIT_ASSAY_BODY);
    pthread_mutex_lock(&s->lock);
    uint64_t seq = s->seq++;
    pthread_mutex_unlock(&s->lock);
    write_line(s, a, &line, url, body, got, said, seq);
    pthread_mutex_lock(&s->lock);
    run_store(s, &line);
    count_cost(s, a, got, said);
    count_failures(s, a, got->status);
    pthread_mutex_unlock(&s->lock);
    buf_release(&line);
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
    struct buf url, body;
    struct said said;

    buf_init(&url, 4096);
    buf_init(&body, 4 << 20);
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
    keep(s, a, &url, &body, got, answered ? &said : NULL);
    if (answered) {
        said_release(&said);
    }
    buf_release(&url);
    buf_release(&body);
    return answered;
}
