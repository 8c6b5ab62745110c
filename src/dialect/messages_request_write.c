/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Anthropic Messages dialect. Source: Anthropic OpenAPI, CreateMessageParams. */
#include "base/base64.h"
#include "dialect/neutral.h"

/* ---- blocks ---- */

static void put_cache(struct json_out *o, const struct json *cache)
{
    if (cache != NULL) {
        json_key(o, "cache_control");
        json_put_value(o, cache);
    }
}

static void open_block(struct json_out *o, const char *type)
{
    json_open(o, '{');
    json_key(o, "type");
    json_put_str(o, str_from(type));
}

static void write_text(struct json_out *o, const struct part *p)
{
    open_block(o, "text");
    json_key(o, "text");
    json_put_str(o, p->text);
    put_cache(o, p->cache);
    json_close(o, '}');
}

static void write_source(struct json_out *o, const char *type, struct str mime, const char *key,
                         struct str value)
{
    json_key(o, "source");
    open_block(o, type);
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
        lose(c, FIELD_IMAGE_DETAIL, place_key(c, p->from, STR("detail")));
    }
    open_block(o, "image");
    if (p->data.p != NULL) {
        write_source(o, "base64", p->mime, "data", p->data);
    } else {
        write_source(o, "url", STR(""), "url", p->url);
    }
    put_cache(o, p->cache);
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
    open_block(o, "document");
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
    put_cache(o, p->cache);
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
    open_block(o, "tool_result");
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
    put_cache(o, p->cache);
    json_close(o, '}');
}

static void write_call(struct conversion *c, struct json_out *o, const struct part *p)
{
    open_block(o, "tool_use");
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
    put_cache(o, p->cache);
    json_close(o, '}');
}

/* A state is a signature of the text beside it, or stands for text that is withheld. */
static void write_reasoning(struct json_out *o, const struct part *p)
{
    bool redacted = str_starts(p->opaque, STR("redacted:"));

    open_block(o, redacted ? "redacted_thinking" : "thinking");
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

static void write_turns(struct conversion *c, struct json_out *o)
{
    turns_fold_system(c);
    turns_drop_reasoning(c, false, true);
    turns_merge(c);
    write_system(c, o);
    if (c->ask.turns == NULL) {
        refuse(c, place_key(c, NULL, str_from(fields[FIELD_MESSAGES].path[c->from])),
               "There is no message but system text.");
    }
    json_key(o, "messages");
    json_open(o, '[');
    for (const struct turn *t = c->ask.turns; t != NULL && !c->refused; t = t->next) {
        write_turn(c, o, t);
    }
    json_close(o, ']');
}

/* ---- tools ---- */

static void write_tool(struct conversion *c, struct json_out *o, const struct tool *t)
{
    json_open(o, '{');
    json_key(o, "name");
    json_put_str(o, t->wire_name);
    tool_write_description(c, o, t);
    json_key(o, "input_schema");
    tool_write_schema(o, t);
    if (t->strict == YES) {
        json_key(o, "strict");
        json_put_bool(o, true);
    }
    put_cache(o, t->cache);
    json_close(o, '}');
}

static void write_tools(struct conversion *c, struct json_out *o)
{
    tools_declare_history(c);
    if (c->ask.tools == NULL) {
        return;
    }
    json_key(o, "tools");
    json_open(o, '[');
    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        if (tool_is_allowed(c, t)) {
            write_tool(c, o, t);
        }
    }
    json_close(o, ']');
}

static void write_choice(struct conversion *c, struct json_out *o)
{
    static const char *const words[] = {[CHOICE_UNSAID] = "auto",
                                        [CHOICE_AUTO] = "auto",
                                        [CHOICE_NONE] = "none",
                                        [CHOICE_REQUIRED] = "any",
                                        [CHOICE_NAMED] = "tool"};
    const struct tool_choice *choice = &c->ask.choice;
    bool alone = c->ask.parallel == NO && choice->mode != CHOICE_NONE;

    if (c->ask.tools == NULL || (choice->mode == CHOICE_UNSAID && !alone)) {
        return;
    }
    if (choice->allowed != NULL) {
        lose(c, FIELD_CHOICE_ALLOWED, choice->allowed_from);
    }
    json_key(o, "tool_choice");
    open_block(o, words[choice->mode]);
    if (choice->mode == CHOICE_NAMED) {
        json_key(o, "name");
        json_put_str(o, tool_wire_name(c, STR(""), choice->name));
    }
    if (alone) {
        json_key(o, "disable_parallel_tool_use");
        json_put_bool(o, true);
    }
    json_close(o, '}');
}

/* ---- limits, reasoning, format ---- */

static uint64_t write_limit(struct conversion *c, struct json_out *o)
{
    uint64_t ceiling = c->max_output > 0 ? c->max_output : 32768;
    uint64_t max = ceiling;

    if (c->ask.max_output.v != NULL && json_u64(c->ask.max_output.v, &max) && max > ceiling) {
        lose(c, FIELD_MAX_OUTPUT_CLAMPED, c->ask.max_output.at);
        max = ceiling;
    }
    json_key(o, "max_tokens");
    json_put_u64(o, max);
    return max;
}

