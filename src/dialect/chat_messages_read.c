/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of a Chat Completions request. Source: OpenAI OpenAPI 2.3.0, and what compatible
 * vendors add. */
#include <stddef.h>

#include "base/hash.h"
#include "dialect/chat.h"

/* ---- content ---- */

struct content {
    struct str text, refusal;
    const struct json *image, *audio, *file, *video, *cache;
};

enum { A_TEXT = 1, A_REFUSAL = 2, A_IMAGE = 4, A_AUDIO = 8, A_VIDEO = 16, A_FILE = 32 };

static const struct kind content_kinds[] = {
    {"text", A_TEXT},         {"refusal", A_REFUSAL}, {"image_url", A_IMAGE},
    {"input_audio", A_AUDIO}, {"video_url", A_VIDEO}, {"file", A_FILE},
};

#define JSON(key, kind, type, member) \
    {.name = key, .of = kind, .take = TAKE_JSON, .at = offsetof(type, member)}
#define WORD(key, kind, type, member) \
    {.name = key, .of = kind, .take = TAKE_STR, .at = offsetof(type, member)}

static const struct key content_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    WORD("text", A_TEXT, struct content, text),
    WORD("refusal", A_REFUSAL, struct content, refusal),
    JSON("image_url", A_IMAGE, struct content, image),
    JSON("input_audio", A_AUDIO, struct content, audio),
    JSON("video_url", A_VIDEO, struct content, video),
    JSON("file", A_FILE, struct content, file),
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
    part_text(c, list, in->text, at);
    if (in->text.p == NULL) {
        refuse(c, at, "A text part needs its text.");
    }
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
    p->detail_from = place_key(c, at, STR("detail"));
    if (kind == PART_VIDEO && m.detail.n > 0) {
        lose(c, FIELD_KEY_FOREIGN, p->detail_from);
    }
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
        if (m.file_id.n > 0) {
            lose(c, FIELD_FILE_ID, place_key(c, at, STR("file_id")));
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
    unsigned kind = kind_of(read_word(v, "type"), ROWS(content_kinds));

    READ_KIND(c, v, at, kind, content_keys, &in);
    if (c->refused) {
        return;
    }
    if (kind == A_TEXT) {
        read_text(c, &in, at, list);
    } else if (kind == A_IMAGE && in.image != NULL) {
        read_url(c, in.image, PART_IMAGE, place_key(c, at, STR("image_url")), list);
    } else if (kind == A_VIDEO && in.video != NULL) {
        read_url(c, in.video, PART_VIDEO, place_key(c, at, STR("video_url")), list);
    } else if (kind == A_AUDIO && in.audio != NULL) {
        read_audio(c, in.audio, place_key(c, at, STR("input_audio")), list);
    } else if (kind == A_FILE && in.file != NULL) {
        read_file(c, in.file, place_key(c, at, STR("file")), list);
    } else if (kind == A_REFUSAL) {
        part_refusal(c, list, in.refusal, at);
    } else {
        lose(c, FIELD_PART_UNKNOWN, place_key(c, at, STR("type")));
        return;
    }
    parts_mark(c, list, in.cache, place_key(c, at, STR("cache_control")));
}

/* A text, or parts. */
static void read_content(struct conversion *c, const struct json *v, const struct place *at,
                         struct parts *list)
{
    if (v != NULL && json_is_string(v)) {
        part_text(c, list, json_str(v), at);
    } else if (v != NULL) {
        read_content_items(c, v, at, read_content_part, list);
    }
}

/* ---- messages ---- */

struct message {
    struct str role, call_id, refusal, reasoning_content, reasoning;
    const struct json *content, *calls, *details, *cache;
};

enum { SYSTEM = 1, USER = 2, ASSISTANT = 4, TOOL = 8 };

static const struct kind roles[] = {
    {"system", SYSTEM},       {"developer", SYSTEM}, {"user", USER},
    {"assistant", ASSISTANT}, {"tool", TOOL},
};

static const struct key message_keys[] = {
    WORD("role", 0, struct message, role),
    JSON("content", 0, struct message, content),
    {.name = "name", .take = TAKE_LOSS, .field = FIELD_MESSAGE_NAME},
    JSON("tool_calls", ASSISTANT, struct message, calls),
    WORD("tool_call_id", TOOL, struct message, call_id),
    WORD("refusal", ASSISTANT, struct message, refusal),
    WORD("reasoning_content", ASSISTANT, struct message, reasoning_content),
    WORD("reasoning", ASSISTANT, struct message, reasoning),
    JSON("reasoning_details", ASSISTANT, struct message, details),
    {.name = "prefix", .of = ASSISTANT, .take = TAKE_LOSS, .field = FIELD_PREFILL},
    {.name = "annotations", .of = ASSISTANT, .take = TAKE_LOSS, .field = FIELD_MESSAGE_ANNOTATIONS},
    {.name = "audio", .of = ASSISTANT, .take = TAKE_LOSS, .field = FIELD_FILE_ID},
    JSON("cache_control", 0, struct message, cache),
};

