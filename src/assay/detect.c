/* SPDX-License-Identifier: Apache-2.0 */
/* Which dialect an endpoint speaks: each is asked one word, the likeliest first. */
#include "assay/family.h"
#include "assay/run_int.h"
#include "base/limits.h"
#include "base/utf8.h"

const struct question run_hello = {.text = STR_INIT("ping"), .max_tokens = 16};

/* A model's own dialect is where its vendor's accounting is seen at first hand. */
static size_t order(struct str model, enum dialect out[4])
{
    static const enum dialect rest[] = {DIALECT_CHAT, DIALECT_MESSAGES, DIALECT_GEMINI,
                                        DIALECT_RESPONSES};
    size_t n = 0;

    if (model_says(model, "claude")) {
        out[n++] = DIALECT_MESSAGES;
    } else if (model_says(model, "gemini")) {
        out[n++] = DIALECT_GEMINI;
    }
    for (size_t i = 0; i < 4; i++) {
        if (n == 0 || rest[i] != out[0]) {
            out[n++] = rest[i];
        }
    }
    return n;
}

static bool greet(struct shared *s, struct client *c, bool reference, struct client_answer *got)
{
    return run_ask(s, c, &(struct asked){"dialect", "hello", 0, reference, &run_hello}, got);
}

/* True when this dialect answers. */
static bool try_dialect(struct shared *s, struct client *c, bool reference,
                        struct client_answer *got)
{
    struct speaker *sp = &s->run->sides[reference].speaker;

    sp->completion_tokens = false;
    if (greet(s, c, reference, got)) {
        return true;
    }
    if (sp->dialect == DIALECT_CHAT && got->status == 400 &&
        str_find(buf_str(&got->body), STR("max_completion_tokens")) != SIZE_MAX) {
        sp->completion_tokens = true;
        client_answer_release(got);
        client_answer_init(got);
        return greet(s, c, reference, got);
    }
    return false;
}

#define QUOTED 160

/* Its own words, as far as a terminal takes them. */
static void quote(struct buf *out, struct str body, const struct str keys[2])
{
    struct buf clean;

    buf_init(&clean, 4 * LIMIT_ASSAY_BODY);
    evidence_clean(&clean, body, keys);
    for (struct str s = str_trim(buf_str(&clean)); s.n > 0 && out->n < QUOTED;) {
        uint32_t code = 0;
        size_t n = utf8_next(s, &code);
        buf_add(out, n == 0 || utf8_obeyed(code) ? STR(" ") : str_slice(s.p, n));
        s = str_skip(s, n > 0 ? n : 1);
    }
    buf_release(&clean);
}

static void say_why(struct err *why, const struct run *r, bool reference,
                    const struct client_answer *got)
{
    const struct run_side *side = &r->sides[reference];
    struct buf words;

    buf_init(&words, 4096);
    quote(&words, buf_str(&got->body), (struct str[2]){r->sides[0].key, r->sides[1].key});
    if (got->status == 0) {
        err_set(why, "%.*s cannot be reached: %s", STR_ARG(side->url), got->failure);
    } else if (got->status == 401 || got->status == 403) {
        err_set(why, "%.*s refuses the key (status %u): %.*s", STR_ARG(side->url), got->status,
                STR_ARG(buf_str(&words)));
    } else if (got->status == 402) {
        err_set(why, "%.*s wants to be paid first (status 402): %.*s", STR_ARG(side->url),
                STR_ARG(buf_str(&words)));
    } else if (got->status >= 300 && got->status < 400) {
        err_set(why, "%.*s sends elsewhere (status %u), where the key is not taken",
                STR_ARG(side->url), got->status);
    } else {
        err_set(why, "%.*s answers with status %u%s for the model %.*s: %.*s", STR_ARG(side->url),
                got->status, got->status == 200 ? ", but in no dialect that is known here," : "",
                STR_ARG(side->speaker.model), STR_ARG(buf_str(&words)));
    }
    buf_release(&words);
}

/* Which failure tells most: a refused key, then a busy seller, then a path that is not there. */
static unsigned weight(unsigned status)
{
    return status == 401 || status == 402 || status == 403 ? 3
           : status == 404 || status == 405                ? 1
                                                           : 2;
}

bool run_detect(struct shared *s, struct client *c, bool reference, struct err *why)
{
    struct run_side *side = &s->run->sides[reference];
    enum dialect dialects[4] = {side->speaker.dialect};
    size_t n = side->found ? 1 : order(side->speaker.model, dialects);
    unsigned worst = 0;

    for (size_t i = 0; i < n && atomic_load(s->run->stop) == 0; i++) {
        struct client_answer got;
        client_answer_init(&got);
        side->speaker.dialect = dialects[i];
        side->found = try_dialect(s, c, reference, &got);
        if (!side->found && weight(got.status) > worst) {
            worst = weight(got.status);
            say_why(why, s->run, reference, &got);
        }
        bool gone = got.status == 0;
        client_answer_release(&got);
        if (side->found || gone) {
            break;
        }
    }
    s->failed[reference] = 0;
    return side->found;
}
