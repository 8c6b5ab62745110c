/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Responses dialect. Source: OpenAI OpenAPI 2.3.0, CreateResponse and InputItem;
 * and what Codex sends. */
#include <stddef.h>

#include "dialect/responses.h"

/* ---- content ---- */

struct content {
    struct str text, refusal, image_url, detail, file_data, file_url, file_id, filename;
    const struct json *cache;
};

static void read_annotations(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    (void)into;
    if (json_count(v) > 0) {
        lose(c, FIELD_MESSAGE_ANNOTATIONS, at);
    }
}

static const struct key content_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "text", .take = TAKE_STR, .at = offsetof(struct content, text)},
    {.name = "refusal", .take = TAKE_STR, .at = offsetof(struct content, refusal)},
    {.name = "annotations", .take = TAKE_READ, .read = read_annotations},
    {.name = "logprobs", .take = TAKE_KNOWN},
    {.name = "image_url", .take = TAKE_STR, .at = offsetof(struct content, image_url)},
    {.name = "detail", .take = TAKE_STR, .at = offsetof(struct content, detail)},
    {.name = "file_data", .take = TAKE_STR, .at = offsetof(struct content, file_data)},
    {.name = "file_url", .take = TAKE_STR, .at = offsetof(struct content, file_url)},
    {.name = "file_id", .take = TAKE_STR, .at = offsetof(struct content, file_id)},
    {.name = "filename", .take = TAKE_STR, .at = offsetof(struct content, filename)},
    {.name = "input_audio", .take = TAKE_KNOWN},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct content, cache)},
    {.name = "prompt_cache_breakpoint", .take = TAKE_LOSS, .field = FIELD_PROMPT_CACHE_BREAKPOINT},
};

static void read_text(struct conversion *c, struct str text, enum part_kind kind,
                      const struct place *at, struct parts *list)
{
    if (text.p == NULL) {
        refuse(c, at, "It needs its text.");
    }
    part_new(c, list, kind, at)->text = text;
}

static void read_image(struct conversion *c, const struct content *in, const struct place *at,
                       struct parts *list)
{
    struct part *p = part_new(c, list, PART_IMAGE, at);

    p->ref = in->file_id;
    p->detail = in->detail;
    if (in->image_url.n > 0) {
        media_from_url(c, p, in->image_url);
    } else if (in->file_id.n == 0) {
        refuse(c, place_key(c, at, STR("image_url")), "It is missing.");
    }
}

static void read_file(struct conversion *c, const struct content *in, const struct place *at,
                      struct parts *list)
{
    struct part *p = part_new(c, list, PART_FILE, at);

    p->title = in->filename;
    p->ref = in->file_id;
    if (in->detail.n > 0 && !str_eq(in->detail, STR("auto"))) {
        lose(c, FIELD_FILE_DETAIL, place_key(c, at, STR("detail")));
    }
    if (in->file_data.n > 0) {
        media_from_url(c, p, in->file_data);
        if (p->data.p == NULL) {
            refuse(c, place_key(c, at, STR("file_data")), "It must be a data: URL in base64.");
        }
    } else if (in->file_url.n > 0) {
        p->url = in->file_url;
    } else if (in->file_id.n == 0) {
        refuse(c, at, "It needs file_data or file_url.");
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
    if (str_eq(type, STR("input_text")) || str_eq(type, STR("output_text")) ||
        str_eq(type, STR("text"))) {
        read_text(c, in.text, PART_TEXT, at, list);
    } else if (str_eq(type, STR("refusal"))) {
        read_text(c, in.refusal, PART_REFUSAL, at, list);
    } else if (str_eq(type, STR("input_image"))) {
        read_image(c, &in, at, list);
    } else if (str_eq(type, STR("input_file"))) {
        read_file(c, &in, at, list);
    } else {
        lose(c, FIELD_PART_UNKNOWN, place_key(c, at, STR("type")));
    }
    if (in.cache != NULL && list->last != NULL) {
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

/* ---- items ---- */

struct item {
    struct str type, role, call_id, name, group, input, encrypted, execution;
    const struct json *content, *arguments, *output, *summary, *tools, *cache;
    const struct place *at;
};

static void read_phase(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    (void)into;
    (void)v;
    lose(c, FIELD_MESSAGE_PHASE, at);
}

static const struct key item_keys[] = {
    {.name = "type", .take = TAKE_STR, .at = offsetof(struct item, type)},
    {.name = "id", .take = TAKE_KNOWN},
    {.name = "status", .take = TAKE_KNOWN},
    {.name = "role", .take = TAKE_STR, .at = offsetof(struct item, role)},
    {.name = "content", .take = TAKE_JSON, .at = offsetof(struct item, content)},
    {.name = "phase", .take = TAKE_READ, .read = read_phase},
    {.name = "call_id", .take = TAKE_STR, .at = offsetof(struct item, call_id)},
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct item, name)},
    {.name = "namespace", .take = TAKE_STR, .at = offsetof(struct item, group)},
    {.name = "arguments", .take = TAKE_JSON, .at = offsetof(struct item, arguments)},
    {.name = "input", .take = TAKE_STR, .at = offsetof(struct item, input)},
    {.name = "output", .take = TAKE_JSON, .at = offsetof(struct item, output)},
    {.name = "summary", .take = TAKE_JSON, .at = offsetof(struct item, summary)},
    {.name = "encrypted_content", .take = TAKE_STR, .at = offsetof(struct item, encrypted)},
    {.name = "execution", .take = TAKE_STR, .at = offsetof(struct item, execution)},
    {.name = "tools", .take = TAKE_JSON, .at = offsetof(struct item, tools)},
    {.name = "caller", .take = TAKE_KNOWN},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct item, cache)},
};

