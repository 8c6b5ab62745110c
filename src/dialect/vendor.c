/* SPDX-License-Identifier: Apache-2.0 */
/* The vendors: where they are, how they take keys, which dialects they speak themselves. */
#include "dialect/dialect.h"

#define CHAT DIALECT_BIT(DIALECT_CHAT)
#define RESPONSES DIALECT_BIT(DIALECT_RESPONSES)
#define MESSAGES DIALECT_BIT(DIALECT_MESSAGES)
#define GEMINI DIALECT_BIT(DIALECT_GEMINI)
#define EMBEDDINGS DIALECT_BIT(DIALECT_EMBEDDINGS)

/* cancel_stops_billing: hanging up ends the bill; elsewhere the stream is read on for its usage. */
const struct vendor vendors[] = {
    {"openai", "OPENAI_API_KEY", "https://api.openai.com/v1", NULL, CHAT | RESPONSES | EMBEDDINGS,
     AUTH_BEARER, true, true},
    {"anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com/v1", NULL, MESSAGES,
     AUTH_X_API_KEY, true, false},
    {"gemini", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta", NULL, GEMINI,
     AUTH_X_GOOG_API_KEY, false, false},
    {"deepseek", "DEEPSEEK_API_KEY", "https://api.deepseek.com",
     "https://api.deepseek.com/anthropic/v1", CHAT | RESPONSES | MESSAGES, AUTH_BEARER, true, true},
    {"dashscope", "DASHSCOPE_API_KEY", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
     "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1",
     CHAT | RESPONSES | MESSAGES | EMBEDDINGS, AUTH_BEARER, false, true},
    {"zai", "ZAI_API_KEY", "https://api.z.ai/api/paas/v4", "https://api.z.ai/api/anthropic/v1",
     CHAT | MESSAGES, AUTH_BEARER, false, true},
    {"moonshot", "MOONSHOT_API_KEY", "https://api.moonshot.ai/v1",
     "https://api.moonshot.ai/anthropic/v1", CHAT | MESSAGES, AUTH_BEARER, false, true},
    {"minimax", "MINIMAX_API_KEY", "https://api.minimax.io/v1",
     "https://api.minimax.io/anthropic/v1", CHAT | RESPONSES | MESSAGES, AUTH_BEARER, false, true},
    {"sim", NULL, "http://127.0.0.1:8089/v1", NULL,
     CHAT | RESPONSES | MESSAGES | GEMINI | EMBEDDINGS, AUTH_BEARER, true, true},
};
const size_t vendor_count = sizeof(vendors) / sizeof(vendors[0]);

const struct vendor *vendor_find(struct str name)
{
    for (size_t i = 0; i < vendor_count; i++) {
        if (str_eq(name, str_from(vendors[i].name))) {
            return &vendors[i];
        }
    }
    return NULL;
}
