/* SPDX-License-Identifier: Apache-2.0 */
/* The running state of one stream. An event is glanced at, and parsed only where that asks for it.
 */

#include "dialect/glance.h"
#include "dialect/refusal.h"
#include "dialect/usage.h"

/*
 * Text of fewer bytes than this per token is not seen over a whole answer in any language, so that
 * bytes divided by it stay below what the vendor counted.
 */
#define BYTES_PER_TOKEN 8

static void take_usage(struct meter *m, struct str vendor, const struct json *root)
{
    usage_take((enum dialect)m->dialect, vendor, root, &m->counts, &m->usage);
    m->has_usage = m->usage.state != USAGE_MISSING;
}

static void take_model(struct meter *m, const struct json *root)
{
    struct buf name;
    buf_init(&name, LIMIT_NAME);
    if (seen_model((enum dialect)m->dialect, root, &name)) {
        memcpy(m->model, name.p, name.n);
        m->model_n = (uint8_t)name.n;
        m->has_model = true;
    }
    buf_release(&name);
}

/* An error that is really there: an object or a text, as some hosts send it. */
static bool has_error(const struct json *root)
{
    const struct json *e = json_get(root, "error");
    return e != NULL && (json_is_object(e) || json_str(e).n > 0);
}

static void come_to(struct meter *m, enum stage stage)
{
    m->stage = m->stage > stage ? m->stage : (uint8_t)stage;
}

static enum mark end_with(struct meter *m, enum mark mark)
{
    if (mark == MARK_TERMINAL) {
        come_to(m, STAGE_ENDED);
    }
    m->failed = m->failed || mark == MARK_FAILED;
    return mark;
}

static bool says_why(const struct json *from, const char *key)
{
    const struct json *reason = json_get(from, key);
    return reason != NULL && json_str(reason).n > 0;
}

static enum mark chat_mark(struct meter *m, struct str vendor, const struct json *root)
{
    struct refusal why;

    if (refusal_read(vendor_find(vendor), root, &why)) {
        return end_with(m, MARK_FAILED);
    }
    const struct json *choices = json_get(root, "choices");
    const struct json *usage = json_get(root, "usage");
    bool empty = choices != NULL && json_is_array(choices) && json_count(choices) == 0;
    struct json_each it = json_each(choices);
    while (json_next(&it)) {
        if (says_why(it.value, "finish_reason")) {
            come_to(m, STAGE_FINISHED);
        }
    }
    return empty && usage != NULL && json_is_object(usage) ? MARK_USAGE_FRAME : MARK_PLAIN;
}

/* The type inside the data is what clients look at; the event: line only repeats it. */
static enum mark typed_mark(struct meter *m, const struct json *root)
{
    static const struct {
        struct str type;
        enum mark mark;
    } ends[] = {
        {STR_INIT("response.completed"), MARK_TERMINAL},
        {STR_INIT("response.incomplete"), MARK_TERMINAL},
        {STR_INIT("response.failed"), MARK_FAILED},
        {STR_INIT("message_stop"), MARK_TERMINAL},
        {STR_INIT("error"), MARK_FAILED},
    };
    const struct json *v = json_get(root, "type");
    struct str type = v == NULL ? (struct str){NULL, 0} : json_str(v);
    if (str_eq(type, STR("message_delta")) && says_why(root, "delta.stop_reason")) {
        come_to(m, STAGE_FINISHED);
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (str_eq(type, ends[i].type)) {
            return end_with(m, ends[i].mark);
        }
    }
    return type.n == 0 && has_error(root) ? end_with(m, MARK_FAILED) : MARK_PLAIN;
}

static enum mark gemini_mark(struct meter *m, const struct json *root)
{
    if (has_error(root)) {
        return end_with(m, MARK_FAILED);
    }
    const struct json *candidates = json_get(root, "candidates");
    size_t n = json_is_array(candidates) ? json_count(candidates) : 0;
    struct json_each it = json_each(candidates);
    while (n > 0 && json_next(&it)) {
        const struct json *reason = json_get(it.value, "finishReason");
        if (reason != NULL && json_str(reason).n > 0 &&
            !str_eq(json_str(reason), STR("FINISH_REASON_UNSPECIFIED"))) {
            return end_with(m, MARK_TERMINAL);
        }
    }
    const struct json *block = json_get(root, "promptFeedback.blockReason");
    bool blocked = n == 0 && block != NULL && json_str(block).n > 0;
    return blocked ? end_with(m, MARK_TERMINAL) : MARK_PLAIN;
}

