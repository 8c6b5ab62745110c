/* SPDX-License-Identifier: Apache-2.0 */
/* How answers end, in each dialect's words. A word that no client knows makes some ask forever, so
 * nothing but these is ever written. */
#include "dialect/neutral.h"

static const char *const words[][SPOKEN] = {
    [FINISH_STOP] = {"stop", "completed", "end_turn", "STOP"},
    [FINISH_STOP_SEQUENCE] = {"stop", "completed", "stop_sequence", "STOP"},
    [FINISH_CALL] = {"tool_calls", "completed", "tool_use", "STOP"},
    [FINISH_LENGTH] = {"length", "max_output_tokens", "max_tokens", "MAX_TOKENS"},
    [FINISH_CONTEXT] = {"length", "max_output_tokens", "model_context_window_exceeded",
                        "MAX_TOKENS"},
    [FINISH_FILTER] = {"content_filter", "content_filter", "refusal", "SAFETY"},
    [FINISH_PAUSE] = {"stop", "completed", "pause_turn", "STOP"},
    [FINISH_BAD_CALL] = {"stop", "completed", "end_turn", "MALFORMED_FUNCTION_CALL"},
    /* Read, never written: such an answer ends as one that failed. */
    [FINISH_FAILED] = {"error", "failed", "error", "ERROR"},
};

/* Further words of vendors. */
static const struct {
    const char *word;
    uint8_t finish;
} others[] = {
    {"function_call", FINISH_CALL},
    {"eos", FINISH_STOP},
    {"max_length", FINISH_LENGTH},
    {"model_length", FINISH_LENGTH},
    {"sensitive", FINISH_FILTER},
    {"model_context_window_exceeded", FINISH_CONTEXT},
    {"RECITATION", FINISH_FILTER},
    {"LANGUAGE", FINISH_FILTER},
    {"BLOCKLIST", FINISH_FILTER},
    {"PROHIBITED_CONTENT", FINISH_FILTER},
    {"SPII", FINISH_FILTER},
    {"MODEL_ARMOR", FINISH_FILTER},
    {"IMAGE_SAFETY", FINISH_FILTER},
    {"IMAGE_PROHIBITED_CONTENT", FINISH_FILTER},
    {"IMAGE_RECITATION", FINISH_FILTER},
    {"IMAGE_OTHER", FINISH_FILTER},
    {"NO_IMAGE", FINISH_FILTER},
    {"OTHER", FINISH_FILTER}, /* Gemini's, for an answer that it does not give */
    {"insufficient_system_resource", FINISH_FAILED}, /* DeepSeek's */
    {"network_error", FINISH_FAILED},                /* Zhipu's */
    {"UNEXPECTED_TOOL_CALL", FINISH_BAD_CALL},
    {"TOO_MANY_TOOL_CALLS", FINISH_BAD_CALL},
    {"MISSING_THOUGHT_SIGNATURE", FINISH_BAD_CALL},
    {"MALFORMED_RESPONSE", FINISH_BAD_CALL},
};

enum finish finish_read(enum dialect d, struct str word)
{
    for (unsigned f = 0; f < sizeof(words) / sizeof(words[0]); f++) {
        if (str_eq_nocase(word, str_from(words[f][d]))) {
            return (enum finish)f;
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (str_eq_nocase(word, str_from(others[i].word))) {
            return (enum finish)others[i].finish;
        }
    }
    return FINISH_STOP;
}

const char *finish_word(enum dialect d, enum finish f)
{
    return words[f][d];
}
