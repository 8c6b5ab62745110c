/* SPDX-License-Identifier: Apache-2.0 */
/* How a stream ends that the balance cannot pay any further: as one that reached max_tokens. */
#include "dialect/dialect.h"

static unsigned long long output(const struct meter *m)
{
    return meter_output_floor(m);
}

static unsigned long long input(const struct meter *m)
{
    return usage_input(&m->usage);
}

static void write_chat(const struct meter *m, struct buf *out)
{
    buf_add(
        out,
        STR("data: {\"id\":\"chatcmpl-limit\",\"object\":\"chat.completion.chunk\",\"created\":0,"
            "\"model\":"));
    json_write_str(out, str_slice(m->model, m->model_n));
    buf_add(out, STR(",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
                     "data: [DONE]\n\n"));
}

static void write_responses(const struct meter *m, struct buf *out)
{
    buf_add(out,
            STR("event: response.incomplete\ndata: {\"type\":\"response.incomplete\","
                "\"sequence_number\":0,\"response\":{\"id\":\"resp_limit\",\"object\":\"response\","
                "\"created_at\":0,\"status\":\"incomplete\",\"error\":null,"
                "\"incomplete_details\":{\"reason\":\"max_output_tokens\"},\"output\":[],"
                "\"parallel_tool_calls\":true,\"tools\":[],\"model\":"));
    json_write_str(out, str_slice(m->model, m->model_n));
    buf_addf(out,
             ",\"usage\":{\"input_tokens\":%llu,\"input_tokens_details\":{\"cached_tokens\":0},"
             "\"output_tokens\":%llu,\"output_tokens_details\":{\"reasoning_tokens\":0},"
             "\"total_tokens\":%llu}}}\n\n",
             input(m), output(m), input(m) + output(m));
}

static void write_messages(const struct meter *m, int block, struct buf *out)
{
    if (block >= 0) {
        buf_addf(
            out,
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":%d}\n\n",
            block);
    }
    buf_addf(out,
             "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
             "\"max_tokens\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":%llu}}\n\n"
             "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
             output(m));
}

static void write_gemini(const struct meter *m, enum framing f, struct buf *out)
{
    buf_add(out, gemini_before(f));
    buf_add(out,
            STR("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},"
                "\"finishReason\":\"MAX_TOKENS\",\"index\":0}],\"modelVersion\":"));
    json_write_str(out, str_slice(m->model, m->model_n));
    buf_addf(out,
             ",\"usageMetadata\":{\"promptTokenCount\":%llu,\"candidatesTokenCount\":%llu,"
             "\"totalTokenCount\":%llu}}",
             input(m), output(m), input(m) + output(m));
    buf_add(out, gemini_after(f));
}

void limit_write_events(const struct meter *m, enum framing f, int block, struct buf *out)
{
    switch ((enum dialect)m->dialect) {
    case DIALECT_RESPONSES: write_responses(m, out); break;
    case DIALECT_MESSAGES: write_messages(m, block, out); break;
    case DIALECT_GEMINI: write_gemini(m, f, out); break;
    default: write_chat(m, out); break;
    }
}
