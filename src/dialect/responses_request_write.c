/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Responses dialect. Source: OpenAI OpenAPI 2.3.0, CreateResponse. */
#include "dialect/neutral.h"

#define OUTPUT_MIN 16 /* tokens: less is refused */

/* ---- content ---- */

static void put_media_url(struct json_out *o, const char *key, const struct part *p)
{
    struct buf url;

    buf_init(&url, LIMIT_BODY_BYTES);
    media_to_url(p, &url);
    json_key(o, key);
    json_put_str(o, buf_str(&url));
    buf_release(&url);
}

static void write_image(struct json_out *o, const struct part *p)
{
    json_open_typed(o, "input_image");
    put_media_url(o, "image_url", p);
    json_key(o, "detail");
    json_put_str(o, p->detail.n > 0 ? p->detail : STR("auto"));
    json_close(o, '}');
}

static void write_file(struct conversion *c, struct json_out *o, const struct part *p)
{
    json_open_typed(o, "input_file");
    if (p->data.p == NULL) { /* a name is legal beside data alone */
        media_lose_title(c, p);
    } else {
        json_key(o, "filename");
        json_put_str(o, p->title.n > 0                            ? p->title
                        : str_eq(p->mime, STR("application/pdf")) ? STR("file.pdf")
                                                                  : STR("file.txt"));
    }
    put_media_url(o, p->data.p != NULL ? "file_data" : "file_url", p);
    json_close(o, '}');
}

static void write_text(struct json_out *o, const char *type, struct str prefix, struct str text)
{
    struct buf both;

    json_open_typed(o, type);
    json_key(o, "text");
    if (prefix.n == 0) {
        json_put_str(o, text);
    } else {
        buf_init(&both, LIMIT_BODY_BYTES);
        buf_cat(&both, prefix, text);
        json_put_str(o, buf_str(&both));
        buf_release(&both);
    }
    json_close(o, '}');
}

static void lose_cache(struct conversion *c, const struct part *p)
{
    if (p->cache != NULL) {
        lose(c, FIELD_CACHE_CONTROL, p->cache_from);
    }
}

/* What the user says, and what tools give. */
static void write_input(struct conversion *c, struct json_out *o, const struct part *p,
                        struct str prefix)
{
    lose_cache(c, p);
    if (p->ref.n > 0 && p->data.p == NULL) {
        lose(c, FIELD_FILE_ID, p->from);
        return;
    }
    switch ((enum part_kind)p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: write_text(o, "input_text", prefix, p->text); break;
    case PART_IMAGE: write_image(o, p); break;
    case PART_FILE: write_file(c, o, p); break;
    case PART_AUDIO: lose(c, FIELD_AUDIO_INPUT, p->from); break;
    case PART_VIDEO: lose(c, FIELD_VIDEO_INPUT, p->from); break;
    case PART_CALL:
    case PART_RESULT:
    case PART_REASONING: break;
    }
}

static void open_message(struct json_out *o, const char *role)
{
    json_open_typed(o, "message");
    json_key(o, "role");
    json_put_str(o, str_from(role));
    json_key(o, "content");
    json_open(o, '[');
}

static void close_message(struct json_out *o)
{
    json_close(o, ']');
    json_close(o, '}');
}

/* ---- the user's turns: results first, then what was said ---- */

static void put_output(struct conversion *c, struct json_out *o, const struct part *p)
{
    const struct part *first = p->parts.first;
    struct str prefix = p->failed ? STR("[tool error] ") : STR("");

    json_key(o, "output");
    if (first == NULL || (first->next == NULL && first->kind == PART_TEXT && prefix.n == 0)) {
        json_put_str(o, first != NULL ? first->text : prefix);
        if (first != NULL) {
            lose_cache(c, first);
        }
        return;
    }
    json_open(o, '[');
    if (prefix.n > 0 && first->kind != PART_TEXT) {
        write_text(o, "input_text", STR(""), prefix);
    }
    for (; first != NULL; first = first->next) {
        write_input(c, o, first, prefix);
        prefix = STR("");
    }
    json_close(o, ']');
}

static void write_result(struct conversion *c, struct json_out *o, const struct part *p)
{
    if (p->failed) {
        lose(c, FIELD_TOOL_FAILED, p->text_from);
    }
    lose_cache(c, p);
    json_open_typed(o, p->custom ? "custom_tool_call_output" : "function_call_output");
    json_key(o, "call_id");
    json_put_str(o, p->wire_id);
    put_output(c, o, p);
    json_close(o, '}');
}

