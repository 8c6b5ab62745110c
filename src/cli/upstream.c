/* SPDX-License-Identifier: Apache-2.0 */
/* entrepot upstream vendors: the table of vendors, or all of one row. Asks no station. */
#include <stdio.h>

#include "cli/cli.h"
#include "dialect/vendor.h"

#define COLUMNS 4
#define CELL_MAX 128
#define OUTPUT_MAX (256 * 1024)

/* By the enums of vendor.h. */
static const char *const dialects[] = {"chat", "responses", "messages", "gemini", "embeddings"};
static const char *const auths[] = {"bearer", "x-api-key", "x-goog-api-key"};
static const char *const reasoning_ins[] = {"none", "reasoning_effort", "thinking.type",
                                            "enable_thinking", "reasoning"};
static const char *const reasoning_backs[] = {"any", "replay", "omit"};
static const char *const choices[] = {"auto", "none", "required", "named"};
static const char *const tool_ids[] = {"any", "alnum9"};
static const char *const errors[] = {"error", "code", "base_resp"};

/* A row is told as JSON or in lines for a person. */
struct teller {
    struct buf *out;
    bool json;
    const char *group; /* the object around what is told, or NULL */
};

static void tell_name(const struct teller *t, const char *name)
{
    char full[64];

    if (t->json) {
        bool first = t->out->p[t->out->n - 1] == '{';
        buf_addf(t->out, "%s\"%s\":", first ? "" : ",", name);
        return;
    }
    snprintf(full, sizeof(full), "%s%s%s:", t->group != NULL ? t->group : "",
             t->group != NULL ? "." : "", name);
    buf_addf(t->out, "%-25s ", full);
}

static void tell_text(const struct teller *t, const char *name, const char *value)
{
    tell_name(t, name);
    if (!t->json) {
        buf_addf(t->out, "%s\n", value != NULL ? value : "-");
    } else if (value == NULL) {
        buf_add(t->out, STR("null"));
    } else {
        json_write_str(t->out, str_from(value));
    }
}

static void tell_flag(const struct teller *t, const char *name, bool value)
{
    tell_name(t, name);
    if (t->json) {
        buf_add(t->out, value ? STR("true") : STR("false"));
    } else {
        buf_add(t->out, value ? STR("yes\n") : STR("no\n"));
    }
}

/* 0: nothing is said. */
static void tell_number(const struct teller *t, const char *name, unsigned value)
{
    if (value == 0) {
        tell_text(t, name, NULL);
        return;
    }
    tell_name(t, name);
    buf_addf(t->out, "%u%s", value, t->json ? "" : "\n");
}

/* The words whose bits are set, between blanks. */
static void tell_bits(const struct teller *t, const char *name, unsigned bits,
                      const char *const *words, size_t n)
{
    char text[64] = "";
    int at = 0;

    for (size_t i = 0; i < n; i++) {
        if ((bits >> i & 1) != 0) {
            at +=
                snprintf(text + at, sizeof(text) - (size_t)at, "%s%s", at > 0 ? " " : "", words[i]);
        }
    }
    tell_text(t, name, text);
}

static void tell_begin(struct teller *t, const char *group)
{
    if (t->json && group != NULL) {
        tell_name(t, group);
    }
    t->group = group;
    if (t->json) {
        buf_add_byte(t->out, '{');
    }
}

static void tell_end(struct teller *t)
{
    t->group = NULL;
    if (t->json) {
        buf_add_byte(t->out, '}');
    }
}

static void tell_chat(struct teller *t, const struct vendor *v)
{
    tell_begin(t, "chat");
    tell_text(t, "reasoning_in", reasoning_ins[v->reasoning_in]);
    tell_text(t, "efforts", v->efforts);
    tell_text(t, "reasoning_field", v->reasoning_field);
    tell_text(t, "reasoning_back", reasoning_backs[v->reasoning_back]);
    tell_text(t, "max_tokens", v->max_tokens);
    tell_text(t, "seed", v->seed);
    tell_number(t, "stops", v->stops);
    tell_number(t, "temperature_tenths", v->temperature_tenths);
    tell_bits(t, "tool_choice", v->tool_choice, choices, 4);
    tell_text(t, "tool_id", tool_ids[v->tool_id]);
    tell_flag(t, "tool_text_only", v->tool_text_only);
    tell_flag(t, "developer_role", v->developer_role);
    tell_flag(t, "top_k", v->top_k);
    tell_flag(t, "cache_control", v->cache_control);
    tell_flag(t, "stream_options", v->stream_options);
    tell_flag(t, "usage_in_choice", v->usage_in_choice);
    tell_text(t, "lacks", v->lacks);
    tell_text(t, "extra", v->extra);
    tell_end(t);
}

