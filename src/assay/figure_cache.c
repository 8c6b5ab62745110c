/* SPDX-License-Identifier: Apache-2.0 */
/* The same long prompt, one time after the other: what of it is billed as read from a cache. */
#include "assay/page.h"

#define WIDTH 320
#define BAR 300
#define ROW 34
#define TIMES 8

struct ladder {
    struct str cell;
    const struct record *r[TIMES]; /* by number; NULL: no count */
    uint64_t most;
};

static bool counts(const struct record *r)
{
    return r->answered && !r->reference && r->k < TIMES && str_eq(r->probe, STR("cache")) &&
           r->said.usage.state != USAGE_MISSING && usage_input(&r->said.usage) > 0;
}

/* All calls with the prompt of record i, unless an earlier one had it. */
static bool gather(const struct evidence *e, size_t i, struct ladder *l)
{
    *l = (struct ladder){.cell = e->records[i].cell};
    for (size_t j = 0; j < e->count; j++) {
        const struct record *r = &e->records[j];
        if (!counts(r) || !str_eq(r->cell, l->cell)) {
            continue;
        }
        if (j < i) {
            return false;
        }
        l->r[r->k] = r;
        uint64_t input = usage_input(&r->said.usage);
        l->most = input > l->most ? input : l->most;
    }
    return true;
}

static void put_step(struct page *p, const struct ladder *l, unsigned k, unsigned y)
{
    const struct usage *u = &l->r[k]->said.usage;
    uint64_t input = usage_input(u);
    double full = BAR * (double)input / (double)l->most;
    double read = u->cache_read < input ? full * (double)u->cache_read / (double)input : full;

    buf_addf(p->out,
             "<rect class=\"w\" x=\"0\" y=\"%u\" width=\"%.1f\" height=\"12\"/>"
             "<rect class=\"h\" x=\"0\" y=\"%u\" width=\"%.1f\" height=\"12\"/>"
             "<text class=\"q\" x=\"0\" y=\"%u\">",
             y, full, y, read, y + 25);
    page_sayf(p, "time %u: %llu tokens, %llu of them from a cache", k + 1,
              (unsigned long long)input, (unsigned long long)u->cache_read);
    page_raw(p, "</text>");
}

static void put_ladder(struct page *p, const struct ladder *l)
{
    unsigned steps = 0, y = 20;

    for (unsigned k = 0; k < TIMES; k++) {
        steps += l->r[k] != NULL;
    }
    page_svg_open(p, WIDTH, 20 + ROW * steps);
    page_raw(p, "<text x=\"0\" y=\"12\">");
    page_say_cut(p, l->cell, 40);
    page_raw(p, "</text>");
    for (unsigned k = 0; k < TIMES; k++) {
        if (l->r[k] != NULL) {
            put_step(p, l, k, y);
            y += ROW;
        }
    }
    page_raw(p, "</svg>\n");
}

void figure_cache(struct page *p)
{
    struct ladder l;
    bool any = false;

    for (size_t i = 0; i < p->e->count; i++) {
        if (!counts(&p->e->records[i]) || !gather(p->e, i, &l)) {
            continue;
        }
        if (!any) {
            page_figure_open(p, "The same long prompt again",
                             "The bar is what is billed as input; its filled part is billed as "
                             "read from a cache. New prompts have none of it the first time.");
            any = true;
        }
        put_ladder(p, &l);
    }
    if (any) {
        page_figure_close(p);
    }
}
