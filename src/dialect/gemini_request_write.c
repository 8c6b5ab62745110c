/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Gemini generateContent dialect; the model stands in the path. Source: Google
 * discovery document v1beta, GenerateContentRequest. */
#include <stdlib.h>

#include "dialect/neutral.h"

#define STOPS_MAX 5 /* the API's own */

/* "gemini-2.5-pro": 2; 0: it does not say. Levels of thinking, media in results and signatures
 * that must be there came with 3. */
static unsigned generation(const struct conversion *c)
{
    static const struct str mark = STR_INIT("gemini-");
    size_t at = str_find(c->ask.model, mark);
    struct str rest = c->ask.model;

    if (at == SIZE_MAX) {
        return 0;
    }
    rest = str_skip(rest, at + mark.n);
    return rest.n > 0 && rest.p[0] >= '1' && rest.p[0] <= '9' ? (unsigned)(rest.p[0] - '0') : 0;
}

static bool model_has(const struct conversion *c, const char *word)
{
    return str_find(c->ask.model, str_from(word)) != SIZE_MAX;
}

/* ---- parts ---- */

static void write_text(struct json_out *o, struct str text)
{
    json_open(o, '{');
    json_key(o, "text");
    json_put_str(o, text);
    json_close(o, '}');
}

/* What the vendor fetches itself. */
static bool is_google_uri(struct str url)
{
    static const struct str starts[] = {
        STR_INIT("gs://"),
        STR_INIT("https://generativelanguage.googleapis.com/"),
        STR_INIT("https://www.youtube.com/watch"),
        STR_INIT("https://youtube.com/watch"),
        STR_INIT("https://youtu.be/"),
    };

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (str_starts(url, starts[i])) {
            return true;
        }
    }
    return false;
}

static void write_blob(struct json_out *o, const struct part *p)
{
    json_open(o, '{');
    json_key(o, p->data.p != NULL ? "inlineData" : "fileData");
    json_open(o, '{');
    if (p->mime.n > 0) {
        json_key(o, "mimeType");
        json_put_str(o, p->mime);
    }
    json_key(o, p->data.p != NULL ? "data" : "fileUri");
    json_put_str(o, p->data.p != NULL ? p->data : p->url);
    json_close(o, '}');
    json_close(o, '}');
}

static void write_media(struct conversion *c, struct json_out *o, const struct part *p)
{
    if (p->data.p == NULL && p->ref.n > 0) {
        lose(c, FIELD_FILE_ID, p->from);
        return;
    }
    if (p->data.p == NULL && !is_google_uri(p->url)) {
        lose(c, p->kind == PART_FILE ? FIELD_FILE_URL : FIELD_MEDIA_URL, p->from);
        return;
    }
    if (p->detail.n > 0 && !str_eq(p->detail, STR("auto"))) {
        lose(c, FIELD_IMAGE_DETAIL, p->detail_from);
    }
    media_lose_title(c, p);
    write_blob(o, p);
}

static void write_state(struct json_out *o, struct str state)
{
    if (state.n > 0) {
        json_key(o, "thoughtSignature");
        json_put_str(o, state);
    }
}

/* The vendor's own word for a call that no thought of its models led to: it is validated at the
 * first call of a step alone. */
static void write_call(struct conversion *c, struct json_out *o, const struct part *p, bool first)
{
    bool bare = first && p->opaque.n == 0 && generation(c) >= 3;

    json_open(o, '{');
    json_key(o, "functionCall");
    json_open(o, '{');
    json_key(o, "id");
    json_put_str(o, p->wire_id);
    json_key(o, "name");
    json_put_str(o, tool_wire_name(c, p->group, p->name));
    json_key(o, "args");
    if (p->custom) {
        json_open(o, '{');
        json_key(o, "input");
        json_put_str(o, p->text);
        json_close(o, '}');
    } else {
        json_put_raw(o, part_arguments(c, p));
    }
    json_close(o, '}');
    write_state(o, bare ? STR("skip_thought_signature_validator") : p->opaque);
    json_close(o, '}');
}

