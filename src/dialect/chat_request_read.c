/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Chat Completions dialect. Source: OpenAI OpenAPI 2.3.0, CreateChatCompletion;
 * and the fields that compatible vendors add to it. */
#include <stddef.h>

#include "dialect/neutral.h"

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

static void read_messages(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    read_items(c, v, at, read_message, into);
}

/* ---- tools ---- */

static void read_parameters(struct conversion *c, const struct json *v, const struct place *at,
                            void *into)
{
    struct tool *t = into;

    if (!json_is_object(v)) {
        refuse(c, at, "It must be a JSON schema.");
    }
    t->schema = v;
}

static const struct key declaration_keys[] = {
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct tool, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct tool, description)},
    {.name = "parameters", .take = TAKE_READ, .read = read_parameters},
    {.name = "strict", .take = TAKE_BOOL, .at = offsetof(struct tool, strict)},
    {.name = "format", .take = TAKE_JSON, .at = offsetof(struct tool, format)},
};

static void read_declaration(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    READ_OBJECT(c, v, at, NULL, declaration_keys, into);
}

static const struct key tool_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "function", .take = TAKE_READ, .read = read_declaration},
    {.name = "custom", .take = TAKE_READ, .read = read_declaration},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct tool, cache)},
};

static void read_tool_row(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct str type = read_word(v, "type");
    bool custom = str_eq(type, STR("custom"));

    (void)into;
    if (!custom && !str_eq(type, STR("function"))) {
        lose(c, FIELD_TOOL_HOSTED, at);
        return;
    }
    struct tool *t = tool_new(c, custom ? TOOL_CUSTOM : TOOL_FUNCTION, at);
    READ_OBJECT(c, v, at, NULL, tool_keys, t);
    t->strict = t->strict == UNSAID ? NO : t->strict; /* not strict, unless it is asked for */
    if (t->cache != NULL) {
        t->cache_from = place_key(c, at, STR("cache_control"));
    }
    if (t->name.n == 0) {
        refuse(c, at, "A tool needs a name.");
    }
}

static void read_tools(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    read_items(c, v, at, read_tool_row, into);
}

static void read_choice(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct tool_choice *choice = &c->ask.choice;
    struct str type = read_word(v, "type");
    struct str word = json_str(v);

    (void)into;
    choice->from = at;
    if (str_eq(type, STR("allowed_tools"))) {
        const struct json *allowed = json_get(v, "allowed_tools");
        word = read_word(allowed, "mode");
        choice->allowed = json_get(allowed, "tools");
        choice->allowed_from = place_key(c, at, STR("allowed_tools"));
    } else if (str_eq(type, STR("function")) || str_eq(type, STR("custom"))) {
        choice->mode = CHOICE_NAMED;
        choice->name = read_word(v, str_eq(type, STR("custom")) ? "custom.name" : "function.name");
        if (choice->name.n == 0) {
            refuse(c, at, "It names no tool.");
        }
        return;
    }
    choice->mode = str_eq(word, STR("auto"))       ? CHOICE_AUTO
                   : str_eq(word, STR("none"))     ? CHOICE_NONE
                   : str_eq(word, STR("required")) ? CHOICE_REQUIRED
                   : str_eq(word, STR("any"))      ? CHOICE_REQUIRED
                                                   : CHOICE_UNSAID;
    if (choice->mode == CHOICE_UNSAID) {
        refuse(c, at, "It must be auto, none, required, or name a tool.");
    }
}

/* ---- the rest ---- */

static void read_max(struct conversion *c, const struct json *v, const struct place *at, void *into)
{
    struct ask_neutral *ask = into;
    uint64_t n;

    if (!json_u64(v, &n)) {
        refuse(c, at, "It must be a non-negative integer.");
    }
    if (ask->max_output.v == NULL || str_eq(at->key, STR("max_completion_tokens"))) {
        ask->max_output = (struct value){v, at};
    }
}

static void read_stop(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct ask_neutral *ask = into;
    struct json_each it = json_each(v);

    if (json_is_string(v)) {
        part_text(c, &ask->stops, json_str(v), at);
        return;
    }
    if (!json_is_array(v)) {
        refuse(c, at, "It must be a string or an array of strings.");
    }
    while (!c->refused && json_next(&it)) {
        const struct place *here = place_item(c, at, it.index);
        if (!json_is_string(it.value)) {
            refuse(c, here, "It must be a string.");
            return;
        }
        part_text(c, &ask->stops, json_str(it.value), here);
    }
}

static void read_stream_options(struct conversion *c, const struct json *v, const struct place *at,
                                void *into)
{
    struct ask_neutral *ask = into;

    (void)c;
    (void)at;
    (void)json_bool(json_get(v, "include_usage"), &ask->stream_usage);
}

