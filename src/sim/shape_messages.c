/* SPDX-License-Identifier: Apache-2.0 */
/* An answer as messages have it: at Anthropic, in two clouds, or of others who speak it. */
#include "sim/zoo.h"

static const char *const finishes[] = {
    [FINISH_STOP] = "end_turn",
    [FINISH_SEQUENCE] = "stop_sequence",
    [FINISH_LENGTH] = "max_tokens",
    [FINISH_TOOL] = "tool_use",
};

static bool genuine(const struct exchange *x)
{
    return x->served->make == MAKE_ANTHROPIC;
}

static void put_usage(const struct exchange *x, struct json_out *o, uint64_t output)
{
    const struct answer *r = &x->answer;

    json_open(o, '{');
    json_key(o, "input_tokens");
    json_put_u64(o, r->input - r->cached - r->created);
    if (genuine(x) || r->cached + r->created > 0) {
        json_key(o, "cache_creation_input_tokens");
        json_put_u64(o, r->created);
        json_key(o, "cache_read_input_tokens");
        json_put_u64(o, r->cached);
    }
    if (genuine(x)) {
        json_key(o, "cache_creation");
        json_open(o, '{');
        json_key(o, "ephemeral_5m_input_tokens");
        json_put_u64(o, r->created);
        json_put_members(o, STR("\"ephemeral_1h_input_tokens\":0"));
        json_close(o, '}');
    }
    json_key(o, "output_tokens");
    json_put_u64(o, output);
    if (genuine(x) && x->cloud == CLOUD_OWN) {
        json_put_members(o, STR("\"service_tier\":\"standard\",\"inference_geo\":\"global\""));
    }
    json_close(o, '}');
}

static void put_id(struct exchange *x, struct json_out *o, bool call)
{
    static const char *const messages[] = {"msg_01", "msg_01", "msg_bdrk_01", "msg_vrtx_01"};
    static const char *const calls[] = {"toolu_01", "toolu_01", "toolu_bdrk_01", "toolu_vrtx_01"};
    struct buf id;

    buf_init(&id, 128);
    if (!genuine(x)) {
        mark_write(x, MARK_UUID, call ? "call_" : "", &id);
    } else {
        mark_write(x, call ? MARK_RANDOM58 : MARK_ANTHROPIC,
                   call ? calls[x->cloud] : messages[x->cloud], &id);
    }
    json_key(o, "id");
    json_put_str(o, buf_str(&id));
    buf_release(&id);
}

static void put_call(struct exchange *x, struct json_out *o, struct str input)
{
    json_open_typed(o, "tool_use");
    put_id(x, o, true);
    json_key(o, "name");
    json_put_str(o, x->answer.tool);
    json_key(o, "input");
    json_put_raw(o, input);
    json_close(o, '}');
}

/* Up to "content"; output of a stream that begins is 1. */
static void put_message(struct exchange *x, struct json_out *o)
{
    json_open(o, '{');
    json_key(o, "model");
    json_put_str(o, str_from(x->model));
    put_id(x, o, false);
    json_put_members(o, STR("\"type\":\"message\",\"role\":\"assistant\""));
    json_key(o, "content");
    json_open(o, '[');
}

static void put_stop(const struct exchange *x, struct json_out *o)
{
    json_key(o, "stop_reason");
    json_put_str(o, str_from(finishes[x->answer.finish]));
    json_key(o, "stop_sequence");
    if (x->answer.finish == FINISH_SEQUENCE) {
        json_put_str(o, x->answer.sequence);
    } else {
        json_put_raw(o, STR("null"));
    }
}

static void sign_thought(struct exchange *x, struct buf *signature)
{
    buf_init(signature, 64 << 10);
    if (x->answer.silent) {
        buf_clear(&x->answer.thinking);
    }
    mark_signature(x->served, (enum cloud)x->cloud, buf_str(&x->answer.thinking), signature);
}

static void put_thought(struct exchange *x, struct json_out *o)
{
    struct buf signature;

    sign_thought(x, &signature);
    json_key(o, "thinking");
    json_put_str(o, buf_str(&x->answer.thinking));
    json_key(o, "signature");
    json_put_str(o, buf_str(&signature));
    buf_release(&signature);
}

