/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/plan.h"

#include <stdlib.h>

#include "assay/probe.h"

#define TEXTS_MAX (64 << 20)
#define PICTURE_TOKENS 1200 /* a small one; some vendors count by tiles */

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

struct plan *plan_new(enum profile profile, bool reference, uint64_t seed)
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
        if (probes[i].plan != NULL && (probes[i].profiles & PROFILE_BIT(profile)) != 0) {
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
        if (p->count < LIMIT_ASSAY_CALLS) {
            c.reference = side == 1;
            p->calls[p->count++] = c;
        }
    }
}

void plan_nonce(struct plan *p, struct buf *out)
{
    for (int i = 0; i < 8; i++) {
        buf_add_byte(out, (char)('0' + stat_below(&p->random, 10)));
    }
}

/* Rather too much: three bytes a token, and what a template adds. */
uint64_t planned_input(const struct planned *c)
{
    size_t bytes = c->q.text.n + c->q.system.n;

    for (unsigned i = 0; i < c->q.tool_count; i++) {
        const struct tool *t = &c->q.tools[i];
        bytes += strlen(t->name) + strlen(t->description) + strlen(t->schema);
    }
    return c->q.ask == ASK_COUNT ? 0
                                 : (bytes + 2) / 3 + 20 + (c->q.tool_count > 0 ? 100 : 0) +
                                       (c->q.png.n > 0 ? PICTURE_TOKENS : 0);
}

uint64_t planned_output(const struct planned *c)
{
    return c->q.ask == ASK_COUNT ? 0 : c->q.max_tokens;
}

void plan_measure(const struct plan *p, struct plan_size *out)
{
    *out = (struct plan_size){0};
    for (size_t i = 0; i < p->count; i++) {
        const struct planned *c = &p->calls[i];
        unsigned times = 1 + c->q.repeat;
        out->calls[c->reference] += times;
        out->input[c->reference] += planned_input(c) * times;
        out->output[c->reference] += planned_output(c) * times;
    }
}