static void write_user(struct conversion *c, struct json_out *o, const struct turn *t)
{
    bool any = t->parts.first == NULL;

    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == PART_RESULT) {
            write_result(c, o, p);
        } else {
            any = true;
        }
    }
    if (!any) {
        return;
    }
    open_message(o, "user");
    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        write_input(c, o, p, STR(""));
    }
    close_message(o);
}

static void write_system(struct conversion *c, struct json_out *o, const struct turn *t)
{
    bool developer = c->vendor->developer_role;

    open_message(o, developer ? "developer" : "system");
    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        write_input(c, o, p, STR(""));
    }
    close_message(o);
}

/* ---- the assistant's turns ---- */

static void write_call(struct conversion *c, struct json_out *o, const struct part *p)
{
    json_open_typed(o, p->custom ? "custom_tool_call" : "function_call");
    json_key(o, "call_id");
    json_put_str(o, p->wire_id);
    json_key(o, "name");
    json_put_str(o, tool_wire_name(c, p->group, p->name));
    if (p->custom) {
        json_key(o, "input");
        json_put_str(o, p->text);
    } else {
        json_key(o, "arguments");
        json_put_str(o, p->text.n > 0 ? p->text : STR("{}"));
    }
    json_close(o, '}');
    lose_cache(c, p);
}

/* Its state is the item's id and its encrypted content (responses_reply_read.c). */
static void write_reasoning(struct json_out *o, const struct part *p)
{
    struct str encrypted = p->opaque;
    struct str id = str_cut(&encrypted, ' ');

    json_open_typed(o, "reasoning");
    if (id.n > 0) {
        json_key(o, "id");
        json_put_str(o, id);
    }
    json_key(o, "summary");
    json_open(o, '[');
    if (p->text.n > 0) {
        write_text(o, "summary_text", STR(""), p->text);
    }
    json_close(o, ']');
    json_key(o, "encrypted_content");
    json_put_str(o, encrypted);
    json_close(o, '}');
}

static bool is_said(const struct part *p)
{
    return (p->kind == PART_TEXT || p->kind == PART_REFUSAL) && p->text.n > 0;
}

/* Texts in a row are one message; the first part behind it. */
static const struct part *write_said(struct conversion *c, struct json_out *o, const struct part *p)
{
    open_message(o, "assistant");
    for (; p != NULL && is_said(p); p = p->next) {
        lose_cache(c, p);
        if (p->kind == PART_REFUSAL) {
            json_open_typed(o, "refusal");
            json_key(o, "refusal");
        } else {
            json_open_typed(o, "output_text");
            json_key(o, "annotations");
            json_put_raw(o, STR("[]"));
            json_key(o, "text");
        }
        json_put_str(o, p->text);
        json_close(o, '}');
    }
    close_message(o);
    return p;
}

static void write_assistant(struct conversion *c, struct json_out *o, const struct turn *t)
{
    const struct part *p = t->parts.first;

    while (p != NULL && !c->refused) {
        if (is_said(p)) {
            p = write_said(c, o, p);
            continue;
        }
        switch ((enum part_kind)p->kind) {
        case PART_CALL: write_call(c, o, p); break;
        case PART_REASONING:
            if (p->next != NULL) { /* it is refused without the item that followed it */
                write_reasoning(o, p);
            } else {
                lose(c, FIELD_SIGNATURE, p->from);
            }
            break;
        case PART_TEXT:
        case PART_REFUSAL:
        case PART_RESULT: break;
        case PART_IMAGE:
        case PART_FILE:
        case PART_AUDIO:
        case PART_VIDEO: lose(c, FIELD_PART_UNKNOWN, p->from); break;
        }
        p = p->next;
    }
}

/* System text that is one text stands in instructions; what is in blocks keeps them. */
static const struct turn *write_instructions(struct conversion *c, struct json_out *o)
{
    const struct turn *t = c->ask.turns;

    if (t == NULL || t->role != ROLE_SYSTEM || t->parts.first == NULL ||
        t->parts.first != t->parts.last || t->parts.first->kind != PART_TEXT) {
        return t;
    }
    json_key(o, "instructions");
    json_put_str(o, t->parts.first->text);
    lose_cache(c, t->parts.first);
    return t->next;
}