enum { FUNCTION = 1, CUSTOM = 2 };

static const struct kind call_kinds[] = {{"function", FUNCTION}, {"custom", CUSTOM}};

struct call {
    unsigned kind;
    struct str id, name, arguments, input, state;
};

static const struct key function_keys[] = {
    WORD("name", 0, struct call, name),
    WORD("arguments", FUNCTION, struct call, arguments),
    WORD("input", CUSTOM, struct call, input),
};

static void read_function(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct call *call = into;
    READ_KIND(c, v, at, call->kind, function_keys, call);
}

/* What vendors add to a call is state that they alone can read. It is named by where it stands:
 * what is lost is kept with the request, and the keys are the client's own words. */
static void read_google(struct conversion *c, const struct json *v, const struct place *at,
                        struct call *call)
{
    struct json_each it = json_each(v);
    enum envelope_kind kind;

    while (json_is_object(v) && json_next(&it)) {
        bool ours = str_eq(it.key, STR("thought_signature")) &&
                    envelope_open(c, json_str(it.value), &kind, &call->state) &&
                    kind == ENVELOPE_OPAQUE;
        if (!ours && !json_is_null(it.value)) {
            call->state = STR("");
            lose(c, FIELD_SIGNATURE, at);
        }
    }
}

static void read_extra(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    struct json_each it = json_each(v);

    if (!json_is_object(v)) {
        refuse(c, at, "It must be an object.");
        return;
    }
    while (json_next(&it)) {
        if (str_eq(it.key, STR("google")) && json_is_object(it.value)) {
            read_google(c, it.value, place_key(c, at, it.key), into);
        } else if (!json_is_null(it.value)) {
            lose(c, FIELD_SIGNATURE, at);
        }
    }
}

static const struct key call_keys[] = {
    WORD("id", 0, struct call, id),
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "index", .take = TAKE_KNOWN}, /* where it stood in a stream */
    {.name = "function", .of = FUNCTION, .take = TAKE_READ, .read = read_function},
    {.name = "custom", .of = CUSTOM, .take = TAKE_READ, .read = read_function},
    {.name = "extra_content", .take = TAKE_READ, .read = read_extra},
};

static void read_call(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct call in = {.kind = kind_of(read_word(v, "type"), ROWS(call_kinds))};

    in.kind = in.kind == 0 ? FUNCTION : in.kind; /* some clients say no type */
    READ_KIND(c, v, at, in.kind, call_keys, &in);
    struct part *p = part_call(c, into, at);
    p->id = in.id;
    p->name = in.name;
    p->custom = in.kind == CUSTOM;
    p->text = p->custom ? in.input : in.arguments;
    p->opaque = in.state.n > 0 ? in.state : p->opaque;
    if (in.name.n == 0) {
        refuse(c, at, "A tool call needs its name.");
    }
    p->text_from = place_key(c, place_key(c, at, STR("function")), STR("arguments"));
}

/* ---- reasoning: its text in one field or another, its state in a third ---- */

struct detail {
    struct str text, summary, data, signature;
};

enum { DETAIL_TEXT = 1, DETAIL_SUMMARY = 2, DETAIL_DATA = 4 };

static const struct kind detail_kinds[] = {{"reasoning.text", DETAIL_TEXT},
                                           {"reasoning.summary", DETAIL_SUMMARY},
                                           {"reasoning.encrypted", DETAIL_DATA}};

static const struct key detail_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "id", .take = TAKE_KNOWN}, /* these three tell of the stream it came by */
    {.name = "index", .take = TAKE_KNOWN},
    {.name = "format", .take = TAKE_KNOWN},
    WORD("text", DETAIL_TEXT, struct detail, text),
    WORD("summary", DETAIL_SUMMARY, struct detail, summary),
    WORD("data", DETAIL_DATA, struct detail, data),
    WORD("signature", DETAIL_TEXT, struct detail, signature),
};

/* OpenRouter's form: texts, and states of one kind or another. */
static void read_detail(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    unsigned kind = kind_of(read_word(v, "type"), ROWS(detail_kinds));
    struct detail in = {0};
    struct slot slot;

    if (kind == 0) {
        lose(c, FIELD_PART_UNKNOWN, place_key(c, at, STR("type")));
        return;
    }
    READ_KIND(c, v, at, kind, detail_keys, &in);
    slot.text = in.data.n > 0 ? in.data : in.signature;
    slot.at = place_key(c, at, in.data.n > 0 ? STR("data") : STR("signature"));
    part_reasoning(c, into, in.text.n > 0 ? in.text : in.summary, slot, at);
}