static void mark_cache(struct conversion *c, const struct item *it, struct part *last)
{
    if (it->cache != NULL && last != NULL) {
        last->cache = it->cache;
        last->cache_from = place_key(c, it->at, STR("cache_control"));
    }
}

static void read_message(struct conversion *c, const struct item *it)
{
    struct turn *t = NULL;

    if (str_eq(it->role, STR("assistant"))) {
        t = turn_last(c, ROLE_ASSISTANT, it->at);
    } else if (str_eq(it->role, STR("system")) || str_eq(it->role, STR("developer"))) {
        t = turn_new(c, ROLE_SYSTEM, it->at);
    } else if (str_eq(it->role, STR("user"))) {
        t = turn_new(c, ROLE_USER, it->at);
    } else {
        refuse(c, place_key(c, it->at, STR("role")),
               "There is no role '%.*s': user, assistant, system, developer.", STR_ARG(it->role));
        return;
    }
    read_content(c, it->content, place_key(c, it->at, STR("content")), &t->parts);
    mark_cache(c, it, t->parts.last);
}

static void read_call(struct conversion *c, const struct item *it, bool custom)
{
    struct turn *t = turn_last(c, ROLE_ASSISTANT, it->at);
    struct part *p = part_call(c, &t->parts, it->at);

    p->id = it->call_id;
    p->name = it->name;
    p->group = it->group;
    p->custom = custom;
    p->text = custom ? it->input : json_str(it->arguments);
    p->text_from = place_key(c, it->at, custom ? STR("input") : STR("arguments"));
    if (it->name.n == 0) {
        refuse(c, place_key(c, it->at, STR("name")), "It is missing.");
    } else if (p->text.p == NULL) {
        refuse(c, p->text_from, "It must be a string.");
    }
}

/* The outputs of one step stand in one item each. */
static struct part *read_output(struct conversion *c, const struct item *it)
{
    struct turn *last = c->ask.last_turn;
    bool same = last != NULL && last->role == ROLE_USER && last->parts.last != NULL &&
                last->parts.last->kind == PART_RESULT;
    struct turn *t = same ? last : turn_new(c, ROLE_USER, it->at);
    struct part *p = part_new(c, &t->parts, PART_RESULT, it->at);

    p->id = it->call_id;
    if (it->call_id.n == 0) {
        refuse(c, place_key(c, it->at, STR("call_id")), "It is missing.");
    }
    read_content(c, it->output, place_key(c, it->at, STR("output")), &p->parts);
    mark_cache(c, it, p);
    return p;
}

static void add_names(const struct json *tools, struct str group, struct buf *text)
{
    struct json_each it = json_each(tools);

    while (json_is_array(tools) && json_next(&it)) {
        struct str name = read_word(it.value, "name");
        if (json_get(it.value, "tools") != NULL && group.n == 0) {
            add_names(json_get(it.value, "tools"), name, text);
        } else if (name.n > 0) {
            buf_cat(text, text->n > 0 ? STR(", ") : STR(""), group,
                    group.n > 0 ? STR("__") : STR(""), name);
        }
    }
}

/* What the vendor searched is over. What the client did is a function's call, and its result the
 * names of the tools, which are offered with the others. */
