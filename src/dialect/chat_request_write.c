/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Chat Completions dialect. Source: OpenAI OpenAPI 2.3.0, CreateChatCompletion;
 * compatible vendors by their rows. */
#include "dialect/neutral.h"

static bool is_openai(const struct conversion *c)
{
    return c->vendor != NULL && strcmp(c->vendor->name, "openai") == 0;
}

/* ---- content ---- */

static void open_typed(struct json_out *o, const char *type)
{
    json_open(o, '{');
    json_key(o, "type");
    json_put_str(o, str_from(type));
}

static void write_media_url(struct json_out *o, const char *type, const struct part *p)
{
    struct buf url;

    buf_init(&url, LIMIT_BODY_BYTES);
    media_to_url(p, &url);
    open_typed(o, type);
    json_key(o, type);
    json_open(o, '{');
    json_key(o, "url");
    json_put_str(o, buf_str(&url));
    if (p->detail.n > 0) {
        json_key(o, "detail");
        json_put_str(o, p->detail);
    }
    json_close(o, '}');
    json_close(o, '}');
    buf_release(&url);
}

static void write_audio(struct conversion *c, struct json_out *o, const struct part *p)
{
    struct str format = str_starts(p->mime, STR("audio/")) ? str_skip(p->mime, 6) : p->mime;
    bool mp3 = str_eq(format, STR("mpeg")) || str_eq(format, STR("mp3"));
    bool wav = str_eq(format, STR("wav")) || str_eq(format, STR("x-wav"));

    if (p->data.p == NULL || (!mp3 && !wav)) {
        lose(c, FIELD_FILE_TYPE, p->from);
        return;
    }
    open_typed(o, "input_audio");
    json_key(o, "input_audio");
    json_open(o, '{');
    json_key(o, "data");
    json_put_str(o, p->data);
    json_key(o, "format");
    json_put_str(o, mp3 ? STR("mp3") : STR("wav"));
    json_close(o, '}');
    json_close(o, '}');
}

static void write_file(struct conversion *c, struct json_out *o, const struct part *p)
{
    struct buf url;

    if (p->data.p == NULL) {
        lose(c, FIELD_FILE_URL, p->from);
        return;
    }
    if (!str_eq(p->mime, STR("application/pdf"))) {
        lose(c, FIELD_FILE_TYPE, p->from);
        return;
    }
    buf_init(&url, LIMIT_BODY_BYTES);
    media_to_url(p, &url);
    open_typed(o, "file");
    json_key(o, "file");
    json_open(o, '{');
    json_key(o, "filename");
    json_put_str(o, p->title.n > 0 ? p->title : STR("file.pdf"));
    json_key(o, "file_data");
    json_put_str(o, buf_str(&url));
    json_close(o, '}');
    json_close(o, '}');
    buf_release(&url);
}

static void write_part(struct conversion *c, struct json_out *o, const struct part *p)
{
    if (p->ref.n > 0 && p->data.p == NULL) {
        lose(c, FIELD_FILE_ID, p->from);
        return;
    }
    if (p->cache != NULL) {
        lose(c, FIELD_CACHE_CONTROL, p->cache_from);
    }
    switch ((enum part_kind)p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        open_typed(o, "text");
        json_key(o, "text");
        json_put_str(o, p->text);
        json_close(o, '}');
        break;
    case PART_IMAGE: write_media_url(o, "image_url", p); break;
    case PART_VIDEO: write_media_url(o, "video_url", p); break;
    case PART_AUDIO: write_audio(c, o, p); break;
    case PART_FILE: write_file(c, o, p); break;
    case PART_CALL:
    case PART_RESULT:
    case PART_REASONING: break;
    }
}

static bool is_content(const struct part *p)
{
    return p->kind != PART_CALL && p->kind != PART_RESULT && p->kind != PART_REASONING;
}

