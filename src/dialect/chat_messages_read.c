/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of a Chat Completions request. Source: OpenAI OpenAPI 2.3.0, and what compatible
 * vendors add. */
#include <stddef.h>

#include "dialect/chat.h"

/* ---- content ---- */

struct content {
    struct str text, refusal;
    const struct json *image, *audio, *file, *video, *cache;
};

static const struct key content_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "text", .take = TAKE_STR, .at = offsetof(struct content, text)},
    {.name = "refusal", .take = TAKE_STR, .at = offsetof(struct content, refusal)},
    {.name = "image_url", .take = TAKE_JSON, .at = offsetof(struct content, image)},
    {.name = "input_audio", .take = TAKE_JSON, .at = offsetof(struct content, audio)},
    {.name = "video_url", .take = TAKE_JSON, .at = offsetof(struct content, video)},
    {.name = "file", .take = TAKE_JSON, .at = offsetof(struct content, file)},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct content, cache)},
    {.name = "prompt_cache_breakpoint", .take = TAKE_LOSS, .field = FIELD_PROMPT_CACHE_BREAKPOINT},
};

struct media {
    struct str url, detail, data, format, file_data, file_id, filename;
};

static const struct key url_keys[] = {
    {.name = "url", .take = TAKE_STR, .at = offsetof(struct media, url)},
    {.name = "detail", .take = TAKE_STR, .at = offsetof(struct media, detail)},
};
static const struct key audio_keys[] = {
    {.name = "data", .take = TAKE_STR, .at = offsetof(struct media, data)},
    {.name = "format", .take = TAKE_STR, .at = offsetof(struct media, format)},
};
static const struct key file_keys[] = {
    {.name = "file_data", .take = TAKE_STR, .at = offsetof(struct media, file_data)},
    {.name = "file_id", .take = TAKE_STR, .at = offsetof(struct media, file_id)},
    {.name = "filename", .take = TAKE_STR, .at = offsetof(struct media, filename)},
};

static void read_text(struct conversion *c, const struct content *in, const struct place *at,
                      struct parts *list)
{
    struct part *p = part_text(c, list, in->text, at);

    if (in->text.p == NULL) {
        refuse(c, at, "A text part needs its text.");
    }
    p->cache = in->cache;
}

static void read_url(struct conversion *c, const struct json *v, enum part_kind kind,
                     const struct place *at, struct parts *list)
{
    struct media m = {0};
    struct part *p = part_new(c, list, kind, at);

    READ_OBJECT(c, v, at, NULL, url_keys, &m);
    if (m.url.n == 0) {
        refuse(c, place_key(c, at, STR("url")), "It is missing.");
    }
    media_from_url(c, p, m.url);
    p->detail = m.detail;
}

static void read_audio(struct conversion *c, const struct json *v, const struct place *at,
                       struct parts *list)
{
    struct media m = {0};
    struct part *p = part_new(c, list, PART_AUDIO, at);
    struct buf mime;

    READ_OBJECT(c, v, at, NULL, audio_keys, &m);
    if (m.data.n == 0 || m.format.n == 0) {
        refuse(c, at, "It needs data and format.");
    }
    buf_init(&mime, 64);
    buf_cat(&mime, STR("audio/"), str_eq(m.format, STR("mp3")) ? STR("mpeg") : m.format);
    media_set_data(c, p, conversion_take(c, &mime), m.data);
}

static void read_file(struct conversion *c, const struct json *v, const struct place *at,
                      struct parts *list)
{
    struct media m = {0};
    struct part *p = part_new(c, list, PART_FILE, at);

    READ_OBJECT(c, v, at, NULL, file_keys, &m);
    p->title = m.filename;
    p->ref = m.file_id;
    if (m.file_data.n > 0) {
        media_from_url(c, p, m.file_data);
        if (p->data.p == NULL) {
            refuse(c, place_key(c, at, STR("file_data")), "It must be a data: URL in base64.");
        }
    } else if (m.file_id.n == 0) {
        refuse(c, at, "It needs file_data.");
    }
}

