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

enum { A_INPUT = 1, A_OUTPUT = 2, A_REFUSAL = 4, A_IMAGE = 8, A_FILE = 16 };

static const struct kind content_kinds[] = {
    {"input_text", A_INPUT}, {"text", A_INPUT},        {"output_text", A_OUTPUT},
    {"refusal", A_REFUSAL},  {"input_image", A_IMAGE}, {"input_file", A_FILE},
};

#define WORD(key, kind, type, member) \
    {.name = key, .of = kind, .take = TAKE_STR, .at = offsetof(type, member)}
#define JSON(key, kind, type, member) \
    {.name = key, .of = kind, .take = TAKE_JSON, .at = offsetof(type, member)}

static const struct key content_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    WORD("text", A_INPUT | A_OUTPUT, struct content, text),
    WORD("refusal", A_REFUSAL, struct content, refusal),
    {.name = "annotations", .of = A_OUTPUT, .take = TAKE_READ, .read = read_annotations},
    {.name = "logprobs", .of = A_OUTPUT, .take = TAKE_READ, .read = read_annotations},
    WORD("image_url", A_IMAGE, struct content, image_url),
    WORD("detail", A_IMAGE | A_FILE, struct content, detail),
    WORD("file_data", A_FILE, struct content, file_data),
    WORD("file_url", A_FILE, struct content, file_url),
    WORD("file_id", A_IMAGE | A_FILE, struct content, file_id),
    WORD("filename", A_FILE, struct content, filename),
    JSON("cache_control", 0, struct content, cache),
    {.name = "prompt_cache_breakpoint", .take = TAKE_LOSS, .field = FIELD_PROMPT_CACHE_BREAKPOINT},
};

static void read_text(struct conversion *c, struct str text, enum part_kind kind,
                      const struct place *at, struct parts *list)
{
    if (text.p == NULL) {
        refuse(c, at, "It needs its text.");
    }
    if (kind == PART_REFUSAL) {
        part_refusal(c, list, text, at);
    } else {
        part_text(c, list, text, at);
    }
}

/* Beside the file itself. */
static void lose_id(struct conversion *c, const struct content *in, const struct place *at)
{
    if (in->file_id.n > 0) {
        lose(c, FIELD_FILE_ID, place_key(c, at, STR("file_id")));
    }
}

static void read_image(struct conversion *c, const struct content *in, const struct place *at,
                       struct parts *list)
{
    struct part *p = part_new(c, list, PART_IMAGE, at);