/* A text alone stands as a string, which every compatible vendor takes. */
static void write_content(struct conversion *c, struct json_out *o, const struct part *first)
{
    const struct part *only = NULL;
    unsigned count = 0;

    for (const struct part *p = first; p != NULL; p = p->next) {
        if (is_content(p)) {
            only = p;
            count++;
        }
    }
    if (count == 0) {
        json_put_raw(o, STR("null"));
    } else if (count == 1 && only->kind == PART_TEXT) {
        if (only->cache != NULL) {
            lose(c, FIELD_CACHE_CONTROL, only->cache_from);
        }
        json_put_str(o, only->text);
    } else {
        json_open(o, '[');
        for (const struct part *p = first; p != NULL; p = p->next) {
            if (is_content(p)) {
                write_part(c, o, p);
            }
        }
        json_close(o, ']');
    }
}

static void open_message(struct json_out *o, const char *role)
{
    json_open(o, '{');
    json_key(o, "role");
    json_put_str(o, str_from(role));
}

/* ---- the assistant's turns ---- */

static void write_call(struct conversion *c, struct json_out *o, const struct part *p)
{
    open_typed(o, "function");
    json_key(o, "id");
    json_put_str(o, p->wire_id);
    json_key(o, "function");
    json_open(o, '{');
    json_key(o, "name");
    json_put_str(o, tool_wire_name(c, p->group, p->name));
    json_key(o, "arguments");
    if (p->custom) {
        struct buf text;
        struct json_out inner = {&text, false};
        buf_init(&text, LIMIT_BODY_BYTES);
        json_open(&inner, '{');
        json_key(&inner, "input");
        json_put_str(&inner, p->text);
        json_close(&inner, '}');
        json_put_str(o, buf_str(&text));
        buf_release(&text);
    } else {
        json_put_str(o, p->text.n > 0 ? p->text : STR("{}"));
    }
    json_close(o, '}');
    if (p->opaque.n > 0) {
        json_key(o, "extra_content");
        json_open(o, '{');
        json_key(o, "google");
        json_open(o, '{');
        json_key(o, "thought_signature");
        json_put_str(o, p->opaque);
        json_close(o, '}');
        json_close(o, '}');
    }
    json_close(o, '}');
}

static void write_reasoning(struct json_out *o, const struct turn *t)
{
    struct buf text;
    bool details = false;

    buf_init(&text, LIMIT_BODY_BYTES);
    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == PART_REASONING) {
            buf_cat(&text, text.n > 0 && p->text.n > 0 ? STR("\n\n") : STR(""), p->text);
            details = details || p->opaque.n > 0;
        }
    }
    if (text.n > 0) {
        json_key(o, "reasoning_content");
        json_put_str(o, buf_str(&text));
    }
    if (details) {
        json_key(o, "reasoning_details");
        json_open(o, '[');
        for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
            if (p->kind == PART_REASONING && p->opaque.n > 0) {
                json_put_raw(o, p->opaque);
            }
        }
        json_close(o, ']');
    }
    buf_release(&text);
}

static void write_assistant(struct conversion *c, struct json_out *o, const struct turn *t)
{
    open_message(o, "assistant");
    json_key(o, "content");
    write_content(c, o, t->parts.first);
    write_reasoning(o, t);
    if (turn_has(t, PART_CALL)) {
        json_key(o, "tool_calls");
        json_open(o, '[');
        for (const struct part *p = t->parts.first; p != NULL && !c->refused; p = p->next) {
            if (p->kind == PART_CALL) {
                write_call(c, o, p);
            }
        }
        json_close(o, ']');
    }
    json_close(o, '}');
}

/* ---- the user's turns: results first, each a message; their media in a message behind ---- */