/* A result is an object here: one as the tool gave it, or its text under a name. */
static void write_response(struct json_out *o, const struct part *p)
{
    struct buf text;

    buf_init(&text, LIMIT_BODY_BYTES);
    for (const struct part *in = p->parts.first; in != NULL; in = in->next) {
        if (in->kind == PART_TEXT) {
            buf_cat(&text, text.n > 0 ? STR("\n") : STR(""), in->text);
        }
    }
    json_key(o, "response");
    if (!p->failed && text_is_object(buf_str(&text))) {
        json_put_raw(o, buf_str(&text));
    } else {
        json_open(o, '{');
        json_key(o, p->failed ? "error" : "output");
        json_put_str(o, buf_str(&text));
        json_close(o, '}');
    }
    buf_release(&text);
}

/* Models before the third take a result's media only beside it. */
static bool media_inside(const struct conversion *c)
{
    return generation(c) >= 3;
}

static void write_result_media(struct conversion *c, struct json_out *o, const struct part *p)
{
    for (const struct part *in = p->parts.first; in != NULL; in = in->next) {
        if (in->kind != PART_TEXT) {
            write_media(c, o, in);
        }
    }
}

static bool has_media(const struct part *p)
{
    for (const struct part *in = p->parts.first; in != NULL; in = in->next) {
        if (in->kind != PART_TEXT) {
            return true;
        }
    }
    return false;
}

static void write_result(struct conversion *c, struct json_out *o, const struct part *p)
{
    json_open(o, '{');
    json_key(o, "functionResponse");
    json_open(o, '{');
    json_key(o, "id");
    json_put_str(o, p->wire_id);
    json_key(o, "name");
    json_put_str(o, tool_wire_name(c, p->group, p->name));
    write_response(o, p);
    if (has_media(p) && media_inside(c)) {
        json_key(o, "parts");
        json_open(o, '[');
        write_result_media(c, o, p);
        json_close(o, ']');
    }
    json_close(o, '}');
    json_close(o, '}');
}

static void write_thought(struct json_out *o, const struct part *p)
{
    json_open(o, '{');
    json_key(o, "text");
    json_put_str(o, p->text);
    json_key(o, "thought");
    json_put_bool(o, true);
    write_state(o, p->opaque);
    json_close(o, '}');
}

static void write_part(struct conversion *c, struct json_out *o, const struct part *p)
{
    switch ((enum part_kind)p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        lose_refusal(c, p);
        write_text(o, p->text);
        break;
    case PART_REASONING: write_thought(o, p); break;
    case PART_IMAGE:
    case PART_FILE:
    case PART_AUDIO:
    case PART_VIDEO: write_media(c, o, p); break;
    case PART_CALL:
    case PART_RESULT: break; /* by their turns */
    }
}

/* ---- turns ---- */

static void lose_cache(struct conversion *c, const struct part *first)
{
    for (const struct part *p = first; p != NULL; p = p->next) {
        if (p->cache != NULL) {
            lose(c, FIELD_CACHE_CONTROL, p->cache_from);
        }
        lose_cache(c, p->parts.first);
    }
}

struct placed {
    const struct part *result;
    size_t at;
};

static int by_call(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->result->order != y->result->order) {
        return x->result->order < y->result->order ? -1 : 1;
    }
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Results in the order of their calls, which is what joins them where no id is looked at. */
static void write_results(struct conversion *c, struct json_out *o, const struct turn *t)
{
    size_t n = 0, count = 0;

    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        count += p->kind == PART_RESULT;
    }
    struct placed *list = conversion_alloc(c, (count + 1) * sizeof(*list));
    for (const struct part *p = t->parts.first; p != NULL && !c->refused; p = p->next) {
        if (p->kind == PART_RESULT) {
            list[n] = (struct placed){p, n};
            n++;
        }
    }
    qsort(list, n, sizeof(*list), by_call);
    for (size_t i = 0; i < n; i++) {
        write_result(c, o, list[i].result);
    }
    for (const struct part *p = t->parts.first; p != NULL && !media_inside(c); p = p->next) {
        if (p->kind == PART_RESULT) {
            write_result_media(c, o, p);
        }
    }
}