/* True when the data's first member is a type that surely says nothing but text or structure. */
static bool plain_type(struct str data)
{
    static const struct str plain[] = {
        STR_INIT("\"content_block_"),        STR_INIT("\"ping\""),
        STR_INIT("\"response.output_text"),  STR_INIT("\"response.output_item.added"),
        STR_INIT("\"response.content_part"), STR_INIT("\"response.function_call_arguments"),
        STR_INIT("\"response.reasoning_"),   STR_INIT("\"response.custom_tool_call_input"),
        STR_INIT("\"response.refusal")};
    static const struct str type = STR_INIT("\"type\"");
    const char *end = data.p + data.n;
    const char *p = glance_skip_space(data.p, end);
    if (p == end || *p != '{') {
        return false;
    }
    p = glance_skip_space(p + 1, end);
    if (!str_starts(str_slice(p, (size_t)(end - p)), type)) {
        return false;
    }
    p = glance_skip_space(p + type.n, end);
    if (p == end || *p != ':') {
        return false;
    }
    const char *v = glance_skip_space(p + 1, end);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (str_starts(str_slice(v, (size_t)(end - v)), plain[i])) {
            return true;
        }
    }
    return false;
}

/* Surely plain: no usage, no end, no failure, no model that we still want. */
static bool surely_plain(const struct meter *m, const struct glance *g, struct str data)
{
    switch ((enum dialect)m->dialect) {
    case DIALECT_CHAT:
    case DIALECT_GEMINI: return m->has_model && !g->ask;
    case DIALECT_RESPONSES:
    case DIALECT_MESSAGES: return plain_type(data);
    case DIALECT_EMBEDDINGS:
    case DIALECT_OWN: break;
    }
    return true;
}

static enum mark parsed_mark(struct meter *m, struct str vendor, struct str data)
{
    struct json_doc *doc = json_parse(data, NULL);
    if (doc == NULL) {
        return MARK_PLAIN;
    }
    const struct json *root = json_root(doc);
    enum mark mark = MARK_PLAIN;
    take_usage(m, vendor, root);
    take_model(m, root);
    switch ((enum dialect)m->dialect) {
    case DIALECT_CHAT: mark = chat_mark(m, vendor, root); break;
    case DIALECT_RESPONSES:
    case DIALECT_MESSAGES: mark = typed_mark(m, root); break;
    case DIALECT_GEMINI: mark = gemini_mark(m, root); break;
    case DIALECT_EMBEDDINGS:
    case DIALECT_OWN: break;
    }
    json_free(doc);
    return mark;
}

void meter_init(struct meter *m, enum dialect d)
{
    *m = (struct meter){.dialect = (uint8_t)d, .usage = {.state = USAGE_MISSING}};
}

enum mark meter_event(struct meter *m, struct str vendor, struct str name, struct str data)
{
    enum mark mark = MARK_PLAIN;
    if (data.n > 0 && m->dialect == DIALECT_CHAT && str_eq(str_trim(data), STR("[DONE]"))) {
        mark = end_with(m, MARK_TERMINAL);
    } else if (data.n > 0) {
        struct glance g;
        glance((enum dialect)m->dialect, data, &g);
        m->text_bytes += g.bytes;
        m->deltas += g.texts;
        if (g.texts > 0 && m->stage != STAGE_ENDED) {
            m->stage = STAGE_OPEN;
        }
        if (m->dialect == DIALECT_RESPONSES && str_eq(name, STR("response.output_text.done"))) {
            come_to(m, STAGE_TEXT_DONE);
        }
        if (!surely_plain(m, &g, data)) {
            mark = parsed_mark(m, vendor, data);
        }
    }
    if (mark == MARK_PLAIN && str_eq(name, STR("error"))) {
        mark = end_with(m, MARK_FAILED);
    }
    /* After the end nothing may reach the client before the charge, whatever it says. */
    return m->stage == STAGE_ENDED && mark != MARK_FAILED ? MARK_TERMINAL : mark;
}

bool meter_complete(const struct meter *m)
{
    return m->stage == STAGE_ENDED && !m->failed;
}

uint64_t meter_output_floor(const struct meter *m)
{
    /* A delta with text in it is a token at least. */
    uint64_t by_text = (m->text_bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
    return m->deltas > by_text ? m->deltas : by_text;
}