static void read_search(struct conversion *c, const struct item *it)
{
    struct buf text;

    if (it->call_id.n == 0 || str_eq(it->execution, STR("server"))) {
        lose(c, FIELD_TOOL_SEARCH, it->at);
        return;
    }
    buf_init(&text, LIMIT_BODY_BYTES);
    if (str_eq(it->type, STR("tool_search_output"))) {
        add_names(it->tools, STR(""), &text);
        struct str names = conversion_take(c, &text);
        part_text(c, &read_output(c, it)->parts, names.n > 0 ? names : STR("none"), it->at);
        return;
    }
    struct part *p = part_call(c, &turn_last(c, ROLE_ASSISTANT, it->at)->parts, it->at);
    json_write_value(&text, it->arguments);
    p->id = it->call_id;
    p->name = STR(RESPONSES_SEARCH);
    p->text = conversion_take(c, &text);
    p->text_from = place_key(c, it->at, STR("arguments"));
}

static void add_texts(const struct json *list, struct buf *text)
{
    struct json_each it = json_each(list);

    while (json_is_array(list) && json_next(&it)) {
        struct str more = read_word(it.value, "text");
        buf_cat(text, text->n > 0 && more.n > 0 ? STR("\n\n") : STR(""), more);
    }
}

static void read_reasoning(struct conversion *c, const struct item *it)
{
    struct turn *t = turn_last(c, ROLE_ASSISTANT, it->at);
    struct buf text;

    buf_init(&text, LIMIT_BODY_BYTES);
    add_texts(it->content, &text);
    if (text.n == 0) {
        add_texts(it->summary, &text);
    }
    part_reasoning(c, &t->parts, conversion_take(c, &text), it->encrypted, it->at);
}

static void read_item(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct item it = {.at = at};
    struct str type = read_word(v, "type");

    (void)into;
    if (str_eq(type, STR("item_reference")) || (type.n == 0 && json_get(v, "role") == NULL)) {
        lose(c, FIELD_ITEM_REFERENCE, at);
        return;
    }
    if (type.n > 0 && !str_eq(type, STR("message")) && !str_eq(type, STR("function_call")) &&
        !str_eq(type, STR("custom_tool_call")) && !str_eq(type, STR("function_call_output")) &&
        !str_eq(type, STR("custom_tool_call_output")) && !str_eq(type, STR("reasoning")) &&
        !str_eq(type, STR("tool_search_call")) && !responses_brings_tools(type)) {
        lose(c, FIELD_PART_UNKNOWN, place_key(c, at, STR("type")));
        return;
    }
    READ_OBJECT(c, v, at, NULL, item_keys, &it);
    if (c->refused) {
        return;
    }
    if (type.n == 0 || str_eq(type, STR("message"))) {
        read_message(c, &it);
    } else if (str_eq(type, STR("reasoning"))) {
        read_reasoning(c, &it);
    } else if (str_starts(type, STR("tool_search_"))) {
        read_search(c, &it);
    } else if (str_ends(type, STR("_output"))) {
        (void)read_output(c, &it);
    } else if (str_eq(type, STR("function_call")) || str_eq(type, STR("custom_tool_call"))) {
        read_call(c, &it, str_eq(type, STR("custom_tool_call")));
    } else {
        lose(c, FIELD_TOOL_SEARCH, at);
    }
}

static void read_input(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    if (json_is_string(v)) {
        part_text(c, &turn_new(c, ROLE_USER, at)->parts, json_str(v), at);
    } else {
        read_items(c, v, at, read_item, into);
    }
}

/* It stands first, wherever the key does. */
static void read_instructions(struct conversion *c, const struct json *v, const struct place *at,
                              void *into)
{
    struct turn *rest = c->ask.turns, *rest_last = c->ask.last_turn;

    (void)into;
    c->ask.turns = c->ask.last_turn = NULL;
    struct turn *t = turn_new(c, ROLE_SYSTEM, at);
    if (json_is_string(v)) {
        part_text(c, &t->parts, json_str(v), at);
    } else {
        refuse(c, at, "It must be a string.");
    }
    t->next = rest;
    c->ask.last_turn = rest != NULL ? rest_last : t;
}

/* ---- the rest ---- */

static void read_parallel(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    bool flag = true;

    (void)into;
    if (!json_bool(v, &flag)) {
        refuse(c, at, "It must be true or false.");
    }
    c->ask.parallel = flag ? YES : NO;
    c->ask.parallel_from = at;
}

