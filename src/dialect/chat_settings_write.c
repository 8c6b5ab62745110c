/* SPDX-License-Identifier: Apache-2.0 */
/* What a chat request says beside its messages: tools, format, reasoning, limits; by the vendor's
 * row where vendors differ. */
#include "dialect/chat.h"

void chat_write_cache(struct conversion *c, struct json_out *o, const struct json *cache,
                      const struct place *from)
{
    if (cache != NULL && c->vendor->cache_control) {
        json_key(o, "cache_control");
        json_put_value(o, cache);
    } else if (cache != NULL) {
        lose(c, FIELD_CACHE_CONTROL, from);
    }
}

/* ---- tools ---- */

static void write_tool(struct conversion *c, struct json_out *o, const struct tool *t)
{
    json_open_typed(o, "function");
    json_key(o, "function");
    json_open(o, '{');
    json_key(o, "name");
    json_put_str(o, t->wire_name);
    tool_write_description(c, o, t);
    json_key(o, "parameters");
    tool_write_schema(o, t);
    if (t->strict == YES) {
        json_key(o, "strict");
        json_put_bool(o, true);
    }
    json_close(o, '}');
    chat_write_cache(c, o, t->cache, t->cache_from);
    json_close(o, '}');
}

static void write_tools(struct conversion *c, struct json_out *o)
{
    json_key(o, "tools");
    json_open(o, '[');
    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        write_tool(c, o, t);
    }
    json_close(o, ']');
}

static void put_named(struct conversion *c, struct json_out *o, struct str name)
{
    json_open_typed(o, "function");
    json_key(o, "function");
    json_open(o, '{');
    json_key(o, "name");
    json_put_str(o, tool_wire_name(c, STR(""), name));
    json_close(o, '}');
    json_close(o, '}');
}

static void put_allowed(struct conversion *c, struct json_out *o, struct str mode)
{
    json_open_typed(o, "allowed_tools");
    json_key(o, "allowed_tools");
    json_open(o, '{');
    json_key(o, "mode");
    json_put_str(o, mode);
    json_key(o, "tools");
    json_open(o, '[');
    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        if (t->allowed) {
            put_named(c, o, t->name);
        }
    }
    json_close(o, ']');
    json_close(o, '}');
    json_close(o, '}');
}

static void write_choice(struct conversion *c, struct json_out *o)
{
    static const uint8_t taken[] = {[CHOICE_AUTO] = TAKES_AUTO,
                                    [CHOICE_NONE] = TAKES_NONE,
                                    [CHOICE_REQUIRED] = TAKES_REQUIRED,
                                    [CHOICE_NAMED] = TAKES_NAMED};
    static const char *const words[] = {
        [CHOICE_AUTO] = "auto", [CHOICE_NONE] = "none", [CHOICE_REQUIRED] = "required"};
    const struct tool_choice *choice = &c->ask.choice;

    if (choice->mode == CHOICE_UNSAID) {
        return;
    }
    if ((c->vendor->tool_choice & taken[choice->mode]) == 0) {
        lose(c, FIELD_CHOICE_FORCED, choice->from);
        return;
    }
    json_key(o, "tool_choice");
    if (choice->mode == CHOICE_NAMED) {
        put_named(c, o, choice->name);
    } else if (choice->allowed.first != NULL) {
        put_allowed(c, o, str_from(words[choice->mode]));
    } else {
        json_put_str(o, str_from(words[choice->mode]));
    }
}

/* ---- form of the answer ---- */

static void write_schema(struct json_out *o, const struct format *f)
{
    json_key(o, "json_schema");
    json_open(o, '{');
    json_key(o, "name");
    json_put_str(o, f->name.n > 0 ? f->name : STR("answer"));
    if (f->description.n > 0) {
        json_key(o, "description");
        json_put_str(o, f->description);
    }
    if (f->schema != NULL) {
        json_key(o, "schema");
        json_put_value(o, f->schema);
    }
    if (f->strict != UNSAID) {
        json_key(o, "strict");
        json_put_bool(o, f->strict == YES);
    }
    json_close(o, '}');
}