static void write_result(struct conversion *c, struct json_out *o, const struct part *p)
{
    struct buf text;

    buf_init(&text, LIMIT_BODY_BYTES);
    if (p->failed) {
        lose(c, FIELD_TOOL_FAILED, p->from);
        buf_add(&text, STR("[tool error] "));
    }
    for (const struct part *in = p->parts.first; in != NULL; in = in->next) {
        buf_add(&text, in != p->parts.first ? STR("\n") : STR(""));
        if (in->kind == PART_TEXT) {
            buf_add(&text, in->text);
        } else {
            lose(c, FIELD_RESULT_MEDIA, in->from);
            buf_cat(&text, STR("[media of this result follows, labelled "), p->wire_id, STR("]"));
        }
    }
    if (p->cache != NULL) {
        lose(c, FIELD_CACHE_CONTROL, p->cache_from);
    }
    open_message(o, "tool");
    json_key(o, "tool_call_id");
    json_put_str(o, p->wire_id);
    json_key(o, "content");
    json_put_str(o, buf_str(&text));
    json_close(o, '}');
    buf_release(&text);
}

/* What results held that a tool message cannot: into the list of a user message. */
static void gather_media(struct conversion *c, const struct turn *t, struct parts *list)
{
    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        bool labelled = false;
        for (const struct part *in = p->kind == PART_RESULT ? p->parts.first : NULL; in != NULL;
             in = in->next) {
            if (in->kind == PART_TEXT) {
                continue;
            }
            if (!labelled) {
                struct buf text;
                buf_init(&text, 256);
                buf_cat(&text, STR("Media of the result of "), p->wire_id, STR(":"));
                part_text(c, list, conversion_take(c, &text), p->from);
            }
            labelled = true;
            struct part *copy = part_new(c, list, (enum part_kind)in->kind, in->from);
            *copy = *in;
            copy->next = NULL;
        }
    }
}

static void write_user(struct conversion *c, struct json_out *o, const struct turn *t)
{
    struct parts rest = {NULL, NULL};

    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == PART_RESULT) {
            write_result(c, o, p);
        }
    }
    gather_media(c, t, &rest);
    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind != PART_RESULT) {
            struct part *copy = part_new(c, &rest, (enum part_kind)p->kind, p->from);
            *copy = *p;
            copy->next = NULL;
        }
    }
    if (rest.first != NULL || t->parts.first == NULL) {
        open_message(o, "user");
        json_key(o, "content");
        if (rest.first != NULL) {
            write_content(c, o, rest.first);
        } else {
            json_put_str(o, STR(""));
        }
        json_close(o, '}');
    }
}

static void write_system(struct conversion *c, struct json_out *o, const struct turn *t)
{
    open_message(o, is_openai(c) ? "developer" : "system");
    json_key(o, "content");
    write_content(c, o, t->parts.first);
    json_close(o, '}');
}

static void write_turns(struct conversion *c, struct json_out *o)
{
    const struct turn *last = c->ask.last_turn;
    bool prefill = last != NULL && last->role == ROLE_ASSISTANT && turn_has(last, PART_TEXT) &&
                   (c->from == DIALECT_MESSAGES || c->from == DIALECT_GEMINI);

    if (prefill) {
        lose(c, FIELD_PREFILL, last->from);
    }
    turns_drop_reasoning(c, !is_openai(c), true);
    json_key(o, "messages");
    json_open(o, '[');
    for (const struct turn *t = c->ask.turns; t != NULL && !c->refused; t = t->next) {
        switch ((enum role)t->role) {
        case ROLE_SYSTEM: write_system(c, o, t); break;
        case ROLE_USER: write_user(c, o, t); break;
        case ROLE_ASSISTANT:
            if (t->parts.first != NULL) {
                write_assistant(c, o, t);
            }
            break;
        }
    }
    json_close(o, ']');
}

/* ---- tools ---- */

