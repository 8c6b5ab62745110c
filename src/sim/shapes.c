/* SPDX-License-Identifier: Apache-2.0 */
/* The answers in their four shapes, event by event and whole. */
#include <stdio.h>

#include "sim/reply.h"

static uint32_t output_tokens(const struct reply *r)
{
    return r->o.tokens + r->o.reasoning;
}

void reply_write_usage(const struct reply *r, struct buf *out)
{
    unsigned long long in = r->input_tokens, all = output_tokens(r), thought = r->o.reasoning;
    switch ((enum dialect)r->target.endpoint->dialect) {
    case DIALECT_CHAT:
        buf_addf(out,
                 "{\"prompt_tokens\":%llu,\"completion_tokens\":%llu,\"total_tokens\":%llu,"
                 "\"prompt_tokens_details\":{\"cached_tokens\":0},"
                 "\"completion_tokens_details\":{\"reasoning_tokens\":%llu}}",
                 in, all, in + all, thought);
        break;
    case DIALECT_RESPONSES:
        buf_addf(out,
                 "{\"input_tokens\":%llu,\"input_tokens_details\":{\"cached_tokens\":0},"
                 "\"output_tokens\":%llu,"
                 "\"output_tokens_details\":{\"reasoning_tokens\":%llu},"
                 "\"total_tokens\":%llu}",
                 in, all, thought, in + all);
        break;
    case DIALECT_GEMINI:
        buf_addf(out,
                 "{\"promptTokenCount\":%llu,\"candidatesTokenCount\":%u,"
                 "\"thoughtsTokenCount\":%llu,\"totalTokenCount\":%llu}",
                 in, r->o.tokens, thought, in + all);
        break;
    default:
        buf_addf(out,
                 "{\"input_tokens\":%llu,\"cache_creation_input_tokens\":0,"
                 "\"cache_read_input_tokens\":0,\"output_tokens\":%llu}",
                 in, all);
        break;
    }
}

static const char *chat_finish(const struct reply *r)
{
    return r->o.tools > 0 ? "tool_calls" : r->limited ? "length" : "stop";
}

static const char *messages_finish(const struct reply *r)
{
    return r->o.tools > 0 ? "tool_use" : r->limited ? "max_tokens" : "end_turn";
}

static void chat_chunk(struct reply *r, struct buf *out)
{
    buf_add(out, STR("data: {\"id\":\"chatcmpl-sim\",\"object\":\"chat.completion.chunk\","
                     "\"created\":1764000000,\"model\":"));
    reply_write_model(r, out);
}

void reply_chat_event(struct reply *r, struct buf *out)
{
    if (r->phase == PHASE_USAGE) {
        if (r->include_usage) {
            chat_chunk(r, out);
            buf_add(out, STR(",\"choices\":[],\"usage\":"));
            reply_write_usage(r, out);
            buf_add(out, STR("}\n\n"));
        }
        buf_add(out, STR("data: [DONE]\n\n"));
        return;
    }
    chat_chunk(r, out);
    buf_add(out, STR(",\"choices\":[{\"index\":0,\"delta\":{"));
    if (r->phase == PHASE_BEGIN) {
        buf_add(out, STR("\"role\":\"assistant\",\"content\":\"\""));
    } else if (r->phase == PHASE_THOUGHT || r->phase == PHASE_TEXT) {
        buf_add(out,
                r->phase == PHASE_TEXT ? STR("\"content\":\"") : STR("\"reasoning_content\":\""));
        reply_write_words(out, r->at, 1);
        buf_add_byte(out, '"');
    } else if (r->phase == PHASE_TOOL) {
        buf_addf(out,
                 "\"tool_calls\":[{\"index\":%u,\"id\":\"call_sim%u\",\"type\":\"function\","
                 "\"function\":{\"name\":\"lookup\",\"arguments\":\"" REPLY_TOOL_ARGUMENTS "\"}}]",
                 r->at, r->at);
    }
    if (r->phase == PHASE_FINISH) {
        buf_addf(out, "},\"finish_reason\":\"%s\"}]}\n\n", chat_finish(r));
    } else {
        buf_add(out, STR("},\"finish_reason\":null}]}\n\n"));
    }
}

static void named(struct buf *out, const char *name)
{
    buf_addf(out, "event: %s\ndata: {\"type\":\"%s\"", name, name);
}

static void block_stop(struct reply *r, struct buf *out)
{
    named(out, "content_block_stop");
    buf_addf(out, ",\"index\":%u}\n\n", r->blocks++);
}

static void block_start(struct reply *r, struct buf *out, const char *block)
{
    named(out, "content_block_start");
    buf_addf(out, ",\"index\":%u,\"content_block\":%s}\n\n", r->blocks, block);
}

