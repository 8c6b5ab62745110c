/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request's body asks for, read without parsing its content. Where two readers of one body
 * could disagree (a key twice, a key in escapes, a truth value as text) the request is refused:
 * otherwise a client could show us one model and the vendor another.
 */
#include <stdio.h>

#include "dialect/dialect.h"

enum kind {
    KIND_MODEL,
    KIND_STREAM,
    KIND_STREAM_OPTIONS,
    KIND_MAX,
    KIND_CHOICES,
    KIND_BACKGROUND,
    KIND_CONFIG,
    KIND_SERVICE,
    KIND_TEXT
};

#define CHOICES_MAX 128 /* OpenAI's own limit */

struct field {
    const char *name;
    enum kind kind;
    unsigned dialects;
};

#define CHAT DIALECT_BIT(DIALECT_CHAT)
#define RESPONSES DIALECT_BIT(DIALECT_RESPONSES)
#define MESSAGES DIALECT_BIT(DIALECT_MESSAGES)
#define GEMINI DIALECT_BIT(DIALECT_GEMINI)
#define EMBEDDINGS DIALECT_BIT(DIALECT_EMBEDDINGS)

static const struct field fields[] = {
    {"model", KIND_MODEL, CHAT | RESPONSES | MESSAGES | EMBEDDINGS},
    {"stream", KIND_STREAM, CHAT | RESPONSES | MESSAGES | EMBEDDINGS},
    {"stream_options", KIND_STREAM_OPTIONS, CHAT},
    {"max_tokens", KIND_MAX, CHAT | MESSAGES},
    {"max_completion_tokens", KIND_MAX, CHAT},
    {"max_output_tokens", KIND_MAX, RESPONSES},
    {"n", KIND_CHOICES, CHAT},
    {"background", KIND_BACKGROUND, RESPONSES},
    {"service_tier", KIND_SERVICE, CHAT | RESPONSES | MESSAGES | GEMINI},
    {"serviceTier", KIND_SERVICE, GEMINI},
    {"messages", KIND_TEXT, CHAT | MESSAGES},
    {"input", KIND_TEXT, RESPONSES | EMBEDDINGS},
    {"contents", KIND_TEXT, GEMINI},
    {"system", KIND_TEXT, MESSAGES},
    {"instructions", KIND_TEXT, RESPONSES},
    {"systemInstruction", KIND_TEXT, GEMINI},
    {"generationConfig", KIND_CONFIG, GEMINI},
    {"generation_config", KIND_CONFIG, GEMINI},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static bool read_model(struct str value, struct ask *out, struct err *why)
{
    if (value.n < 2 || value.p[0] != '"') {
        return err_set(why, "model must be a string");
    }
    struct str name = str_slice(value.p + 1, value.n - 2);
    if (name.n == 0 || name.n > LIMIT_NAME) {
        return err_set(why, "model must have 1 to %d bytes", LIMIT_NAME);
    }
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '\\' || (unsigned char)name.p[i] < 0x20) {
            return err_set(why, "model must be written without escapes");
        }
    }
    out->model = name;
    return true;
}

/* true, false, or null for "not given". */
static bool read_flag(const char *name, struct str value, bool *out, struct err *why)
{
    *out = str_eq(value, STR("true"));
    if (!*out && !str_eq(value, STR("false")) && !str_eq(value, STR("null"))) {
        return err_set(why, "%s must be true or false", name);
    }
    return true;
}

static bool read_stream_options(struct str value, struct ask *out, struct err *why)
{
    out->stream_options = value;
    if (str_eq(value, STR("null"))) {
        return true;
    }
    struct json_member m = {.key = STR("include_usage")};
    if (!json_scan_found(json_scan_members(value, &m, 1))) {
        return err_set(why, "stream_options must be an object");
    }
    if (m.count > 1 || m.escaped) {
        return err_set(why, "stream_options.include_usage must be given once, without escapes");
    }
    return m.count == 0 ||
           read_flag("stream_options.include_usage", m.value, &out->include_usage, why);
}

/* The larger wins where two fields name a maximum: the hold must cover either reading. */
static bool read_max(const char *name, struct str value, struct ask *out, struct err *why)
{
    uint64_t n;
    if (str_eq(value, STR("null"))) {
        return true;
    }
    if (!str_to_u64(value, &n)) {
        return err_set(why, "%s must be a whole number, 0 or more", name);
    }
    if (n > out->max_output) {
        out->max_output = n;
    }
    return true;
}

static bool read_choices(const char *name, struct str value, struct ask *out, struct err *why)
{
    uint64_t n;
    if (str_eq(value, STR("null"))) {
        return true;
    }
    if (!str_to_u64(value, &n) || n == 0 || n > CHOICES_MAX) {
        return err_set(why, "%s must be a whole number from 1 to %d", name, CHOICES_MAX);
    }
    out->choices = n > out->choices ? n : out->choices;
    return true;
}