    p->ref = in->file_id;
    p->detail = in->detail;
    p->detail_from = place_key(c, at, STR("detail"));
    if (in->image_url.n > 0) {
        lose_id(c, in, at);
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
        lose_id(c, in, at);
        if (in->file_url.n > 0) {
            lose(c, FIELD_KEY_FOREIGN, place_key(c, at, STR("file_url")));
        }
    } else if (in->file_url.n > 0) {
        lose_id(c, in, at);
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
    unsigned kind = kind_of(read_word(v, "type"), ROWS(content_kinds));

    if (kind == 0) {
        lose(c, FIELD_PART_UNKNOWN, place_key(c, at, STR("type")));
        return;
    }
    READ_KIND(c, v, at, kind, content_keys, &in);
    if (c->refused) {
        return;
    }
    switch (kind) {
    case A_REFUSAL: read_text(c, in.refusal, PART_REFUSAL, at, list); break;
    case A_IMAGE: read_image(c, &in, at, list); break;
    case A_FILE: read_file(c, &in, at, list); break;
    default: read_text(c, in.text, PART_TEXT, at, list);
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

enum {
    MESSAGE = 1,
    REASONING = 2,
    CALL = 4,
    CUSTOM = 8,
    RESULT = 16,
    SEARCH = 32,
    FOUND = 64,
    BROUGHT = 128,
    NAMED = CALL | CUSTOM, /* what calls a tool by its name */
    JOINED = NAMED | RESULT | SEARCH | FOUND,
};

static const struct kind item_kinds[] = {
    {"message", MESSAGE},
    {"reasoning", REASONING},
    {"function_call", CALL},
    {"custom_tool_call", CUSTOM},
    {"function_call_output", RESULT},
    {"custom_tool_call_output", RESULT},
    {"tool_search_call", SEARCH},
    {"tool_search_output", FOUND},
    {"additional_tools", BROUGHT},
};

static const struct key item_keys[] = {
    WORD("type", 0, struct item, type),
    {.name = "id", .take = TAKE_KNOWN}, /* these two are of the vendor's own store */
    {.name = "status", .take = TAKE_KNOWN},
    WORD("role", MESSAGE | BROUGHT, struct item, role),
    JSON("content", MESSAGE | REASONING, struct item, content),
    {.name = "phase", .of = MESSAGE, .take = TAKE_READ, .read = read_phase},
    WORD("call_id", JOINED, struct item, call_id),
    WORD("name", NAMED, struct item, name),
    WORD("namespace", NAMED, struct item, group),
    JSON("arguments", CALL | SEARCH, struct item, arguments),
    WORD("input", CUSTOM, struct item, input),
    JSON("output", RESULT, struct item, output),
    JSON("summary", REASONING, struct item, summary),
    WORD("encrypted_content", REASONING, struct item, encrypted),
    WORD("execution", SEARCH | FOUND, struct item, execution),
    JSON("tools", FOUND | BROUGHT, struct item, tools),
    {.name = "caller", .of = JOINED, .take = TAKE_READ, .read = read_caller},
    JSON("cache_control", MESSAGE | JOINED, struct item, cache),
};

static void mark_cache(struct conversion *c, const struct item *it, struct parts *list)
{
    parts_mark(c, list, it->cache, place_key(c, it->at, STR("cache_control")));
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
    need_parts(c, t, place_key(c, it->at, STR("content")));
    mark_cache(c, it, &t->parts);
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
    mark_cache(c, it, &t->parts);
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
    mark_cache(c, it, &t->parts);
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
    struct turn *t = turn_last(c, ROLE_ASSISTANT, it->at);
    struct part *p = part_call(c, &t->parts, it->at);
    json_write_value(&text, it->arguments);
    p->id = it->call_id;
    p->name = STR(RESPONSES_SEARCH);
    p->text = conversion_take(c, &text);
    p->text_from = place_key(c, it->at, STR("arguments"));
    mark_cache(c, it, &t->parts);
}

static const struct key thought_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "text", .take = TAKE_STR, .at = 0},
};

static void add_text(struct conversion *c, const struct json *v, const struct place *at, void *into)
{
    struct buf *text = into;
    struct str more = {NULL, 0};

    READ_OBJECT(c, v, at, NULL, thought_keys, &more);
    buf_cat(text, text->n > 0 && more.n > 0 ? STR("\n\n") : STR(""), more);
}

static struct str read_thoughts(struct conversion *c, const struct json *list,
                                const struct place *at)
{
    struct buf text;

    buf_init(&text, LIMIT_BODY_BYTES);
    if (list != NULL) {
        read_items(c, list, at, add_text, &text);
    }
    return conversion_take(c, &text);
}

/* The thoughts themselves, where they are; else what sums them up. */
static void read_reasoning(struct conversion *c, const struct item *it)
{
    struct turn *t = turn_last(c, ROLE_ASSISTANT, it->at);
    const struct place *summary_at = place_key(c, it->at, STR("summary"));
    struct str content = read_thoughts(c, it->content, place_key(c, it->at, STR("content")));
    struct str summary = read_thoughts(c, it->summary, summary_at);
    struct slot slot = {it->encrypted, place_key(c, it->at, STR("encrypted_content"))};

    if (content.n > 0 && summary.n > 0 && !str_eq(content, summary)) {
        lose(c, FIELD_REASONING_TEXT, summary_at);
    }
    part_reasoning(c, &t->parts, content.n > 0 ? content : summary, slot, it->at);
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
    unsigned kind = type.n == 0 ? MESSAGE : kind_of(type, ROWS(item_kinds));
    if (kind == 0) {
        lose(c, FIELD_PART_UNKNOWN, place_key(c, at, STR("type")));
        return;
    }
    READ_KIND(c, v, at, kind, item_keys, &it);
    if (c->refused) {
        return;
    }
    switch (kind) {
    case MESSAGE: read_message(c, &it); break;
    case REASONING: read_reasoning(c, &it); break;
    case CALL: read_call(c, &it, false); break;
    case CUSTOM: read_call(c, &it, true); break;
    case RESULT: (void)read_output(c, &it); break;
    case SEARCH:
    case FOUND: read_search(c, &it); break;
    default: lose(c, FIELD_TOOL_SEARCH, at);
    }
}

static void read_input(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    if (json_is_string(v)) {
        part_text(c, &turn_new(c, ROLE_USER, at)->parts, json_str(v), at);
    } else {
        read_content_items(c, v, at, read_item, into);
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

enum { TEXT = 1, ANY_JSON = 2, SCHEMA = 4 };

static const struct kind format_kinds[] = {
    {"text", TEXT}, {"json_object", ANY_JSON}, {"json_schema", SCHEMA}};

static const struct key format_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    WORD("name", SCHEMA, struct format, name),
    WORD("description", SCHEMA, struct format, description),
    JSON("schema", SCHEMA, struct format, schema),
    {.name = "strict", .of = SCHEMA, .take = TAKE_BOOL, .at = offsetof(struct format, strict)},
};

static void read_format(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct format *f = &c->ask.format;
    unsigned kind = kind_of(read_word(v, "type"), ROWS(format_kinds));

    (void)into;
    f->from = at;
    f->kind = kind == SCHEMA ? FORMAT_SCHEMA : kind == ANY_JSON ? FORMAT_JSON : FORMAT_TEXT;
    if (kind == 0) {
        refuse(c, place_key(c, at, STR("type")), "It must be text, json_object or json_schema.");
    }
    READ_KIND(c, v, at, kind, format_keys, f);
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

static const struct key stream_keys[] = {
    {.name = "include_obfuscation", .take = TAKE_LOSS, .field = FIELD_STREAM_OBFUSCATION},
};

static void read_stream_options(struct conversion *c, const struct json *v, const struct place *at,
                                void *into)
{
    READ_OBJECT(c, v, at, NULL, stream_keys, into);
}

#define READ(key, function) {.name = key, .take = TAKE_READ, .read = function}

static const struct key ask_keys[] = {
    {.name = "model", .take = TAKE_KNOWN},
    {.name = "stream", .take = TAKE_KNOWN},
    READ("stream_options", read_stream_options),
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
