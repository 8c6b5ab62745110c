/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List prices as the vendors publish them, each with the page and the day it was checked: per
 * million tokens, and each for what is counted in pieces. Rows of one model and currency stand in
 * the order of their first days; a day is one of UTC. Surcharges for hours of the day are not in
 * here (DeepSeek doubles its prices in China's working hours): who sells such requests writes
 * prices of their own.
 *
 * Sources that disagree: an announced rise of claude-sonnet-5 to 3/15 on 2026-09-01, which some
 * price lists took over, did not come; the vendor's page says 2/10. A long input begins above the
 * number that the page says ("> 200K"), in the customer's favour where lists have it one lower.
 */
#include <assert.h>

#include "base/clock.h"
#include "price/price.h"

#define CHECKED "2026-11-23"
#define OPENAI "https://developers.openai.com/api/docs/pricing", CHECKED
#define ANTHROPIC "https://platform.claude.com/docs/en/about-claude/pricing", CHECKED
#define GEMINI "https://ai.google.dev/gemini-api/docs/pricing", CHECKED
#define DEEPSEEK "https://api-docs.deepseek.com/quick_start/pricing", "2026-11-15"
#define DEEPSEEK_CN "https://api-docs.deepseek.com/zh-cn/quick_start/pricing", "2026-11-15"
#define DASHSCOPE "https://www.alibabacloud.com/help/en/model-studio/models", CHECKED
#define OPENROUTER "https://openrouter.ai/models", CHECKED
#define ZAI "https://docs.z.ai/guides/overview/pricing", CHECKED
#define MOONSHOT "https://platform.moonshot.ai/docs/pricing/chat", CHECKED
#define MINIMAX "https://platform.minimax.io/docs/guides/pricing-paygo", CHECKED
#define MINIMAX_CN "https://platform.minimaxi.com/docs/guides/pricing-paygo", CHECKED

/* vendor, model, from, currency, rates, rates of long inputs, service tiers, most output, page, day
 * of check */
const struct book_row price_book[] = {
    {"openai", "gpt-4o", NULL, "USD", "input=2.5 output=10 cache_read=1.25", NULL, "batch=0.5",
     16384, OPENAI},
    {"openai", "gpt-4o-mini", NULL, "USD", "input=0.15 output=0.6 cache_read=0.075", NULL,
     "batch=0.5", 16384, OPENAI},
    {"openai", "gpt-4.1", NULL, "USD", "input=2 output=8 cache_read=0.5", NULL,
     "batch=0.5 flex=0.5 priority=1.75 fast=1.75", 32768, OPENAI},
    {"openai", "gpt-4.1-mini", NULL, "USD", "input=0.4 output=1.6 cache_read=0.1", NULL,
     "batch=0.5", 32768, OPENAI},
    {"openai", "gpt-4.1-nano", NULL, "USD", "input=0.1 output=0.4 cache_read=0.025", NULL,
     "batch=0.5", 32768, OPENAI},
    {"openai", "o3", NULL, "USD", "input=2 output=8 cache_read=0.5", NULL, "batch=0.5 flex=0.5",
     100000, OPENAI},
    {"openai", "o4-mini", NULL, "USD", "input=1.1 output=4.4 cache_read=0.275", NULL,
     "batch=0.5 flex=0.5", 100000, OPENAI},
    {"openai", "gpt-5", NULL, "USD", "input=1.25 output=10 cache_read=0.125", NULL,
     "batch=0.5 flex=0.5 priority=2 fast=2", 128000, OPENAI},
    {"openai", "gpt-5-mini", NULL, "USD", "input=0.25 output=2 cache_read=0.025", NULL,
     "batch=0.5 flex=0.5 priority=1.8 fast=1.8", 128000, OPENAI},
    {"openai", "gpt-5-nano", NULL, "USD", "input=0.05 output=0.4 cache_read=0.005", NULL,
     "batch=0.5 flex=0.5", 128000, OPENAI},
    {"openai", "gpt-5.1", NULL, "USD", "input=1.25 output=10 cache_read=0.125", NULL,
     "batch=0.5 flex=0.5 priority=2 fast=2", 128000, OPENAI},
    {"openai", "gpt-5.2", NULL, "USD", "input=1.75 output=14 cache_read=0.175", NULL,
     "batch=0.5 flex=0.5 priority=2 fast=2", 128000, OPENAI},
    {"openai", "gpt-5.3-codex", NULL, "USD", "input=1.75 output=14 cache_read=0.175", NULL,
     "batch=0.5", 128000, OPENAI},
    {"openai", "gpt-5.4", NULL, "USD",
     "input=2.5 output=15 cache_read=0.25 web_search=0.01 file_search=0.0025",
     "272001 input=5 output=22.5 cache_read=0.5", "batch=0.5 flex=0.5 priority=2 fast=2", 128000,
     OPENAI},
    {"openai", "gpt-5.4-mini", NULL, "USD",
     "input=0.75 output=4.5 cache_read=0.075 web_search=0.01 file_search=0.0025", NULL,
     "batch=0.5 flex=0.5 priority=2 fast=2", 128000, OPENAI},
    {"openai", "gpt-5.4-nano", NULL, "USD", "input=0.2 output=1.25 cache_read=0.02", NULL,
     "batch=0.5", 128000, OPENAI},
    {"openai", "gpt-5.5", NULL, "USD",
     "input=5 output=30 cache_read=0.5 web_search=0.01 file_search=0.0025",
     "272001 input=10 output=45 cache_read=1", "batch=0.5 flex=0.5 priority=2.5 fast=2.5", 128000,
     OPENAI},
    {"openai", "gpt-5.6-sol", "2026-08-21", "USD",
     "input=4 output=20 cache_read=0.4 cache_write_5m=5 web_search=0.01 file_search=0.0025",
     "272001 input=8 output=30 cache_read=0.8 cache_write_5m=10",
     "batch=0.5 flex=0.5 priority=2 fast=2", 128000, OPENAI},
    {"openai", "gpt-5.6-terra", "2026-07-30", "USD",
     "input=2 output=12 cache_read=0.2 cache_write_5m=2.5",
     "272001 input=4 output=18 cache_read=0.4 cache_write_5m=5",
     "batch=0.5 flex=0.5 priority=2 fast=2", 128000, OPENAI},
    {"openai", "gpt-5.6-luna", "2026-07-30", "USD",
     "input=0.2 output=1.2 cache_read=0.02 cache_write_5m=0.25",
     "272001 input=0.4 output=1.8 cache_read=0.04 cache_write_5m=0.5",
     "batch=0.5 flex=0.5 priority=2 fast=2", 128000, OPENAI},
    {"openai", "gpt-6-sol", NULL, "USD",
     "input=2 output=10 cache_read=0.2 cache_write_5m=2.5 web_search=0.01 file_search=0.0025",
     "272001 input=4 output=15 cache_read=0.4 cache_write_5m=5", "batch=0.5", 128000, OPENAI},
    {"openai", "text-embedding-3-small", NULL, "USD", "input=0.02 output=0", NULL, "batch=0.5", 0,
     OPENAI},
    {"openai", "text-embedding-3-large", NULL, "USD", "input=0.13 output=0", NULL, "batch=0.5", 0,
     OPENAI},

    {"anthropic", "claude-3-5-haiku", NULL, "USD",
     "input=0.8 output=4 cache_read=0.08 cache_write_5m=1 cache_write_1h=1.6 web_search=0.01", NULL,
     "batch=0.5", 8192, ANTHROPIC},
    {"anthropic", "claude-opus-4-1", NULL, "USD",
     "input=15 output=75 cache_read=1.5 cache_write_5m=18.75 cache_write_1h=30 web_search=0.01",
     NULL, "batch=0.5", 32000, ANTHROPIC},
    {"anthropic", "claude-sonnet-4", NULL, "USD",
     "input=3 output=15 cache_read=0.3 cache_write_5m=3.75 cache_write_1h=6 web_search=0.01",
     "200001 input=6 output=22.5 cache_read=0.6 cache_write_5m=7.5 cache_write_1h=12", "batch=0.5",
     64000, ANTHROPIC},
    {"anthropic", "claude-sonnet-4-0", NULL, "USD",
     "input=3 output=15 cache_read=0.3 cache_write_5m=3.75 cache_write_1h=6 web_search=0.01",
     "200001 input=6 output=22.5 cache_read=0.6 cache_write_5m=7.5 cache_write_1h=12", "batch=0.5",
     64000, ANTHROPIC},
    {"anthropic", "claude-sonnet-4-5", NULL, "USD",
     "input=3 output=15 cache_read=0.3 cache_write_5m=3.75 cache_write_1h=6 web_search=0.01",
     "200001 input=6 output=22.5 cache_read=0.6 cache_write_5m=7.5 cache_write_1h=12", "batch=0.5",
     64000, ANTHROPIC},
    {"anthropic", "claude-haiku-4-5", NULL, "USD",
     "input=1 output=5 cache_read=0.1 cache_write_5m=1.25 cache_write_1h=2 web_search=0.01", NULL,
     "batch=0.5", 64000, ANTHROPIC},
    {"anthropic", "claude-opus-4-5", NULL, "USD",
     "input=5 output=25 cache_read=0.5 cache_write_5m=6.25 cache_write_1h=10 web_search=0.01", NULL,
     "batch=0.5", 64000, ANTHROPIC},
    {"anthropic", "claude-opus-4-6", NULL, "USD",
     "input=5 output=25 cache_read=0.5 cache_write_5m=6.25 cache_write_1h=10 web_search=0.01", NULL,
     "batch=0.5", 128000, ANTHROPIC},
    {"anthropic", "claude-opus-4-7", NULL, "USD",
     "input=5 output=25 cache_read=0.5 cache_write_5m=6.25 cache_write_1h=10 web_search=0.01", NULL,
     "batch=0.5", 128000, ANTHROPIC},
    {"anthropic", "claude-opus-4-8", NULL, "USD",
     "input=5 output=25 cache_read=0.5 cache_write_5m=6.25 cache_write_1h=10 web_search=0.01", NULL,
     "batch=0.5", 128000, ANTHROPIC},
    {"anthropic", "claude-sonnet-4-6", NULL, "USD",
     "input=3 output=15 cache_read=0.3 cache_write_5m=3.75 cache_write_1h=6 web_search=0.01", NULL,
     "batch=0.5", 128000, ANTHROPIC},
    {"anthropic", "claude-sonnet-5", NULL, "USD",
     "input=2 output=10 cache_read=0.2 cache_write_5m=2.5 cache_write_1h=4 web_search=0.01", NULL,
     "batch=0.5", 128000, ANTHROPIC},
    {"anthropic", "claude-sonnet-5-5", NULL, "USD",
     "input=2 output=10 cache_read=0.2 cache_write_5m=2.5 cache_write_1h=4 web_search=0.01", NULL,
     "batch=0.5", 128000, ANTHROPIC},
    {"anthropic", "claude-sonnet-5-5", "2026-10-07", "USD",
     "input=2 output=10 cache_read=0.1 cache_write_5m=2.5 cache_write_1h=4 web_search=0.01", NULL,
     "batch=0.5", 128000, ANTHROPIC},
    {"anthropic", "claude-opus-5", NULL, "USD",
     "input=5 output=25 cache_read=0.5 cache_write_5m=6.25 cache_write_1h=10 web_search=0.01", NULL,
     "batch=0.5", 128000, ANTHROPIC},
    {"anthropic", "claude-opus-5-5", NULL, "USD",
     "input=4 output=20 cache_read=0.2 cache_write_5m=5 cache_write_1h=8 web_search=0.01", NULL,
     "batch=0.5 fast=2", 128000, ANTHROPIC},
    {"anthropic", "claude-fable-5", NULL, "USD",
     "input=10 output=50 cache_read=1 cache_write_5m=12.5 cache_write_1h=20 web_search=0.01", NULL,
     "batch=0.5", 128000, ANTHROPIC},
    {"anthropic", "claude-fable-5-1", NULL, "USD",
     "input=10 output=50 cache_read=0.25 cache_write_5m=12.5 cache_write_1h=20 web_search=0.01",
     NULL, "batch=0.5", 128000, ANTHROPIC},

    {"gemini", "gemini-2.5-pro", NULL, "USD", "input=1.25 output=10 cache_read=0.125",
     "200001 input=2.5 output=15 cache_read=0.25", NULL, 65536, GEMINI},
    {"gemini", "gemini-2.5-flash", NULL, "USD",
     "input=0.3 output=2.5 cache_read=0.03 input_audio=1 cache_read_audio=0.1", NULL, NULL, 65536,
     GEMINI},
    {"gemini", "gemini-2.5-flash-lite", NULL, "USD",
     "input=0.1 output=0.4 cache_read=0.01 input_audio=0.3 cache_read_audio=0.03", NULL, NULL,
     65536, GEMINI},
    {"gemini", "gemini-3-flash-preview", NULL, "USD",
     "input=0.5 output=3 cache_read=0.05 input_audio=1 cache_read_audio=0.1", NULL, "batch=0.5",
     65536, GEMINI},
    {"gemini", "gemini-3-pro-preview", NULL, "USD", "input=2 output=12 cache_read=0.2",
     "200001 input=4 output=18 cache_read=0.4", NULL, 65536, GEMINI},
    {"gemini", "gemini-3.1-pro-preview", NULL, "USD", "input=2 output=12 cache_read=0.2",
     "200001 input=4 output=18 cache_read=0.4", NULL, 65536, GEMINI},
    {"gemini", "gemini-3.1-flash-lite", NULL, "USD",
     "input=0.25 output=1.5 cache_read=0.025 input_audio=0.5 cache_read_audio=0.05", NULL, NULL,
     65536, GEMINI},
    {"gemini", "gemini-3.5-flash", NULL, "USD", "input=1.5 output=9 cache_read=0.15", NULL,
     "batch=0.5 flex=0.5", 65536, GEMINI},
    {"gemini", "gemini-3.5-flash-lite", NULL, "USD", "input=0.3 output=2.5 cache_read=0.03", NULL,
     "batch=0.5 flex=0.5", 65536, GEMINI},
    {"gemini", "gemini-3.6-flash", NULL, "USD", "input=0.75 output=3.75 cache_read=0.075", NULL,
     "batch=0.5 flex=0.5", 65536, GEMINI},
    {"gemini", "gemini-3.6-flash", "2027-01-01", "USD", "input=1.5 output=7.5 cache_read=0.15",
     NULL, "batch=0.5 flex=0.5", 65536, GEMINI},
    {"gemini", "gemini-3.7-flash", NULL, "USD", "input=0.75 output=3.75 cache_read=0.075", NULL,
     "batch=0.5 flex=0.5 priority=1.8", 65536, GEMINI},
    {"gemini", "gemini-3.7-flash", "2027-01-01", "USD", "input=1.5 output=7.5 cache_read=0.15",
     NULL, "batch=0.5 flex=0.5 priority=1.8", 65536, GEMINI},
    {"gemini", "gemini-embedding-001", NULL, "USD", "input=0.15 output=0", NULL, NULL, 0, GEMINI},
    {"gemini", "gemini-embedding-2", NULL, "USD",
     "input=0.2 output=0 input_audio=6.5 input_image=0.45 input_video=12", NULL, NULL, 0, GEMINI},

    {"deepseek", "deepseek-flash", "2026-09-10", "USD", "input=0.15 output=0.6 cache_read=0.003",
     NULL, NULL, 384000, DEEPSEEK},
    {"deepseek", "deepseek-flash", "2026-09-10", "CNY", "input=1 output=4 cache_read=0.02", NULL,
     NULL, 384000, DEEPSEEK_CN},
    {"deepseek", "deepseek-v4-pro", "2026-08-17", "USD", "input=0.66 output=1.98 cache_read=0.022",
     NULL, NULL, 384000, DEEPSEEK},
    {"deepseek", "deepseek-v4-pro", "2026-08-17", "CNY", "input=4.5 output=13.5 cache_read=0.15",
     NULL, NULL, 384000, DEEPSEEK_CN},

    {"dashscope", "qwen3.5-plus", NULL, "USD", "input=0.4 output=2.4", NULL, NULL, 65536,
     DASHSCOPE},
    {"dashscope", "qwen-turbo", NULL, "USD", "input=0.05 output=0.2", NULL, NULL, 16384,
     OPENROUTER},
    {"dashscope", "qwen-plus", NULL, "USD", "input=0.4 output=1.2 cache_read=0.16", NULL, NULL,
     32768, OPENROUTER},
    {"dashscope", "qwen-max", NULL, "USD", "input=1.6 output=6.4", NULL, NULL, 8192, OPENROUTER},
    {"dashscope", "qwen3-max", NULL, "USD", "input=1.2 output=6", NULL, NULL, 65536, OPENROUTER},

    {"zai", "glm-5", NULL, "USD", "input=1 output=3.2 cache_read=0.2", NULL, NULL, 131072, ZAI},
    {"zai", "glm-5.2", NULL, "USD", "input=1.4 output=4.4 cache_read=0.26", NULL, NULL, 131072,
     ZAI},
    {"zai", "glm-5.3", NULL, "USD", "input=1.4 output=4.4 cache_read=0.26", NULL, NULL, 131072,
     ZAI},

    {"moonshot", "kimi-k2-0905-preview", NULL, "USD", "input=0.6 output=2.5 cache_read=0.15", NULL,
     NULL, 32768, MOONSHOT},
    {"moonshot", "kimi-k2-thinking", NULL, "USD", "input=0.6 output=2.5 cache_read=0.15", NULL,
     NULL, 65536, MOONSHOT},
    {"moonshot", "kimi-k2.5", NULL, "USD", "input=0.6 output=3 cache_read=0.1", NULL, NULL, 65536,
     MOONSHOT},
    {"moonshot", "kimi-k2.6", NULL, "USD", "input=0.95 output=4 cache_read=0.16", NULL, NULL, 65536,
     MOONSHOT},
    {"moonshot", "kimi-k2.7-code", NULL, "USD", "input=0.95 output=4 cache_read=0.19", NULL, NULL,
     65536, MOONSHOT},
    {"moonshot", "kimi-k3", NULL, "USD", "input=3 output=15 cache_read=0.3", NULL, NULL, 131072,
     MOONSHOT},

    {"minimax", "MiniMax-M2", NULL, "USD",
     "input=0.3 output=1.2 cache_read=0.03 cache_write_5m=0.375", NULL, NULL, 131072, MINIMAX},
    {"minimax", "MiniMax-M2.5", NULL, "USD",
     "input=0.3 output=1.2 cache_read=0.03 cache_write_5m=0.375", NULL, NULL, 131072, MINIMAX},
    {"minimax", "MiniMax-M2.5", NULL, "CNY",
     "input=2.1 output=8.4 cache_read=0.21 cache_write_5m=2.625", NULL, NULL, 131072, MINIMAX_CN},
    {"minimax", "MiniMax-M2.7", NULL, "USD",
     "input=0.3 output=1.2 cache_read=0.06 cache_write_5m=0.375", NULL, NULL, 131072, MINIMAX},
    {"minimax", "MiniMax-M2.7-highspeed", NULL, "USD",
     "input=0.6 output=2.4 cache_read=0.06 cache_write_5m=0.375", NULL, NULL, 131072, MINIMAX},
    {"minimax", "MiniMax-M3", NULL, "USD", "input=0.3 output=1.2 cache_read=0.06",
     "512001 input=0.6 output=2.4 cache_read=0.12", NULL, 131072, MINIMAX},
};
const size_t price_book_count = sizeof(price_book) / sizeof(price_book[0]);

/* The vendor itself answers these names with another model, at that model's price. */
const struct book_alias price_aliases[] = {
    {"deepseek", "deepseek-v4-flash", "deepseek-flash", DEEPSEEK},
    {"deepseek", "deepseek-v4-flash-vision-exp", "deepseek-flash", DEEPSEEK},
    {"deepseek", "deepseek-chat", "deepseek-flash", DEEPSEEK},
    {"deepseek", "deepseek-reasoner", "deepseek-flash", DEEPSEEK},
};
const size_t price_alias_count = sizeof(price_aliases) / sizeof(price_aliases[0]);

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

int64_t book_from_us(const struct book_row *r)
{
    int64_t from_us = 0;
    bool ok = r->from == NULL || clock_parse_day(str_from(r->from), &from_us);
    assert(ok);
    return from_us;
}

/* Rows of one model stand in the order of their days. */
static size_t find_exact(struct str vendor, struct str model, struct str currency, int64_t wall_us,
                         const struct book_row **rows, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < price_book_count; i++) {
        const struct book_row *r = &price_book[i];
        if (!str_eq(model, str_from(r->model)) || !str_eq(vendor, str_from(r->vendor)) ||
            (currency.n > 0 && !str_eq(currency, str_from(r->currency)))) {
            continue;
        }
        currency = str_from(r->currency);
        if (n > 0 && book_from_us(r) <= wall_us) {
            n = 0; /* in force instead of the one before */
        }
        if (n < max) {
            rows[n++] = r;
        }
    }
    return n;
}