/* Its answer would be fetched later, when nobody meters it. */
static bool read_background(struct str value, struct err *why)
{
    bool background;
    return read_flag("background", value, &background, why) &&
           (!background || err_set(why, "background answers are not sold here; send false"));
}

static bool read_config(const char *name, struct str value, struct ask *out, struct err *why)
{
    static const char *const keys[] = {"maxOutputTokens", "max_output_tokens", "candidateCount",
                                       "candidate_count"};
    if (str_eq(value, STR("null"))) {
        return true;
    }
    struct json_member m[4];
    for (size_t i = 0; i < 4; i++) {
        m[i] = (struct json_member){.key = str_from(keys[i])};
    }
    if (!json_scan_found(json_scan_members(value, m, 4))) {
        return err_set(why, "%s must be an object", name);
    }
    for (size_t i = 0; i < 4; i++) {
        if (m[i].count > 1 || m[i].escaped) {
            return err_set(why, "%s.%s must be given once, without escapes", name, keys[i]);
        }
        char path[64];
        (void)snprintf(path, sizeof(path), "%s.%s", name, keys[i]);
        if (m[i].count == 1 && !(i < 2 ? read_max(path, m[i].value, out, why)
                                       : read_choices(path, m[i].value, out, why))) {
            return false;
        }
    }
    return true;
}

/* Whether more than the standard is asked for, or left to the vendor. What it may be, the vendor
 * says. */
static bool read_service(struct str value, struct ask *out)
{
    static const char *const standard[] = {"null", "\"default\"", "\"standard\"",
                                           "\"standard_only\""};
    bool other = true;
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
        other = other && !str_eq(value, str_from(standard[i]));
    }
    out->service = out->service || other;
    return true;
}

static bool read_field(const struct endpoint *ep, const struct field *f, struct str value,
                       struct ask *out, struct err *why)
{
    switch (f->kind) {
    case KIND_MODEL: return read_model(value, out, why);
    case KIND_STREAM:
        if (!read_flag(f->name, value, &out->stream, why)) {
            return false;
        }
        if (out->stream && ep->op != OP_GENERATE) {
            return err_set(why, "this endpoint does not stream");
        }
        return true;
    case KIND_STREAM_OPTIONS: return read_stream_options(value, out, why);
    case KIND_MAX: return read_max(f->name, value, out, why);
    case KIND_CONFIG: return read_config(f->name, value, out, why);
    case KIND_CHOICES: return read_choices(f->name, value, out, why);
    case KIND_BACKGROUND: return read_background(value, why);
    case KIND_SERVICE: return read_service(value, out);
    case KIND_TEXT: out->texts[out->texts[0].p != NULL] = value; break;
    }
    return true;
}

/* Scans for the fields of the endpoint's dialect; which[] says which row a member is. */
static bool scan(const struct endpoint *ep, struct str body, struct json_member *m,
                 const struct field **which, size_t *count, bool *broken, struct err *why)
{
    size_t n = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if ((fields[i].dialects & DIALECT_BIT(ep->dialect)) != 0) {
            which[n] = &fields[i];
            m[n++] = (struct json_member){.key = str_from(fields[i].name)};
        }
    }
    *count = n;
    enum json_scan verdict = json_scan_members(body, m, n);
    if (verdict == JSON_SCAN_OK) {
        return true;
    }
    /* The scan has seen something that only a parser can judge, or can say where it is wrong. */
    struct json_doc *doc = json_parse(body, why);
    *broken = doc == NULL;
    json_free(doc);
    if (*broken || verdict == JSON_SCAN_DOUBT) {
        return !*broken;
    }
    return err_set(why, "the body must be a JSON object");
}

uint64_t ask_input_floor(const struct ask *a)
{
    uint64_t tokens = 0;

    for (size_t i = 0; i < sizeof(a->texts) / sizeof(a->texts[0]); i++) {
        tokens += a->texts[i].p != NULL ? text_tokens_floor(a->texts[i]) : 0;
    }
    return tokens;
}

bool ask_read(const struct endpoint *ep, struct str body, struct ask *out, const char **field,
              struct err *why)
{
    struct json_member m[FIELD_COUNT];
    const struct field *which[FIELD_COUNT];
    size_t n;
    *out = (struct ask){.choices = 1};
    *field = NULL;
    if (!scan(ep, body, m, which, &n, &out->broken, why)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        *field = which[i]->name;
        if (m[i].count > 1) {
            return err_set(why, "%s is given %u times", *field, m[i].count);
        }
        if (m[i].escaped) {
            return err_set(why, "the key %s must be written without escapes", *field);
        }
        if (m[i].count == 1 && !read_field(ep, which[i], m[i].value, out, why)) {
            return false;
        }
        if (m[i].count == 0 && which[i]->kind == KIND_MODEL) {
            return err_set(why, "model is missing");
        }
    }
    *field = NULL;
    ask_refers(ep->dialect, body, out);
    return true;
}