/* Models that take a budget and no levels; later ones take levels and no budget. */
static bool takes_budget(const struct conversion *c)
{
    static const struct str older[] = {
        STR_INIT("claude-3-"),        STR_INIT("claude-sonnet-4-5"), STR_INIT("claude-sonnet-4-2"),
        STR_INIT("claude-opus-4-5"),  STR_INIT("claude-opus-4-1"),   STR_INIT("claude-opus-4-2"),
        STR_INIT("claude-haiku-4-5"), STR_INIT("claude-sonnet-4-0"), STR_INIT("claude-opus-4-0")};

    if (!str_starts(c->ask.model, STR("claude-"))) {
        return true; /* other vendors that speak this dialect */
    }
    for (size_t i = 0; i < sizeof(older) / sizeof(older[0]); i++) {
        if (str_starts(c->ask.model, older[i])) {
            return true;
        }
    }
    return false;
}

static void write_budget(struct conversion *c, struct json_out *o, uint64_t max)
{
    const struct reasoning *r = &c->ask.reasoning;
    uint64_t budget =
        (uint64_t)(r->has_budget && r->budget > 0 ? r->budget : effort_budget(reasoning_effort(r)));

    if (!r->has_budget) {
        lose(c, FIELD_REASONING_LEVEL, r->from);
    }
    if (budget < 1024) {
        budget = 1024;
        lose(c, FIELD_REASONING_LEVEL, r->from);
    }
    if (budget >= max) {
        lose(c, FIELD_REASONING_LEVEL, r->from);
        budget = max - 1;
    }
    json_key(o, "thinking");
    if (budget < 1024) { /* there is no room for any */
        open_block(o, "disabled");
    } else {
        open_block(o, "enabled");
        json_key(o, "budget_tokens");
        json_put_u64(o, budget);
    }
    json_close(o, '}');
}

/* The level for output_config; NULL: none. */
static const char *write_thinking(struct conversion *c, struct json_out *o, uint64_t max)
{
    const struct reasoning *r = &c->ask.reasoning;
    enum effort effort = reasoning_effort(r);
    bool forced = c->ask.choice.mode >= CHOICE_REQUIRED && c->ask.tools != NULL;
    bool dynamic = (r->has_budget && r->budget < 0) || r->adaptive;

    if (effort == EFFORT_UNSAID && !dynamic) {
        return NULL;
    }
    if (effort == EFFORT_NONE || forced) {
        if (forced && effort != EFFORT_NONE) {
            lose(c, FIELD_REASONING_WITH_CHOICE, r->from);
        }
        json_key(o, "thinking");
        open_block(o, "disabled");
        json_close(o, '}');
        return NULL;
    }
    if (takes_budget(c) && !dynamic) {
        write_budget(c, o, max);
        return NULL;
    }
    json_key(o, "thinking");
    open_block(o, "adaptive");
    json_close(o, '}');
    if (r->has_budget && r->budget > 0) {
        lose(c, FIELD_REASONING_LEVEL, r->from);
    }
    if (effort == EFFORT_MINIMAL) {
        lose(c, FIELD_REASONING_LEVEL, r->from);
        effort = EFFORT_LOW;
    }
    return effort == EFFORT_UNSAID ? NULL : effort_word(effort);
}

static void write_output(struct conversion *c, struct json_out *o, const char *effort)
{
    const struct format *f = &c->ask.format;

    if (effort == NULL && f->kind == FORMAT_TEXT) {
        return;
    }
    json_key(o, "output_config");
    json_open(o, '{');
    if (effort != NULL) {
        json_key(o, "effort");
        json_put_str(o, str_from(effort));
    }
    if (f->kind != FORMAT_TEXT) {
        json_key(o, "format");
        open_block(o, "json_schema");
        json_key(o, "schema");
        if (f->kind == FORMAT_SCHEMA && f->schema != NULL) {
            json_put_value(o, f->schema);
            if (f->name.n > 0) {
                lose(c, FIELD_FORMAT_NAME, place_key(c, f->from, STR("name")));
            }
        } else {
            lose(c, FIELD_FORMAT_JSON, f->from);
            json_put_raw(o, STR("{\"type\":\"object\"}"));
        }
        json_close(o, '}');
    }
    json_close(o, '}');
}

static void write_stops(struct conversion *c, struct json_out *o)
{
    if (c->ask.stops.first == NULL) {
        return;
    }
    json_key(o, "stop_sequences");
    json_open(o, '[');
    for (const struct part *p = c->ask.stops.first; p != NULL; p = p->next) {
        json_put_str(o, p->text);
    }
    json_close(o, ']');
}

static void write_user(struct conversion *c, struct json_out *o)
{
    enum field f = c->ask.value[FIELD_USER].v != NULL ? FIELD_USER : FIELD_SAFETY_IDENTIFIER;

    if (c->ask.value[f].v == NULL) {
        return;
    }
    json_key(o, "metadata");
    json_open(o, '{');
    json_key(o, "user_id");
    json_put_value(o, c->ask.value[f].v);
    json_close(o, '}');
    c->ask.value[f].v = NULL;
}

void messages_write_ask(struct conversion *c, struct json_out *o)
{
    json_open(o, '{');
    json_key(o, "model");
    json_put_str(o, c->ask.model);
    uint64_t max = write_limit(c, o);
    write_turns(c, o);
    write_tools(c, o);
    write_choice(c, o);
    write_output(c, o, write_thinking(c, o, max));
    write_stops(c, o);
    check_temperature(c, 10);
    write_fields(c, o, "");
    write_user(c, o);
    if (c->ask.stream) {
        json_key(o, "stream");
        json_put_bool(o, true);
    }
    json_close(o, '}');
}