static void write_turn(struct conversion *c, struct json_out *o, const struct turn *t)
{
    bool called = false;

    json_open(o, '{');
    json_key(o, "role");
    json_put_str(o, t->role == ROLE_ASSISTANT ? STR("model") : STR("user"));
    json_key(o, "parts");
    json_open(o, '[');
    if (t->role == ROLE_USER) {
        write_results(c, o, t);
    }
    for (const struct part *p = t->parts.first; p != NULL && !c->refused; p = p->next) {
        if (p->kind == PART_CALL) {
            write_call(c, o, p, !called);
            called = true;
        } else {
            write_part(c, o, p);
        }
    }
    json_close(o, ']');
    json_close(o, '}');
    lose_cache(c, t->parts.first);
}

static void write_system(struct conversion *c, struct json_out *o)
{
    bool any = false;

    for (; c->ask.turns != NULL && c->ask.turns->role == ROLE_SYSTEM;
         c->ask.turns = c->ask.turns->next) {
        lose_cache(c, c->ask.turns->parts.first);
        for (const struct part *p = c->ask.turns->parts.first; p != NULL; p = p->next) {
            if (p->kind != PART_TEXT || p->text.n == 0) {
                continue;
            }
            if (!any) {
                json_key(o, "systemInstruction");
                json_open(o, '{');
                json_key(o, "parts");
                json_open(o, '[');
            }
            any = true;
            write_text(o, p->text);
        }
    }
    if (any) {
        json_close(o, ']');
        json_close(o, '}');
    }
}

static void write_turns(struct conversion *c, struct json_out *o)
{
    turns_fold_system(c);
    turns_drop_reasoning(c, false, true);
    turns_merge(c);
    write_system(c, o);
    turns_need_some(c);
    json_key(o, "contents");
    json_open(o, '[');
    for (const struct turn *t = c->ask.turns; t != NULL && !c->refused; t = t->next) {
        write_turn(c, o, t);
    }
    json_close(o, ']');
}

/* ---- tools ---- */

/* Of an object without properties, and nothing else: what is wrong is not left out, or nobody would
 * tell that it is. */
static bool says_nothing(const struct json *schema)
{
    struct json_each it = json_each(schema);
    bool nothing = true;

    while (nothing && json_next(&it)) {
        nothing = str_eq(it.key, STR("type")) ? str_eq(json_str(it.value), STR("object"))
                  : str_eq(it.key, STR("properties"))
                      ? json_is_object(it.value) && json_count(it.value) == 0
                      : str_eq(it.key, STR("required")) && json_is_array(it.value) &&
                            json_count(it.value) == 0;
    }
    return nothing;
}

/* Where there are none the schema is better left out: so a function without any is told. */
static bool takes_arguments(const struct tool *t)
{
    return t->kind == TOOL_CUSTOM || (t->schema != NULL && !says_nothing(t->schema));
}

static void write_tool(struct conversion *c, struct json_out *o, const struct tool *t)
{
    json_open(o, '{');
    json_key(o, "name");
    json_put_str(o, t->wire_name);
    tool_write_description(c, o, t);
    if (takes_arguments(t)) {
        json_key(o, "parametersJsonSchema");
        tool_write_schema(o, t);
    }
    json_close(o, '}');
    if (t->cache != NULL) {
        lose(c, FIELD_CACHE_CONTROL, t->cache_from);
    }
}

/* The mode that may name the functions that alone are allowed. */
static bool must_call(const struct conversion *c)
{
    return c->ask.choice.mode == CHOICE_REQUIRED || c->ask.choice.mode == CHOICE_NAMED;
}

