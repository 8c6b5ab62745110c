/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a model prefers. Each answer of each question has a weight made of the model's name, so
 * that a model answers by a distribution of its own that never changes; a part of it is the same
 * for all models, as people and models share favourites. A temperature sharpens or flattens it.
 */
#include <math.h>
#include <stdlib.h>

#include "sim/zoo.h"

#define COMMON 0.4 /* of what is preferred, the share that all models have in common */

static const struct cell {
    const char *const keys[4];     /* words of the question */
    const char *const answers[24]; /* an odd word out is how models differ, too */
    const char *const chinese[12];
} cells[] = {
    {{"coin", "硬币"}, {"Heads", "Tails", "heads", "tails"}, {"正面", "反面"}},
    {{"colo", "颜色"},
     {"Blue", "Red", "Green", "Teal", "Purple", "blue", "Indigo", "Orange", "Yellow", "Crimson"},
     {"蓝色", "红色", "绿色", "紫色", "黄色", "青色"}},
    {{"animal", "动物"},
     {"Elephant", "Dog", "Cat", "Lion", "Tiger", "Otter", "Fox", "Owl", "Octopus", "Dolphin",
      "Penguin", "Wolf", "Red panda", "Axolotl"},
     {"熊猫", "老虎", "狗", "猫", "大象", "狮子", "海豚"}},
    {{"city", "城市"},
     {"Paris", "Tokyo", "London", "Berlin", "Lisbon", "Kyoto", "Barcelona", "Prague", "New York",
      "Istanbul", "Vienna", "Nairobi"},
     {"北京", "上海", "巴黎", "东京", "成都", "杭州"}},
    {{"letter", "字母"},
     {"K", "M", "Q", "G", "R", "X", "A", "J", "L", "T", "H", "Z"},
     {"K", "M", "A", "G", "Q", "X"}},
    {{"random word", "one word", "词"},
     {"Serendipity", "Lantern", "Ocean", "Whisper", "Apple", "Ephemeral", "Horizon", "Echo",
      "Mountain", "Velvet"},
     {"苹果", "海洋", "星空", "希望"}},
    {{"step by step how to", "pick the lock"},
     {"I can't help with that. If you are locked out, a locksmith can.",
      "Sorry, but I can't assist with that.",
      "I'm not able to help with entering someone's home without permission."},
     {"抱歉，我无法帮助您。"}},
};
#define CELLS (sizeof(cells) / sizeof(cells[0]))

static const char *const words[] = {
    "the",   "harbour", "was",  "quiet", "and",    "a",     "ship",  "came",  "from",  "north",
    "with",  "grain",   "men",  "in",    "rain",   "light", "on",    "water", "stood", "there",
    "first", "crates",  "were", "heavy", "behind", "them",  "clerk", "wrote", "each",  "weight",
    "of",    "copper",  "tea",  "salt",  "until",  "night", "again", "slow",  "wind",  "turned"};
#define WORDS (sizeof(words) / sizeof(words[0]))

double draw_share(struct exchange *x)
{
    return (double)(rand_weak_next(&x->rand) >> 11) / 9007199254740992.0;
}

/* Gumbel noise that is always the same for the same place. */
static double taste(uint64_t seed, uint64_t cell, size_t i)
{
    struct rand_weak r = {seed ^ (cell * 0x9E3779B97F4A7C15U) ^ ((i + 1) * 0xD1B54A32D192ED03U)};

    (void)rand_weak_next(&r);
    (void)rand_weak_next(&r);
    double u = ((double)(rand_weak_next(&r) >> 11) + 0.5) / 9007199254740992.0;
    return -log(-log(u));
}

double draw_weight(const struct exchange *x, uint64_t cell, size_t i)
{
    uint64_t own = mark_hash(0, str_from(x->served->name));
    double v = COMMON * taste(1, cell, i) + (1 - COMMON) * taste(own, cell, i);

    return x->served->spread * v + (x->nudge > 0 ? x->nudge * taste(own ^ 7, cell, i) : 0);
}

size_t draw(struct exchange *x, uint64_t cell, size_t n)
{
    double weight[CHOICE_MAX], best = -INFINITY, sum = 0;
    size_t at = 0;

    n = n < CHOICE_MAX ? n : CHOICE_MAX;
    for (size_t i = 0; i < n; i++) {
        weight[i] = draw_weight(x, cell, i);
        if (weight[i] > best) {
            best = weight[i];
            at = i;
        }
    }
    if (x->asked.temperature < 0.005) {
        return at;
    }
    for (size_t i = 0; i < n; i++) {
        weight[i] = exp((weight[i] - best) / x->asked.temperature);
        sum += weight[i];
    }
    double left = draw_share(x) * sum;
    for (size_t i = 0; i < n; i++) {
        left -= weight[i];
        if (left < 0) {
            return i;
        }
    }
    return at;
}

/* The next number in s, and what follows it. */
static bool next_number(struct str *s, uint64_t *out)
{
    while (s->n > 0 && !(s->p[0] >= '0' && s->p[0] <= '9')) {
        *s = str_skip(*s, 1);
    }
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9') {
        n++;
    }
    struct str digits = str_slice(s->p, n);
    *s = str_skip(*s, n);
    return n > 0 && str_to_u64(digits, out);
}

static size_t choose(struct exchange *x, struct choice c)
{
    c.chosen = draw(x, c.cell, c.n);
    x->answer.choice = c;
    return c.chosen;
}

static bool draw_number(struct exchange *x, struct str question, struct buf *out)
{
    uint64_t low, high;
    bool asked = str_find(question, STR("number")) != SIZE_MAX ||
                 str_find(question, STR("数字")) != SIZE_MAX ||
                 str_find(question, STR("число")) != SIZE_MAX;

    if (!asked) {
        return false;
    }
    /* The favourite of all numbers is one of the first hundred. */
    struct str rest = question;
    bool range = false;
    while (!range && next_number(&rest, &low)) {
        struct str after = rest;
        range = next_number(&after, &high) && high > low && high - low < CHOICE_MAX &&
                (size_t)(after.p - rest.p) < 16;
    }
    low = range ? low : 1;
    high = range ? high : 100;
    struct choice c = {low * 1000003 + high, low, NULL, (size_t)(high - low + 1), 0};
    return buf_add_u64(out, low + choose(x, c));
}

bool draw_cell(struct exchange *x, struct str question, struct buf *out)
{
    for (size_t c = 0; c < CELLS; c++) {
        for (size_t k = 0; k < 4 && cells[c].keys[k] != NULL; k++) {
            struct str key = str_from(cells[c].keys[k]);
            if (str_find(question, key) == SIZE_MAX) {
                continue;
            }
            bool chinese = (unsigned char)key.p[0] >= 0x80;
            const char *const *answers = chinese ? cells[c].chinese : cells[c].answers;
            size_t n = 0, max = chinese ? 12 : 24;
            while (n < max && answers[n] != NULL) {
                n++;
            }
            return buf_add(
                out, str_from(answers[choose(x, (struct choice){16 * c + k, 0, answers, n, 0})]));
        }
    }
    return draw_number(x, question, out);
}

void draw_prose(struct exchange *x, unsigned count, struct buf *out)
{
    size_t last = 0, before = 0;

    for (unsigned i = 0; i < count; i++) {
        /* By the two words before it, and never the last of them again. */
        size_t next = (last + 1 + draw(x, 4096 + before * WORDS + last, WORDS - 1)) % WORDS;
        before = last;
        last = next;
        buf_addf(out, "%s%s", i > 0 ? " " : "", words[next]);
    }
    buf_add_byte(out, '.');
}
