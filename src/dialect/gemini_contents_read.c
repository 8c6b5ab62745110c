/* SPDX-License-Identifier: Apache-2.0 */
/* The contents of a request of the Gemini generateContent dialect. Source: Google discovery
 * document v1beta, Content and Part. */
#include <stddef.h>

#include "base/base64.h"
#include "dialect/gemini.h"

void gemini_read_list(struct conversion *c, const struct json *v, const struct place *at,
                      void (*read)(struct conversion *c, const struct json *v,
                                   const struct place *at, void *into),
                      void *into)
{
    if (json_is_object(v)) {
        read(c, v, at, into);
    } else {
        read_items(c, v, at, read, into);
    }
}

/* ---- what comes back (gemini_reply_write.c) ---- */

/* Bytes are in either alphabet, with or without padding. Empty: they are none of ours. */
static struct str open_bytes(struct conversion *c, struct str slot)
{
    struct buf plain, bytes;

    buf_init(&plain, slot.n + 1);
    buf_init(&bytes, slot.n + 1);
    for (size_t i = 0; i < slot.n && slot.p[i] != '='; i++) {
        char ch = slot.p[i];
        buf_add_byte(&plain, (char)(ch == '+' ? '-' : ch == '/' ? '_' : ch));
    }
    bool ok = base64_read(&bytes, BASE64_URL, buf_str(&plain));
    bool ours =
        ok && (str_starts(buf_str(&bytes), STR("rly1.")) || str_starts(buf_str(&bytes), STR("\n")));
    struct str out = ours ? conversion_str(c, buf_str(&bytes)) : STR("");
    buf_release(&plain);
    buf_release(&bytes);
    return out;
}

/* What stands for a signature that there never was. */
static bool is_sentinel(struct str slot)
{
    return str_eq(slot, STR("skip_thought_signature_validator")) ||
           str_eq(slot, STR("context_engineering_is_the_way_to_go"));
}

/* What we have put into it; a signature that is not ours is lost. */
static struct str open_slot(struct conversion *c, const struct slot *slot)
{
    struct str inside = open_bytes(c, slot->text);

    if (slot->text.n > 0 && inside.n == 0 && !is_sentinel(slot->text)) {
        lose(c, FIELD_SIGNATURE, slot->at);
    }
    return inside;
}

/* The call's own state; the thoughts that led to it go before it, from the call's place. */
static struct str read_call_slot(struct conversion *c, const struct slot *slot, struct parts *list,
                                 const struct place *at)
{
    struct str lines = open_slot(c, slot);
    struct str own = str_cut(&lines, '\n');
    struct str state = STR(""), text;
    enum envelope_kind kind;

    if (own.n > 0 && !(envelope_open(c, own, &kind, &state) && kind == ENVELOPE_OPAQUE)) {
        lose(c, FIELD_SIGNATURE, slot->at);
        state = STR("");
    }
    while (lines.n > 0) {
        struct str line = str_cut(&lines, '\n');
        struct str opaque = str_cut(&line, ' ');
        if (!envelope_open(c, line, &kind, &text) || kind != ENVELOPE_TEXT) {
            text = STR("");
        }
        struct slot inner = {opaque, slot->at};
        part_reasoning(c, list, text, inner, at);
    }
    return state;
}

/* ---- parts ---- */

struct blob {
    struct str mime, data, uri, title;
};

enum { INLINE = 1, STORED = 2 };

static const struct key blob_keys[] = {
    {.name = "mimeType", .take = TAKE_STR, .at = offsetof(struct blob, mime)},
    {.name = "data", .of = INLINE, .take = TAKE_STR, .at = offsetof(struct blob, data)},
    {.name = "fileUri", .of = STORED, .take = TAKE_STR, .at = offsetof(struct blob, uri)},
    {.name = "displayName", .take = TAKE_STR, .at = offsetof(struct blob, title)},
};