static void read_content_part(struct conversion *c, const struct json *v, const struct place *at,
                              void *into)
{
    struct content in = {0};
    struct parts *list = into;
    struct str type = read_word(v, "type");

    READ_OBJECT(c, v, at, NULL, content_keys, &in);
    if (c->refused) {
        return;
    }
    if (str_eq(type, STR("text"))) {
        read_text(c, &in, at, list);
    } else if (str_eq(type, STR("image_url")) && in.image != NULL) {
        read_url(c, in.image, PART_IMAGE, place_key(c, at, STR("image_url")), list);
    } else if (str_eq(type, STR("video_url")) && in.video != NULL) {
        read_url(c, in.video, PART_VIDEO, place_key(c, at, STR("video_url")), list);
    } else if (str_eq(type, STR("input_audio")) && in.audio != NULL) {
        read_audio(c, in.audio, place_key(c, at, STR("input_audio")), list);
    } else if (str_eq(type, STR("file")) && in.file != NULL) {
        read_file(c, in.file, place_key(c, at, STR("file")), list);
    } else if (str_eq(type, STR("refusal"))) {
        part_new(c, list, PART_REFUSAL, at)->text = in.refusal;
    } else {
        lose(c, FIELD_PART_UNKNOWN, place_key(c, at, STR("type")));
    }
    if (list->last != NULL && in.cache != NULL) {
        list->last->cache = in.cache;
        list->last->cache_from = place_key(c, at, STR("cache_control"));
    }
}

/* A text, or parts. */
static void read_content(struct conversion *c, const struct json *v, const struct place *at,
                         struct parts *list)
{
    if (v != NULL && json_is_string(v)) {
        part_text(c, list, json_str(v), at);
    } else if (v != NULL) {
        read_items(c, v, at, read_content_part, list);
    }
}

/* ---- messages ---- */

struct message {
    struct str role, call_id, refusal, reasoning_content, reasoning;
    const struct json *content, *calls, *details, *cache;
};

static const struct key message_keys[] = {
    {.name = "role", .take = TAKE_STR, .at = offsetof(struct message, role)},
    {.name = "content", .take = TAKE_JSON, .at = offsetof(struct message, content)},
    {.name = "name", .take = TAKE_LOSS, .field = FIELD_MESSAGE_NAME},
    {.name = "tool_calls", .take = TAKE_JSON, .at = offsetof(struct message, calls)},
    {.name = "tool_call_id", .take = TAKE_STR, .at = offsetof(struct message, call_id)},
    {.name = "refusal", .take = TAKE_STR, .at = offsetof(struct message, refusal)},
    {.name = "reasoning_content",
     .take = TAKE_STR,
     .at = offsetof(struct message, reasoning_content)},
    {.name = "reasoning", .take = TAKE_STR, .at = offsetof(struct message, reasoning)},
    {.name = "reasoning_details", .take = TAKE_JSON, .at = offsetof(struct message, details)},
    {.name = "prefix", .take = TAKE_LOSS, .field = FIELD_PREFILL},
    {.name = "annotations", .take = TAKE_LOSS, .field = FIELD_MESSAGE_ANNOTATIONS},
    {.name = "audio", .take = TAKE_LOSS, .field = FIELD_FILE_ID},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct message, cache)},
};

struct call {
    struct str id, name, arguments, input, state;
};

static const struct key function_keys[] = {
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct call, name)},
    {.name = "arguments", .take = TAKE_STR, .at = offsetof(struct call, arguments)},
    {.name = "input", .take = TAKE_STR, .at = offsetof(struct call, input)},
};

static void read_function(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    READ_OBJECT(c, v, at, NULL, function_keys, into);
}

static void read_extra(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    struct call *call = into;
    enum envelope_kind kind;
    struct str slot = read_word(v, "google.thought_signature");

    if (slot.n > 0 && !(envelope_open(c, slot, &kind, &call->state) && kind == ENVELOPE_OPAQUE)) {
        call->state = STR("");
        lose(c, FIELD_SIGNATURE, at);
    }
}

static const struct key call_keys[] = {
    {.name = "id", .take = TAKE_STR, .at = offsetof(struct call, id)},
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "index", .take = TAKE_KNOWN},
    {.name = "function", .take = TAKE_READ, .read = read_function},
    {.name = "custom", .take = TAKE_READ, .read = read_function},
    {.name = "extra_content", .take = TAKE_READ, .read = read_extra},
};