static void read_max(struct conversion *c, const struct json *v, const struct place *at, void *into)
{
    uint64_t n;

    (void)into;
    if (!json_u64(v, &n)) {
        refuse(c, at, "It must be a non-negative integer.");
    }
    c->ask.max_output = (struct value){v, at};
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

static void read_summary(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct reasoning *r = into;

    if (!json_is_string(v)) {
        refuse(c, at, "It must be auto, concise or detailed.");
    }
    r->show = YES;
    r->show_from = at;
}

static const struct key reasoning_keys[] = {
    {.name = "effort", .take = TAKE_READ, .read = read_effort},
    {.name = "summary", .take = TAKE_READ, .read = read_summary},
    {.name = "generate_summary", .take = TAKE_READ, .read = read_summary},
    {.name = "context", .take = TAKE_LOSS, .field = FIELD_REASONING_CONTEXT},
    {.name = "mode", .take = TAKE_LOSS, .field = FIELD_REASONING_MODE},
};

static void read_reasoning_wish(struct conversion *c, const struct json *v, const struct place *at,
                                void *into)
{
    (void)into;
    READ_OBJECT(c, v, at, NULL, reasoning_keys, &c->ask.reasoning);
}

static const struct key format_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct format, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct format, description)},
    {.name = "schema", .take = TAKE_JSON, .at = offsetof(struct format, schema)},
    {.name = "strict", .take = TAKE_BOOL, .at = offsetof(struct format, strict)},
};

static void read_format(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct format *f = &c->ask.format;
    struct str type = read_word(v, "type");

    (void)into;
    f->from = at;
    if (str_eq(type, STR("json_schema"))) {
        f->kind = FORMAT_SCHEMA;
    } else if (str_eq(type, STR("json_object"))) {
        f->kind = FORMAT_JSON;
    } else if (!str_eq(type, STR("text"))) {
        refuse(c, place_key(c, at, STR("type")), "It must be text, json_object or json_schema.");
    }
    READ_OBJECT(c, v, at, NULL, format_keys, f);
    if (f->kind == FORMAT_SCHEMA && f->schema == NULL) {
        refuse(c, place_key(c, at, STR("schema")), "It is missing.");
    }
}

static const struct key text_keys[] = {
    {.name = "format", .take = TAKE_READ, .read = read_format},
};

static void read_text_wish(struct conversion *c, const struct json *v, const struct place *at,
                           void *into)
{
    (void)into;
    READ_OBJECT(c, v, at, "text.", text_keys, NULL);
}

static void read_included(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct str word = json_str(v);

    (void)into;
    if (str_eq(word, STR("message.output_text.logprobs"))) {
        lose(c, FIELD_LOGPROBS, at);
    } else if (!str_eq(word, STR("reasoning.encrypted_content"))) { /* that is always there */
        lose(c, FIELD_INCLUDE, at);
    }
}

static void read_include(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    read_items(c, v, at, read_included, into);
}

#define READ(key, function) {.name = key, .take = TAKE_READ, .read = function}

static const struct key ask_keys[] = {
    {.name = "model", .take = TAKE_KNOWN},
    {.name = "stream", .take = TAKE_KNOWN},
    {.name = "stream_options", .take = TAKE_KNOWN},
    READ("instructions", read_instructions),
    READ("input", read_input),
    READ("tools", responses_read_tools),
    READ("tool_choice", responses_read_choice),
    READ("parallel_tool_calls", read_parallel),
    READ("max_output_tokens", read_max),
    READ("reasoning", read_reasoning_wish),
    READ("text", read_text_wish),
    READ("include", read_include),
    {.name = "previous_response_id", .take = TAKE_LOSS, .field = FIELD_PREVIOUS_RESPONSE},
};

static void read_ask(struct conversion *c, const struct json *root)
{
    READ_OBJECT(c, root, NULL, "", ask_keys, &c->ask);
    responses_read_later_tools(c, json_get(root, "input"));
    if (!c->refused && c->ask.turns == NULL) {
        refuse(c, place_key(c, NULL, STR("input")), "There is none.");
    }
    if (!c->refused) {
        c->reply.settings = responses_settings(c, root);
    }
}

const struct spoken spoken_responses = {
    .read_ask = read_ask,
    .write_ask = responses_write_ask,
    .read_whole = responses_read_whole,
    .read_event = responses_read_event,
    .writer = &responses_writer,
};
