/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running state of one stream. Most events are text deltas: they are recognised by a few
 * searches and never parsed. A search can only say "surely plain" or "parse it"; keys inside
 * strings cannot mislead it, since their quotes are escaped there.
 */
#include <stdio.h>

#include "dialect/dialect.h"
#include "dialect/usage.h"

/*
 * Text of fewer bytes than this per token is not seen over a whole answer in any language, so that
 * bytes divided by it stay below what the vendor counted.
 */
#define BYTES_PER_TOKEN 8

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }
    return p;
}

/* First byte of the value of the next such key at or after `from`, or NULL. */
static const char *value_of(struct str data, const char *from, struct str quoted_key)
{
    const char *end = data.p + data.n;
    while (from < end) {
        const char *at = memmem(from, (size_t)(end - from), quoted_key.p, quoted_key.n);
        if (at == NULL) {
            return NULL;
        }
        from = at + quoted_key.n;
        const char *p = skip_space(from, end);
        if (p < end && *p == ':') {
            p = skip_space(p + 1, end);
            return p < end ? p : NULL;
        }
    }
    return NULL;
}

/* The key stands somewhere with a value other than null. */
static bool has_value(struct str data, struct str quoted_key)
{
    const char *from = data.p;
    const char *v;
    while ((v = value_of(data, from, quoted_key)) != NULL) {
        if (*v != 'n') {
            return true;
        }
        from = v;
    }
    return false;
}

/* Counts the decoded bytes of a JSON string, low for \u escapes. */
static void count_string(struct meter *m, const char *p, const char *end)
{
    uint64_t n = 0;
    while (p < end && *p != '"') {
        size_t step = 1;
        if (*p == '\\' && end - p > 1) {
            bool unicode = p[1] == 'u';
            step = unicode ? 6 : 2;
            n += unicode ? 1 : 0;
        }
        n++;
        p = (size_t)(end - p) > step ? p + step : end;
    }
    if (n > 0) {
        m->text_bytes += n;
        m->deltas++;
    }
}

static void count_keys(struct meter *m, struct str data, const struct str *quoted_keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *v = data.p;
        while ((v = value_of(data, v, quoted_keys[i])) != NULL) {
            if (*v == '"') {
                count_string(m, v + 1, data.p + data.n);
            }
        }
    }
}

/*
 * What stands under a delta. Quotations from web pages (annotations) are not generated text, and
 * hosts that send reasoning under two names send it twice.
 */
static void count_chat(struct meter *m, struct str data)
{
    static const struct str keys[] = {STR_INIT("\"content\""), STR_INIT("\"arguments\""),
                                      STR_INIT("\"refusal\"")};
    static const struct str content = STR_INIT("\"reasoning_content\"");
    static const struct str reasoning = STR_INIT("\"reasoning\"");
    const char *from = value_of(data, data.p, STR("\"delta\""));
    if (from == NULL) {
        return;
    }
    const char *quotes = value_of(data, from, STR("\"annotations\""));
    const char *end = quotes != NULL ? quotes : data.p + data.n;
    struct str delta = str_slice(from, (size_t)(end - from));
    count_keys(m, delta, keys, sizeof(keys) / sizeof(keys[0]));
    count_keys(m, delta, has_value(delta, content) ? &content : &reasoning, 1);
}

static void count_text(struct meter *m, struct str data)
{
    static const struct str responses[] = {STR_INIT("\"delta\"")};
    static const struct str messages[] = {STR_INIT("\"text\""), STR_INIT("\"thinking\""),
                                          STR_INIT("\"partial_json\"")};
    static const struct str gemini[] = {STR_INIT("\"text\"")};
    const char *from;
    switch ((enum dialect)m->dialect) {
    case DIALECT_CHAT: count_chat(m, data); break;
    case DIALECT_RESPONSES: count_keys(m, data, responses, 1); break;
    case DIALECT_MESSAGES:
        from = value_of(data, data.p, STR("\"delta\""));
        if (from != NULL) {
            data = str_skip(data, (size_t)(from - data.p));
            count_keys(m, data, messages, sizeof(messages) / sizeof(messages[0]));
        }
        break;
    case DIALECT_GEMINI: count_keys(m, data, gemini, 1); break;
    case DIALECT_EMBEDDINGS:
    case DIALECT_OWN: break;
    }
}