static void read_call(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct call in = {0};
    bool custom = str_eq(read_word(v, "type"), STR("custom"));

    READ_OBJECT(c, v, at, NULL, call_keys, &in);
    struct part *p = part_call(c, into, at);
    p->id = in.id;
    p->name = in.name;
    p->custom = custom;
    p->text = custom ? in.input : in.arguments;
    p->opaque = in.state.n > 0 ? in.state : p->opaque;
    if (in.name.n == 0) {
        refuse(c, at, "A tool call needs its name.");
    }
    p->text_from = place_key(c, place_key(c, at, STR("function")), STR("arguments"));
}

/* OpenRouter's form: texts, and states of one kind or another. */
static void read_detail(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct str slot = read_word(v, "data");

    slot = slot.n > 0 ? slot : read_word(v, "signature");
    part_reasoning(c, into, read_word(v, "text"), slot, at);
}

/* The text stands in one field, its state in another: they are one part, as they were. */
static void read_reasoning(struct conversion *c, const struct message *m, const struct place *at,
                           struct parts *list)
{
    struct str text = m->reasoning_content.n > 0 ? m->reasoning_content : m->reasoning;
    struct part *before = list->last;

    if (m->details != NULL) {
        read_items(c, m->details, place_key(c, at, STR("reasoning_details")), read_detail, list);
    }
    struct part *first = before != NULL ? before->next : list->first;
    if (first != NULL && first->kind == PART_REASONING && first->text.n == 0) {
        first->text = text;
        first->hidden = text.n == 0;
    } else if (first == NULL && text.n > 0) {
        part_reasoning(c, list, text, STR(""), place_key(c, at, STR("reasoning_content")));
    }
}

static void read_assistant(struct conversion *c, const struct message *m, const struct place *at)
{
    struct turn *t = turn_new(c, ROLE_ASSISTANT, at);

    read_reasoning(c, m, at, &t->parts);
    read_content(c, m->content, place_key(c, at, STR("content")), &t->parts);
    if (m->refusal.n > 0) {
        part_new(c, &t->parts, PART_REFUSAL, place_key(c, at, STR("refusal")))->text = m->refusal;
    }
    if (m->calls != NULL) {
        read_items(c, m->calls, place_key(c, at, STR("tool_calls")), read_call, &t->parts);
    }
}

/* The results of one step stand in one message each. */
static void read_tool(struct conversion *c, const struct message *m, const struct place *at)
{
    struct turn *last = c->ask.last_turn;
    bool same = last != NULL && last->role == ROLE_USER && last->parts.last != NULL &&
                last->parts.last->kind == PART_RESULT;
    struct turn *t = same ? last : turn_new(c, ROLE_USER, at);
    struct part *p = part_new(c, &t->parts, PART_RESULT, at);

    p->id = m->call_id;
    read_content(c, m->content, place_key(c, at, STR("content")), &p->parts);
    if (m->cache != NULL) {
        p->cache = m->cache;
        p->cache_from = place_key(c, at, STR("cache_control"));
    }
}

static void read_message(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct message m = {0};
    enum role role = ROLE_USER;

    (void)into;
    READ_OBJECT(c, v, at, NULL, message_keys, &m);
    if (c->refused) {
        return;
    }
    if (str_eq(m.role, STR("assistant"))) {
        read_assistant(c, &m, at);
        return;
    }
    if (str_eq(m.role, STR("tool"))) {
        read_tool(c, &m, at);
        return;
    }
    if (str_eq(m.role, STR("system")) || str_eq(m.role, STR("developer"))) {
        role = ROLE_SYSTEM;
    } else if (!str_eq(m.role, STR("user"))) {
        refuse(c, place_key(c, at, STR("role")),
               "There is no role '%.*s': system, developer, user, assistant, tool.",
               STR_ARG(m.role));
        return;
    }
    struct turn *t = turn_new(c, role, at);
    read_content(c, m.content, place_key(c, at, STR("content")), &t->parts);
    if (m.cache != NULL && t->parts.last != NULL) {
        t->parts.last->cache = m.cache;
        t->parts.last->cache_from = place_key(c, at, STR("cache_control"));
    }
}

void chat_read_messages(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    read_items(c, v, at, read_message, into);
}