static bool is_youtube(struct str uri)
{
    return str_starts(uri, STR("https://www.youtube.com/")) ||
           str_starts(uri, STR("https://youtube.com/")) ||
           str_starts(uri, STR("https://m.youtube.com/")) ||
           str_starts(uri, STR("https://youtu.be/"));
}

static enum part_kind media_kind(const struct blob *b)
{
    if (str_starts(b->mime, STR("image/"))) {
        return PART_IMAGE;
    }
    if (str_starts(b->mime, STR("audio/"))) {
        return PART_AUDIO;
    }
    return str_starts(b->mime, STR("video/")) || is_youtube(b->uri) ? PART_VIDEO : PART_FILE;
}

/* What stands in Google's own stores, which no other vendor can read. */
static bool is_stored(struct str uri)
{
    return is_youtube(uri) || str_starts(uri, STR("gs://")) || str_starts(uri, STR("files/")) ||
           str_starts(uri, STR("https://generativelanguage.googleapis.com/"));
}

static void read_blob(struct conversion *c, const struct json *v, const struct place *at,
                      struct parts *list, const struct slot *detail)
{
    struct blob b = {0};
    bool stored = key_is(c, at->key, STR("fileData"));

    READ_KIND(c, v, at, stored ? STORED : INLINE, blob_keys, &b);
    if (c->refused) {
        return;
    }
    if (b.data.n == 0 && b.uri.n == 0) {
        refuse(c, at, "It holds nothing.");
        return;
    }
    struct part *p = part_new(c, list, media_kind(&b), at);
    p->title = b.title;
    if (b.title.n > 0 && p->kind != PART_FILE) {
        lose(c, FIELD_MEDIA_TITLE, place_key(c, at, STR("displayName")));
    }
    if (detail->text.n > 0 && p->kind != PART_IMAGE) {
        lose(c, FIELD_MEDIA_RESOLUTION, detail->at);
    }
    p->detail = detail->text;
    p->detail_from = detail->at;
    if (b.data.n > 0) {
        media_set_data(c, p, b.mime, b.data);
    } else if (is_stored(b.uri)) {
        p->ref = b.uri;
    } else {
        p->mime = b.mime;
        p->url = b.uri;
    }
}

struct call {
    struct str id, name;
    const struct json *args, *response, *parts;
};

static const struct key call_keys[] = {
    {.name = "id", .take = TAKE_STR, .at = offsetof(struct call, id)},
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct call, name)},
    {.name = "args", .take = TAKE_JSON, .at = offsetof(struct call, args)},
    {.name = "partialArgs", .take = TAKE_LOSS, .field = FIELD_PART_UNKNOWN},
};

static void read_call(struct conversion *c, const struct json *v, const struct place *at,
                      struct parts *list, const struct slot *slot)
{
    struct call in = {0};
    struct str state = read_call_slot(c, slot, list, at);
    struct part *p = part_call(c, list, at);
    struct buf text;

    READ_OBJECT(c, v, at, NULL, call_keys, &in);
    p->id = in.id;
    p->name = in.name;
    p->opaque = state;
    p->text_from = place_key(c, at, STR("args"));
    if (in.name.n == 0) {
        refuse(c, place_key(c, at, STR("name")), "It is missing.");
    } else if (in.args != NULL && !json_is_object(in.args)) {
        refuse(c, p->text_from, "It must be an object.");
    }
    buf_init(&text, LIMIT_BODY_BYTES);
    if (in.args != NULL) {
        json_write_value(&text, in.args);
    }
    p->text = conversion_take(c, &text);
}

static const struct key result_keys[] = {
    {.name = "id", .take = TAKE_STR, .at = offsetof(struct call, id)},
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct call, name)},
    {.name = "response", .take = TAKE_JSON, .at = offsetof(struct call, response)},
    {.name = "parts", .take = TAKE_JSON, .at = offsetof(struct call, parts)},
    {.name = "willContinue", .take = TAKE_LOSS, .field = FIELD_HARMLESS},
    {.name = "scheduling", .take = TAKE_LOSS, .field = FIELD_HARMLESS},
};