static void block_word(struct reply *r, struct buf *out, bool thought)
{
    if (r->at == 0) {
        block_start(r, out,
                    thought ? "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"
                            : "{\"type\":\"text\",\"text\":\"\"}");
    }
    named(out, "content_block_delta");
    buf_addf(out, ",\"index\":%u,\"delta\":{\"type\":\"%s\",\"%s\":\"", r->blocks,
             thought ? "thinking_delta" : "text_delta", thought ? "thinking" : "text");
    reply_write_words(out, r->at, 1);
    buf_add(out, STR("\"}}\n\n"));
    if (r->at + 1 == (thought ? r->o.reasoning : r->o.tokens)) {
        block_stop(r, out);
    }
}

void reply_messages_event(struct reply *r, struct buf *out)
{
    char block[96];
    switch ((enum phase)r->phase) {
    case PHASE_BEGIN:
        named(out, "message_start");
        buf_add(out, STR(",\"message\":{\"id\":\"msg_sim\",\"type\":\"message\","
                         "\"role\":\"assistant\",\"model\":"));
        reply_write_model(r, out);
        buf_addf(out,
                 ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
                 "\"usage\":{\"input_tokens\":%llu,\"cache_creation_input_tokens\":0,"
                 "\"cache_read_input_tokens\":0,\"output_tokens\":1}}}\n\n",
                 (unsigned long long)r->input_tokens);
        break;
    case PHASE_THOUGHT:
    case PHASE_TEXT: block_word(r, out, r->phase == PHASE_THOUGHT); break;
    case PHASE_TOOL:
        snprintf(block, sizeof(block),
                 "{\"type\":\"tool_use\",\"id\":\"toolu_sim%u\",\"name\":\"lookup\",\"input\":{}}",
                 r->at);
        block_start(r, out, block);
        named(out, "content_block_delta");
        buf_addf(out,
                 ",\"index\":%u,\"delta\":{\"type\":\"input_json_delta\","
                 "\"partial_json\":\"" REPLY_TOOL_ARGUMENTS "\"}}\n\n",
                 r->blocks);
        block_stop(r, out);
        break;
    case PHASE_FINISH:
        named(out, "message_delta");
        buf_addf(out,
                 ",\"delta\":{\"stop_reason\":\"%s\",\"stop_sequence\":null},"
                 "\"usage\":{\"output_tokens\":%u}}\n\n",
                 messages_finish(r), output_tokens(r));
        break;
    case PHASE_USAGE:
        named(out, "message_stop");
        buf_add(out, STR("}\n\n"));
        break;
    case PHASE_END: break;
    }
}

static void gemini_parts(const struct reply *r, struct buf *out)
{
    if (r->phase == PHASE_TOOL) {
        buf_add(out, STR("{\"functionCall\":{\"name\":\"lookup\",\"args\":" REPLY_TOOL_INPUT "}}"));
        return;
    }
    buf_add(out, STR("{\"text\":\""));
    if (r->phase == PHASE_THOUGHT || r->phase == PHASE_TEXT) {
        reply_write_words(out, r->at, 1);
    }
    buf_add(out, r->phase == PHASE_THOUGHT ? STR("\",\"thought\":true}") : STR("\"}"));
}

void reply_gemini_event(struct reply *r, struct buf *out)
{
    bool array = r->target.framing == FRAMING_ARRAY;
    if (r->phase == PHASE_BEGIN) {
        return;
    }
    if (r->phase == PHASE_USAGE) {
        buf_add(out, array ? STR("]") : STR(""));
        return;
    }
    buf_add(out, !array ? STR("data: ") : r->events == 0 ? STR("[") : STR(",\r\n"));
    buf_add(out, STR("{\"candidates\":[{\"content\":{\"parts\":["));
    gemini_parts(r, out);
    buf_add(out, STR("],\"role\":\"model\"},"));
    if (r->phase == PHASE_FINISH) {
        buf_addf(out, "\"finishReason\":\"%s\",", r->limited ? "MAX_TOKENS" : "STOP");
    }
    buf_add(out, STR("\"index\":0}],"));
    if (r->phase == PHASE_FINISH) {
        buf_add(out, STR("\"usageMetadata\":"));
        reply_write_usage(r, out);
        buf_add_byte(out, ',');
    }
    buf_add(out, STR("\"modelVersion\":"));
    reply_write_model(r, out);
    buf_add(out, STR(",\"responseId\":\"sim\"}"));
    buf_add(out, array ? STR("") : STR("\r\n\r\n"));
}

