/* SPDX-License-Identifier: Apache-2.0 */
/* What a request of any dialect asks a model of the zoo: its texts in order, and its settings. */
#include <stdlib.h>

#include "sim/zoo.h"

#define DEPTH_MAX 8
#define LIMIT_MOST 1000000 /* tokens of output: no model writes so many */
#define ASKED_BYTES (LIMIT_BODY_BYTES + (1 << 20))

static void add_text(struct asked *a, struct str s)
{
    buf_add(&a->text, s);
    buf_add_byte(&a->text, TEXT_END);
}

/* A picture as the four dialects have it, in Base64; or none. */
static void add_picture(struct asked *a, const struct json *v)
{
    static const char *const paths[] = {"image_url.url", "image_url", "source.data",
                                        "inlineData.data"};
    static const struct str before = STR_INIT(";base64,");

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct str data = json_str(json_get(v, paths[i]));
        size_t at = str_find(data, before);
        if (data.n > 0) {
            a->picture = at != SIZE_MAX ? str_skip(data, at + before.n) : data;
            a->pictures++;
            return;
        }
    }
}

/* All text below v, in its order. */
static void add_texts(struct exchange *x, const struct json *v, unsigned depth)
{
    static const char *const below[] = {"text",   "parts",     "content",
                                        "output", "arguments", "functionResponse"};
    struct asked *a = &x->asked;

    if (v == NULL || depth > DEPTH_MAX) {
        return;
    }
    if (json_is_string(v)) {
        add_text(a, json_str(v));
    } else if (json_is_array(v)) {
        struct json_each it = json_each(v);
        while (json_next(&it)) {
            add_texts(x, it.value, depth + 1);
        }
    } else if (json_is_object(v)) {
        for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
            add_texts(x, json_get(v, below[i]), depth + 1);
        }
        add_picture(a, v);
        if (json_is_object(json_get(v, "cache_control"))) {
            a->marked = a->text.n;
        }
        if (str_eq(json_str(json_get(v, "type")), STR("thinking"))) {
            if (a->block_count < ASKED_BLOCKS) {
                a->blocks[a->block_count++] = v;
            }
        }
    }
}

static bool is_result(const struct json *turn)
{
    static const struct str types[] = {STR_INIT("function_call_output"), STR_INIT("tool_result")};
    const struct json *first = json_get(turn, "content.0");

    if (str_eq(json_str(json_get(turn, "role")), STR("tool")) ||
        json_get(turn, "parts.0.functionResponse") != NULL) {
        return true;
    }
    for (size_t i = 0; i < 2; i++) {
        if (str_eq(json_str(json_get(turn, "type")), types[i]) ||
            str_eq(json_str(json_get(first, "type")), types[i])) {
            return true;
        }
    }
    return false;
}

static void read_turns(struct exchange *x, const struct json *list)
{
    struct asked *a = &x->asked;
    struct json_each it = json_each(list);

    if (json_is_string(list)) {
        a->last = a->text.n;
        a->turns = 1;
        add_text(a, json_str(list));
    }
    while (json_next(&it)) {
        struct str role = json_str(json_get(it.value, "role"));
        if (str_eq(role, STR("system")) || str_eq(role, STR("developer"))) {
            a->system = true;
        } else {
            a->turns++;
        }
        if (str_eq(role, STR("user"))) {
            a->last = a->text.n;
        }
        a->result = is_result(it.value);
        add_texts(x, it.value, 1);
    }
}

static const struct json *first_of(const struct json *root, const char *const *paths)
{
    for (; *paths != NULL; paths++) {
        const struct json *v = json_get(root, *paths);
        if (v != NULL && !json_is_null(v)) {
            return v;
        }
    }
    return NULL;
}

/* As each dialect declares them. */
static void add_tools(struct asked *a, const struct json *list)
{
    static const char *const schemas[] = {"parameters", "input_schema", "parametersJsonSchema",
                                          NULL};
    struct json_each it = json_each(list);

    while (json_next(&it) && a->tool_count < ASKED_TOOLS) {
        const struct json *own = json_get(it.value, "function");
        const struct json *tool = own != NULL ? own : it.value;
        struct str name = json_str(json_get(tool, "name"));
        if (name.n > 0) {
            a->tools[a->tool_count++] = (struct asked_tool){name, first_of(tool, schemas)};
        }
    }
}

static void read_tools(struct asked *a, const struct json *root)
{
    static const char *const lists[] = {"tools.0.functionDeclarations", "tools", NULL};
    static const char *const choices[] = {"tool_choice.type", "tool_choice",
                                          "toolConfig.functionCallingConfig.mode", NULL};
    struct str choice = json_str(first_of(root, choices));
    struct buf text;

    add_tools(a, first_of(root, lists));
    if (a->tool_count == 0) {
        return;
    }
    a->forbidden = str_eq_nocase(choice, STR("none"));
    a->forced = str_eq_nocase(choice, STR("required")) || str_eq_nocase(choice, STR("any")) ||
                str_eq_nocase(choice, STR("function")) || str_eq_nocase(choice, STR("tool"));
    buf_init(&text, ASKED_BYTES);
    json_write_value(&text, json_get(root, "tools"));
    a->tool_bytes = text.n;
    buf_release(&text);
}

static void read_stops(struct asked *a, const struct json *root)
{
    static const char *const paths[] = {"stop", "stop_sequences", "generationConfig.stopSequences",
                                        NULL};
    const struct json *v = first_of(root, paths);
    struct json_each it = json_each(v);

    if (json_str(v).n > 0) {
        a->stops[a->stop_count++] = json_str(v);
    }
    while (json_next(&it) && a->stop_count < ASKED_STOPS) {
        if (json_str(it.value).n > 0) {
            a->stops[a->stop_count++] = json_str(it.value);
        }
    }
}