static void read_effort(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct reasoning *r = into;

    r->from = at;
    r->effort = (uint8_t)effort_read(json_str(v));
    if (r->effort == EFFORT_UNSAID) {
        refuse(c, at, "It must be one of none, minimal, low, medium, high, xhigh, max.");
    }
}

static void read_budget(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct reasoning *r = into;
    uint64_t budget;

    if (!json_u64(v, &budget) || budget > USAGE_MAX) {
        refuse(c, at, "It must be a number of tokens.");
        return;
    }
    r->has_budget = true;
    r->budget = (int64_t)budget;
}

static void read_switch(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct reasoning *r = into;
    bool on = str_eq(json_str(v), STR("enabled"));

    if (!json_bool(v, &on) && !on && !str_eq(json_str(v), STR("disabled"))) {
        refuse(c, at, "It must be true or false, enabled or disabled.");
        return;
    }
    r->adaptive = on;
    r->effort = on ? r->effort : EFFORT_NONE;
}

static void read_exclude(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct reasoning *r = into;
    bool on;

    if (!json_bool(v, &on)) {
        refuse(c, at, "It must be true or false.");
        return;
    }
    r->show = on ? NO : YES;
}

/* As compatible vendors ask for it, in objects of their own. */
static const struct key reasoning_keys[] = {
    {.name = "type", .take = TAKE_READ, .read = read_switch},
    {.name = "enabled", .take = TAKE_READ, .read = read_switch},
    {.name = "effort", .take = TAKE_READ, .read = read_effort},
    {.name = "max_tokens", .take = TAKE_READ, .read = read_budget},
    {.name = "budget_tokens", .take = TAKE_READ, .read = read_budget},
    {.name = "exclude", .take = TAKE_READ, .read = read_exclude},
    {.name = "clear_thinking", .take = TAKE_LOSS, .field = FIELD_REASONING_CONTEXT},
};

static void read_thinking(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct ask_neutral *ask = into;

    ask->reasoning.from = at;
    if (json_is_object(v)) {
        READ_OBJECT(c, v, at, NULL, reasoning_keys, &ask->reasoning);
    } else if (json_number(v).n > 0) {
        read_budget(c, v, at, &ask->reasoning);
    } else {
        read_switch(c, v, at, &ask->reasoning);
    }
}

static const struct key schema_keys[] = {
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct format, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct format, description)},
    {.name = "schema", .take = TAKE_JSON, .at = offsetof(struct format, schema)},
    {.name = "strict", .take = TAKE_BOOL, .at = offsetof(struct format, strict)},
};

static void read_format(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct ask_neutral *ask = into;
    struct format *f = &ask->format;
    struct str type = read_word(v, "type");

    f->from = at;
    if (str_eq(type, STR("json_schema"))) {
        f->kind = FORMAT_SCHEMA;
        f->from = place_key(c, at, STR("json_schema"));
        READ_OBJECT(c, json_get(v, "json_schema"), f->from, NULL, schema_keys, f);
    } else if (str_eq(type, STR("json_object"))) {
        f->kind = FORMAT_JSON;
    } else if (!str_eq(type, STR("text"))) {
        refuse(c, place_key(c, at, STR("type")), "It must be text, json_object or json_schema.");
    }
}

#define READ(key, function) {.name = key, .take = TAKE_READ, .read = function}

static void read_chat_effort(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    struct ask_neutral *ask = into;
    read_effort(c, v, at, &ask->reasoning);
}

static const struct key ask_keys[] = {
    {.name = "model", .take = TAKE_KNOWN},
    {.name = "stream", .take = TAKE_KNOWN},
    READ("messages", read_messages),
    READ("tools", read_tools),
    READ("tool_choice", read_choice),
    {.name = "parallel_tool_calls",
     .take = TAKE_BOOL,
     .at = offsetof(struct ask_neutral, parallel)},
    {.name = "web_search_options", .take = TAKE_LOSS, .field = FIELD_TOOL_HOSTED},
    READ("max_tokens", read_max),
    READ("max_completion_tokens", read_max),
    READ("stop", read_stop),
    READ("stream_options", read_stream_options),
    READ("reasoning_effort", read_chat_effort),
    READ("thinking", read_thinking),
    READ("enable_thinking", read_thinking),
    READ("thinking_budget", read_thinking),
    READ("reasoning", read_thinking),
    READ("response_format", read_format),
};

static void read_ask(struct conversion *c, const struct json *root)
{
    READ_OBJECT(c, root, NULL, "", ask_keys, &c->ask);
    if (!c->refused && c->ask.turns == NULL) {
        refuse(c, place_key(c, NULL, STR("messages")), "There is none.");
    }
}

const struct spoken spoken_chat = {
    .read_ask = read_ask,
    .write_ask = chat_write_ask,
    .read_whole = chat_read_whole,
    .read_event = chat_read_event,
    .writer = &chat_writer,
};
