/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/manner.h"

/* In lower case, with straight apostrophes; whole words. */
static const struct {
    enum manner manner;
    const char *words;
} signs[] = {
    {MANNER_DECLINES, "can't"},          {MANNER_DECLINES, "cannot"},
    {MANNER_DECLINES, "won't"},          {MANNER_DECLINES, "unable to"},
    {MANNER_DECLINES, "not able to"},    {MANNER_DECLINES, "不能"},
    {MANNER_DECLINES, "无法"},           {MANNER_DECLINES, "不会提供"},
    {MANNER_APOLOGISES, "sorry"},        {MANNER_APOLOGISES, "apologise"},
    {MANNER_APOLOGISES, "apologize"},    {MANNER_APOLOGISES, "apologies"},
    {MANNER_APOLOGISES, "apology"},      {MANNER_APOLOGISES, "抱歉"},
    {MANNER_APOLOGISES, "对不起"},       {MANNER_FLATTERS, "good question"},
    {MANNER_FLATTERS, "great question"}, {MANNER_FLATTERS, "excellent"},
    {MANNER_FLATTERS, "wonderful"},      {MANNER_FLATTERS, "happy to help"},
    {MANNER_FLATTERS, "好问题"},         {MANNER_FLATTERS, "很棒"},
    {MANNER_FLATTERS, "太棒"},
};

static const struct {
    const char *words, *series;
} makers[] = {
    {"gpt", "GPT"},           {"chatgpt", "GPT"},       {"openai", "GPT"},
    {"claude", "Claude"},     {"anthropic", "Claude"},  {"gemini", "Gemini"},
    {"deepseek", "DeepSeek"}, {"深度求索", "DeepSeek"}, {"qwen", "Qwen"},
    {"通义", "Qwen"},         {"千问", "Qwen"},         {"glm", "GLM"},
    {"chatglm", "GLM"},       {"智谱", "GLM"},          {"kimi", "Kimi"},
    {"moonshot", "Kimi"},     {"月之暗面", "Kimi"},     {"doubao", "Doubao"},
    {"豆包", "Doubao"},       {"minimax", "MiniMax"},   {"hunyuan", "Hunyuan"},
    {"混元", "Hunyuan"},      {"llama", "Llama"},       {"mistral", "Mistral"},
    {"grok", "Grok"},         {"文心", "ERNIE"},
};
#define MAKERS (sizeof(makers) / sizeof(makers[0]))

/* To be released. */
static struct buf lower(struct str text)
{
    struct buf out;

    buf_init(&out, text.n + 1);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool curled = text.n - i >= 3 && memcmp(&text.p[i], "’", 3) == 0;
        i += curled ? 2 : 0;
        buf_add_byte(&out, curled ? '\'' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
    return out;
}

static bool is_letter(struct str s, size_t i)
{
    return i < s.n && s.p[i] >= 'a' && s.p[i] <= 'z';
}

/* Not as a part of a longer word: there is "cannot" and "I cannot.", but no "can't" in
 * "significant". Chinese has no blanks. */
static bool has_words(struct str text, const char *wanted)
{
    struct str words = str_from(wanted);

    for (size_t at = 0, n; (n = str_find(str_skip(text, at), words)) != SIZE_MAX; at += n + 1) {
        size_t from = at + n;
        bool inside = is_letter(words, 0) &&
                      ((from > 0 && is_letter(text, from - 1)) || is_letter(text, from + words.n));
        if (!inside) {
            return true;
        }
    }
    return false;
}

bool manner_shows(struct str text, enum manner m)
{
    struct buf small = lower(text);
    bool found = false;

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        found = found || (signs[i].manner == m && has_words(buf_str(&small), signs[i].words));
    }
    buf_release(&small);
    return found;
}

/* Characters from U+1F000 on, and from U+2600 to U+27BF. */
bool manner_emoji(struct str text)
{
    for (size_t i = 0; i + 2 < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i], next = (unsigned char)text.p[i + 1];
        if ((c == 0xF0 && next == 0x9F) || (c == 0xE2 && next >= 0x98 && next <= 0x9E)) {
            return true;
        }
    }
    return false;
}

bool manner_names(struct buf *out, struct str text)
{
    struct buf small = lower(text);
    const char *last = "";
    bool any = false;

    for (size_t i = 0; i < MAKERS; i++) {
        bool named = has_words(buf_str(&small), makers[i].words);
        /* Words for one series stand one behind the other. */
        if (named && strcmp(makers[i].series, last) != 0) {
            buf_addf(out, "%s%s", any ? ", " : "", makers[i].series);
            last = makers[i].series;
            any = true;
        }
    }
    buf_release(&small);
    return any;
}

static bool is_digit(struct str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

bool manner_number(struct str text, struct str number)
{
    for (size_t at = 0, n; (n = str_find(str_skip(text, at), number)) != SIZE_MAX; at += n + 1) {
        size_t from = at + n;
        if ((from == 0 || !is_digit(text, from - 1)) && !is_digit(text, from + number.n)) {
            return true;
        }
    }
    return false;
}
