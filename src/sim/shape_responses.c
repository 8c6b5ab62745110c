/* SPDX-License-Identifier: Apache-2.0 */
/* An answer as responses have it. Its id and those of its items have one stem and one time. */
#include <stdio.h>

#include "sim/zoo.h"

struct item {
    struct buf id, call, sealed;
    const char *kind; /* "reasoning", "message" or "function_call" */
};

struct response {
    struct buf id;
    struct item items[2];
    size_t count;
    uint64_t number;
};

static void put_usage(const struct exchange *x, struct json_out *o)
{
    const struct answer *r = &x->answer;
    char text[320];
    int n = snprintf(text, sizeof(text),
                     "{\"input_tokens\":%llu,\"input_tokens_details\":{\"cached_tokens\":%llu},"
                     "\"output_tokens\":%llu,\"output_tokens_details\":{\"reasoning_tokens\":"
                     "%llu},\"total_tokens\":%llu}",
                     (unsigned long long)r->input, (unsigned long long)r->cached,
                     (unsigned long long)r->output, (unsigned long long)r->reasoning,
                     (unsigned long long)(r->input + r->output));

    json_put_raw(o, str_slice(text, (size_t)n));
}

static void put_part(struct exchange *x, struct json_out *o, struct str text)
{
    json_open_typed(o, "output_text");
    json_put_members(o, STR("\"annotations\":[]"));
    json_key(o, "logprobs");
    if (likely_known(x)) {
        likely_write(x, o);
    } else {
        json_put_raw(o, STR("[]"));
    }
    json_key(o, "text");
    json_put_str(o, text);
    json_close(o, '}');
}

static void put_item(struct exchange *x, const struct item *it, bool done, struct json_out *o)
{
    bool message = str_eq(str_from(it->kind), STR("message"));

    json_open(o, '{');
    json_key(o, "id");
    json_put_str(o, buf_str(&it->id));
    json_key(o, "type");
    json_put_str(o, str_from(it->kind));
    if (str_eq(str_from(it->kind), STR("reasoning"))) {
        json_put_members(o, STR("\"summary\":[]"));
        if (x->asked.sealed && done) {
            json_key(o, "encrypted_content");
            json_put_str(o, buf_str(&it->sealed));
        }
        json_close(o, '}');
        return;
    }
    json_key(o, "status");
    json_put_str(o, done ? STR("completed") : STR("in_progress"));
    if (message) {
        json_put_members(o, STR("\"role\":\"assistant\""));
        json_key(o, "content");
        json_open(o, '[');
        if (done) {
            put_part(x, o, buf_str(&x->answer.text));
        }
        json_close(o, ']');
    } else {
        json_key(o, "call_id");
        json_put_str(o, buf_str(&it->call));
        json_key(o, "name");
        json_put_str(o, x->answer.tool);
        json_key(o, "arguments");
        json_put_str(o, done ? buf_str(&x->answer.arguments) : STR(""));
    }
    json_close(o, '}');
}

static void put_response(struct exchange *x, struct response *r, bool done, struct json_out *o)
{
    bool cut = done && x->answer.finish == FINISH_LENGTH;

    json_open(o, '{');
    json_key(o, "id");
    json_put_str(o, buf_str(&r->id));
    json_put_members(o, STR("\"object\":\"response\""));
    json_key(o, "created_at");
    json_put_u64(o, (uint64_t)(x->now_us / 1000000));
    json_key(o, "status");
    json_put_str(o, !done ? STR("in_progress") : cut ? STR("incomplete") : STR("completed"));
    json_put_members(o, STR("\"error\":null"));
    json_key(o, "incomplete_details");
    json_put_raw(o, cut ? STR("{\"reason\":\"max_output_tokens\"}") : STR("null"));
    json_key(o, "model");
    json_put_str(o, str_from(x->model));
    json_key(o, "output");
    json_open(o, '[');
    for (size_t i = 0; done && i < r->count; i++) {
        put_item(x, &r->items[i], true, o);
    }
    json_close(o, ']');
    json_put_members(o, STR("\"parallel_tool_calls\":true,\"service_tier\":\"default\","
                            "\"store\":false,\"tool_choice\":\"auto\",\"tools\":[]"));
    json_key(o, "usage");
    if (done) {
        put_usage(x, o);
    } else {
        json_put_raw(o, STR("null"));
    }
    json_close(o, '}');
}

static struct json_out named(struct exchange *x, struct response *r, const char *name)
{
    struct json_out o = {event_open(x, name), false};

    json_open_typed(&o, name);
    json_key(&o, "sequence_number");
    json_put_u64(&o, r->number++);
    return o;
}

static void end(struct exchange *x, struct json_out *o, bool timed)
{
    json_close(o, '}');
    event_close(x, timed);
}