static void read_thought(struct asked *a, const struct json *root)
{
    static const char *const efforts[] = {"reasoning_effort", "reasoning.effort",
                                          "generationConfig.thinkingConfig.thinkingLevel", NULL};
    struct str effort = json_str(first_of(root, efforts));
    struct str type = json_str(json_get(root, "thinking.type"));
    uint64_t budget;
    struct json_each it = json_each(json_get(root, "include"));

    a->think = str_eq(type, STR("enabled")) || str_eq(type, STR("adaptive"));
    a->no_think =
        str_eq(effort, STR("none")) || str_eq(effort, STR("minimal")) ||
        (json_u64(json_get(root, "generationConfig.thinkingConfig.thinkingBudget"), &budget) &&
         budget == 0);
    while (json_next(&it)) {
        a->sealed |= str_eq(json_str(it.value), STR("reasoning.encrypted_content"));
    }
}

static void read_likely(struct asked *a, const struct json *root)
{
    static const char *const wanted[] = {"logprobs", "generationConfig.responseLogprobs", NULL};
    static const char *const numbers[] = {"top_logprobs", "generationConfig.logprobs", NULL};
    struct json_each it = json_each(json_get(root, "include"));

    (void)json_bool(first_of(root, wanted), &a->likely);
    while (json_next(&it)) {
        a->likely |= str_eq(json_str(it.value), STR("message.output_text.logprobs"));
    }
    if (!json_u64(first_of(root, numbers), &a->logprobs)) {
        a->logprobs = 0;
    }
}

/* What vendors refuse: a limit that is missing, too small or larger than any model's, a temperature
 * out of range. */
static void check(struct asked *a)
{
    bool anthropic = a->endpoint->dialect == DIALECT_MESSAGES;
    if (a->endpoint->op != OP_GENERATE) {
        return;
    }
    if (anthropic && a->max_tokens == 0) {
        a->wrong = "max_tokens: Field required";
    } else if (a->endpoint->dialect == DIALECT_RESPONSES && a->max_tokens > 0 &&
               a->max_tokens < 16) {
        a->wrong = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= "
                   "16.";
    } else if (a->max_tokens > LIMIT_MOST) {
        a->wrong = "the limit of output is larger than the model's";
    } else if (a->temperature < 0 || a->temperature > (anthropic ? 1 : 2)) {
        a->wrong = anthropic ? "temperature: range: 0..1"
                             : "Invalid 'temperature': expected a value between 0 and 2.";
    } else if (a->turns == 0) {
        a->wrong = "there is no message";
    }
}

static void read_settings(struct asked *a, const struct json *root)
{
    static const char *const limits[] = {"max_completion_tokens", "max_tokens", "max_output_tokens",
                                         "generationConfig.maxOutputTokens", NULL};
    static const char *const temperatures[] = {"temperature", "generationConfig.temperature", NULL};
    static const char *const seeds[] = {"seed", "generationConfig.seed", NULL};
    struct str number = json_number(first_of(root, temperatures));
    bool obfuscate = true;
    char text[32] = "1";

    if (number.n > 0 && number.n < sizeof(text)) {
        memcpy(text, number.p, number.n);
        text[number.n] = '\0';
    }
    a->temperature = strtod(text, NULL);
    a->seeded = json_u64(first_of(root, seeds), &a->seed);
    if (!json_u64(first_of(root, limits), &a->max_tokens)) {
        a->max_tokens = 0;
    }
    (void)json_bool(json_get(root, "stream_options.include_obfuscation"), &obfuscate);
    a->plain_chunks = !obfuscate;
    read_stops(a, root);
    read_tools(a, root);
    read_thought(a, root);
    read_likely(a, root);
}

bool asked_read(struct exchange *x, struct str body)
{
    static const char *const systems[] = {"system", "instructions", "systemInstruction",
                                          "system_instruction", NULL};
    static const char *const turns[] = {"messages", "input", "contents",
                                        "generateContentRequest.contents", NULL};
    struct asked *a = &x->asked;
    struct err why;

    buf_init(&a->text, ASKED_BYTES);
    a->doc = json_parse_exact(body, &why);
    if (a->doc == NULL) {
        return false;
    }
    const struct json *root = json_root(a->doc), *system = first_of(root, systems);
    a->system = system != NULL;
    add_texts(x, system, 0);
    read_turns(x, first_of(root, turns));
    read_settings(a, root);
    check(a);
    return true;
}

/* A block of thought that comes back has to be what this model signed, on whichever cloud. */
static bool is_own(const struct exchange *x, const struct json *block)
{
    struct str thinking = json_str(json_get(block, "thinking"));
    struct str signature = json_str(json_get(block, "signature"));
    bool same = false;
    struct buf own;

    buf_init(&own, 64 << 10);
    for (enum cloud cloud = CLOUD_OWN; cloud <= CLOUD_VERTEX && !same; cloud++) {
        buf_clear(&own);
        mark_signature(x->served, cloud, thinking, &own);
        same = str_eq(buf_str(&own), signature);
    }
    buf_release(&own);
    return same;
}

bool asked_signed(const struct exchange *x)
{
    bool own = true;

    for (size_t i = 0; i < x->asked.block_count; i++) {
        own = own && is_own(x, x->asked.blocks[i]);
    }
    return own || x->served->think != THINK_ASKED;
}

struct str asked_last(const struct asked *a)
{
    return str_skip(buf_str(&a->text), a->last);
}