static void write_turns(struct conversion *c, struct json_out *o)
{
    const struct turn *last = c->ask.last_turn;
    bool prefill = last != NULL && last->role == ROLE_ASSISTANT && turn_has(last, PART_TEXT) &&
                   (c->from == DIALECT_MESSAGES || c->from == DIALECT_GEMINI);

    if (prefill) {
        lose(c, FIELD_PREFILL, last->from);
    }
    turns_drop_reasoning(c, false, true);
    const struct turn *t = write_instructions(c, o);
    json_key(o, "input");
    json_open(o, '[');
    for (; t != NULL && !c->refused; t = t->next) {
        switch ((enum role)t->role) {
        case ROLE_SYSTEM: write_system(c, o, t); break;
        case ROLE_USER: write_user(c, o, t); break;
        case ROLE_ASSISTANT: write_assistant(c, o, t); break;
        }
    }
    json_close(o, ']');
}

/* ---- tools ---- */

static void put_format(struct json_out *o, const struct json *format)
{
    const struct json *grammar = json_get(format, "grammar"); /* chat has it one level down */

    json_key(o, "format");
    if (grammar == NULL) {
        json_put_value(o, format);
        return;
    }
    json_open_typed(o, "grammar");
    json_key(o, "definition");
    json_put_str(o, read_word(grammar, "definition"));
    json_key(o, "syntax");
    json_put_str(o, read_word(grammar, "syntax"));
    json_close(o, '}');
}

static void write_tool(struct conversion *c, struct json_out *o, const struct tool *t)
{
    bool custom = t->kind == TOOL_CUSTOM;

    json_open_typed(o, custom ? "custom" : "function");
    json_key(o, "name");
    json_put_str(o, t->wire_name);
    if (t->description.n > 0) {
        json_key(o, "description");
        json_put_str(o, t->description);
    }
    if (!custom) {
        json_key(o, "parameters");
        tool_write_schema(o, t);
        json_key(o, "strict");
        json_put_bool(o, t->strict == YES); /* unsaid would be strict here */
    } else if (t->format != NULL) {
        put_format(o, t->format);
    }
    json_close(o, '}');
    if (t->cache != NULL) {
        lose(c, FIELD_CACHE_CONTROL, t->cache_from);
    }
}

static void write_tools(struct conversion *c, struct json_out *o)
{
    if (c->ask.tools == NULL) {
        return;
    }
    json_key(o, "tools");
    json_open(o, '[');
    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        write_tool(c, o, t);
    }
    json_close(o, ']');
}

static void put_named(struct conversion *c, struct json_out *o, struct str name)
{
    struct str wire = tool_wire_name(c, STR(""), name);
    const struct tool *t = tool_by_wire_name(c, wire);

    json_open_typed(o, t != NULL && t->kind == TOOL_CUSTOM ? "custom" : "function");
    json_key(o, "name");
    json_put_str(o, wire);
    json_close(o, '}');
}

static void put_allowed(struct conversion *c, struct json_out *o, struct str mode)
{
    json_open_typed(o, "allowed_tools");
    json_key(o, "mode");
    json_put_str(o, mode);
    json_key(o, "tools");
    json_open(o, '[');
    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        if (t->allowed) {
            put_named(c, o, t->name);
        }
    }
    json_close(o, ']');
    json_close(o, '}');
}

static void write_choice(struct conversion *c, struct json_out *o)
{
    const struct tool_choice *choice = &c->ask.choice;
    struct str mode = choice->mode == CHOICE_REQUIRED ? STR("required")
                      : choice->mode == CHOICE_NONE   ? STR("none")
                                                      : STR("auto");

    if (c->ask.tools == NULL) {
        return;
    }
    if (choice->mode != CHOICE_UNSAID) {
        json_key(o, "tool_choice");
        if (choice->mode == CHOICE_NAMED) {
            put_named(c, o, choice->name);
        } else if (choice->allowed.first != NULL) {
            put_allowed(c, o, mode);
        } else {
            json_put_str(o, mode);
        }
    }
    if (c->ask.parallel != UNSAID) {
        json_key(o, "parallel_tool_calls");
        json_put_bool(o, c->ask.parallel == YES);
    }
}

/* ---- the rest ---- */

