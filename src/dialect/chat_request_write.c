/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Chat Completions dialect. Source: OpenAI OpenAPI 2.3.0, CreateChatCompletion;
 * compatible vendors by their rows. */
#include "dialect/chat.h"

/* ---- content ---- */

/* The sharpest of the responses dialect has no name here. */
static struct str chat_detail(struct conversion *c, const struct part *p)
{
    if (str_eq(p->detail, STR("original"))) {
        lose(c, FIELD_IMAGE_ORIGINAL, place_key(c, p->from, STR("detail")));
        return STR("high");
    }
    return p->detail;
}

static void write_media_url(struct conversion *c, struct json_out *o, const char *type,
                            const struct part *p)
{
    struct buf url;

    buf_init(&url, LIMIT_BODY_BYTES);
    media_to_url(p, &url);
    json_open_typed(o, type);
    json_key(o, type);
    json_open(o, '{');
    json_key(o, "url");
    json_put_str(o, buf_str(&url));
    if (p->detail.n > 0) {
        json_key(o, "detail");
        json_put_str(o, chat_detail(c, p));
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
    json_open_typed(o, "input_audio");
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
    json_open_typed(o, "file");
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
    if (p->cache != NULL && p->kind != PART_TEXT && p->kind != PART_REFUSAL) {
        lose(c, FIELD_CACHE_CONTROL, p->cache_from); /* hosts that know marks take them on texts */
    }
    switch ((enum part_kind)p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        lose_refusal(c, p);
        json_open_typed(o, "text");
        json_key(o, "text");
        json_put_str(o, p->text);
        chat_write_cache(c, o, p->cache, p->cache_from);
        json_close(o, '}');
        break;
    case PART_IMAGE: write_media_url(c, o, "image_url", p); break;
    case PART_VIDEO:
        if (c->vendor->developer_role) { /* OpenAI itself knows no video */
            lose(c, FIELD_VENDOR_LACKS, p->from);
        }
        write_media_url(c, o, "video_url", p);
        break;
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
    bool marked = count == 1 && only->cache != NULL && !c->vendor->cache_control;
    if (marked) {
        lose(c, FIELD_CACHE_CONTROL, only->cache_from);
    }
    if (count == 0) {
        json_put_raw(o, STR("null"));
    } else if (count == 1 && only->kind == PART_TEXT && (only->cache == NULL || marked)) {
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
    if (p->cache != NULL) {
        lose(c, FIELD_CACHE_CONTROL, p->cache_from);
    }
    json_open_typed(o, "function");
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

/* As the vendor gave it; a stream gives a signature without the text that it signs. */
static void write_detail(struct conversion *c, struct json_out *o, const struct part *p)
{
    struct json_doc *doc = json_parse_exact(p->opaque, NULL);
    const struct json *detail = doc != NULL ? json_root(doc) : NULL;
    struct json_each it = json_each(detail);
    bool bare = read_word(detail, "text").n == 0 &&
                str_eq(read_word(detail, "type"), STR("reasoning.text"));

    if (!json_is_object(detail)) {
        lose(c, FIELD_SIGNATURE, p->from);
    } else if (!bare || p->text.n == 0) {
        json_put_raw(o, p->opaque);
    } else {
        json_open(o, '{');
        while (json_next(&it)) {
            if (!str_eq(it.key, STR("text"))) {
                json_put_key(o, it.key);
                json_put_value(o, it.value);
            }
        }
        json_key(o, "text");
        json_put_str(o, p->text);
        json_close(o, '}');
    }
    json_free(doc);
}

/* texts: also those without a state. */
static void write_details(struct conversion *c, struct json_out *o, const struct turn *t,
                          bool texts)
{
    json_key(o, "reasoning_details");
    json_open(o, '[');
    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == PART_REASONING && p->opaque.n > 0) {
            write_detail(c, o, p);
        } else if (p->kind == PART_REASONING && texts) {
            json_open_typed(o, "reasoning.text");
            json_key(o, "text");
            json_put_str(o, p->text);
            json_close(o, '}');
        }
    }
    json_close(o, ']');
}

/* Some vendors want it in every turn behind the first call, be it empty. */
static void write_reasoning(struct conversion *c, struct json_out *o, const struct turn *t,
                            bool called)
{
    const char *field = c->vendor->reasoning_field;
    bool in_details = field != NULL && strcmp(field, "reasoning_details") == 0;
    bool details = false;
    struct buf text;

    buf_init(&text, LIMIT_BODY_BYTES);
    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == PART_REASONING) {
            buf_cat(&text, text.n > 0 && p->text.n > 0 ? STR("\n\n") : STR(""), p->text);
            details = details || p->opaque.n > 0 || (in_details && p->text.n > 0);
        }
    }
    bool demanded = c->vendor->reasoning_back == BACK_REPLAY && called;
    if (field != NULL && !in_details && (text.n > 0 || demanded)) {
        json_key(o, field);
        json_put_str(o, buf_str(&text));
    }
    if (details) {
        write_details(c, o, t, in_details);
    }
    buf_release(&text);
}