static void write_format(struct conversion *c, struct json_out *o)
{
    const struct format *f = &c->ask.format;

    if (f->kind == FORMAT_TEXT) {
        return;
    }
    if (f->kind == FORMAT_SCHEMA &&
        vendor_word(c->vendor->lacks, STR("response_format.json_schema"))) {
        lose(c, FIELD_VENDOR_LACKS, f->from);
        return;
    }
    json_key(o, "response_format");
    json_open_typed(o, f->kind == FORMAT_JSON ? "json_object" : "json_schema");
    if (f->kind == FORMAT_SCHEMA) {
        write_schema(o, f);
    }
    json_close(o, '}');
}

/* ---- reasoning ---- */

/* The vendor's own word that is nearest, and rather above than below; UNSAID: it has none. */
static enum effort nearest_effort(const struct conversion *c, enum effort wanted)
{
    enum effort below = EFFORT_UNSAID;

    for (unsigned e = EFFORT_NONE; e <= EFFORT_MAX; e++) {
        if (!vendor_word(c->vendor->efforts, str_from(effort_word((enum effort)e)))) {
            continue;
        }
        if (e >= wanted) {
            return (enum effort)e;
        }
        below = e != EFFORT_NONE ? (enum effort)e : below;
    }
    return below;
}

static void write_effort(struct conversion *c, struct json_out *o, enum effort wanted)
{
    enum effort e = nearest_effort(c, wanted);

    if (wanted == EFFORT_NONE && e != wanted) {
        lose(c, FIELD_REASONING_OFF, c->ask.reasoning.from);
    } else if (e != wanted) {
        lose(c, FIELD_REASONING_LEVEL, c->ask.reasoning.from);
    }
    if (e != EFFORT_UNSAID) {
        json_key(o, "reasoning_effort");
        json_put_str(o, str_from(effort_word(e)));
    }
}

static void write_thinking_type(struct conversion *c, struct json_out *o, enum effort effort)
{
    json_key(o, "thinking");
    json_open_typed(o, effort == EFFORT_NONE ? "disabled" : "enabled");
    json_close(o, '}');
    if (effort == EFFORT_UNSAID) {
        return;
    }
    if (effort != EFFORT_NONE && c->vendor->efforts != NULL) {
        write_effort(c, o, effort);
    } else if (effort != EFFORT_NONE) {
        lose(c, FIELD_REASONING_LEVEL, c->ask.reasoning.from);
    }
}

static void write_enable_thinking(struct conversion *c, struct json_out *o, enum effort effort)
{
    const struct reasoning *r = &c->ask.reasoning;

    json_key(o, "enable_thinking");
    json_put_bool(o, effort != EFFORT_NONE);
    if (effort != EFFORT_NONE) {
        json_key(o, "thinking_budget");
        json_put_u64(
            o, (uint64_t)(r->has_budget && r->budget > 0 ? r->budget : effort_budget(effort)));
    }
    if (!r->has_budget && effort != EFFORT_NONE) {
        lose(c, FIELD_REASONING_LEVEL, r->from);
    }
}

static void write_reasoning_object(struct conversion *c, struct json_out *o, enum effort effort)
{
    const struct reasoning *r = &c->ask.reasoning;

    json_key(o, "reasoning");
    json_open(o, '{');
    if (effort == EFFORT_NONE) {
        json_key(o, "enabled");
        json_put_bool(o, false);
    } else if (r->effort == EFFORT_UNSAID && r->has_budget && r->budget > 0) {
        json_key(o, "max_tokens");
        json_put_u64(o, (uint64_t)r->budget);
    } else {
        json_key(o, "effort");
        json_put_str(o, str_from(effort_word(effort)));
    }
    json_close(o, '}');
}

