/* SPDX-License-Identifier: Apache-2.0 */
/* System text and turns of an Anthropic Messages request. Source: Anthropic OpenAPI. */
#include "base/base64.h"
#include "dialect/messages.h"

/* ---- blocks ---- */

void messages_put_cache(struct json_out *o, const struct json *cache)
{
    if (cache != NULL) {
        json_key(o, "cache_control");
        json_put_value(o, cache);
    }
}

static void write_text(struct json_out *o, const struct part *p)
{
    json_open_typed(o, "text");
    json_key(o, "text");
    json_put_str(o, p->text);
    messages_put_cache(o, p->cache);
    json_close(o, '}');
}

static void write_source(struct json_out *o, const char *type, struct str mime, const char *key,
                         struct str value)
{
    json_key(o, "source");
    json_open_typed(o, type);
    if (mime.n > 0) {
        json_key(o, "media_type");
        json_put_str(o, mime);
    }
    json_key(o, key);
    json_put_str(o, value);
    json_close(o, '}');
}

static void write_image(struct conversion *c, struct json_out *o, const struct part *p)
{
    static const struct str types[] = {STR_INIT("image/jpeg"), STR_INIT("image/png"),
                                       STR_INIT("image/gif"), STR_INIT("image/webp")};
    bool known = p->data.p == NULL;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        known = known || str_eq(p->mime, types[i]);
    }
    if (!known) {
        lose(c, FIELD_IMAGE_TYPE, p->from);
    }
    if (p->detail.n > 0 && !str_eq(p->detail, STR("auto"))) {
        lose(c, FIELD_IMAGE_DETAIL, p->detail_from);
    }
    json_open_typed(o, "image");
    if (p->data.p != NULL) {
        write_source(o, "base64", p->mime, "data", p->data);
    } else {
        write_source(o, "url", STR(""), "url", p->url);
    }
    messages_put_cache(o, p->cache);
    json_close(o, '}');
}

/* A text file stands as its text. */
static void write_text_source(struct conversion *c, struct json_out *o, const struct part *p)
{
    struct buf text;

    buf_init(&text, LIMIT_BODY_BYTES);
    if (!base64_read(&text, BASE64_STANDARD, p->data)) {
        refuse(c, p->from, "Its data is not base64.");
    }
    write_source(o, "text", STR("text/plain"), "data", buf_str(&text));
    buf_release(&text);
}

static void write_document(struct conversion *c, struct json_out *o, const struct part *p)
{
    json_open_typed(o, "document");
    if (p->data.p == NULL) {
        write_source(o, "url", STR(""), "url", p->url);
    } else if (str_eq(p->mime, STR("application/pdf"))) {
        write_source(o, "base64", p->mime, "data", p->data);
    } else if (str_starts(p->mime, STR("text/"))) {
        write_text_source(c, o, p);
    } else {
        lose(c, FIELD_FILE_TYPE, p->from);
    }
    if (p->title.n > 0) {
        json_key(o, "title");
        json_put_str(o, p->title);
    }
    messages_put_cache(o, p->cache);
    json_close(o, '}');
}

/* Text and media, as they stand in turns and in results. */
static void write_content(struct conversion *c, struct json_out *o, const struct part *p)
{
    if (p->ref.n > 0 && p->data.p == NULL) {
        lose(c, FIELD_FILE_ID, p->from);
        return;
    }
    switch ((enum part_kind)p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        lose_refusal(c, p);
        if (p->text.n > 0) { /* empty blocks are refused */
            write_text(o, p);
        }
        break;
    case PART_IMAGE: write_image(c, o, p); break;
    case PART_FILE: write_document(c, o, p); break;
    case PART_AUDIO: lose(c, FIELD_AUDIO_INPUT, p->from); break;
    case PART_VIDEO: lose(c, FIELD_VIDEO_INPUT, p->from); break;
    case PART_CALL:
    case PART_RESULT:
    case PART_REASONING: break;
    }
}