static void put_schema(struct json_out *o, const struct format *f)
{
    json_open_typed(o, "json_schema");
    json_key(o, "name");
    json_put_str(o, f->name.n > 0 ? f->name : STR("answer"));
    if (f->description.n > 0) {
        json_key(o, "description");
        json_put_str(o, f->description);
    }
    json_key(o, "schema");
    if (f->schema != NULL) {
        json_put_value(o, f->schema);
    } else {
        json_put_raw(o, STR("{\"type\":\"object\"}"));
    }
    if (f->strict != UNSAID) {
        json_key(o, "strict");
        json_put_bool(o, f->strict == YES);
    }
    json_close(o, '}');
}

static void write_text_wish(struct conversion *c, struct json_out *o)
{
    const struct format *f = &c->ask.format;

    if (f->kind == FORMAT_TEXT && c->ask.value[FIELD_VERBOSITY].v == NULL) {
        return;
    }
    json_key(o, "text");
    json_open(o, '{');
    if (f->kind == FORMAT_SCHEMA) {
        json_key(o, "format");
        put_schema(o, f);
    } else if (f->kind == FORMAT_JSON) {
        json_key(o, "format");
        json_open_typed(o, "json_object");
        json_close(o, '}');
    }
    write_fields(c, o, "text.");
    json_close(o, '}');
}

static void write_reasoning_wish(struct conversion *c, struct json_out *o)
{
    const struct reasoning *r = &c->ask.reasoning;
    enum effort effort = reasoning_effort(r);
    bool thinks = r->adaptive || (r->has_budget && r->budget != 0);
    bool shown = r->show == YES || (r->show == UNSAID && thinks); /* where thinking is asked for */

    if (r->has_budget && r->effort == EFFORT_UNSAID && r->budget != 0) {
        lose(c, FIELD_REASONING_LEVEL, r->from);
    }
    if (effort == EFFORT_UNSAID && !shown) {
        return;
    }
    json_key(o, "reasoning");
    json_open(o, '{');
    if (effort != EFFORT_UNSAID) {
        json_key(o, "effort");
        json_put_str(o, str_from(effort_word(effort)));
    }
    if (shown) {
        json_key(o, "summary");
        json_put_str(o, STR("auto"));
    }
    json_close(o, '}');
}

/* Models that do not reason refuse to be asked for the state of it. */
static bool has_state(const struct conversion *c)
{
    static const struct str without[] = {STR_INIT("gpt-3"), STR_INIT("gpt-4"), STR_INIT("chatgpt-"),
                                         STR_INIT("gpt-5-chat")};

    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        if (str_starts(c->ask.model, without[i])) {
            return false;
        }
    }
    return true;
}

/* Nothing is kept at the vendor, unless the client asks for that. */
static void write_state(struct conversion *c, struct json_out *o)
{
    if (c->ask.value[FIELD_STORE].v == NULL) {
        json_key(o, "store");
        json_put_bool(o, false);
    }
    if (has_state(c)) {
        json_key(o, "include");
        json_put_raw(o, STR("[\"reasoning.encrypted_content\"]"));
    }
}

static void write_limit(struct conversion *c, struct json_out *o)
{
    uint64_t n = 0;

    if (c->ask.max_output.v == NULL) {
        return;
    }
    (void)json_u64(c->ask.max_output.v, &n);
    json_key(o, "max_output_tokens");
    if (n < OUTPUT_MIN) {
        lose(c, FIELD_MAX_OUTPUT_RAISED, c->ask.max_output.at);
        json_put_u64(o, OUTPUT_MIN);
    } else {
        json_put_value(o, c->ask.max_output.v);
    }
}

static void lose_stops(struct conversion *c)
{
    const struct place *at = c->ask.stops.first != NULL ? c->ask.stops.first->from : NULL;

    if (at != NULL) {
        lose(c, FIELD_STOP, at->key.p == NULL ? at->up : at);
    }
}

void responses_write_ask(struct conversion *c, struct json_out *o)
{
    json_open(o, '{');
    json_key(o, "model");
    json_put_str(o, c->ask.model);
    write_turns(c, o);
    write_tools(c, o);
    write_choice(c, o);
    write_text_wish(c, o);
    write_reasoning_wish(c, o);
    write_limit(c, o);
    lose_stops(c);
    write_state(c, o);
    write_long_user(c, o);
    write_fields(c, o, "");
    if (c->ask.stream) {
        json_key(o, "stream");
        json_put_bool(o, true);
    }
    json_close(o, '}');
}