/* The items of a Responses answer that are complete so far. */
static void responses_items(const struct reply *r, struct buf *out)
{
    buf_add_byte(out, '[');
    if (r->o.reasoning > 0) {
        buf_add(out, STR("{\"type\":\"reasoning\",\"id\":\"rs_sim\",\"summary\":[]},"));
    }
    buf_add(out, STR("{\"type\":\"message\",\"id\":\"msg_sim\",\"status\":\"completed\","
                     "\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
                     "\"annotations\":[],\"text\":\""));
    reply_write_words(out, 0, r->o.tokens);
    buf_add(out, STR("\"}]}"));
    for (uint32_t i = 0; i < r->o.tools; i++) {
        buf_addf(out,
                 ",{\"type\":\"function_call\",\"id\":\"fc_sim%u\",\"call_id\":\"call_sim%u\","
                 "\"status\":\"completed\",\"name\":\"lookup\","
                 "\"arguments\":\"" REPLY_TOOL_ARGUMENTS "\"}",
                 i, i);
    }
    buf_add_byte(out, ']');
}

static void responses_object(const struct reply *r, bool whole, struct buf *out)
{
    const char *status = !whole ? "in_progress" : r->limited ? "incomplete" : "completed";
    buf_addf(out,
             "{\"id\":\"resp_sim\",\"object\":\"response\",\"created_at\":1764000000,"
             "\"status\":\"%s\",\"error\":null,\"incomplete_details\":%s,\"model\":",
             status, whole && r->limited ? "{\"reason\":\"max_output_tokens\"}" : "null");
    reply_write_model(r, out);
    buf_add(out, STR(",\"parallel_tool_calls\":true,\"tools\":[],\"tool_choice\":\"auto\","
                     "\"output\":"));
    if (whole) {
        responses_items(r, out);
        buf_add(out, STR(",\"usage\":"));
        reply_write_usage(r, out);
    } else {
        buf_add(out, STR("[],\"usage\":null"));
    }
    buf_add_byte(out, '}');
}

/* Each event carries its number. */
static void responses_named(struct reply *r, struct buf *out, const char *name)
{
    named(out, name);
    buf_addf(out, ",\"sequence_number\":%u", r->blocks++);
}

#define MESSAGE_PLACE ",\"item_id\":\"msg_sim\",\"output_index\":%u,\"content_index\":0"

static void responses_word(struct reply *r, struct buf *out)
{
    unsigned index = r->o.reasoning > 0 ? 1 : 0;
    if (r->at == 0) {
        responses_named(r, out, "response.output_item.added");
        buf_addf(out,
                 ",\"output_index\":%u,\"item\":{\"type\":\"message\",\"id\":\"msg_sim\","
                 "\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}}\n\n",
                 index);
        responses_named(r, out, "response.content_part.added");
        buf_addf(out,
                 MESSAGE_PLACE ",\"part\":{\"type\":\"output_text\",\"text\":\"\","
                               "\"annotations\":[]}}\n\n",
                 index);
    }
    responses_named(r, out, "response.output_text.delta");
    buf_addf(out, MESSAGE_PLACE ",\"delta\":\"", index);
    reply_write_words(out, r->at, 1);
    buf_add(out, STR("\"}\n\n"));
    if (r->at + 1 < r->o.tokens) {
        return;
    }
    responses_named(r, out, "response.output_text.done");
    buf_addf(out, MESSAGE_PLACE ",\"text\":\"", index);
    reply_write_words(out, 0, r->o.tokens);
    buf_add(out, STR("\"}\n\n"));
    responses_named(r, out, "response.output_item.done");
    buf_addf(out,
             ",\"output_index\":%u,\"item\":{\"type\":\"message\",\"id\":\"msg_sim\","
             "\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":"
             "\"output_text\",\"annotations\":[],\"text\":\"",
             index);
    reply_write_words(out, 0, r->o.tokens);
    buf_add(out, STR("\"}]}}\n\n"));
}

static void responses_tool(struct reply *r, struct buf *out)
{
    static const char *const names[] = {"response.output_item.added", "response.output_item.done"};
    unsigned index = (r->o.reasoning > 0 ? 1U : 0U) + (r->o.tokens > 0 ? 1U : 0U) + r->at;
    for (size_t i = 0; i < 2; i++) {
        responses_named(r, out, names[i]);
        buf_addf(out,
                 ",\"output_index\":%u,\"item\":{\"type\":\"function_call\","
                 "\"id\":\"fc_sim%u\",\"call_id\":\"call_sim%u\",\"status\":\"%s\","
                 "\"name\":\"lookup\",\"arguments\":\"%s\"}}\n\n",
                 index, r->at, r->at, i == 0 ? "in_progress" : "completed",
                 i == 0 ? "" : REPLY_TOOL_ARGUMENTS);
    }
}