static void write_tool(struct conversion *c, struct json_out *o, const struct tool *t)
{
    open_typed(o, "function");
    json_key(o, "function");
    json_open(o, '{');
    json_key(o, "name");
    json_put_str(o, t->wire_name);
    tool_write_description(c, o, t);
    json_key(o, "parameters");
    tool_write_schema(o, t);
    if (t->strict == YES) {
        json_key(o, "strict");
        json_put_bool(o, true);
    }
    json_close(o, '}');
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
    open_typed(o, "function");
    json_key(o, "function");
    json_open(o, '{');
    json_key(o, "name");
    json_put_str(o, tool_wire_name(c, STR(""), name));
    json_close(o, '}');
    json_close(o, '}');
}

static void put_allowed(struct conversion *c, struct json_out *o, struct str mode)
{
    open_typed(o, "allowed_tools");
    json_key(o, "allowed_tools");
    json_open(o, '{');
    json_key(o, "mode");
    json_put_str(o, mode);
    json_key(o, "tools");
    json_open(o, '[');
    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        if (tool_is_allowed(c, t)) {
            put_named(c, o, t->name);
        }
    }
    json_close(o, ']');
    json_close(o, '}');
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
        } else if (choice->allowed != NULL) {
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

static void write_format(struct conversion *c, struct json_out *o)
{
    const struct format *f = &c->ask.format;

    if (f->kind == FORMAT_TEXT) {
        return;
    }
    json_key(o, "response_format");
    open_typed(o, f->kind == FORMAT_JSON ? "json_object" : "json_schema");
    if (f->kind == FORMAT_SCHEMA) {
        json_key(o, "json_schema");
        json_open(o, '{');
        json_key(o, "name");
        json_put_str(o, f->name.n > 0 ? f->name : STR("answer"));
        if (f->description.n > 0) {
            json_key(o, "description");
            json_put_str(o, f->description);
        }
        if (f->schema != NULL) {
            json_key(o, "schema");
            json_put_value(o, f->schema);
        }
        if (f->strict != UNSAID) {
            json_key(o, "strict");
            json_put_bool(o, f->strict == YES);
        }
        json_close(o, '}');
    }
    json_close(o, '}');
}

static void write_reasoning_level(struct conversion *c, struct json_out *o)
{
    const struct reasoning *r = &c->ask.reasoning;
    enum effort effort = reasoning_effort(r);

    if (r->has_budget && r->effort == EFFORT_UNSAID && r->budget != 0) {
        lose(c, FIELD_REASONING_LEVEL, r->from);
    }
    if (effort != EFFORT_UNSAID) {
        json_key(o, "reasoning_effort");
        json_put_str(o, str_from(effort_word(effort)));
    }
    if (r->show != UNSAID && r->show_from != NULL) {
        lose(c, FIELD_REASONING_SUMMARY, r->show_from);
    }
}

static void write_stops(struct conversion *c, struct json_out *o)
{
    if (c->ask.stops.first == NULL) {
        return;
    }
    json_key(o, "stop");
    json_open(o, '[');
    for (const struct part *p = c->ask.stops.first; p != NULL; p = p->next) {
        json_put_str(o, p->text);
    }
    json_close(o, ']');
}

void chat_write_ask(struct conversion *c, struct json_out *o)
{
    json_open(o, '{');
    json_key(o, "model");
    json_put_str(o, c->ask.model);
    write_turns(c, o);
    write_tools(c, o);
    write_choice(c, o);
    write_format(c, o);
    write_reasoning_level(c, o);
    write_stops(c, o);
    if (c->ask.max_output.v != NULL) {
        json_key(o, is_openai(c) ? "max_completion_tokens" : "max_tokens");
        json_put_value(o, c->ask.max_output.v);
    }
    write_fields(c, o, "");
    if (c->ask.stream) {
        json_key(o, "stream");
        json_put_bool(o, true);
        if (c->vendor == NULL || c->vendor->stream_options) {
            json_key(o, "stream_options");
            json_put_raw(o, STR("{\"include_usage\":true}"));
        }
    }
    json_close(o, '}');
}
