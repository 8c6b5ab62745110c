/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/plan.h"

#include <assert.h>
#include <stdlib.h>

#include "assay/probe.h"

#define TEXTS_MAX (64 << 20)
#define TEMPLATE_TOKENS 20
#define TOOLS_TOKENS 300U    /* what vendors set before them */
#define PICTURE_TOKENS 1200U /* a small one; some vendors count by tiles */
#define WORD_TOKENS 16       /* of an answer to what should have been refused */

static const char *const names[PROFILE_COUNT] = {"quick", "standard", "deep", "folk"};

const char *profile_name(enum profile p)
{
    return names[p];
}

bool profile_find(struct str name, enum profile *out)
{
    for (enum profile p = 0; p < PROFILE_COUNT; p++) {
        if (str_eq(name, str_from(names[p]))) {
            *out = p;
            return true;
        }
    }
    return false;
}

static void shuffle(struct plan *p)
{
    for (size_t i = p->count; i > 1; i--) {
        size_t j = stat_below(&p->random, (uint32_t)i);
        struct planned other = p->calls[j];
        p->calls[j] = p->calls[i - 1];
        p->calls[i - 1] = other;
    }
}

static bool is_among(struct str only, const char *name)
{
    while (only.n > 0) {
        if (str_eq(str_cut(&only, ','), str_from(name))) {
            return true;
        }
    }
    return false;
}

/* By its name, or because one that is needs it. */
static bool is_wanted(struct str only, const char *name)
{
    bool wanted = only.n == 0 || is_among(only, name);

    for (size_t i = 0; i < probe_count; i++) {
        const char *needs = probes[i].needs;
        wanted =
            wanted || (needs != NULL && strcmp(needs, name) == 0 && is_among(only, probes[i].name));
    }
    return wanted;
}

struct plan *plan_new(enum profile profile, bool reference, uint64_t seed, struct str only)
{
    struct plan *p = calloc(1, sizeof(*p));

    if (p == NULL) {
        return NULL;
    }
    p->profile = profile;
    p->reference = reference;
    stat_seed(&p->random, seed);
    arena_init(&p->arena, TEXTS_MAX);
    for (size_t i = 0; i < probe_count; i++) {
        if (probes[i].plan != NULL && (probes[i].profiles & PROFILE_BIT(profile)) != 0 &&
            is_wanted(only, probes[i].name)) {
            probes[i].plan(p, &probes[i]);
        }
    }
    shuffle(p);
    return p;
}

void plan_free(struct plan *p)
{
    arena_release(&p->arena);
    free(p);
}

void plan_add(struct plan *p, const struct probe *probe, const char *cell, uint64_t k,
              const struct question *q)
{
    struct planned c = {probe, cell, k, false, *q};

    c.q.text = arena_str(&p->arena, q->text);
    c.q.system = arena_str(&p->arena, q->system);
    c.q.expect = arena_str(&p->arena, q->expect);
    c.q.png = arena_str(&p->arena, q->png);
    for (int side = 0; side < (p->reference && probe->paired ? 2 : 1); side++) {
        assert(p->count < LIMIT_ASSAY_CALLS);
        c.reference = side == 1;
        p->calls[p->count++] = c;
    }
}

void plan_nonce(struct plan *p, struct buf *out)
{
    for (int i = 0; i < 8; i++) {
        buf_add_byte(out, (char)('0' + stat_below(&p->random, 10)));
    }
}

/* Three letters a token; a digit or a byte of other scripts is one, in some tokenizer. */
static uint64_t most_tokens(struct str s)
{
    uint64_t thirds = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        thirds += c >= 0x80 || (c >= '0' && c <= '9') ? 3 : 1;
    }
    return (thirds + 2) / 3;
}

uint64_t question_input(const struct question *q)
{
    uint64_t tokens = most_tokens(q->text) + most_tokens(q->system) + most_tokens(q->before) +
                      most_tokens(q->turn) + TEMPLATE_TOKENS;

    for (unsigned i = 0; i < q->tool_count; i++) {
        const struct tool *t = &q->tools[i];
        tokens += (strlen(t->name) + strlen(t->description) + strlen(t->schema)) / 3;
    }
    tokens += (q->tool_count > 0 ? TOOLS_TOKENS : 0U) + (q->png.n > 0 ? PICTURE_TOKENS : 0U);
    return q->ask == ASK_COUNT ? 0 : tokens;
}

uint64_t question_output(const struct question *q)
{
    return q->ask == ASK_COUNT ? 0 : q->wrong ? WORD_TOKENS : q->max_tokens;
}

void plan_measure(const struct plan *p, struct plan_size *out)
{
    *out = (struct plan_size){0};
    for (size_t i = 0; i < p->count; i++) {
        const struct planned *c = &p->calls[i];
        unsigned times = 1 + c->q.repeat;
        out->calls[c->reference] += times;
        out->input[c->reference] += question_input(&c->q) * times;
        out->output[c->reference] += question_output(&c->q) * times;
    }
}