/* A tool's text has to be an object here. What clients put it under, alone, is no part of it:
 * output or error (the API's own names), result; or content, with the tool's name beside it. */
static const struct json *unwrap(const struct json *response, struct str name, bool *failed)
{
    static const char *const keys[] = {"output", "error", "result"};
    const struct json *content = json_get(response, "content");

    if (json_count(response) == 2 && content != NULL && json_is_string(content) &&
        str_eq(read_word(response, "name"), name)) {
        return content;
    }
    for (size_t i = 0; i < 3 && json_count(response) == 1; i++) {
        const struct json *inner = json_get(response, keys[i]);
        if (inner != NULL) {
            *failed = i == 1;
            return inner;
        }
    }
    return response;
}

static void read_result_part(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    struct str key = json_get(v, "inlineData") != NULL    ? STR("inlineData")
                     : json_get(v, "inline_data") != NULL ? STR("inline_data")
                     : json_get(v, "fileData") != NULL    ? STR("fileData")
                                                          : STR("file_data");
    const struct json *blob = json_get(v, key.p);

    if (blob == NULL || json_count(v) != 1) {
        lose(c, FIELD_PART_UNKNOWN, at);
        return;
    }
    struct slot none = {STR(""), NULL};
    read_blob(c, blob, place_key(c, at, key), into, &none);
}

static void read_result(struct conversion *c, const struct json *v, const struct place *at,
                        struct parts *list)
{
    struct call in = {0};
    struct part *p = part_new(c, list, PART_RESULT, at);
    const struct place *here = place_key(c, at, STR("response"));
    struct buf text;

    READ_OBJECT(c, v, at, NULL, result_keys, &in);
    p->id = in.id;
    p->name = in.name;
    p->text_from = here;
    if (in.response != NULL && !json_is_object(in.response)) {
        refuse(c, here, "It must be an object.");
    }
    const struct json *inner = unwrap(in.response, in.name, &p->failed);
    if (inner != NULL && json_is_string(inner)) {
        part_text(c, &p->parts, json_str(inner), here);
    } else if (inner != NULL) {
        buf_init(&text, LIMIT_BODY_BYTES);
        json_write_value(&text, inner);
        part_text(c, &p->parts, conversion_take(c, &text), here);
    }
    if (in.parts != NULL) {
        gemini_read_list(c, in.parts, place_key(c, at, STR("parts")), read_result_part, &p->parts);
    }
}

struct content_part {
    struct str text;
    struct slot slot, detail;
    uint8_t thought; /* tristate */
    const struct json *blob, *call, *result;
    const struct place *blob_at, *call_at, *result_at;
};

static const struct key resolution_keys[] = {
    {.name = "level", .take = TAKE_STR, .at = 0},
    {.name = "numTokens", .take = TAKE_LOSS, .field = FIELD_MEDIA_RESOLUTION},
};

static void read_resolution(struct conversion *c, const struct json *v, const struct place *at,
                            void *into)
{
    struct content_part *in = into;
    struct str level = json_str(v);

    if (json_is_object(v)) {
        READ_OBJECT(c, v, at, NULL, resolution_keys, &level);
    }
    in->detail.at = at;
    if (str_eq(level, STR("MEDIA_RESOLUTION_LOW"))) {
        in->detail.text = STR("low");
    } else if (str_eq(level, STR("MEDIA_RESOLUTION_HIGH"))) {
        in->detail.text = STR("high");
    } else if (level.n == 0 || !str_eq(level, STR("MEDIA_RESOLUTION_UNSPECIFIED"))) {
        lose(c, FIELD_MEDIA_RESOLUTION, at);
    }
}

static void keep_blob(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct content_part *in = into;

    (void)c;
    in->blob = v;
    in->blob_at = at;
}

static void keep_call(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct content_part *in = into;

    (void)c;
    in->call = v;
    in->call_at = at;
}

static void keep_result(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct content_part *in = into;

    (void)c;
    in->result = v;
    in->result_at = at;
}