struct str book_served(struct str vendor, struct str model)
{
    for (size_t i = 0; i < price_alias_count; i++) {
        const struct book_alias *a = &price_aliases[i];
        if (str_eq(model, str_from(a->name)) && str_eq(vendor, str_from(a->vendor))) {
            return str_from(a->served);
        }
    }
    return model;
}

size_t book_find(struct str vendor, struct str model, struct str currency, int64_t wall_us,
                 const struct book_row **rows, size_t max)
{
    static const struct str dates[] = {STR_INIT("-0000-00-00"), STR_INIT("-00000000")};
    size_t n = find_exact(vendor, book_served(vendor, model), currency, wall_us, rows, max);

    for (size_t i = 0; n == 0 && i < sizeof(dates) / sizeof(dates[0]); i++) {
        if (ends_like(model, dates[i])) {
            struct str base = str_slice(model.p, model.n - dates[i].n);
            n = find_exact(vendor, base, currency, wall_us, rows, max);
        }
    }
    return n;
}

/* The table is ours: a row that does not parse is a mistake in this file. */
static void set(struct price_tier *t, bool stated[LEAF_COUNT], struct str name, struct str decimal)
{
    bool ok = false;

    for (enum leaf_number i = 0; !ok && i < LEAF_COUNT; i++) {
        char text[32];
        struct buf rate = {.p = text, .cap = sizeof(text), .max = sizeof(text)};
        price_rate_name(i, &rate);
        if (str_eq(buf_str(&rate), name)) {
            ok = decimal_parse(decimal, leaves[i].side == SIDE_COUNTER ? 12 : 6, &t->rate[i]);
            stated[i] = true;
        }
    }
    assert(ok);
}