static void write_reasoning(struct conversion *c, struct json_out *o)
{
    const struct reasoning *r = &c->ask.reasoning;
    enum effort effort = reasoning_effort(r);

    if (r->show != UNSAID && r->show_from != NULL) {
        lose(c, FIELD_REASONING_SUMMARY, r->show_from);
    }
    if (effort == EFFORT_UNSAID) {
        if (r->adaptive && c->vendor->reasoning_in == REASONING_THINKING_TYPE) {
            write_thinking_type(c, o, EFFORT_UNSAID);
        } else if (r->adaptive && c->vendor->reasoning_in == REASONING_ENABLE_THINKING) {
            json_key(o, "enable_thinking");
            json_put_bool(o, true);
        }
        return; /* as the model would by itself */
    }
    switch ((enum reasoning_in)c->vendor->reasoning_in) {
    case REASONING_NONE: lose(c, FIELD_REASONING_LEVEL, r->from); return;
    case REASONING_EFFORT:
        if (r->effort == EFFORT_UNSAID && effort != EFFORT_NONE) {
            lose(c, FIELD_REASONING_LEVEL, r->from);
        }
        write_effort(c, o, effort);
        return;
    case REASONING_THINKING_TYPE: write_thinking_type(c, o, effort); return;
    case REASONING_ENABLE_THINKING: write_enable_thinking(c, o, effort); return;
    case REASONING_OBJECT: write_reasoning_object(c, o, effort); return;
    }
}

/* ---- limits and sampling ---- */

static void write_stops(struct conversion *c, struct json_out *o)
{
    unsigned count = 0;

    if (c->ask.stops.first == NULL) {
        return;
    }
    json_key(o, "stop");
    json_open(o, '[');
    for (const struct part *p = c->ask.stops.first; p != NULL; p = p->next) {
        if (c->vendor->stops > 0 && ++count > c->vendor->stops) {
            refuse(c, p->from, "This model's upstream takes %u stop sequences at most.",
                   c->vendor->stops);
        }
        json_put_str(o, p->text);
    }
    json_close(o, ']');
}

/* Fields that the vendor would overlook in silence. */
static void check_lacks(struct conversion *c)
{
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        struct value *value = &c->ask.value[f];
        if (value->v != NULL && vendor_word(c->vendor->lacks, str_from(fields[f].path[c->to])) &&
            !json_means_nothing(value->v, fields[f].nothing)) {
            lose(c, FIELD_VENDOR_LACKS, value->at);
            value->v = NULL;
        }
    }
}

/* Those whose name or use differs from vendor to vendor. */
static void write_own_names(struct conversion *c, struct json_out *o)
{
    struct value *seed = &c->ask.value[FIELD_SEED], *top_k = &c->ask.value[FIELD_TOP_K];

    if (c->ask.max_output.v != NULL) {
        const char *name = c->vendor->max_tokens;
        json_key(o, name != NULL ? name : "max_tokens");
        json_put_value(o, c->ask.max_output.v);
    }
    if (seed->v != NULL && c->vendor->seed != NULL) {
        json_key(o, c->vendor->seed);
        json_put_value(o, seed->v);
        seed->v = NULL;
    }
    if (top_k->v != NULL && c->vendor->top_k) {
        json_key(o, "top_k");
        json_put_value(o, top_k->v);
        top_k->v = NULL;
    }
}

static void write_stream(struct conversion *c, struct json_out *o)
{
    if (!c->ask.stream) {
        return;
    }
    json_key(o, "stream");
    json_put_bool(o, true);
    if (c->vendor->stream_options) {
        json_key(o, "stream_options");
        json_put_raw(o, STR("{\"include_usage\":true}"));
    }
}

void chat_write_settings(struct conversion *c, struct json_out *o)
{
    if (c->ask.tools != NULL) {
        write_tools(c, o);
        write_choice(c, o);
        if (c->ask.parallel != UNSAID) {
            json_key(o, "parallel_tool_calls");
            json_put_bool(o, c->ask.parallel == YES);
        }
    }
    write_format(c, o);
    write_reasoning(c, o);
    write_stops(c, o);
    check_temperature(c, c->vendor->temperature_tenths);
    check_lacks(c);
    write_own_names(c, o);
    write_long_user(c, o);
    write_fields(c, o, "");
    write_stream(c, o);
    if (c->vendor->extra != NULL) {
        json_put_members(o, str_from(c->vendor->extra));
    }
}