static void response_event(struct exchange *x, struct response *r, const char *name, bool done)
{
    struct json_out o = named(x, r, name);

    json_key(&o, "response");
    put_response(x, r, done, &o);
    end(x, &o, !done);
}

static void item_event(struct exchange *x, struct response *r, size_t i, bool done)
{
    struct json_out o =
        named(x, r, done ? "response.output_item.done" : "response.output_item.added");

    json_key(&o, "output_index");
    json_put_u64(&o, i);
    json_key(&o, "item");
    put_item(x, &r->items[i], done, &o);
    end(x, &o, !done);
}

/* Within an item. */
static struct json_out placed(struct exchange *x, struct response *r, const char *name, size_t i,
                              bool text)
{
    struct json_out o = named(x, r, name);

    json_key(&o, "item_id");
    json_put_str(&o, buf_str(&r->items[i].id));
    json_key(&o, "output_index");
    json_put_u64(&o, i);
    if (text) {
        json_put_members(&o, STR("\"content_index\":0"));
    }
    return o;
}

static void part_event(struct exchange *x, struct response *r, size_t i, bool done)
{
    struct json_out o =
        placed(x, r, done ? "response.content_part.done" : "response.content_part.added", i, true);

    json_key(&o, "part");
    put_part(x, &o, done ? buf_str(&x->answer.text) : STR(""));
    end(x, &o, false);
}

/* The deltas of a text or of a call's arguments, and all of it. */
static void deltas(struct exchange *x, struct response *r, size_t i, bool text)
{
    const struct buf *all = text ? &x->answer.text : &x->answer.arguments;
    struct str rest = buf_str(all);

    while (rest.n > 0) {
        struct str slice = event_slice(x, &rest);
        struct json_out o = placed(
            x, r, text ? "response.output_text.delta" : "response.function_call_arguments.delta", i,
            text);
        json_key(&o, "delta");
        json_put_str(&o, slice);
        if (x->served->make == MAKE_OPENAI && !x->asked.plain_chunks) {
            struct buf noise;
            buf_init(&noise, 64);
            mark_write(x, MARK_RANDOM62, "", &noise);
            json_key(&o, "obfuscation");
            json_put_str(&o, str_slice(noise.p, 1 + slice.n % 16));
            buf_release(&noise);
        }
        end(x, &o, true);
    }
    struct json_out o =
        placed(x, r, text ? "response.output_text.done" : "response.function_call_arguments.done",
               i, text);
    json_key(&o, text ? "text" : "arguments");
    json_put_str(&o, buf_str(all));
    end(x, &o, false);
}

static void write_stream(struct exchange *x, struct response *r)
{
    response_event(x, r, "response.created", false);
    response_event(x, r, "response.in_progress", false);
    for (size_t i = 0; i < r->count; i++) {
        bool text = str_eq(str_from(r->items[i].kind), STR("message"));
        item_event(x, r, i, false);
        if (text) {
            part_event(x, r, i, false);
            deltas(x, r, i, true);
            part_event(x, r, i, true);
        } else if (r->items[i].call.n > 0) {
            deltas(x, r, i, false);
        }
        item_event(x, r, i, true);
    }
    response_event(x, r,
                   x->answer.finish == FINISH_LENGTH ? "response.incomplete" : "response.completed",
                   true);
}

static void add_item(struct exchange *x, struct response *r, uint64_t stem, const char *kind,
                     const char *prefix)
{
    struct item *it = &r->items[r->count++];

    *it = (struct item){.kind = kind};
    buf_init(&it->id, 128);
    buf_init(&it->call, 128);
    buf_init(&it->sealed, 4096);
    mark_response(x, stem, prefix, &it->id);
    mark_sealed(x, &it->sealed);
    if (str_eq(str_from(kind), STR("function_call"))) {
        mark_write(x, MARK_RANDOM62, "call_", &it->call);
    }
}

void shape_responses(struct exchange *x)
{
    struct response r = {0};
    uint64_t stem = rand_weak_next(zoo_rand(x->zoo));

    buf_init(&r.id, 128);
    mark_response(x, stem, "resp_", &r.id);
    if (x->answer.thought) {
        add_item(x, &r, stem, "reasoning", "rs_");
    }
    if (x->answer.calls) {
        add_item(x, &r, stem, "function_call", "fc_");
    } else {
        add_item(x, &r, stem, "message", "msg_");
    }
    if (x->asked.stream) {
        write_stream(x, &r);
    } else {
        struct json_out o = {event_open(x, NULL), false};
        put_response(x, &r, true, &o);
        event_close(x, false);
    }
    for (size_t i = 0; i < r.count; i++) {
        buf_release(&r.items[i].id);
        buf_release(&r.items[i].call);
        buf_release(&r.items[i].sealed);
    }
    buf_release(&r.id);
}