/* "input=2.5 output=10"; what a tier does not say is as it was below. */
static void set_tier(struct str text, struct price_tier *t, bool stated[LEAF_COUNT])
{
    while (text.n > 0) {
        struct str decimal = str_cut(&text, ' ');
        struct str name = str_cut(&decimal, '=');
        set(t, stated, name, decimal);
    }
    price_fill(t, stated);
}

/* "batch=0.5 priority=2" */
static void set_services(struct str text, struct price *p)
{
    while (text.n > 0) {
        struct str factor = str_cut(&text, ' ');
        struct str name = str_cut(&factor, '=');
        enum tier tier = TIER_NONE;
        bool ok = tier_find(name, &tier) && ratio_parse(factor, &p->service[tier]);
        assert(ok);
    }
}

void book_price(const struct book_row *r, struct price *out)
{
    bool stated[LEAF_COUNT] = {false};

    *out = (struct price){.margin = {1, 1}, .tier_count = 1, .source = str_from(r->source)};
    bool ok = currency_parse(str_from(r->currency), &out->currency);
    set_tier(str_from(r->rates), &out->tiers[0], stated);
    if (r->beyond != NULL) {
        struct str text = str_from(r->beyond);
        uint64_t min = 0;
        ok = ok && str_to_u64(str_cut(&text, ' '), &min);
        out->tiers[1] = out->tiers[0];
        out->tiers[1].min_input = (int64_t)min;
        set_tier(text, &out->tiers[1], stated);
        out->tier_count = 2;
    }
    set_services(str_from(r->services), out);
    assert(ok && price_valid(out));
}
