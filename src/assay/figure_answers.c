/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each short answer was given here and at the reference: a histogram a question. And how
 * often each number, here and when the model was recorded.
 */
#include <stdio.h>
#include <stdlib.h>

#include "assay/answers.h"
#include "assay/page.h"
#include "assay/snapshot.h"
#include "base/limits.h"

#define SHOWN 10
#define WIDTH 320
#define LEFT 106
#define ROW 24
#define LABEL_COLUMNS 15

struct kind {
    struct str text;
    unsigned count[2];
    uint64_t weight; /* in both shares together */
};
struct histogram {
    struct str cell;
    struct kind *kinds;
    size_t n;
    unsigned answers[2];
};

static int by_text(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static int by_frequency(const void *a, const void *b)
{
    const struct kind *x = a, *y = b;

    return x->weight != y->weight ? (x->weight > y->weight ? -1 : 1) : by_text(&x->text, &y->text);
}

static void arrange(struct histogram *h)
{
    for (size_t i = 0; i < h->n; i++) {
        struct kind *k = &h->kinds[i];
        k->weight = (uint64_t)k->count[0] * (h->answers[1] > 0 ? h->answers[1] : 1) +
                    (uint64_t)k->count[1] * (h->answers[0] > 0 ? h->answers[0] : 1);
    }
    qsort(h->kinds, h->n, sizeof(h->kinds[0]), by_frequency);
}

static void take_cell(const struct answers_cell *cell, struct histogram *h)
{
    h->n = cell->n;
    for (size_t i = 0; i < cell->n; i++) {
        h->kinds[i] = (struct kind){cell->text[i], {cell->count[0][i], cell->count[1][i]}, 0};
    }
    arrange(h);
}

/* What is rare is shown together, in the place of the last. */
static size_t fold(struct histogram *h)
{
    if (h->n <= SHOWN) {
        return 0;
    }
    struct kind rest = {0};
    size_t folded = h->n - (SHOWN - 1);
    for (size_t i = SHOWN - 1; i < h->n; i++) {
        rest.count[0] += h->kinds[i].count[0];
        rest.count[1] += h->kinds[i].count[1];
    }
    h->kinds[SHOWN - 1] = rest;
    h->n = SHOWN;
    return folded;
}

static double share(const struct histogram *h, size_t i, int side)
{
    return h->answers[side] > 0 ? (double)h->kinds[i].count[side] / h->answers[side] : 0;
}

static double largest(const struct histogram *h)
{
    double most = 0;

    for (size_t i = 0; i < h->n; i++) {
        for (int side = 0; side < 2; side++) {
            most = share(h, i, side) > most ? share(h, i, side) : most;
        }
    }
    return most;
}

static void put_row(struct page *p, const struct histogram *h, size_t i, size_t folded, double most)
{
    unsigned y = 22 + ROW * (unsigned)i;

    buf_addf(p->out, "<text class=\"e\" x=\"%d\" y=\"%u\">", LEFT - 6, y + 13);
    if (folded > 0 && i == SHOWN - 1) {
        page_sayf(p, "%zu others", folded);
    } else {
        page_text_cut(p, h->kinds[i].text, LABEL_COLUMNS);
    }
    page_raw(p, "</text>");
    for (int side = 0; side < 2; side++) {
        double width = (WIDTH - LEFT - 26) * share(h, i, side) / most;
        unsigned top = y + (side == 0 ? 1 : 11);
        buf_addf(p->out,
                 "<rect class=\"%s\" x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"9\"/>"
                 "<text class=\"q\" x=\"%.1f\" y=\"%u\" font-size=\"9\">%u</text>",
                 side == 0 ? "h" : "t", LEFT, top, width, LEFT + width + 4, top + 9,
                 h->kinds[i].count[side]);
    }
}

static void put_histogram(struct page *p, struct histogram *h)
{
    size_t folded = fold(h);
    double most = largest(h);

    page_svg_open(p, WIDTH, 26 + ROW * (unsigned)h->n);
    page_raw(p, "<text x=\"0\" y=\"12\">");
    page_say_cut(p, h->cell, 40);
    page_raw(p, "</text>");
    for (size_t i = 0; i < h->n && most > 0; i++) {
        put_row(p, h, i, folded, most);
    }
    page_raw(p, "</svg>\n");
}

/* What was tested of it, and nothing else. */
static void put_tested(struct page *p, const struct answers *all, struct kind *kinds)
{
    bool open = false;

    for (size_t i = 0; i < ANSWERS_CELLS; i++) {
        const struct answers_cell *cell = &all->cells[i];
        if (!cell->tested) {
            continue;
        }
        if (!open) {
            page_figure_open(p, "Short answers",
                             "How often each was given: the upper bar here, the lower bar at the "
                             "reference. Chance makes some difference; the test says whether it is "
                             "more.");
            open = true;
        }
        struct histogram h = {.cell = str_from(cell->name),
                              .kinds = kinds,
                              .answers = {cell->answers[0], cell->answers[1]}};
        take_cell(cell, &h);
        put_histogram(p, &h);
    }
    if (open) {
        page_figure_close(p);
    }
}

static void put_answers(struct page *p)
{
    struct answers *all = malloc(sizeof(*all));
    struct kind *kinds = calloc(LIMIT_ASSAY_CALLS, sizeof(*kinds));

    if (all != NULL && kinds != NULL) {
        answers_gather(p->e, all);
        put_tested(p, all, kinds);
    }
    free(all);
    free(kinds);
}

struct numbers {
    char labels[SNAPSHOT_KINDS][4];
    struct kind kinds[SNAPSHOT_KINDS];
};

/* The numbers that were given here, beside those of the snapshot. */
static void gather_numbers(const struct evidence *e, size_t claimed, struct numbers *to,
                           struct histogram *h)
{
    uint32_t here[SNAPSHOT_KINDS + 1] = {0}, then[SNAPSHOT_KINDS];

    snapshot_numbers(claimed, then);
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (r->answered && !r->reference && str_eq(r->probe, STR("snapshot"))) {
            here[snapshot_number(buf_str(&r->said.text))]++;
        }
    }
    for (unsigned number = 1; number <= SNAPSHOT_KINDS; number++) {
        unsigned both[2] = {here[number], then[number - 1]};
        if (both[0] + both[1] > 0) {
            char *label = to->labels[h->n];
            int n = snprintf(label, sizeof(to->labels[0]), "%u", number);
            h->kinds[h->n++] = (struct kind){str_slice(label, (size_t)n), {both[0], both[1]}, 0};
            h->answers[0] += both[0];
            h->answers[1] += both[1];
        }
    }
    arrange(h);
}

static void put_numbers(struct page *p)
{
    size_t claimed = snapshot_claimed(p->e->head.target.model);
    struct numbers *numbers = claimed < snapshot_count ? calloc(1, sizeof(*numbers)) : NULL;

    if (numbers == NULL) {
        return;
    }
    struct histogram h = {.cell = str_from(snapshots[claimed].name), .kinds = numbers->kinds};
    gather_numbers(p->e, claimed, numbers, &h);
    if (h.answers[0] > 0) {
        page_figure_open(p, "Random numbers",
                         "How often each was given: the upper bar here, the lower bar when the "
                         "model was recorded. Models change, and other ways to one answer "
                         "otherwise.");
        put_histogram(p, &h);
        page_figure_close(p);
    }
    free(numbers);
}

void figure_answers(struct page *p)
{
    put_answers(p);
    put_numbers(p);
}