static void write_assistant(struct conversion *c, struct json_out *o, const struct turn *t,
                            bool called)
{
    open_message(o, "assistant");
    json_key(o, "content");
    write_content(c, o, t->parts.first);
    write_reasoning(c, o, t, called);
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
        lose(c, FIELD_TOOL_FAILED, p->text_from);
        buf_add(&text, STR("[tool error] "));
    }
    for (const struct part *in = p->parts.first; in != NULL; in = in->next) {
        buf_add(&text, in != p->parts.first ? STR("\n") : STR(""));
        if (in->cache != NULL) {
            lose(c, FIELD_CACHE_CONTROL, in->cache_from);
        }
        if (in->kind == PART_TEXT) {
            buf_add(&text, in->text);
        } else {
            lose(c, FIELD_RESULT_MEDIA, in->from);
            buf_cat(&text, STR("[media of this result follows, labelled "), p->wire_id, STR("]"));
        }
    }
    open_message(o, "tool");
    json_key(o, "tool_call_id");
    json_put_str(o, p->wire_id);
    json_key(o, "content");
    json_put_str(o, buf_str(&text));
    chat_write_cache(c, o, p->cache, p->cache_from);
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
    open_message(o, c->vendor->developer_role ? "developer" : "system");
    json_key(o, "content");
    write_content(c, o, t->parts.first);
    json_close(o, '}');
}

static void write_turns(struct conversion *c, struct json_out *o)
{
    const struct turn *last = c->ask.last_turn;
    bool prefill = last != NULL && last->role == ROLE_ASSISTANT && turn_has(last, PART_TEXT) &&
                   (c->from == DIALECT_MESSAGES || c->from == DIALECT_GEMINI);
    bool called = false;

    if (prefill) {
        lose(c, FIELD_PREFILL, last->from);
    }
    turns_drop_reasoning(
        c, c->vendor->reasoning_back != BACK_OMIT && c->vendor->reasoning_field != NULL, true);
    json_key(o, "messages");
    json_open(o, '[');
    for (const struct turn *t = c->ask.turns; t != NULL && !c->refused; t = t->next) {
        switch ((enum role)t->role) {
        case ROLE_SYSTEM: write_system(c, o, t); break;
        case ROLE_USER: write_user(c, o, t); break;
        case ROLE_ASSISTANT:
            called = called || turn_has(t, PART_CALL);
            if (t->parts.first != NULL) {
                write_assistant(c, o, t, called);
            }
            break;
        }
    }
    json_close(o, ']');
}

void chat_write_ask(struct conversion *c, struct json_out *o)
{
    json_open(o, '{');
    json_key(o, "model");
    json_put_str(o, c->ask.model);
    write_turns(c, o);
    chat_write_settings(c, o);
    json_close(o, '}');
}