static void keep_slot(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct content_part *in = into;

    if (!json_is_string(v)) {
        refuse(c, at, "It must be a string.");
    }
    in->slot = (struct slot){json_str(v), at};
}

#define READ(key, function) {.name = key, .take = TAKE_READ, .read = function}
#define LOSS(key, row) {.name = key, .take = TAKE_LOSS, .field = FIELD_##row}

enum { TEXT = 1, BLOB = 2, FILE_DATA = 4, CALL = 8, RESULT = 16, MEDIA = BLOB | FILE_DATA };

/* What a part is, is told by its key; one that has several is of the first here. */
static const struct kind part_kinds[] = {{"functionCall", CALL},
                                         {"functionResponse", RESULT},
                                         {"inlineData", BLOB},
                                         {"fileData", FILE_DATA}};

#define READ_OF(key, kind, function) {.name = key, .of = kind, .take = TAKE_READ, .read = function}

static const struct key part_keys[] = {
    {.name = "text", .of = TEXT, .take = TAKE_STR, .at = offsetof(struct content_part, text)},
    {.name = "thought",
     .of = TEXT,
     .take = TAKE_BOOL,
     .at = offsetof(struct content_part, thought)},
    READ("thoughtSignature", keep_slot),
    READ_OF("inlineData", BLOB, keep_blob),
    READ_OF("fileData", FILE_DATA, keep_blob),
    READ_OF("functionCall", CALL, keep_call),
    READ_OF("functionResponse", RESULT, keep_result),
    READ_OF("mediaResolution", MEDIA, read_resolution),
    LOSS("videoMetadata", VIDEO_METADATA),
    LOSS("partMetadata", HARMLESS),
    LOSS("executableCode", PART_UNKNOWN),
    LOSS("codeExecutionResult", PART_UNKNOWN),
    LOSS("toolCall", PART_UNKNOWN),
    LOSS("toolResponse", PART_UNKNOWN),
};

static unsigned kind_of_part(const struct conversion *c, const struct json *v)
{
    for (size_t i = 0; i < sizeof(part_kinds) / sizeof(part_kinds[0]); i++) {
        struct json_each it = json_each(v);
        while (json_is_object(v) && json_next(&it)) {
            if (key_is(c, it.key, str_from(part_kinds[i].word)) && !json_is_null(it.value)) {
                return part_kinds[i].bit;
            }
        }
    }
    return TEXT;
}

static void read_part(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct parts *list = into;
    struct content_part in = {0};

    READ_KIND(c, v, at, kind_of_part(c, v), part_keys, &in);
    if (json_count(v) == 0) {
        refuse(c, at, "It holds nothing.");
    }
    if (c->refused) {
        return;
    }
    if (in.call != NULL) {
        read_call(c, in.call, in.call_at, list, &in.slot);
        return;
    }
    struct slot state = {open_slot(c, &in.slot), in.slot.at};
    if (in.result == NULL && in.blob == NULL) { /* a text has no state */
        if (in.thought == YES && in.text.n + state.text.n > 0) {
            part_reasoning(c, list, in.text, state, at);
        } else if (in.thought != YES && in.text.n > 0) {
            part_text(c, list, in.text, at);
        }
    } else if (in.result != NULL) {
        read_result(c, in.result, in.result_at, list);
    } else {
        read_blob(c, in.blob, in.blob_at, list, &in.detail);
    }
}

/* ---- thoughts ---- */

/* The thoughts of a stream come back in as many parts as it had pieces: side by side they are one,
 * up to the piece that has its state. What follows it. */
static struct part *join_thoughts(struct conversion *c, struct part *p)
{
    struct part *next = p->next;
    struct buf text;

    if (p->opaque.n > 0 || next == NULL || next->kind != PART_REASONING) {
        return next;
    }
    buf_init(&text, LIMIT_BODY_BYTES);
    buf_add(&text, p->text);
    for (; p->opaque.n == 0 && next != NULL && next->kind == PART_REASONING; next = next->next) {
        buf_add(&text, next->text);
        p->opaque = next->opaque;
    }
    p->text = conversion_take(c, &text);
    return next;
}

