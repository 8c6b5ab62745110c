/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List prices per million tokens, as the vendors publish them, each with the page and the day it
 * was checked. Base rates: surcharges for very long inputs and for hours of the day are not in
 * here; who sells such requests writes prices of their own.
 */
#include <assert.h>

#include "price/price.h"

#define CHECKED "2026-11-23"
#define OPENAI "https://developers.openai.com/api/docs/pricing", CHECKED
#define ANTHROPIC "https://www.anthropic.com/pricing#api", CHECKED
#define GEMINI "https://ai.google.dev/gemini-api/docs/pricing", CHECKED
#define DEEPSEEK "https://api-docs.deepseek.com/quick_start/pricing", CHECKED
#define DASHSCOPE "https://www.alibabacloud.com/help/en/model-studio/models", CHECKED
#define OPENROUTER "https://openrouter.ai/models", CHECKED
#define ZAI "https://docs.z.ai/guides/overview/pricing", CHECKED
#define MOONSHOT "https://platform.moonshot.ai/docs/pricing/chat", CHECKED
#define MINIMAX "https://platform.minimax.io/docs/guides/pricing-paygo", CHECKED

/* vendor, model, currency, in, out, cache read, cache write 5 min, 1 h, most output, page, date */
const struct book_row price_book[] = {
    {"openai", "gpt-4o", "USD", "2.5", "10", "1.25", NULL, NULL, 16384, OPENAI},
    {"openai", "gpt-4o-mini", "USD", "0.15", "0.6", "0.075", NULL, NULL, 16384, OPENAI},
    {"openai", "gpt-4.1", "USD", "2", "8", "0.5", NULL, NULL, 32768, OPENAI},
    {"openai", "gpt-4.1-mini", "USD", "0.4", "1.6", "0.1", NULL, NULL, 32768, OPENAI},
    {"openai", "gpt-4.1-nano", "USD", "0.1", "0.4", "0.025", NULL, NULL, 32768, OPENAI},
    {"openai", "o3", "USD", "2", "8", "0.5", NULL, NULL, 100000, OPENAI},
    {"openai", "o4-mini", "USD", "1.1", "4.4", "0.275", NULL, NULL, 100000, OPENAI},
    {"openai", "gpt-5", "USD", "1.25", "10", "0.125", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5-mini", "USD", "0.25", "2", "0.025", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5-nano", "USD", "0.05", "0.4", "0.005", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5.1", "USD", "1.25", "10", "0.125", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5.2", "USD", "1.75", "14", "0.175", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5.3-codex", "USD", "1.75", "14", "0.175", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5.4", "USD", "2.5", "15", "0.25", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5.4-mini", "USD", "0.75", "4.5", "0.075", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5.4-nano", "USD", "0.2", "1.25", "0.02", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5.5", "USD", "5", "30", "0.5", NULL, NULL, 128000, OPENAI},
    {"openai", "gpt-5.6-sol", "USD", "4", "20", "0.4", "5", NULL, 128000, OPENAI},
    {"openai", "gpt-5.6-terra", "USD", "2", "12", "0.2", "2.5", NULL, 128000, OPENAI},
    {"openai", "gpt-5.6-luna", "USD", "0.2", "1.2", "0.02", "0.25", NULL, 128000, OPENAI},
    {"openai", "gpt-6-sol", "USD", "2", "10", "0.2", "2.5", NULL, 128000, OPENAI},
    {"openai", "text-embedding-3-small", "USD", "0.02", "0", NULL, NULL, NULL, 0, OPENAI},
    {"openai", "text-embedding-3-large", "USD", "0.13", "0", NULL, NULL, NULL, 0, OPENAI},

    {"anthropic", "claude-3-5-haiku", "USD", "0.8", "4", "0.08", "1", "1.6", 8192, ANTHROPIC},
    {"anthropic", "claude-opus-4-1", "USD", "15", "75", "1.5", "18.75", "30", 32000, ANTHROPIC},
    {"anthropic", "claude-sonnet-4", "USD", "3", "15", "0.3", "3.75", "6", 64000, ANTHROPIC},
    {"anthropic", "claude-sonnet-4-0", "USD", "3", "15", "0.3", "3.75", "6", 64000, ANTHROPIC},
    {"anthropic", "claude-sonnet-4-5", "USD", "3", "15", "0.3", "3.75", "6", 64000, ANTHROPIC},
    {"anthropic", "claude-haiku-4-5", "USD", "1", "5", "0.1", "1.25", "2", 64000, ANTHROPIC},
    {"anthropic", "claude-opus-4-5", "USD", "5", "25", "0.5", "6.25", "10", 64000, ANTHROPIC},
    {"anthropic", "claude-opus-4-6", "USD", "5", "25", "0.5", "6.25", "10", 128000, ANTHROPIC},
    {"anthropic", "claude-opus-4-7", "USD", "5", "25", "0.5", "6.25", "10", 128000, ANTHROPIC},
    {"anthropic", "claude-opus-4-8", "USD", "5", "25", "0.5", "6.25", "10", 128000, ANTHROPIC},
    {"anthropic", "claude-sonnet-4-6", "USD", "3", "15", "0.3", "3.75", "6", 128000, ANTHROPIC},
    {"anthropic", "claude-sonnet-5", "USD", "2", "10", "0.2", "2.5", "4", 128000, ANTHROPIC},
    {"anthropic", "claude-opus-5", "USD", "5", "25", "0.5", "6.25", "10", 128000, ANTHROPIC},
    {"anthropic", "claude-opus-5-5", "USD", "4", "20", "0.2", "5", "8", 128000, ANTHROPIC},
    {"anthropic", "claude-fable-5", "USD", "10", "50", "1", "12.5", "20", 128000, ANTHROPIC},

    {"gemini", "gemini-2.5-pro", "USD", "1.25", "10", "0.125", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-2.5-flash", "USD", "0.3", "2.5", "0.03", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-2.5-flash-lite", "USD", "0.1", "0.4", "0.01", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-3-flash-preview", "USD", "0.5", "3", "0.05", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-3-pro-preview", "USD", "2", "12", "0.2", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-3.1-pro-preview", "USD", "2", "12", "0.2", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-3.1-flash-lite", "USD", "0.25", "1.5", "0.025", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-3.5-flash", "USD", "1.5", "9", "0.15", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-3.5-flash-lite", "USD", "0.3", "2.5", "0.03", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-3.6-flash", "USD", "0.75", "3.75", "0.075", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-3.7-flash", "USD", "0.75", "3.75", "0.075", NULL, NULL, 65536, GEMINI},
    {"gemini", "gemini-embedding-001", "USD", "0.15", "0", NULL, NULL, NULL, 0, GEMINI},
    {"gemini", "gemini-embedding-2", "USD", "0.2", "0", NULL, NULL, NULL, 0, GEMINI},

    {"deepseek", "deepseek-v4-flash", "USD", "0.14", "0.28", "0.0028", NULL, NULL, 384000,
     DEEPSEEK},
    {"deepseek", "deepseek-v4-pro", "USD", "0.66", "1.98", "0.022", NULL, NULL, 384000, DEEPSEEK},

    {"dashscope", "qwen3.5-plus", "USD", "0.4", "2.4", NULL, NULL, NULL, 65536, DASHSCOPE},
    {"dashscope", "qwen-turbo", "USD", "0.05", "0.2", NULL, NULL, NULL, 16384, OPENROUTER},
    {"dashscope", "qwen-plus", "USD", "0.4", "1.2", "0.16", NULL, NULL, 32768, OPENROUTER},
    {"dashscope", "qwen-max", "USD", "1.6", "6.4", NULL, NULL, NULL, 8192, OPENROUTER},
    {"dashscope", "qwen3-max", "USD", "1.2", "6", NULL, NULL, NULL, 65536, OPENROUTER},

    {"zai", "glm-5", "USD", "1", "3.2", "0.2", NULL, NULL, 131072, ZAI},
    {"zai", "glm-5.2", "USD", "1.4", "4.4", "0.26", NULL, NULL, 131072, ZAI},
    {"zai", "glm-5.3", "USD", "1.4", "4.4", "0.26", NULL, NULL, 131072, ZAI},

    {"moonshot", "kimi-k2-0905-preview", "USD", "0.6", "2.5", "0.15", NULL, NULL, 32768, MOONSHOT},
    {"moonshot", "kimi-k2-thinking", "USD", "0.6", "2.5", "0.15", NULL, NULL, 65536, MOONSHOT},
    {"moonshot", "kimi-k2.5", "USD", "0.6", "3", "0.1", NULL, NULL, 65536, MOONSHOT},
    {"moonshot", "kimi-k2.6", "USD", "0.95", "4", "0.16", NULL, NULL, 65536, MOONSHOT},
    {"moonshot", "kimi-k2.7-code", "USD", "0.95", "4", "0.19", NULL, NULL, 65536, MOONSHOT},
    {"moonshot", "kimi-k3", "USD", "3", "15", "0.3", NULL, NULL, 131072, MOONSHOT},

    {"minimax", "MiniMax-M2", "USD", "0.3", "1.2", "0.03", "0.375", NULL, 131072, MINIMAX},
    {"minimax", "MiniMax-M2.5", "USD", "0.3", "1.2", "0.03", "0.375", NULL, 131072, MINIMAX},
    {"minimax", "MiniMax-M2.7", "USD", "0.3", "1.2", "0.06", "0.375", NULL, 131072, MINIMAX},
    {"minimax", "MiniMax-M2.7-highspeed", "USD", "0.6", "2.4", "0.06", "0.375", NULL, 131072,
     MINIMAX},
    {"minimax", "MiniMax-M3", "USD", "0.3", "1.2", "0.06", NULL, NULL, 131072, MINIMAX},
};
const size_t price_book_count = sizeof(price_book) / sizeof(price_book[0]);

static const struct book_row *find_exact(struct str vendor, struct str model)
{
    for (size_t i = 0; i < price_book_count; i++) {
        const struct book_row *r = &price_book[i];
        if (str_eq(model, str_from(r->model)) && str_eq(vendor, str_from(r->vendor))) {
            return r;
        }
    }
    return NULL;
}

/* Ends s with a pattern where '0' stands for any digit. */
static bool ends_like(struct str s, struct str pattern)
{
    if (s.n <= pattern.n) {
        return false;
    }
    const char *tail = s.p + (s.n - pattern.n);
    for (size_t i = 0; i < pattern.n; i++) {
        bool digit = tail[i] >= '0' && tail[i] <= '9';
        if (pattern.p[i] == '0' ? !digit : tail[i] != pattern.p[i]) {
            return false;
        }
    }
    return true;
}

const struct book_row *book_find(struct str vendor, struct str model)
{
    static const struct str dates[] = {STR_INIT("-0000-00-00"), STR_INIT("-00000000")};
    const struct book_row *r = find_exact(vendor, model);
    for (size_t i = 0; r == NULL && i < sizeof(dates) / sizeof(dates[0]); i++) {
        if (ends_like(model, dates[i])) {
            r = find_exact(vendor, str_slice(model.p, model.n - dates[i].n));
        }
    }
    return r;
}

static int64_t rate(const char *decimal, int64_t otherwise)
{
    int64_t pico = otherwise;
    /* The table is ours: a row that does not parse is a mistake in this file. */
    bool ok = decimal == NULL || decimal_parse(str_from(decimal), 6, &pico);
    assert(ok);
    return pico;
}

/* Cached tokens without a rate of their own are ordinary input. */
void book_price(const struct book_row *r, struct price *out)
{
    *out = (struct price){.margin_num = 1, .margin_den = 1};
    bool ok = currency_parse(str_from(r->currency), &out->currency);
    assert(ok);
    out->in = rate(r->in, 0);
    out->out = rate(r->out, 0);
    out->cache_read = rate(r->cache_read, out->in);
    out->cache_write_5m = rate(r->cache_write_5m, out->in);
    out->cache_write_1h = rate(r->cache_write_1h, out->cache_write_5m);
}
