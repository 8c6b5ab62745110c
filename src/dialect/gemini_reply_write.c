/* SPDX-License-Identifier: Apache-2.0 */
/* A reply in the Gemini generateContent dialect, as events or whole. Source: Google discovery
 * document v1beta, GenerateContentResponse. */
#include "base/base64.h"
#include "dialect/neutral.h"

static void put_role(struct json_out *o)
{
    json_key(o, "role");
    json_put_str(o, STR("model"));
}

static void put_identity(const struct conversion *c, struct json_out *o)
{
    json_key(o, "modelVersion");
    json_put_str(o, c->reply.model);
    json_key(o, "responseId");
    json_put_str(o, c->reply.id);
}

/* ---- what must come back ---- */

/*
 * Clients send calls back as they were, but some leave thoughts out, and signatures are bytes to
 * all. So a call carries, in base64, a line of its own state and a line for each thought that led
 * to it: the envelope of its state, a space, the envelope of its text.
 */
static void put_signature(struct json_out *o, struct str text)
{
    struct buf coded;

    buf_init(&coded, LIMIT_BODY_BYTES);
    base64_write(&coded, BASE64_STANDARD, text);
    json_key(o, "thoughtSignature");
    json_put_str(o, buf_str(&coded));
    buf_release(&coded);
}

/* The first part behind the call before this one. */
static const struct reply_part *step_of(const struct conversion *c, const struct reply_part *call)
{
    const struct reply_part *first = c->reply.parts;

    for (const struct reply_part *p = first; p != call; p = p->next) {
        first = p->kind == PART_CALL ? p->next : first;
    }
    return first;
}

static void put_call_state(struct conversion *c, struct json_out *o, const struct reply_part *call)
{
    struct buf lines;

    buf_init(&lines, LIMIT_BODY_BYTES);
    buf_add(&lines, call->opaque);
    for (const struct reply_part *p = step_of(c, call); p != call; p = p->next) {
        if (p->kind == PART_REASONING) {
            buf_cat(&lines, STR("\n"), p->opaque, STR(" "),
                    envelope_wrap(c, ENVELOPE_TEXT, buf_str(&p->text)));
        }
    }
    if (lines.n > 0) {
        put_signature(o, buf_str(&lines));
    }
    buf_release(&lines);
}

/* ---- parts ---- */

static bool is_shown(const struct conversion *c, const struct reply_part *p)
{
    return p->kind != PART_REASONING || c->ask.reasoning.show == YES;
}

static void put_text(struct json_out *o, const struct reply_part *p, struct str text,
                     struct str state)
{
    json_open(o, '{');
    json_key(o, "text");
    json_put_str(o, text);
    if (p->kind == PART_REASONING) {
        json_key(o, "thought");
        json_put_bool(o, true);
    }
    if (state.n > 0) {
        put_signature(o, state);
    }
    json_close(o, '}');
}

/* Arguments that are no object cannot be written: the answer ends as one that failed. */
static bool has_arguments(const struct reply_part *p)
{
    return text_is_object(buf_str(&p->text));
}

static void put_call(struct conversion *c, struct json_out *o, const struct reply_part *p)
{
    json_open(o, '{');
    json_key(o, "functionCall");
    json_open(o, '{');
    json_key(o, "id");
    json_put_str(o, p->id);
    json_key(o, "name");
    json_put_str(o, p->name);
    json_key(o, "args");
    reply_put_arguments(o, p);
    json_close(o, '}');
    put_call_state(c, o, p);
    json_close(o, '}');
}

/* ---- the end ---- */

static const char *finish(const struct conversion *c)
{
    enum finish f = (enum finish)c->reply.finish;

    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->kind == PART_CALL && p->left_out && f != FINISH_LENGTH && f != FINISH_CONTEXT &&
            f != FINISH_FILTER) {
            f = FINISH_BAD_CALL;
        }
    }
    return finish_word(DIALECT_GEMINI, f);
}

static void put_count(struct json_out *o, const char *key, uint64_t n)
{
    if (n > 0) {
        json_key(o, key);
        json_put_u64(o, n);
    }
}

/* Tokens by modality; text is the rest. Nothing when all is text. */
static void put_modalities(struct json_out *o, const char *key, uint64_t all, uint64_t audio,
                           uint64_t image, uint64_t video)
{
    const struct {
        const char *name;
        uint64_t n;
    } kinds[] = {{"TEXT", all - audio - image - video},
                 {"AUDIO", audio},
                 {"IMAGE", image},
                 {"VIDEO", video}};

    if (audio + image + video == 0) {
        return;
    }
    json_key(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].n > 0) {
            json_open(o, '{');
            json_key(o, "modality");
            json_put_str(o, str_from(kinds[i].name));
            json_key(o, "tokenCount");
            json_put_u64(o, kinds[i].n);
            json_close(o, '}');
        }
    }
    json_close(o, ']');
}