/* Some say one text in two fields; another text is lost. */
static void lose_other_text(struct conversion *c, struct str text, struct str used,
                            const struct place *at)
{
    if (text.n > 0 && !str_eq(text, used)) {
        lose(c, FIELD_REASONING_TEXT, at);
    }
}

static struct str text_of(struct conversion *c, const struct part *p)
{
    struct buf text;

    buf_init(&text, LIMIT_BODY_BYTES);
    for (; p != NULL; p = p->next) {
        buf_add(&text, p->kind == PART_REASONING ? p->text : STR(""));
    }
    return conversion_take(c, &text);
}

/* Each state's own text again, of all that the client has put one behind the other. */
static bool part_texts(struct part *first, struct str all)
{
    for (struct part *p = first; p != NULL; p = p->next) {
        struct str own = p->bound != NULL && p->bound->n <= all.n
                             ? str_slice(all.p, (size_t)p->bound->n)
                             : STR("");
        if (p->bound == NULL || own.n != p->bound->n || hash_fnv(HASH_FNV, own) != p->bound->hash) {
            return false;
        }
        p->text = own;
        all = str_skip(all, own.n);
    }
    return all.n == 0;
}

/* A client may have another text: OpenAI's Node SDK keeps the last of its pieces alone. */
static void give_texts(struct part *first, struct str all)
{
    if (all.n == 0 || part_texts(first, all)) {
        return;
    }
    for (struct part *p = first; p != NULL; p = p->next) {
        p->text = STR("");
        p->torn = p->bound != NULL && p->bound->n > 0;
    }
    first->text = all;
}

/* Of a message that has nothing yet. Text and state in two fields are one part, as they were. */
static void read_reasoning(struct conversion *c, const struct message *m, const struct place *at,
                           struct parts *list)
{
    bool by_content = m->reasoning_content.n > 0;
    struct str word = by_content ? m->reasoning_content : m->reasoning, used = word;
    const struct place *content_at = place_key(c, at, STR("reasoning_content"));
    const struct place *word_at = place_key(c, at, STR("reasoning"));

    if (m->details != NULL) {
        read_items(c, m->details, place_key(c, at, STR("reasoning_details")), read_detail, list);
    }
    struct part *first = list->first;
    struct str told = text_of(c, first);
    if (told.n > 0) {
        used = told;
    } else if (first != NULL) {
        give_texts(first, word);
    } else if (word.n > 0) {
        struct slot none = {STR(""), NULL};
        part_reasoning(c, list, word, none, by_content ? content_at : word_at);
    }
    lose_other_text(c, m->reasoning_content, used, content_at);
    lose_other_text(c, m->reasoning, used, word_at);
}

static void read_assistant(struct conversion *c, const struct message *m, const struct place *at)
{
    struct turn *t = turn_new(c, ROLE_ASSISTANT, at);

    read_reasoning(c, m, at, &t->parts);
    read_content(c, m->content, place_key(c, at, STR("content")), &t->parts);
    if (m->refusal.n > 0) {
        part_refusal(c, &t->parts, m->refusal, at);
    }
    if (m->calls != NULL) {
        read_items(c, m->calls, place_key(c, at, STR("tool_calls")), read_call, &t->parts);
    }
    parts_mark(c, &t->parts, m->cache, place_key(c, at, STR("cache_control")));
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
    parts_mark(c, &t->parts, m->cache, place_key(c, at, STR("cache_control")));
}

static void read_message(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct message m = {0};
    unsigned kind = kind_of(read_word(v, "role"), ROWS(roles));
    const size_t *count = into;
    bool prefix = false;

    READ_KIND(c, v, at, kind, message_keys, &m);
    if (c->refused) {
        return;
    }
    if (json_bool(json_get(v, "prefix"), &prefix) && prefix && at->index + 1 < *count) {
        refuse(c, place_key(c, at, STR("prefix")), "Only the last message can be continued.");
    } else if (kind == ASSISTANT) {
        read_assistant(c, &m, at);
    } else if (kind == TOOL) {
        read_tool(c, &m, at);
    } else if (kind == 0) {
        refuse(c, place_key(c, at, STR("role")),
               "There is no role '%.*s': system, developer, user, assistant, tool.",
               STR_ARG(m.role));
    } else {
        struct turn *t = turn_new(c, kind == SYSTEM ? ROLE_SYSTEM : ROLE_USER, at);
        read_content(c, m.content, place_key(c, at, STR("content")), &t->parts);
        need_parts(c, t, place_key(c, at, STR("content")));
        parts_mark(c, &t->parts, m.cache, place_key(c, at, STR("cache_control")));
    }
}

void chat_read_messages(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    size_t count = json_count(v);

    (void)into;
    read_items(c, v, at, read_message, &count);
}
