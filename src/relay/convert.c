/* SPDX-License-Identifier: Apache-2.0 */
/* Where the upstream speaks another dialect than the client: the request on its way there. What
 * comes back goes through the same conversion in stream.c. */
#include "dialect/convert.h"

#include <stdio.h>
#include <stdlib.h>

#include "relay/edit.h"

/* Of several that an upstream speaks: the one that carries most of what this client may say. */
static const uint8_t nearest[][3] = {
    [DIALECT_CHAT] = {DIALECT_MESSAGES, DIALECT_RESPONSES, DIALECT_GEMINI},
    [DIALECT_RESPONSES] = {DIALECT_CHAT, DIALECT_MESSAGES, DIALECT_GEMINI},
    [DIALECT_MESSAGES] = {DIALECT_RESPONSES, DIALECT_CHAT, DIALECT_GEMINI},
    [DIALECT_GEMINI] = {DIALECT_RESPONSES, DIALECT_CHAT, DIALECT_MESSAGES},
};
#define SPOKEN (sizeof(nearest) / sizeof(nearest[0]))

/* Embeddings have two kinds. */
static enum dialect other_embedding(const struct endpoint *ep)
{
    return ep->dialect == DIALECT_EMBEDDINGS ? DIALECT_GEMINI : DIALECT_EMBEDDINGS;
}

uint32_t convert_dialects(const struct endpoint *ep)
{
    uint32_t mask = ep->op == OP_EMBED ? DIALECT_BIT(other_embedding(ep)) : 0;

    for (unsigned d = 0; ep->op == OP_GENERATE && ep->dialect < SPOKEN && d < SPOKEN; d++) {
        mask |= conversion_knows((enum dialect)ep->dialect, (enum dialect)d) ? DIALECT_BIT(d) : 0;
    }
    return mask;
}

void convert_drop(struct request *r)
{
    conversion_free(r->conversion);
    r->conversion = NULL;
    buf_release(&r->converted);
}

static void note_refusal(struct request *r, const struct conversion *c)
{
    struct str where, why;

    (void)conversion_refused(c, &where, &why);
    if (r->refused_why == NULL) { /* the first says it best: it is the nearest dialect's */
        r->refused_where = where.n > 0 ? strndup(where.p, where.n) : NULL;
        /* Not every dialect's errors have a place for the path: the words have it, too. */
        if (asprintf(&r->refused_why, "%.*s%s%.*s", STR_ARG(where), where.n > 0 ? ": " : "",
                     STR_ARG(why)) < 0) {
            r->refused_why = NULL;
        }
        r->uncarried = conversion_uncarried(c);
    }
}

static bool convert_to(struct request *r, const struct vendor *v, enum dialect to)
{
    struct str where, why;
    bool array = r->target.framing == FRAMING_ARRAY;
    uint64_t allowed[CONVERSION_FIELDS / 64];
    struct conversion_ask ask = {
        .from = (enum dialect)r->target.endpoint->dialect,
        .to = to,
        .vendor = v,
        .model = r->channel.model,
        .body = buf_str(&r->body),
        .reply_id = str_from(r->rid_text),
        .created = (uint64_t)r->ts_us / 1000000,
        .stream = r->target.stream || r->ask.stream,
        .framing = array ? FRAMING_ARRAY_START : FRAMING_SSE,
        .max_output = r->model->max_output,
        .beta = head_get(r->head, r->session->in.p, STR("anthropic-beta")).n > 0,
        .allowed = allowed,
    };

    _Static_assert(sizeof(allowed) == sizeof(r->channel.route->lossy), "the same bits");
    memcpy(allowed, r->channel.route->lossy, sizeof(allowed));
    agent_extras(r, allowed);
    buf_clear(&r->upstream_body);
    r->conversion = conversion_new(&ask, &r->upstream_body);
    if (conversion_refused(r->conversion, &where, &why)) {
        note_refusal(r, r->conversion);
        convert_drop(r);
        return false;
    }
    r->spoken = (uint8_t)to;
    return true;
}

bool convert_request(struct request *r, const struct vendor *v, uint32_t dialects)
{
    const struct endpoint *ep = r->target.endpoint;
    bool chat_first = v == NULL || !v->developer_role; /* OpenAI's newest models want responses */

    if (ep->op == OP_EMBED) {
        return convert_to(r, v, other_embedding(ep));
    }
    const uint8_t *order = nearest[ep->dialect];
    if (chat_first && (dialects & DIALECT_BIT(DIALECT_CHAT)) != 0 &&
        convert_to(r, v, DIALECT_CHAT)) {
        return true;
    }
    for (unsigned i = 0; i < 3; i++) {
        bool tried = chat_first && order[i] == DIALECT_CHAT;
        if (!tried && (dialects & DIALECT_BIT(order[i])) != 0 &&
            convert_to(r, v, (enum dialect)order[i])) {
            return true;
        }
    }
    return false;
}

/* ---- the reply ---- */

void convert_event(struct request *r, struct str data)
{
    struct buf *out = r->terminal ? &r->tail : &r->converted;

    if (r->terminal) {
        conversion_hold(r->conversion);
    }
    if (!conversion_event(r->conversion, data, out)) {
        r->bad_reply = true;
    }
}

bool convert_end(struct request *r)
{
    struct buf *out = r->head_sent ? &r->tail : &r->reply;

    conversion_hold(r->conversion);
    if (r->end == END_LIMIT) {
        conversion_limit(r->conversion, &r->meter.usage, out);
        return true;
    }
    return conversion_end(r->conversion, &r->meter.usage, out) && !out->overflow && out->n > 0;
}

bool convert_whole(struct request *r)
{
    struct buf whole = r->reply;

    buf_init(&r->reply, LIMIT_BODY_BYTES);
    bool ok = conversion_whole(r->conversion, buf_str(&whole), &r->meter.usage, &r->reply);
    buf_release(&whole);
    return ok;
}

static bool has_retry(struct str headers)
{
    static const struct str name = STR_INIT("retry-after:"); /* not retry-after-ms */

    while (headers.n > 0) {
        struct str line = str_cut(&headers, '\n');
        if (line.n > name.n && str_eq_nocase(str_slice(line.p, name.n), name)) {
            return true;
        }
    }
    return false;
}

/*
 * The vendor's own words in the client's shape. Codex shortens its history for a failed response
 * alone: an HTTP error of that kind would end its turn.
 */
void convert_problem(struct request *r)
{
    enum dialect client = (enum dialect)r->target.endpoint->dialect;
    const struct vendor *v = vendor_find(r->channel.upstream->vendor);
    struct vendor_words words;
    struct buf own = r->reply;

    buf_init(&r->reply, LIMIT_BODY_BYTES);
    vendor_words_read(v, r->status, buf_str(&own), client, &words);
    struct problem p = {words.status, words.code, words.text, NULL};
    r->status = (uint16_t)words.status;
    if (words.too_long && client == DIALECT_RESPONSES && r->stream) {
        r->status = 200;
        conversion_fail(r->conversion, FRAMING_SSE, &p, &r->reply);
    } else {
        problem_write(client, &p, str_from(r->rid_text), &r->reply);
    }
    if (words.retry_ms >= 0 && !has_retry(buf_str(&r->extra))) {
        buf_addf(&r->extra, "retry-after: %lld\r\n", (long long)(words.retry_ms + 999) / 1000);
    }
    buf_release(&own);
    buf_release(&words.memory);
}

struct str convert_type(const struct request *r)
{
    bool events = r->stream && r->status < 400 && r->target.framing != FRAMING_ARRAY;
    return events ? STR("text/event-stream; charset=utf-8") : STR("application/json");
}
