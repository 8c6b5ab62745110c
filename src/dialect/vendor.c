/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of vendors. A row says what its vendor's documents or its recorded traffic say; where
 * these are silent it says nothing, and the vendor's own refusal reaches the client.
 */
#include "dialect/vendor.h"

#define CHAT [DIALECT_CHAT]
#define RESPONSES [DIALECT_RESPONSES]
#define MESSAGES [DIALECT_MESSAGES]
#define GEMINI [DIALECT_GEMINI]
#define EMBEDDINGS [DIALECT_EMBEDDINGS]

#define OPENAI "https://api.openai.com/v1"
#define ALIBABA "https://dashscope-intl.aliyuncs.com"
#define ALIBABA_PLAN "https://coding-intl.dashscope.aliyuncs.com"
#define ZAI "https://api.z.ai/api"
#define MOONSHOT "https://api.moonshot.ai"
#define KIMI_PLAN "https://api.kimi.com/coding/v1"
#define MINIMAX "https://api.minimax.io"
#define ARK "https://ark.cn-beijing.volces.com/api"
#define OPENROUTER "https://openrouter.ai/api/v1"
#define XAI "https://api.x.ai/v1"
#define MISTRAL "https://api.mistral.ai/v1"
#define OLLAMA "http://127.0.0.1:11434/v1"
#define VLLM "http://127.0.0.1:8000/v1"
#define SIM "http://127.0.0.1:9000/v1"

#define PLAN "A subscription: its own key, and terms of its own on who may use it. "

/* What a vendor and its plan have in common. */
#define QWEN                                                                              \
    .stream_options = true, .top_k = true, .cache_control = true, .tool_text_only = true, \
    .tool_choice = TAKES_ALL, .reasoning_in = REASONING_ENABLE_THINKING,                  \
    .reasoning_back = BACK_OMIT, .reasoning_field = "reasoning_content",                  \
    .max_tokens = "max_tokens", .seed = "seed", .errors = REPLY_CODE
#define GLM                                                                             \
    .stream_options = true, .top_k = true, .tool_choice = TAKES_AUTO,                   \
    .reasoning_in = REASONING_THINKING_TYPE, .efforts = "low high max",                 \
    .reasoning_field = "reasoning_content", .max_tokens = "max_tokens", .seed = "seed", \
    .stops = 1, .temperature_tenths = 10, .lacks = "response_format.json_schema",       \
    .errors = REPLY_CODE
#define KIMI                                                                                       \
    .stream_options = true, .usage_in_choice = true,                                               \
    .tool_choice = TAKES_AUTO | TAKES_NONE | TAKES_NAMED, .reasoning_in = REASONING_THINKING_TYPE, \
    .reasoning_back = BACK_REPLAY, .reasoning_field = "reasoning_content",                         \
    .max_tokens = "max_tokens", .seed = "seed", .stops = 5, .temperature_tenths = 10
#define DOUBAO                                                                                 \
    .stream_options = true, .tool_choice = TAKES_ALL, .reasoning_in = REASONING_THINKING_TYPE, \
    .reasoning_field = "reasoning_content", .max_tokens = "max_tokens", .seed = "seed"