static void write_tools(struct conversion *c, struct json_out *o)
{
    const struct tool_choice *choice = &c->ask.choice;
    bool some = choice->allowed.first != NULL && !must_call(c);

    if (c->ask.tools == NULL) {
        return;
    }
    if (some) {
        lose(c, FIELD_CHOICE_ALLOWED, choice->allowed_from);
    }
    json_key(o, "tools");
    json_open(o, '[');
    json_open(o, '{');
    json_key(o, "functionDeclarations");
    json_open(o, '[');
    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        if (!some || t->allowed) {
            write_tool(c, o, t);
        }
    }
    json_close(o, ']');
    json_close(o, '}');
    json_close(o, ']');
}

/* A strict tool has the mode that validates the calls of all; a call that must be is validated
 * anyway. */
static bool validates(struct conversion *c)
{
    bool any = false;

    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        if (t->strict == YES) {
            const struct place *at =
                c->from == DIALECT_CHAT ? place_key(c, t->from, STR("function")) : t->from;
            lose(c, FIELD_TOOL_STRICT, place_key(c, at, STR("strict")));
            any = true;
        }
    }
    return any && !must_call(c) && c->ask.choice.mode != CHOICE_NONE;
}

static void write_allowed(struct conversion *c, struct json_out *o)
{
    const struct tool_choice *choice = &c->ask.choice;

    json_key(o, "allowedFunctionNames");
    json_open(o, '[');
    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        if (choice->mode == CHOICE_NAMED ? str_eq(t->name, choice->name) : t->allowed) {
            json_put_str(o, t->wire_name);
        }
    }
    json_close(o, ']');
}

static void write_choice(struct conversion *c, struct json_out *o)
{
    const struct tool_choice *choice = &c->ask.choice;
    const struct place *parallel = c->ask.parallel_from;
    bool strict = validates(c);

    if (c->ask.tools == NULL) {
        return;
    }
    if (c->ask.parallel == NO) {
        lose(c, FIELD_PARALLEL_OFF,
             parallel != NULL ? parallel : place_key(c, NULL, STR("parallel_tool_calls")));
    }
    if (choice->mode == CHOICE_UNSAID && !strict) {
        return;
    }
    json_key(o, "toolConfig");
    json_open(o, '{');
    json_key(o, "functionCallingConfig");
    json_open(o, '{');
    json_key(o, "mode");
    json_put_str(o, strict                        ? STR("VALIDATED")
                    : must_call(c)                ? STR("ANY")
                    : choice->mode == CHOICE_NONE ? STR("NONE")
                                                  : STR("AUTO"));
    if (must_call(c) && (choice->mode == CHOICE_NAMED || choice->allowed.first != NULL)) {
        write_allowed(c, o);
    }
    json_close(o, '}');
    json_close(o, '}');
}

/* ---- reasoning ---- */

static void write_level(struct conversion *c, struct json_out *o, enum effort effort)
{
    const struct reasoning *r = &c->ask.reasoning;
    bool pro = model_has(c, "-pro");

    if (effort == EFFORT_NONE && pro) {
        lose(c, FIELD_REASONING_OFF, r->from);
    } else if (effort == EFFORT_NONE || effort > EFFORT_HIGH || (effort == EFFORT_MINIMAL && pro) ||
               r->effort == EFFORT_UNSAID) {
        lose(c, FIELD_REASONING_LEVEL, r->from);
    }
    json_key(o, "thinkingLevel");
    if (effort <= EFFORT_MINIMAL) {
        json_put_str(o, pro ? STR("LOW") : STR("MINIMAL"));
    } else {
        json_put_str(o, effort == EFFORT_LOW      ? STR("LOW")
                        : effort == EFFORT_MEDIUM ? STR("MEDIUM")
                                                  : STR("HIGH"));
    }
}

