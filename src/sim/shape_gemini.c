/* SPDX-License-Identifier: Apache-2.0 */
/* An answer as Gemini has it, at Google's own door or at Vertex. */
#include "base/clock.h"
#include "sim/zoo.h"

static const char *const finishes[] = {
    [FINISH_STOP] = "STOP",
    [FINISH_SEQUENCE] = "STOP",
    [FINISH_LENGTH] = "MAX_TOKENS",
    [FINISH_TOOL] = "STOP",
};

static void put_details(struct json_out *o, const char *key, uint64_t n)
{
    json_key(o, key);
    json_open(o, '[');
    json_open(o, '{');
    json_put_members(o, STR("\"modality\":\"TEXT\""));
    json_key(o, "tokenCount");
    json_put_u64(o, n);
    json_close(o, '}');
    json_close(o, ']');
}

static void put_usage(const struct exchange *x, struct json_out *o, bool last)
{
    const struct answer *r = &x->answer;

    json_key(o, "usageMetadata");
    json_open(o, '{');
    json_key(o, "promptTokenCount");
    json_put_u64(o, r->input);
    if (r->cached > 0) {
        json_key(o, "cachedContentTokenCount");
        json_put_u64(o, r->cached);
    }
    if (last) {
        json_key(o, "candidatesTokenCount");
        json_put_u64(o, r->output - r->reasoning);
    }
    if (r->reasoning > 0) {
        json_key(o, "thoughtsTokenCount");
        json_put_u64(o, r->reasoning);
    }
    json_key(o, "totalTokenCount");
    json_put_u64(o, r->input + (last ? r->output : r->reasoning));
    put_details(o, "promptTokensDetails", r->input);
    if (x->cloud == CLOUD_VERTEX) {
        json_put_members(o, STR("\"trafficType\":\"ON_DEMAND\""));
        if (last) {
            put_details(o, "candidatesTokensDetails", r->output - r->reasoning);
        }
    }
    json_close(o, '}');
}

static void put_part(struct exchange *x, struct json_out *o, struct str text, bool call)
{
    json_open(o, '{');
    if (call) {
        json_key(o, "functionCall");
        json_open(o, '{');
        json_key(o, "name");
        json_put_str(o, x->answer.tool);
        json_key(o, "args");
        json_put_raw(o, buf_str(&x->answer.arguments));
        json_close(o, '}');
    } else {
        json_key(o, "text");
        json_put_str(o, text);
    }
    json_close(o, '}');
}

static void write_event(struct exchange *x, struct str id, struct str text, bool last)
{
    struct json_out o = {event_open(x, NULL), false};

    json_open(&o, '{');
    json_key(&o, "candidates");
    json_open(&o, '[');
    json_open(&o, '{');
    json_key(&o, "content");
    json_open(&o, '{');
    json_key(&o, "parts");
    json_open(&o, '[');
    put_part(x, &o, text, x->answer.calls);
    json_close(&o, ']');
    json_put_members(&o, STR("\"role\":\"model\""));
    json_close(&o, '}');
    if (last) {
        json_key(&o, "finishReason");
        json_put_str(&o, str_from(finishes[x->answer.finish]));
    }
    if (likely_known(x)) {
        likely_write_gemini(x, &o);
    }
    json_put_members(&o, STR("\"index\":0"));
    json_close(&o, '}');
    json_close(&o, ']');
    put_usage(x, &o, last);
    json_key(&o, "modelVersion");
    json_put_str(&o, str_from(x->model));
    if (x->cloud == CLOUD_VERTEX) {
        struct buf time;
        buf_init(&time, 64);
        clock_write_utc(&time, x->now_us);
        json_key(&o, "createTime");
        json_put_str(&o, buf_str(&time));
        buf_release(&time);
    }
    json_key(&o, "responseId");
    json_put_str(&o, id);
    json_close(&o, '}');
    event_close(x, true);
}

void shape_gemini(struct exchange *x)
{
    struct str rest = buf_str(&x->answer.text);
    struct buf id;

    buf_init(&id, 64);
    mark_write(x, MARK_GEMINI, "", &id);
    if (!x->asked.stream || x->answer.calls || rest.n == 0) {
        write_event(x, buf_str(&id), rest, true);
    } else {
        while (rest.n > 0) {
            struct str slice = event_slice(x, &rest);
            write_event(x, buf_str(&id), slice, rest.n == 0);
        }
    }
    if (x->asked.framing == FRAMING_ARRAY) {
        buf_add_byte(&x->script->bytes, ']');
    }
    buf_release(&id);
}
