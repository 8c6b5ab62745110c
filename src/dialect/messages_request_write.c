/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Anthropic Messages dialect, but for its turns. Source: Anthropic OpenAPI,
 * CreateMessageParams. */
#include "dialect/messages.h"

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
    messages_put_cache(o, t->cache);
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
        if (t->allowed) {
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
    if (choice->allowed.first != NULL) {
        lose(c, FIELD_CHOICE_ALLOWED, choice->allowed_from);
    }
    json_key(o, "tool_choice");
    json_open_typed(o, words[choice->mode]);
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
        json_open_typed(o, "disabled");
    } else {
        lose_sampling(c);
        json_open_typed(o, "enabled");
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
        json_open_typed(o, "disabled");
        json_close(o, '}');
        return NULL;
    }
    if (takes_budget(c) && !dynamic) {
        write_budget(c, o, max);
        return NULL;
    }
    lose_sampling(c);
    json_key(o, "thinking");
    json_open_typed(o, "adaptive");
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

    if (f->kind == FORMAT_JSON || (f->kind == FORMAT_SCHEMA && f->schema == NULL)) {
        lose(c, FIELD_FORMAT_JSON, f->from);
    }
    bool closed = f->kind == FORMAT_SCHEMA && f->schema != NULL;
    if (effort == NULL && !closed) {
        return;
    }
    json_key(o, "output_config");
    json_open(o, '{');
    if (effort != NULL) {
        json_key(o, "effort");
        json_put_str(o, str_from(effort));
    }
    if (closed) {
        json_key(o, "format");
        json_open_typed(o, "json_schema");
        json_key(o, "schema");
        json_put_value(o, f->schema);
        lose_format_name(c);
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
    messages_write_turns(c, o);
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