static void write_result(struct conversion *c, struct json_out *o, const struct part *p)
{
    json_open_typed(o, "tool_result");
    json_key(o, "tool_use_id");
    json_put_str(o, p->wire_id);
    json_key(o, "content");
    json_open(o, '[');
    for (const struct part *in = p->parts.first; in != NULL; in = in->next) {
        write_content(c, o, in);
    }
    json_close(o, ']');
    if (p->failed) {
        json_key(o, "is_error");
        json_put_bool(o, true);
    }
    messages_put_cache(o, p->cache);
    json_close(o, '}');
}

static void write_call(struct conversion *c, struct json_out *o, const struct part *p)
{
    json_open_typed(o, "tool_use");
    json_key(o, "id");
    json_put_str(o, p->wire_id);
    json_key(o, "name");
    json_put_str(o, tool_wire_name(c, p->group, p->name));
    json_key(o, "input");
    if (p->custom) {
        json_open(o, '{');
        json_key(o, "input");
        json_put_str(o, p->text);
        json_close(o, '}');
    } else {
        json_put_raw(o, part_arguments(c, p));
    }
    messages_put_cache(o, p->cache);
    json_close(o, '}');
}

/* A state is a signature of the text beside it, or stands for text that is withheld. */
static void write_reasoning(struct json_out *o, const struct part *p)
{
    bool redacted = str_starts(p->opaque, STR("redacted:"));

    json_open_typed(o, redacted ? "redacted_thinking" : "thinking");
    if (redacted) {
        json_key(o, "data");
        json_put_str(o, str_skip(p->opaque, sizeof("redacted:") - 1));
    } else {
        json_key(o, "thinking");
        json_put_str(o, p->text);
        json_key(o, "signature");
        json_put_str(o, p->opaque);
    }
    json_close(o, '}');
}

static void write_turn(struct conversion *c, struct json_out *o, const struct turn *t)
{
    json_open(o, '{');
    json_key(o, "role");
    json_put_str(o, t->role == ROLE_ASSISTANT ? STR("assistant") : STR("user"));
    json_key(o, "content");
    json_open(o, '[');
    for (const struct part *p = t->parts.first; p != NULL && !c->refused; p = p->next) {
        switch ((enum part_kind)p->kind) {
        case PART_CALL: write_call(c, o, p); break;
        case PART_RESULT: write_result(c, o, p); break;
        case PART_REASONING: write_reasoning(o, p); break;
        default: write_content(c, o, p); break;
        }
    }
    json_close(o, ']');
    json_close(o, '}');
}

/* ---- the conversation ---- */

static void write_system(struct conversion *c, struct json_out *o)
{
    bool any = false;

    for (; c->ask.turns != NULL && c->ask.turns->role == ROLE_SYSTEM;
         c->ask.turns = c->ask.turns->next) {
        for (const struct part *p = c->ask.turns->parts.first; p != NULL; p = p->next) {
            if (p->kind != PART_TEXT || p->text.n == 0) {
                continue;
            }
            if (!any) {
                json_key(o, "system");
                json_open(o, '[');
            }
            any = true;
            write_text(o, p);
        }
    }
    if (any) {
        json_close(o, ']');
    }
}

/* A signature beside another text than its own would be refused. */
static void lose_torn(struct conversion *c)
{
    for (struct turn *t = c->ask.turns; t != NULL; t = t->next) {
        for (struct part *p = t->parts.first; p != NULL; p = p->next) {
            if (p->torn) {
                lose(c, FIELD_SIGNATURE, p->from);
                p->opaque = STR("");
            }
        }
    }
}

void messages_write_turns(struct conversion *c, struct json_out *o)
{
    turns_fold_system(c);
    lose_torn(c);
    turns_drop_reasoning(c, false, true);
    turns_merge(c);
    write_system(c, o);
    turns_need_some(c);
    json_key(o, "messages");
    json_open(o, '[');
    for (const struct turn *t = c->ask.turns; t != NULL && !c->refused; t = t->next) {
        write_turn(c, o, t);
    }
    json_close(o, ']');
}