const struct vendor vendors[] = {
    {.name = "openai",
     .env = "OPENAI_API_KEY",
     .bases = {CHAT = OPENAI, RESPONSES = OPENAI, EMBEDDINGS = OPENAI},
     .cancel_stops_billing = true,
     .stream_options = true,
     .developer_role = true,
     .tool_choice = TAKES_ALL,
     .reasoning_in = REASONING_EFFORT,
     .reasoning_back = BACK_OMIT,
     .efforts = "none minimal low medium high xhigh max",
     .max_tokens = "max_completion_tokens",
     .seed = "seed",
     .stops = 4},
    {.name = "anthropic",
     .env = "ANTHROPIC_API_KEY",
     .bases = {MESSAGES = "https://api.anthropic.com/v1"},
     .auth = AUTH_X_API_KEY,
     .cancel_stops_billing = true},
    {.name = "gemini",
     .env = "GEMINI_API_KEY",
     .bases = {GEMINI = "https://generativelanguage.googleapis.com/v1beta"},
     .auth = AUTH_X_GOOG_API_KEY},
    {.name = "deepseek",
     .env = "DEEPSEEK_API_KEY",
     .bases = {CHAT = "https://api.deepseek.com", RESPONSES = "https://api.deepseek.com",
               MESSAGES = "https://api.deepseek.com/anthropic/v1"},
     .cancel_stops_billing = true,
     .stream_options = true,
     .tool_choice = TAKES_AUTO | TAKES_NONE | TAKES_NAMED,
     .reasoning_in = REASONING_THINKING_TYPE,
     .reasoning_back = BACK_REPLAY,
     .efforts = "high max",
     .reasoning_field = "reasoning_content",
     .max_tokens = "max_tokens",
     .seed = "seed",
     .stops = 16,
     .lacks = "response_format.json_schema"},
    {.name = "dashscope",
     .env = "DASHSCOPE_API_KEY",
     .bases = {CHAT = ALIBABA "/compatible-mode/v1", RESPONSES = ALIBABA "/compatible-mode/v1",
               MESSAGES = ALIBABA "/apps/anthropic/v1", EMBEDDINGS = ALIBABA "/compatible-mode/v1"},
     QWEN,
     .note = "China: https://dashscope.aliyuncs.com/compatible-mode/v1. Token plan: "
             "https://token-plan.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1."},
    {.name = "dashscope-coding",
     .env = "BAILIAN_CODING_PLAN_API_KEY",
     .bases = {CHAT = ALIBABA_PLAN "/v1", MESSAGES = ALIBABA_PLAN "/apps/anthropic/v1"},
     QWEN,
     .note = PLAN "China: https://coding.dashscope.aliyuncs.com/v1."},
    {.name = "zai",
     .env = "ZAI_API_KEY",
     .bases = {CHAT = ZAI "/paas/v4", MESSAGES = ZAI "/anthropic/v1"},
     GLM,
     .note = "China: https://open.bigmodel.cn/api/paas/v4. Some models always think."},
    {.name = "zai-coding",
     .env = "ZHIPU_API_KEY",
     .bases = {CHAT = ZAI "/coding/paas/v4", MESSAGES = ZAI "/anthropic/v1"},
     GLM,
     .note = PLAN "China: https://open.bigmodel.cn/api/coding/paas/v4."},
    {.name = "moonshot",
     .env = "MOONSHOT_API_KEY",
     .bases = {CHAT = MOONSHOT "/v1", MESSAGES = MOONSHOT "/anthropic/v1"},
     KIMI,
     .note = "China: https://api.moonshot.cn/v1. Some models always think."},
    {.name = "kimi-coding",
     .env = "KIMI_API_KEY",
     .bases = {CHAT = KIMI_PLAN, MESSAGES = KIMI_PLAN},
     KIMI,
     .note = PLAN "Its first dialect is messages."},
    {.name = "minimax",
     .env = "MINIMAX_API_KEY",
     .bases = {CHAT = MINIMAX "/v1", RESPONSES = MINIMAX "/v1", MESSAGES = MINIMAX "/anthropic/v1"},
     .stream_options = true,
     .tool_choice = TAKES_ALL,
     .reasoning_field = "reasoning_details",
     .max_tokens = "max_tokens",
     .seed = "seed",
     .temperature_tenths = 10,
     .lacks = "presence_penalty frequency_penalty logit_bias",
     .extra = "\"reasoning_split\":true",
     .errors = REPLY_BASE_RESP,
     .note = "China: https://api.minimaxi.com/v1. Without reasoning_split thoughts stand in the "
             "text, in <think>. Some models always think."},
    {.name = "ark",
     .env = "ARK_API_KEY",
     .bases = {CHAT = ARK "/v3", RESPONSES = ARK "/v3", EMBEDDINGS = ARK "/v3"},
     DOUBAO,
     .note = "Doubao. Outside China: https://ark.ap-southeast.bytepluses.com/api/v3. A route's "
             "model may be the id of an endpoint, ep-...."},
    {.name = "ark-coding",
     .env = "ARK_API_KEY",
     .bases = {CHAT = ARK "/coding/v3", MESSAGES = ARK "/coding/v1"},
     DOUBAO,
     .note = PLAN "Outside China: https://ark.ap-southeast.bytepluses.com/api/coding/v3."},
    {.name = "mistral",
     .env = "MISTRAL_API_KEY",
     .bases = {CHAT = MISTRAL, EMBEDDINGS = MISTRAL},
     .tool_choice = TAKES_ALL,
     .tool_id = TOOL_ID_ALNUM9,
     .reasoning_back = BACK_OMIT,
     .max_tokens = "max_tokens",
     .seed = "random_seed",
     .note = "Fields that it does not know are errors (422). Streams have their usage unasked."},
    {.name = "xai",
     .env = "XAI_API_KEY",
     .bases = {CHAT = XAI, RESPONSES = XAI},
     .cancel_stops_billing = true,
     .stream_options = true,
     .tool_choice = TAKES_ALL,
     .reasoning_in = REASONING_EFFORT,
     .efforts = "low high",
     .reasoning_field = "reasoning_content",
     .max_tokens = "max_tokens",
     .seed = "seed",
     .note = "Counts reasoning beside the output tokens; an error's text may be a bare string."},
    {.name = "openrouter",
     .env = "OPENROUTER_API_KEY",
     .bases = {CHAT = OPENROUTER, RESPONSES = OPENROUTER, MESSAGES = OPENROUTER},
     .stream_options = true,
     .top_k = true,
     .cache_control = true,
     .tool_choice = TAKES_ALL,
     .reasoning_in = REASONING_OBJECT,
     .efforts = "none minimal low medium high xhigh",
     .reasoning_field = "reasoning",
     .max_tokens = "max_tokens",
     .seed = "seed",
     .extra = "\"provider\":{\"require_parameters\":true}",
     .note = "Without provider.require_parameters a host may leave fields out silently. Whether "
             "hanging up ends the bill depends on the host behind it."},
    {.name = "ollama",
     .env = "OLLAMA_API_KEY",
     .bases = {CHAT = OLLAMA, RESPONSES = OLLAMA, MESSAGES = OLLAMA, EMBEDDINGS = OLLAMA},
     .keyless = true,
     .cancel_stops_billing = true,
     .stream_options = true,
     .tool_choice = TAKES_AUTO,
     .reasoning_in = REASONING_EFFORT,
     .efforts = "none low medium high",
     .reasoning_field = "reasoning",
     .max_tokens = "max_tokens",
     .seed = "seed",
     .lacks = "logit_bias n",
     .note = "Its cloud: https://ollama.com/v1, with a key. Prompts longer than num_ctx are cut "
             "silently."},
    {.name = "vllm",
     .bases = {CHAT = VLLM, RESPONSES = VLLM, MESSAGES = VLLM, EMBEDDINGS = VLLM},
     .keyless = true,
     .cancel_stops_billing = true,
     .stream_options = true,
     .top_k = true,
     .tool_choice = TAKES_ALL,
     .reasoning_field = "reasoning",
     .max_tokens = "max_tokens",
     .seed = "seed",
     .errors = REPLY_CODE,
     .note = "Also SGLang, where thoughts stand in reasoning_content."},
    {.name = "openai-compatible",
     .bases = {CHAT = "/v1", EMBEDDINGS = "/v1"},
     .keyless = true,
     .stream_options = true,
     .tool_choice = TAKES_ALL,
     .reasoning_field = "reasoning_content",
     .max_tokens = "max_tokens",
     .seed = "seed",
     .errors = REPLY_CODE | REPLY_BASE_RESP,
     .note = "Any other server of that kind, such as llama.cpp: give base, and dialects for more "
             "than chat and embeddings."},
    {.name = "entrepot",
     .env = "ENTREPOT_API_KEY",
     .bases = {CHAT = "/v1", RESPONSES = "/v1", MESSAGES = "/v1", GEMINI = "/v1beta",
               EMBEDDINGS = "/v1"},
     .cancel_stops_billing = true,
     .stream_options = true,
     .developer_role = true,
     .tool_choice = TAKES_ALL,
     .reasoning_in = REASONING_EFFORT,
     .efforts = "none minimal low medium high xhigh max",
     .reasoning_field = "reasoning_content",
     .max_tokens = "max_completion_tokens",
     .seed = "seed",
     .note = "Another station: give base."},
    {.name = "sim",
     .bases = {CHAT = SIM, RESPONSES = SIM, MESSAGES = SIM, GEMINI = SIM, EMBEDDINGS = SIM},
     .keyless = true,
     .cancel_stops_billing = true,
     .stream_options = true,
     .developer_role = true,
     .top_k = true,
     .cache_control = true,
     .tool_choice = TAKES_ALL,
     .reasoning_in = REASONING_EFFORT,
     .efforts = "none minimal low medium high xhigh max",
     .reasoning_field = "reasoning_content",
     .max_tokens = "max_completion_tokens",
     .seed = "seed",
     .note = "The simulator: entrepot sim."},
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

uint32_t vendor_dialects(const struct vendor *v)
{
    uint32_t mask = 0;

    for (unsigned d = 0; d < DIALECT_OWN; d++) {
        mask |= v->bases[d] != NULL ? DIALECT_BIT(d) : 0;
    }
    return mask;
}

const char *vendor_base(const struct vendor *v)
{
    unsigned d = 0;

    while (v->bases[d] == NULL) { /* every row has one */
        d++;
    }
    return v->bases[d];
}

/* Behind the scheme and the host. */
static struct str base_path(const char *base)
{
    struct str s = str_from(base);
    size_t at = str_find(s, STR("://"));

    s = at == SIZE_MAX ? s : str_skip(s, at + 3);
    return str_skip(s, str_find_byte(s, '/'));
}

struct str vendor_path(const struct vendor *v, enum dialect d, struct str own)
{
    if (v == NULL || v->bases[d] == NULL) {
        return own;
    }
    for (unsigned i = 0; i < DIALECT_OWN; i++) {
        if (v->bases[i] != NULL && str_eq(base_path(v->bases[i]), own)) {
            return base_path(v->bases[d]);
        }
    }
    return own;
}

bool vendor_word(const char *list, struct str word)
{
    struct str rest = str_from(list);

    while (rest.n > 0) {
        if (str_eq(str_cut(&rest, ' '), word)) {
            return true;
        }
    }
    return false;
}
