/* SPDX-License-Identifier: Apache-2.0 */
/* An answer as chat completions have it, by who makes the model. */
#include "sim/zoo.h"

static const char *const finishes[] = {
    [FINISH_STOP] = "stop",
    [FINISH_SEQUENCE] = "stop",
    [FINISH_LENGTH] = "length",
    [FINISH_TOOL] = "tool_calls",
};

/* What stays the same in all chunks of one answer. */
struct chat {
    struct buf id, call, print;
    struct json_out o;
};

static void put_usage(const struct exchange *x, struct json_out *o)
{
    const struct answer *r = &x->answer;

    json_open(o, '{');
    json_key(o, "prompt_tokens");
    json_put_u64(o, r->input);
    json_key(o, "completion_tokens");
    json_put_u64(o, r->output);
    json_key(o, "total_tokens");
    json_put_u64(o, r->input + r->output);
    json_key(o, "prompt_tokens_details");
    json_open(o, '{');
    json_key(o, "cached_tokens");
    json_put_u64(o, r->cached);
    if (x->served->make == MAKE_OPENAI) {
        json_put_members(o, STR("\"audio_tokens\":0"));
    }
    json_close(o, '}');
    if (x->served->make == MAKE_OPENAI || r->reasoning > 0) {
        json_key(o, "completion_tokens_details");
        json_open(o, '{');
        json_key(o, "reasoning_tokens");
        json_put_u64(o, r->reasoning);
        if (x->served->make == MAKE_OPENAI) {
            json_put_members(o, STR("\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
                                    "\"rejected_prediction_tokens\":0"));
        }
        json_close(o, '}');
    }
    if (x->served->make == MAKE_DEEPSEEK) {
        json_key(o, "prompt_cache_hit_tokens");
        json_put_u64(o, r->cached);
        json_key(o, "prompt_cache_miss_tokens");
        json_put_u64(o, r->input - r->cached);
    }
    json_close(o, '}');
}

/* Up to "choices". */
static void begin(struct exchange *x, struct chat *c, const char *object)
{
    bool openai = x->served->make == MAKE_OPENAI;

    c->o = (struct json_out){event_open(x, NULL), false};
    json_open(&c->o, '{');
    json_key(&c->o, "id");
    json_put_str(&c->o, buf_str(&c->id));
    json_key(&c->o, "object");
    json_put_str(&c->o, str_from(object));
    json_key(&c->o, "created");
    json_put_u64(&c->o, (uint64_t)(x->now_us / 1000000));
    json_key(&c->o, "model");
    json_put_str(&c->o, str_from(x->model));
    if (openai) {
        json_put_members(&c->o, STR("\"service_tier\":\"default\""));
    }
    if (c->print.n > 0) {
        json_key(&c->o, "system_fingerprint");
        json_put_str(&c->o, buf_str(&c->print));
    } else if (openai) {
        json_put_members(&c->o, STR("\"system_fingerprint\":null"));
    }
    json_key(&c->o, "choices");
    json_open(&c->o, '[');
}

#define FILTERS                                                                                 \
    "{\"hate\":{\"filtered\":false,\"severity\":\"safe\"},\"self_harm\":{\"filtered\":false,"   \
    "\"severity\":\"safe\"},\"sexual\":{\"filtered\":false,\"severity\":\"safe\"},\"violence\"" \
    ":{\"filtered\":false,\"severity\":\"safe\"}}"

static void put_finish(struct exchange *x, struct json_out *o, bool last)
{
    json_key(o, "logprobs");
    if (likely_known(x)) {
        json_open(o, '{');
        json_key(o, "content");
        likely_write(x, o);
        json_put_members(o, STR("\"refusal\":null"));
        json_close(o, '}');
    } else {
        json_put_raw(o, STR("null"));
    }
    json_key(o, "finish_reason");
    if (last) {
        json_put_str(o, str_from(finishes[x->answer.finish]));
    } else {
        json_put_raw(o, STR("null"));
    }
    if (x->cloud == CLOUD_AZURE) {
        json_key(o, "content_filter_results");
        json_put_raw(o, last ? STR("{}") : STR(FILTERS));
    }
}

static void put_call(struct exchange *x, struct chat *c, bool index, struct str arguments)
{
    json_key(&c->o, "tool_calls");
    json_open(&c->o, '[');
    json_open(&c->o, '{');
    if (index) {
        json_put_members(&c->o, STR("\"index\":0"));
    }
    json_key(&c->o, "id");
    json_put_str(&c->o, buf_str(&c->call));
    json_put_members(&c->o, STR("\"type\":\"function\""));
    json_key(&c->o, "function");
    json_open(&c->o, '{');
    json_key(&c->o, "name");
    json_put_str(&c->o, x->answer.tool);
    json_key(&c->o, "arguments");
    json_put_str(&c->o, arguments);
    json_close(&c->o, '}');
    json_close(&c->o, '}');
    json_close(&c->o, ']');
}

/* What hides the length of a chunk from who can only see the traffic. */
static void end_chunk(struct exchange *x, struct chat *c, bool usage, bool timed)
{
    json_close(&c->o, ']');
    if (usage || x->asked.usage_wanted) {
        json_key(&c->o, "usage");
        if (usage) {
            put_usage(x, &c->o);
        } else {
            json_put_raw(&c->o, STR("null"));
        }
    }
    if (x->served->make == MAKE_OPENAI && !x->asked.plain_chunks) {
        struct buf text;
        buf_init(&text, 64);
        mark_write(x, MARK_RANDOM62, "", &text);
        text.n = 1 + rand_weak_next(zoo_rand(x->zoo)) % 16;
        json_key(&c->o, "obfuscation");
        json_put_str(&c->o, buf_str(&text));
        buf_release(&text);
    }
    json_close(&c->o, '}');
    event_close(x, timed);
}