static void write_whole(struct exchange *x)
{
    struct json_out o = {event_open(x, NULL), false};

    put_message(x, &o);
    if (x->answer.thought) {
        json_open_typed(&o, "thinking");
        put_thought(x, &o);
        json_close(&o, '}');
    }
    if (x->answer.calls) {
        put_call(x, &o, buf_str(&x->answer.arguments));
    } else {
        json_open_typed(&o, "text");
        json_key(&o, "text");
        json_put_str(&o, buf_str(&x->answer.text));
        json_close(&o, '}');
    }
    json_close(&o, ']');
    put_stop(x, &o);
    json_key(&o, "usage");
    put_usage(x, &o, x->answer.output);
    json_close(&o, '}');
    event_close(x, false);
}

static struct json_out named(struct exchange *x, const char *name)
{
    struct json_out o = {event_open(x, name), false};

    json_open_typed(&o, name);
    return o;
}

static void block_delta(struct exchange *x, unsigned index, const char *type, const char *key,
                        struct str text)
{
    struct json_out o = named(x, "content_block_delta");

    json_key(&o, "index");
    json_put_u64(&o, index);
    json_key(&o, "delta");
    json_open_typed(&o, type);
    json_key(&o, key);
    json_put_str(&o, text);
    json_close(&o, '}');
    json_close(&o, '}');
    event_close(x, true);
}

static void block_deltas(struct exchange *x, unsigned index, const char *type, const char *key,
                         struct str text)
{
    while (text.n > 0) {
        struct str slice = event_slice(x, &text);
        block_delta(x, index, type, key, slice);
    }
}

static void block_start(struct exchange *x, unsigned index, const char *type)
{
    struct json_out o = named(x, "content_block_start");

    json_key(&o, "index");
    json_put_u64(&o, index);
    json_key(&o, "content_block");
    if (type == NULL) {
        put_call(x, &o, STR("{}"));
    } else {
        json_put_raw(&o, str_from(type));
    }
    json_close(&o, '}');
    event_close(x, true);
}

static void block_stop(struct exchange *x, unsigned index)
{
    struct json_out o = named(x, "content_block_stop");

    json_key(&o, "index");
    json_put_u64(&o, index);
    json_close(&o, '}');
    event_close(x, false);
}

static void thought_block(struct exchange *x)
{
    struct buf signature;

    sign_thought(x, &signature);
    block_start(x, 0, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
    block_deltas(x, 0, "thinking_delta", "thinking", buf_str(&x->answer.thinking));
    block_delta(x, 0, "signature_delta", "signature", buf_str(&signature));
    block_stop(x, 0);
    buf_release(&signature);
}

static void stream_end(struct exchange *x)
{
    struct json_out o = named(x, "message_delta");

    json_key(&o, "delta");
    json_open(&o, '{');
    put_stop(x, &o);
    json_close(&o, '}');
    json_key(&o, "usage");
    put_usage(x, &o, x->answer.output);
    json_close(&o, '}');
    event_close(x, false);
    o = named(x, "message_stop");
    if (x->cloud == CLOUD_BEDROCK) {
        json_key(&o, "amazon-bedrock-invocationMetrics");
        json_open(&o, '{');
        json_key(&o, "inputTokenCount");
        json_put_u64(&o, x->answer.input - x->answer.cached - x->answer.created);
        json_key(&o, "outputTokenCount");
        json_put_u64(&o, x->answer.output);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    event_close(x, false);
}

static void write_stream(struct exchange *x)
{
    struct json_out o = named(x, "message_start");
    unsigned index = x->answer.thought ? 1 : 0;

    json_key(&o, "message");
    put_message(x, &o);
    json_close(&o, ']');
    json_put_members(&o, STR("\"stop_reason\":null,\"stop_sequence\":null"));
    json_key(&o, "usage");
    put_usage(x, &o, 1);
    json_close(&o, '}');
    json_close(&o, '}');
    event_close(x, true);
    if (x->answer.thought) {
        thought_block(x);
    }
    block_start(x, index, x->answer.calls ? NULL : "{\"type\":\"text\",\"text\":\"\"}");
    if (genuine(x) && x->cloud != CLOUD_BEDROCK) {
        o = named(x, "ping");
        json_close(&o, '}');
        event_close(x, false);
    }
    if (x->answer.calls) {
        block_deltas(x, index, "input_json_delta", "partial_json", buf_str(&x->answer.arguments));
    } else {
        block_deltas(x, index, "text_delta", "text", buf_str(&x->answer.text));
    }
    block_stop(x, index);
    stream_end(x);
}

void shape_messages(struct exchange *x)
{
    if (x->asked.stream) {
        write_stream(x);
    } else {
        write_whole(x);
    }
}