static void write_budget(struct conversion *c, struct json_out *o, enum effort effort)
{
    const struct reasoning *r = &c->ask.reasoning;
    bool given = r->effort == EFFORT_UNSAID && r->has_budget;
    uint64_t budget = (uint64_t)(given ? r->budget : effort_budget(effort));
    uint64_t max = model_has(c, "flash") ? 24576 : 32768; /* the API's own */

    if (budget == 0 && model_has(c, "-pro")) {
        lose(c, FIELD_REASONING_OFF, r->from);
        budget = 128; /* the least that it takes */
    } else if ((!given && effort != EFFORT_NONE) || budget > max) {
        lose(c, FIELD_REASONING_LEVEL, r->from);
    }
    json_key(o, "thinkingBudget");
    json_put_u64(o, budget > max ? max : budget);
}

static void write_thinking(struct conversion *c, struct json_out *o)
{
    const struct reasoning *r = &c->ask.reasoning;
    enum effort effort = reasoning_effort(r);
    bool dynamic = effort == EFFORT_UNSAID && (r->adaptive || r->has_budget);
    bool shown = r->show == YES || ((effort > EFFORT_NONE || dynamic) && r->show != NO);

    if (effort == EFFORT_UNSAID && !dynamic && r->show != YES) {
        return;
    }
    json_key(o, "thinkingConfig");
    json_open(o, '{');
    if (effort != EFFORT_UNSAID && generation(c) >= 3) {
        write_level(c, o, effort);
    } else if (effort != EFFORT_UNSAID) {
        write_budget(c, o, effort);
    } else if (dynamic && generation(c) < 3) { /* what later models do unless told otherwise */
        json_key(o, "thinkingBudget");
        json_put_raw(o, STR("-1"));
    }
    json_key(o, "includeThoughts");
    json_put_bool(o, shown && effort != EFFORT_NONE);
    json_close(o, '}');
}

/* ---- the rest ---- */

static void write_format(struct conversion *c, struct json_out *o)
{
    const struct format *f = &c->ask.format;

    if (f->kind == FORMAT_TEXT) {
        return;
    }
    lose_format_name(c);
    json_key(o, "responseMimeType");
    json_put_str(o, STR("application/json"));
    if (f->kind == FORMAT_SCHEMA && f->schema != NULL) {
        json_key(o, "responseJsonSchema");
        json_put_value(o, f->schema);
    }
}

static void write_stops(struct conversion *c, struct json_out *o)
{
    unsigned count = 0;

    if (c->ask.stops.first == NULL) {
        return;
    }
    json_key(o, "stopSequences");
    json_open(o, '[');
    for (const struct part *p = c->ask.stops.first; p != NULL; p = p->next) {
        if (++count > STOPS_MAX) {
            refuse(c, p->from, "This model's upstream takes %d stop sequences at most.", STOPS_MAX);
        }
        json_put_str(o, p->text);
    }
    json_close(o, ']');
}

static void write_config(struct conversion *c, struct json_out *o)
{
    struct buf text;
    struct json_out config = {&text, false};

    buf_init(&text, LIMIT_BODY_BYTES);
    json_open(&config, '{');
    if (c->ask.max_output.v != NULL) {
        json_key(&config, "maxOutputTokens");
        json_put_value(&config, c->ask.max_output.v);
    }
    write_stops(c, &config);
    write_format(c, &config);
    write_thinking(c, &config);
    write_fields(c, &config, "generationConfig.");
    json_close(&config, '}');
    if (text.n > 2) {
        json_key(o, "generationConfig");
        json_put_raw(o, buf_str(&text));
    }
    buf_release(&text);
}

void gemini_write_ask(struct conversion *c, struct json_out *o)
{
    json_open(o, '{');
    write_turns(c, o);
    write_tools(c, o);
    write_choice(c, o);
    write_config(c, o);
    write_fields(c, o, "");
    json_close(o, '}');
}