static void open_delta(struct exchange *x, struct chat *c)
{
    begin(x, c, "chat.completion.chunk");
    json_open(&c->o, '{');
    json_put_members(&c->o, STR("\"index\":0"));
    json_key(&c->o, "delta");
    json_open(&c->o, '{');
}

static void close_delta(struct exchange *x, struct chat *c, bool last, bool timed)
{
    json_close(&c->o, '}');
    put_finish(x, &c->o, last);
    json_close(&c->o, '}');
    end_chunk(x, c, false, timed);
}

static void text_delta(struct exchange *x, struct chat *c, const char *key, struct str text)
{
    open_delta(x, c);
    json_key(&c->o, key);
    json_put_str(&c->o, text);
    close_delta(x, c, false, true);
}

static void call_deltas(struct exchange *x, struct chat *c)
{
    struct str rest = buf_str(&x->answer.arguments);

    open_delta(x, c);
    put_call(x, c, true, STR(""));
    close_delta(x, c, false, true);
    while (rest.n > 0) {
        struct str slice = event_slice(x, &rest);
        open_delta(x, c);
        json_put_members(&c->o, STR("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"));
        json_write_str(c->o.b, slice);
        buf_add(c->o.b, STR("}}]"));
        close_delta(x, c, false, true);
    }
}

static void write_stream(struct exchange *x, struct chat *c)
{
    struct str rest = buf_str(&x->answer.text);

    if (x->cloud == CLOUD_AZURE) {
        buf_add(event_open(x, NULL),
                STR("{\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\","
                    "\"prompt_filter_results\":[{\"prompt_index\":0,"
                    "\"content_filter_results\":" FILTERS "}]}"));
        event_close(x, true);
    }
    open_delta(x, c);
    json_put_members(&c->o, STR("\"role\":\"assistant\",\"content\":\"\""));
    if (x->served->make == MAKE_OPENAI) {
        json_put_members(&c->o, STR("\"refusal\":null"));
    }
    close_delta(x, c, false, true);
    while (rest.n > 0) {
        text_delta(x, c, "content", event_slice(x, &rest));
    }
    if (x->answer.calls) {
        call_deltas(x, c);
    }
    open_delta(x, c);
    close_delta(x, c, true, false);
    if (x->asked.usage_wanted) {
        begin(x, c, "chat.completion.chunk");
        end_chunk(x, c, true, false);
    }
    buf_add(event_open(x, NULL), STR("[DONE]"));
    event_close(x, false);
}

static void write_whole(struct exchange *x, struct chat *c)
{
    begin(x, c, "chat.completion");
    json_open(&c->o, '{');
    json_put_members(&c->o, STR("\"index\":0"));
    json_key(&c->o, "message");
    json_open(&c->o, '{');
    json_put_members(&c->o, STR("\"role\":\"assistant\""));
    json_key(&c->o, "content");
    if (x->answer.calls) {
        json_put_raw(&c->o, STR("null"));
        put_call(x, c, false, buf_str(&x->answer.arguments));
    } else {
        json_put_str(&c->o, buf_str(&x->answer.text));
    }
    if (x->served->make == MAKE_OPENAI) {
        json_put_members(&c->o, STR("\"refusal\":null,\"annotations\":[]"));
    }
    json_close(&c->o, '}');
    put_finish(x, &c->o, true);
    json_close(&c->o, '}');
    json_close(&c->o, ']');
    json_key(&c->o, "usage");
    put_usage(x, &c->o);
    if (x->cloud == CLOUD_AZURE) {
        json_key(&c->o, "prompt_filter_results");
        json_put_raw(&c->o, STR("[{\"prompt_index\":0,\"content_filter_results\":" FILTERS "}]"));
    }
    json_close(&c->o, '}');
    event_close(x, false);
}

/* Of what serves the model: it stays the same. */
static void add_print(const struct character *c, const char *suffix, struct buf *out)
{
    buf_addf(out, "fp_%010llx%s",
             (unsigned long long)(mark_hash(9, str_from(c->name)) & 0xFFFFFFFFFF), suffix);
}

void shape_chat(struct exchange *x)
{
    struct chat c = {0};
    enum make make = (enum make)x->served->make;

    buf_init(&c.id, 128);
    buf_init(&c.call, 128);
    buf_init(&c.print, 128);
    if (make == MAKE_OPENAI) {
        mark_write(x, MARK_CHAT, "chatcmpl-", &c.id);
        mark_write(x, MARK_RANDOM62, "call_", &c.call);
        if (x->served->think == THINK_NEVER) {
            add_print(x->served, "", &c.print);
        }
    } else if (make == MAKE_ANTHROPIC) {
        mark_write(x, MARK_ANTHROPIC, "msg_01", &c.id);
        mark_write(x, MARK_RANDOM58, "toolu_01", &c.call);
    } else if (make == MAKE_GOOGLE) {
        mark_write(x, MARK_GEMINI, "", &c.id);
        mark_write(x, MARK_HEX, "function-call-", &c.call);
    } else {
        mark_write(x, MARK_UUID, make == MAKE_OPEN ? "chatcmpl-" : "", &c.id);
        mark_write(x, MARK_UUID, make == MAKE_OPEN ? "chatcmpl-tool-" : "call_00_", &c.call);
        if (make == MAKE_DEEPSEEK) {
            add_print(x->served, "_prod0820_fp8_kvcache_20260402", &c.print);
        }
    }
    if (x->asked.stream) {
        write_stream(x, &c);
    } else {
        write_whole(x, &c);
    }
    buf_release(&c.id);
    buf_release(&c.call);
    buf_release(&c.print);
}