static void tell_row(struct buf *out, const struct vendor *v, bool json)
{
    struct teller t = {.out = out, .json = json};

    tell_begin(&t, NULL);
    tell_text(&t, "name", v->name);
    tell_text(&t, "env", v->env);
    tell_text(&t, "auth", auths[v->auth]);
    tell_flag(&t, "keyless", v->keyless);
    tell_begin(&t, "bases");
    for (size_t d = 0; d < DIALECT_OWN; d++) {
        if (v->bases[d] != NULL) {
            tell_text(&t, dialects[d], v->bases[d]);
        }
    }
    tell_end(&t);
    tell_flag(&t, "cancel_stops_billing", v->cancel_stops_billing);
    tell_bits(&t, "errors", (unsigned)v->errors << 1 | 1U, errors, 3);
    if (v->bases[DIALECT_CHAT] != NULL) {
        tell_chat(&t, v);
    }
    tell_text(&t, "note", v->note);
    tell_end(&t);
}

static void add_json(struct buf *b)
{
    buf_add(b, STR("{\"vendors\":["));
    for (size_t i = 0; i < vendor_count; i++) {
        buf_add(b, i > 0 ? STR(",") : STR(""));
        tell_row(b, &vendors[i], true);
    }
    buf_add(b, STR("]}\n"));
}

/* One cell of the table; room holds what has to be put together. */
static const char *cell(const struct vendor *v, size_t column, char room[CELL_MAX])
{
    int n = 0;

    switch (column) {
    case 0: return v->name;
    case 1:
        for (size_t d = 0; d < DIALECT_OWN; d++) {
            if (v->bases[d] != NULL) {
                n += snprintf(room + n, (size_t)(CELL_MAX - n), "%s%s", n > 0 ? " " : "",
                              dialects[d]);
            }
        }
        return room;
    case 2:
        if (v->env == NULL) {
            return "none needed";
        }
        snprintf(room, CELL_MAX, "%s%s", v->env, v->keyless ? " or none" : "");
        return room;
    default:
        snprintf(room, CELL_MAX, "%s%s", vendor_base(v)[0] == '/' ? "https://HOST" : "",
                 vendor_base(v));
        return room;
    }
}

static void add_table(struct buf *b)
{
    static const char *const titles[COLUMNS] = {"vendor", "dialects", "key", "base"};
    size_t wide[COLUMNS];
    char room[CELL_MAX];

    for (size_t c = 0; c < COLUMNS; c++) {
        wide[c] = strlen(titles[c]);
        for (size_t i = 0; i < vendor_count; i++) {
            size_t n = strlen(cell(&vendors[i], c, room));
            wide[c] = n > wide[c] ? n : wide[c];
        }
    }
    for (size_t i = 0; i <= vendor_count; i++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            const char *text = i == 0 ? titles[c] : cell(&vendors[i - 1], c, room);
            int pad = c + 1 < COLUMNS ? (int)wide[c] : 0;
            buf_addf(b, "%-*s%s", pad, text, c + 1 < COLUMNS ? "  " : "\n");
        }
    }
}

/* False: there is no such vendor. */
static bool write_answer(struct buf *out, const char *name, bool json)
{
    const struct vendor *v = name != NULL ? vendor_find(str_from(name)) : NULL;

    if (name == NULL) {
        (json ? add_json : add_table)(out);
        return true;
    }
    if (v == NULL) {
        return false;
    }
    tell_row(out, v, json);
    buf_add(out, json ? STR("\n") : STR(""));
    return true;
}

int cli_upstream_vendors(int argc, char **argv)
{
    const char *name = NULL;
    bool json = false;
    bool ok = true;
    struct buf out;

    for (int i = 1; i < argc; i++) {
        if (str_eq(str_from(argv[i]), STR("--json"))) {
            json = true;
        } else {
            ok = ok && name == NULL && argv[i][0] != '-';
            name = argv[i];
        }
    }
    if (!ok) {
        return cli_fail_as(json, 2, STR("usage: entrepot upstream vendors [NAME] [--json]"),
                           STR(""));
    }
    buf_init(&out, OUTPUT_MAX);
    if (write_answer(&out, name, json)) {
        fwrite(out.p, 1, out.n, stdout);
        buf_release(&out);
        return 0;
    }
    buf_addf(&out, "there is no vendor '%s'; entrepot upstream vendors lists them", name);
    int status = cli_fail_as(json, 1, buf_str(&out), STR(""));
    buf_release(&out);
    return status;
}
