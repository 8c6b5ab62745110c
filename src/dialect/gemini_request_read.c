/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Gemini generateContent dialect. Source: Google discovery document v1beta,
 * GenerateContentRequest. */
#include <stddef.h>

#include "dialect/gemini.h"

#define READ(key, function) {.name = key, .take = TAKE_READ, .read = function}
#define LOSS(key, row) {.name = key, .take = TAKE_LOSS, .field = FIELD_##row}

/* ---- tools ---- */

static void read_parameters(struct conversion *c, const struct json *v, const struct place *at,
                            void *into)
{
    struct tool *t = into;
    bool json_schema = key_is(c, at->key, STR("parametersJsonSchema"));

    if (t->schema != NULL) {
        refuse(c, at, "There is a schema already.");
    }
    if (!json_is_object(v)) {
        refuse(c, at, "It must be a schema.");
        return;
    }
    t->schema = json_schema ? v : gemini_schema(c, v);
}

static const struct key declaration_keys[] = {
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct tool, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct tool, description)},
    READ("parameters", read_parameters),
    READ("parametersJsonSchema", read_parameters),
    LOSS("response", TOOL_DECLARED_MORE),
    LOSS("responseJsonSchema", TOOL_EXTRA),
    LOSS("behavior", TOOL_DECLARED_MORE),
};

static void read_declaration(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    struct tool *t = tool_new(c, TOOL_FUNCTION, at);

    (void)into;
    READ_OBJECT(c, v, at, NULL, declaration_keys, t);
    t->strict = NO;
    if (t->name.n == 0) {
        refuse(c, place_key(c, at, STR("name")), "It is missing.");
    }
}

static void read_declarations(struct conversion *c, const struct json *v, const struct place *at,
                              void *into)
{
    gemini_read_list(c, v, at, read_declaration, into);
}

/* The vendor's own tools are named by their keys; of another the key is the client's own word, and
 * what is lost is kept with the request. */