static void put_usage(const struct conversion *c, struct json_out *o)
{
    const struct usage *u = reply_usage(c);
    struct usage_sums s = usage_sums(u);

    json_key(o, "usageMetadata");
    json_open(o, '{');
    json_key(o, "promptTokenCount");
    json_put_u64(o, s.in);
    json_key(o, "candidatesTokenCount");
    json_put_u64(o, s.out - s.reasoning);
    json_key(o, "totalTokenCount");
    json_put_u64(o, s.total);
    put_count(o, "cachedContentTokenCount", s.cache_read);
    put_count(o, "thoughtsTokenCount", s.reasoning);
    put_modalities(o, "promptTokensDetails", s.in, s.in_audio, u->in_image + u->cache_read_image,
                   u->in_video + u->cache_read_video);
    put_modalities(o, "cacheTokensDetails", s.cache_read, u->cache_read_audio, u->cache_read_image,
                   u->cache_read_video);
    put_modalities(o, "candidatesTokensDetails", s.out - s.reasoning, u->out_audio, u->out_image,
                   u->out_video);
    json_close(o, '}');
}

/* ---- events ---- */

/* Every event begins alike: it is made once. */
static void start(struct conversion *c)
{
    struct buf head;
    struct json_out o = {&head, false};

    buf_init(&head, 1024);
    json_open(&o, '{');
    put_identity(c, &o);
    json_key(&o, "candidates");
    json_open(&o, '[');
    json_open(&o, '{');
    json_key(&o, "index");
    json_put_u64(&o, 0);
    json_key(&o, "content");
    json_open(&o, '{');
    put_role(&o);
    json_key(&o, "parts");
    json_open(&o, '[');
    c->reply.head = conversion_take(c, &head);
}

static struct json_out open_event(struct conversion *c)
{
    buf_cat(c->out, gemini_before((enum framing)c->framing), c->reply.head);
    if (c->framing == FRAMING_ARRAY_START) {
        c->framing = FRAMING_ARRAY;
    }
    return (struct json_out){c->out, false};
}

static void close_event(struct conversion *c)
{
    buf_add(c->out, STR("]}}]}"));
    if (c->framing == FRAMING_SSE) {
        buf_add(c->out, gemini_after(FRAMING_SSE));
    }
}

static void open_part(struct conversion *c, struct reply_part *p)
{
    (void)c;
    (void)p; /* a text opens with its first piece, and a call is written when it is complete */
}

static void piece(struct conversion *c, struct reply_part *p, struct str text)
{
    if (is_shown(c, p)) {
        struct json_out o = open_event(c);
        put_text(&o, p, text, STR(""));
        close_event(c);
    }
}

static void close_part(struct conversion *c, struct reply_part *p)
{
    if (p->kind == PART_CALL && !has_arguments(p)) {
        p->left_out = true;
    } else if (p->kind == PART_CALL) {
        struct json_out o = open_event(c);
        put_call(c, &o, p);
        close_event(c);
    } else if (p->kind == PART_REASONING && p->opaque.n > 0 && is_shown(c, p)) {
        struct json_out o = open_event(c);
        put_text(&o, p, STR(""), p->opaque);
        close_event(c);
    }
}

static void end(struct conversion *c)
{
    struct json_out o = open_event(c);

    json_put_raw(&o, STR("{\"text\":\"\"}]}"));
    json_key(&o, "finishReason");
    json_put_str(&o, str_from(finish(c)));
    json_close(&o, '}');
    json_close(&o, ']');
    put_usage(c, &o);
    json_close(&o, '}');
    buf_add(c->out, gemini_after((enum framing)c->framing));
}

/* ---- whole ---- */

static void put_parts(struct conversion *c, struct json_out *o)
{
    for (struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->kind == PART_CALL) {
            p->left_out = !has_arguments(p);
            if (!p->left_out) {
                put_call(c, o, p);
            }
        } else if (is_shown(c, p) && p->text.n + p->opaque.n > 0) {
            put_text(o, p, buf_str(&p->text), p->opaque);
        }
    }
}

static void whole(struct conversion *c)
{
    struct json_out o = {c->out, false};

    json_open(&o, '{');
    json_key(&o, "candidates");
    json_open(&o, '[');
    json_open(&o, '{');
    json_key(&o, "content");
    json_open(&o, '{');
    put_role(&o);
    json_key(&o, "parts");
    json_open(&o, '[');
    put_parts(c, &o);
    json_close(&o, ']');
    json_close(&o, '}');
    json_key(&o, "finishReason");
    json_put_str(&o, str_from(finish(c)));
    json_key(&o, "index");
    json_put_u64(&o, 0);
    json_close(&o, '}');
    json_close(&o, ']');
    put_usage(c, &o);
    put_identity(c, &o);
    json_close(&o, '}');
}

const struct reply_writer gemini_writer = {.keeps_texts = true,
                                           .whole_calls = true,
                                           .start = start,
                                           .open = open_part,
                                           .piece = piece,
                                           .close = close_part,
                                           .end = end,
                                           .whole = whole};