void reply_responses_event(struct reply *r, struct buf *out)
{
    switch ((enum phase)r->phase) {
    case PHASE_BEGIN:
        responses_named(r, out, "response.created");
        buf_add(out, STR(",\"response\":"));
        responses_object(r, false, out);
        buf_add(out, STR("}\n\n"));
        break;
    case PHASE_THOUGHT:
        if (r->at == 0) {
            responses_named(r, out, "response.output_item.added");
            buf_add(out, STR(",\"output_index\":0,\"item\":{\"type\":\"reasoning\","
                             "\"id\":\"rs_sim\",\"summary\":[]}}\n\n"));
        }
        break;
    case PHASE_TEXT: responses_word(r, out); break;
    case PHASE_TOOL: responses_tool(r, out); break;
    case PHASE_FINISH:
        responses_named(r, out, r->limited ? "response.incomplete" : "response.completed");
        buf_add(out, STR(",\"response\":"));
        responses_object(r, true, out);
        buf_add(out, STR("}\n\n"));
        break;
    case PHASE_USAGE:
    case PHASE_END: break;
    }
}

static void chat_whole(const struct reply *r, struct buf *out)
{
    buf_add(out, STR("{\"id\":\"chatcmpl-sim\",\"object\":\"chat.completion\","
                     "\"created\":1764000000,\"model\":"));
    reply_write_model(r, out);
    buf_add(out, STR(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                     "\"refusal\":null,\"content\":\""));
    reply_write_words(out, 0, r->o.tokens);
    buf_add_byte(out, '"');
    for (uint32_t i = 0; i < r->o.tools; i++) {
        buf_addf(out,
                 "%s{\"id\":\"call_sim%u\",\"type\":\"function\",\"function\":{\"name\":"
                 "\"lookup\",\"arguments\":\"" REPLY_TOOL_ARGUMENTS "\"}}",
                 i == 0 ? ",\"tool_calls\":[" : ",", i);
    }
    buf_add(out, r->o.tools > 0 ? STR("]") : STR(""));
    buf_addf(out, "},\"logprobs\":null,\"finish_reason\":\"%s\"}],\"usage\":", chat_finish(r));
    reply_write_usage(r, out);
    buf_add_byte(out, '}');
}

static void messages_whole(const struct reply *r, struct buf *out)
{
    buf_add(out, STR("{\"id\":\"msg_sim\",\"type\":\"message\",\"role\":\"assistant\",\"model\":"));
    reply_write_model(r, out);
    buf_add(out, STR(",\"content\":["));
    if (r->o.reasoning > 0) {
        buf_add(out, STR("{\"type\":\"thinking\",\"thinking\":\""));
        reply_write_words(out, 0, r->o.reasoning);
        buf_add(out, STR("\",\"signature\":\"\"},"));
    }
    buf_add(out, STR("{\"type\":\"text\",\"text\":\""));
    reply_write_words(out, 0, r->o.tokens);
    buf_add(out, STR("\"}"));
    for (uint32_t i = 0; i < r->o.tools; i++) {
        buf_addf(out,
                 ",{\"type\":\"tool_use\",\"id\":\"toolu_sim%u\",\"name\":\"lookup\","
                 "\"input\":" REPLY_TOOL_INPUT "}",
                 i);
    }
    buf_addf(out, "],\"stop_reason\":\"%s\",\"stop_sequence\":null,\"usage\":", messages_finish(r));
    reply_write_usage(r, out);
    buf_add_byte(out, '}');
}

static void gemini_whole(const struct reply *r, struct buf *out)
{
    buf_add(out, STR("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\""));
    reply_write_words(out, 0, r->o.tokens);
    buf_add(out, STR("\"}"));
    for (uint32_t i = 0; i < r->o.tools; i++) {
        buf_add(out,
                STR(",{\"functionCall\":{\"name\":\"lookup\",\"args\":" REPLY_TOOL_INPUT "}}"));
    }
    buf_addf(out,
             "],\"role\":\"model\"},\"finishReason\":\"%s\",\"index\":0}],"
             "\"usageMetadata\":",
             r->limited ? "MAX_TOKENS" : "STOP");
    reply_write_usage(r, out);
    buf_add(out, STR(",\"modelVersion\":"));
    reply_write_model(r, out);
    buf_add(out, STR(",\"responseId\":\"sim\"}"));
}

void reply_write_whole(const struct reply *r, struct buf *out)
{
    switch ((enum dialect)r->target.endpoint->dialect) {
    case DIALECT_RESPONSES: responses_object(r, true, out); break;
    case DIALECT_MESSAGES: messages_whole(r, out); break;
    case DIALECT_GEMINI: gemini_whole(r, out); break;
    default: chat_whole(r, out); break;
    }
}