static bool is_hosted(const struct conversion *c, struct str key)
{
    static const char *const names[] = {"googleSearch",  "googleSearchRetrieval",
                                        "codeExecution", "urlContext",
                                        "googleMaps",    "fileSearch",
                                        "computerUse",   "mcpServers",
                                        "retrieval",     "enterpriseWebSearch"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (key_is(c, key, str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

/* Whatever else stands beside the functions is a tool of the vendor's own. */
static void read_tool(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct json_each it = json_each(v);

    if (!json_is_object(v)) {
        refuse(c, at, "It must be an object.");
    }
    while (!c->refused && json_next(&it)) {
        const struct place *here = place_key(c, at, it.key);
        if (json_is_null(it.value)) {
            continue;
        }
        if (key_is(c, it.key, STR("functionDeclarations"))) {
            read_declarations(c, it.value, here, into);
        } else {
            lose(c, FIELD_TOOL_HOSTED, is_hosted(c, it.key) ? here : at);
        }
    }
}

static void read_tools(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    gemini_read_list(c, v, at, read_tool, into);
}

static void read_mode(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct tool_choice *choice = into;
    struct str mode = json_str(v);

    choice->from = at;
    if (str_eq(mode, STR("AUTO")) || str_eq(mode, STR("VALIDATED"))) {
        choice->mode = CHOICE_AUTO;
    } else if (str_eq(mode, STR("NONE"))) {
        choice->mode = CHOICE_NONE;
    } else if (str_eq(mode, STR("ANY"))) {
        choice->mode = CHOICE_REQUIRED;
    } else if (!str_eq(mode, STR("MODE_UNSPECIFIED"))) {
        refuse(c, at, "It must be AUTO, ANY, NONE or VALIDATED.");
    }
    if (str_eq(mode, STR("VALIDATED"))) {
        lose(c, FIELD_CHOICE_VALIDATED, at);
    }
}

static void read_allowed_name(struct conversion *c, const struct json *v, const struct place *at,
                              void *into)
{
    struct tool_choice *choice = into;

    if (!json_is_string(v)) {
        refuse(c, at, "It must be the name of a function.");
    }
    part_text(c, &choice->allowed, json_str(v), at);
}

static void read_allowed(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct tool_choice *choice = into;

    choice->allowed_from = at;
    read_items(c, v, at, read_allowed_name, choice);
}

static const struct key calling_keys[] = {
    READ("mode", read_mode),
    READ("allowedFunctionNames", read_allowed),
    LOSS("streamFunctionCallArguments", HARMLESS),
};

/* A single name that must be called is a named choice everywhere. */
static void read_calling(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct tool_choice *choice = into;

    READ_OBJECT(c, v, at, NULL, calling_keys, choice);
    const struct part *first = choice->allowed.first;
    if (choice->mode == CHOICE_REQUIRED && first != NULL && first->next == NULL) {
        choice->mode = CHOICE_NAMED;
        choice->name = first->text;
        choice->allowed = (struct parts){NULL, NULL};
    }
}

static const struct key tool_config_keys[] = {
    READ("functionCallingConfig", read_calling),
    LOSS("retrievalConfig", TOOL_RETRIEVAL),
    LOSS("includeServerSideToolInvocations", TOOL_EXTRA),
};

static void read_tool_config(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    struct ask_neutral *ask = into;
    READ_OBJECT(c, v, at, NULL, tool_config_keys, &ask->choice);
}

/* ---- generationConfig ---- */

static void read_max(struct conversion *c, const struct json *v, const struct place *at, void *into)
{
    struct ask_neutral *ask = into;
    uint64_t n;

    if (!json_u64(v, &n)) {
        refuse(c, at, "It must be a non-negative integer.");
    }
    ask->max_output = (struct value){v, at};
}

static void read_stop(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct ask_neutral *ask = into;

    if (!json_is_string(v)) {
        refuse(c, at, "It must be a string.");
        return;
    }
    part_text(c, &ask->stops, json_str(v), at);
}

static void read_stops(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    read_items(c, v, at, read_stop, into);
}

static void read_budget(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct reasoning *r = into;
    bool dynamic = str_eq(json_number(v), STR("-1"));
    uint64_t n = 0;

    if (!dynamic && (!json_u64(v, &n) || n > USAGE_MAX)) {
        refuse(c, at, "It must be a number of tokens, or -1.");
        return;
    }
    r->has_budget = true;
    r->budget = dynamic ? -1 : (int64_t)n;
    r->from = at;
}

static void read_level(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    struct reasoning *r = into;
    enum effort effort = effort_read(json_str(v));

    if (str_eq(json_str(v), STR("THINKING_LEVEL_UNSPECIFIED"))) {
        return;
    }
    if (effort < EFFORT_MINIMAL || effort > EFFORT_HIGH) {
        refuse(c, at, "It must be MINIMAL, LOW, MEDIUM or HIGH.");
        return;
    }
    r->effort = (uint8_t)effort;
    r->from = at;
}

static void read_show(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct reasoning *r = into;
    bool on;

    if (!json_bool(v, &on)) {
        refuse(c, at, "It must be true or false.");
        return;
    }
    r->show = on ? YES : NO;
    r->show_from = on ? at : NULL; /* what comes unasked is kept from the client here */
}

static const struct key thinking_keys[] = {
    READ("thinkingBudget", read_budget),
    READ("thinkingLevel", read_level),
    READ("includeThoughts", read_show),
};

static void read_thinking(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct ask_neutral *ask = into;
    READ_OBJECT(c, v, at, NULL, thinking_keys, &ask->reasoning);
    if (ask->reasoning.has_budget && ask->reasoning.effort != EFFORT_UNSAID) {
        refuse(c, at, "thinkingLevel and thinkingBudget do not stand together.");
    }
}

static void set_format(struct conversion *c, enum format_kind kind, const struct json *schema,
                       const struct place *at)
{
    struct format *f = &c->ask.format;

    if (schema != NULL && f->schema != NULL) {
        refuse(c, at, "There is a schema already.");
    }
    f->kind = (uint8_t)(kind > f->kind ? kind : f->kind);
    f->schema = schema != NULL ? schema : f->schema;
    f->from = at;
}

static void read_mime(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    (void)into;
    if (str_eq(json_str(v), STR("application/json")) ||
        str_eq(json_str(v), STR("APPLICATION_JSON"))) {
        set_format(c, FORMAT_JSON, NULL, at);
    } else if (!str_eq(json_str(v), STR("text/plain")) && !str_eq(json_str(v), STR("TEXT_PLAIN")) &&
               json_str(v).n > 0) {
        refuse(c, at, "It must be text/plain or application/json.");
    }
}

static void read_schema(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    bool own = key_is(c, at->key, STR("responseSchema"));

    (void)into;
    if (!json_is_object(v)) {
        refuse(c, at, "It must be a schema.");
        return;
    }
    if (own &&
        (json_get(v, "propertyOrdering") != NULL || json_get(v, "property_ordering") != NULL)) {
        lose(c, FIELD_FORMAT_ORDER, place_key(c, at, STR("propertyOrdering")));
    }
    set_format(c, FORMAT_SCHEMA, own ? gemini_schema(c, v) : v, at);
}

static const struct key text_format_keys[] = {
    READ("mimeType", read_mime),
    READ("schema", read_schema),
};

static void read_text_format(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    READ_OBJECT(c, v, at, NULL, text_format_keys, into);
}

static const struct key format_keys[] = {
    READ("text", read_text_format),
    LOSS("audio", MODALITIES),
    LOSS("image", MODALITIES),
};

static void read_format(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    READ_OBJECT(c, v, at, NULL, format_keys, into);
}

static const struct key config_keys[] = {
    READ("maxOutputTokens", read_max),        READ("stopSequences", read_stops),
    READ("thinkingConfig", read_thinking),    READ("responseMimeType", read_mime),
    READ("responseSchema", read_schema),      READ("responseJsonSchema", read_schema),
    READ("_responseJsonSchema", read_schema), READ("responseFormat", read_format),
};

static void read_config(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    READ_OBJECT(c, v, at, "generationConfig.", config_keys, into);
}

/* ---- the rest ---- */

static const struct key safety_keys[] = {
    {.name = "category", .take = TAKE_KNOWN},
    {.name = "threshold", .take = TAKE_KNOWN},
    {.name = "method", .take = TAKE_KNOWN},
};

/* Models elsewhere block what they block: that is less than the strictest here, and no more than
 * the others ask for. */
static void read_safety_setting(struct conversion *c, const struct json *v, const struct place *at,
                                void *into)
{
    bool strictest = str_eq(read_word(v, "threshold"), STR("BLOCK_LOW_AND_ABOVE"));

    READ_OBJECT(c, v, at, NULL, safety_keys, into);
    lose(c, strictest ? FIELD_SAFETY_SETTINGS : FIELD_SAFETY_OFF, at);
}

static void read_safety(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    gemini_read_list(c, v, at, read_safety_setting, into);
}

static void read_tier(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct str tier = json_str(v);

    (void)into;
    if (!str_eq_nocase(tier, STR("standard")) && !str_eq_nocase(tier, STR("unspecified"))) {
        lose(c, FIELD_SERVICE_TIER_DEFAULT, at);
    }
}

static const struct key ask_keys[] = {
    {.name = "model", .take = TAKE_KNOWN},
    READ("systemInstruction", gemini_read_system),
    READ("contents", gemini_read_contents),
    READ("tools", read_tools),
    READ("toolConfig", read_tool_config),
    READ("generationConfig", read_config),
    READ("safetySettings", read_safety),
    READ("serviceTier", read_tier),
    LOSS("store", STORE_LOGS),
};

static void read_ask(struct conversion *c, const struct json *root)
{
    READ_OBJECT(c, root, NULL, "", ask_keys, &c->ask);
    if (!c->refused && c->ask.turns == NULL) {
        refuse(c, place_key(c, NULL, STR("contents")), "There is none.");
    }
}

const struct spoken spoken_gemini = {
    .read_ask = read_ask,
    .write_ask = gemini_write_ask,
    .read_whole = gemini_read_whole,
    .read_event = gemini_read_event,
    .writer = &gemini_writer,
};