static void take_usage(struct meter *m, struct str vendor, const struct json *root)
{
    enum dialect d = (enum dialect)m->dialect;
    if (d == DIALECT_MESSAGES) {
        const struct json *usage = usage_find(d, vendor, root);
        if (usage != NULL) {
            usage_update_messages(usage, &m->usage);
            m->has_usage = m->usage.state != USAGE_MISSING;
        }
        return;
    }
    struct usage u;
    usage_read(d, vendor, root, &u);
    if (u.state != USAGE_MISSING) {
        m->usage = u;
        m->has_usage = true;
    }
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

static enum mark end_with(struct meter *m, enum mark mark)
{
    m->ended = m->ended || mark == MARK_TERMINAL;
    m->failed = m->failed || mark == MARK_FAILED;
    return mark;
}

static enum mark chat_mark(struct meter *m, const struct json *root)
{
    if (has_error(root)) {
        return end_with(m, MARK_FAILED);
    }
    const struct json *choices = json_get(root, "choices");
    const struct json *usage = json_get(root, "usage");
    bool empty = choices != NULL && json_is_array(choices) && json_count(choices) == 0;
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
    size_t n = candidates == NULL || !json_is_array(candidates) ? 0 : json_count(candidates);
    for (size_t i = 0; i < n; i++) {
        char path[48];
        snprintf(path, sizeof(path), "%zu.finishReason", i);
        const struct json *reason = json_get(candidates, path);
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
    static const struct str plain[] = {STR_INIT("\"content_block_"),
                                       STR_INIT("\"ping\""),
                                       STR_INIT("\"response.output_"),
                                       STR_INIT("\"response.content_part"),
                                       STR_INIT("\"response.function_call_arguments"),
                                       STR_INIT("\"response.reasoning_"),
                                       STR_INIT("\"response.custom_tool_call_input"),
                                       STR_INIT("\"response.refusal")};
    const char *end = data.p + data.n;
    const char *p = skip_space(data.p, end);
    if (p == end || *p != '{') {
        return false;
    }
    p = skip_space(p + 1, end);
    const char *v = value_of(data, p, STR("\"type\""));
    if (v == NULL || !str_starts(str_slice(p, (size_t)(end - p)), STR("\"type\""))) {
        return false;
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (str_starts(str_slice(v, (size_t)(end - v)), plain[i])) {
            return true;
        }
    }
    return false;
}

/* Surely plain: no usage, no end, no failure, no model that we still want. */
static bool surely_plain(const struct meter *m, struct str data)
{
    switch ((enum dialect)m->dialect) {
    case DIALECT_CHAT:
        return m->has_model && !has_value(data, STR("\"usage\"")) &&
               !has_value(data, STR("\"error\""));
    case DIALECT_RESPONSES:
    case DIALECT_MESSAGES: return plain_type(data);
    case DIALECT_GEMINI:
        return m->has_model && !has_value(data, STR("\"usageMetadata\"")) &&
               !has_value(data, STR("\"finishReason\"")) &&
               !has_value(data, STR("\"promptFeedback\"")) && !has_value(data, STR("\"error\""));
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
    case DIALECT_CHAT: mark = chat_mark(m, root); break;
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
        count_text(m, data);
        if (!surely_plain(m, data)) {
            mark = parsed_mark(m, vendor, data);
        }
    }
    if (mark == MARK_PLAIN && str_eq(name, STR("error"))) {
        mark = end_with(m, MARK_FAILED);
    }
    /* After the end nothing may reach the client before the charge, whatever it says. */
    return m->ended && mark != MARK_FAILED ? MARK_TERMINAL : mark;
}

bool meter_complete(const struct meter *m)
{
    return m->ended && !m->failed;
}

uint64_t meter_output_floor(const struct meter *m)
{
    /* A delta with text in it is a token at least. */
    uint64_t by_text = (m->text_bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
    return m->deltas > by_text ? m->deltas : by_text;
}