/* What a call brought goes first, and stands for the thoughts that the client has kept. */
static void add_step(struct conversion *c, struct parts *to, struct parts *brought,
                     struct parts *kept)
{
    bool any = brought->first != NULL;

    for (struct part *p = brought->first, *next; p != NULL; p = next) {
        next = p->next;
        parts_add(to, p);
    }
    for (struct part *p = kept->first, *next; p != NULL; p = next) {
        bool thought = p->kind == PART_REASONING;
        next = thought && !any ? join_thoughts(c, p) : p->next;
        if (!thought || !any) {
            parts_add(to, p);
        }
    }
    *brought = *kept = (struct parts){NULL, NULL};
}

static void settle_thoughts(struct conversion *c, struct turn *t)
{
    struct parts done = {NULL, NULL}, brought = {NULL, NULL}, kept = {NULL, NULL};

    for (struct part *p = t->parts.first, *next; p != NULL; p = next) {
        bool in_call = p->kind == PART_REASONING && p->from->key.p != NULL &&
                       key_is(c, p->from->key, STR("functionCall"));
        bool call = p->kind == PART_CALL;
        next = p->next;
        parts_add(in_call ? &brought : &kept, p);
        if (call || next == NULL) {
            add_step(c, &done, &brought, &kept);
        }
    }
    t->parts = done;
}

/* ---- contents ---- */

struct content {
    struct str role;
    const struct json *parts;
};

static const struct key content_keys[] = {
    {.name = "role", .take = TAKE_STR, .at = offsetof(struct content, role)},
    {.name = "parts", .take = TAKE_JSON, .at = offsetof(struct content, parts)},
};

/* Clients send an answer back in as many contents as its stream had chunks: they are one turn. */
static void read_content(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct content in = {0};
    struct turn *t;

    (void)into;
    READ_OBJECT(c, v, at, NULL, content_keys, &in);
    if (c->refused) {
        return;
    }
    if (str_eq(in.role, STR("model"))) {
        t = turn_last(c, ROLE_ASSISTANT, at);
    } else if (in.role.n == 0 || str_eq(in.role, STR("user")) || str_eq(in.role, STR("function"))) {
        t = turn_new(c, ROLE_USER, at);
    } else {
        refuse(c, place_key(c, at, STR("role")), "There is no role '%.*s': user, model.",
               STR_ARG(in.role));
        return;
    }
    if (in.parts != NULL) {
        gemini_read_list(c, in.parts, place_key(c, at, STR("parts")), read_part, &t->parts);
    }
    if (json_count(in.parts) == 0) {
        need_parts(c, t, place_key(c, at, STR("parts")));
    }
}

void gemini_read_contents(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    gemini_read_list(c, v, at, read_content, into);
    for (struct turn *t = c->ask.turns; t != NULL; t = t->next) {
        settle_thoughts(c, t);
    }
}

void gemini_read_parts(struct conversion *c, const struct json *v, const struct place *at,
                       struct parts *list)
{
    struct content in = {0};

    READ_OBJECT(c, v, at, NULL, content_keys, &in);
    if (in.parts != NULL && !c->refused) {
        gemini_read_list(c, in.parts, place_key(c, at, STR("parts")), read_part, list);
    }
}

/* It stands first, wherever the key does. */
void gemini_read_system(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct turn *rest = c->ask.turns, *rest_last = c->ask.last_turn;

    (void)into;
    c->ask.turns = c->ask.last_turn = NULL;
    struct turn *t = turn_new(c, ROLE_SYSTEM, at);
    gemini_read_parts(c, v, at, &t->parts);
    t->next = rest;
    c->ask.last_turn = rest != NULL ? rest_last : t;
    if (t->parts.first == NULL) {
        c->ask.turns = rest;
        c->ask.last_turn = rest_last;
    }
}
