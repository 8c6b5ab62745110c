/* SPDX-License-Identifier: Apache-2.0 */
/* What is billed for repeats of each text: points, the line through them, and the line that the
 * reference, or else the tokenizer of the model's name, would make from the same beginning. */
#include "assay/counted.h"
#include "assay/family.h"
#include "assay/page.h"

#define WIDTH 152
#define HEIGHT 144
#define LEFT 30
#define RIGHT 146
#define TOP 22
#define BOTTOM 100

static const char *const titles[STAT_STRINGS] = {
    [STAT_STRING_DIGITS] = "Digits",     [STAT_STRING_CJK] = "Chinese",
    [STAT_STRING_THAI] = "Thai",         [STAT_STRING_HINDI] = "Hindi",
    [STAT_STRING_GEORGIAN] = "Georgian", [STAT_STRING_KOREAN] = "Korean",
    [STAT_STRING_JAPANESE] = "Japanese",
};

struct axes {
    double k, y; /* where they end */
};

static double x_of(const struct axes *a, double k)
{
    return LEFT + (RIGHT - LEFT) * k / a->k;
}

static double y_of(const struct axes *a, double y)
{
    double share = y / a->y;

    return BOTTOM - (BOTTOM - TOP) * (share < 0 ? 0 : share > 1 ? 1 : share);
}

static void reach(struct axes *a, const struct stat_counted *c)
{
    for (size_t i = 0; i < c->n; i++) {
        a->k = c->k[i] > a->k ? c->k[i] : a->k;
        a->y = c->y[i] > a->y ? c->y[i] : a->y;
    }
}

static void put_line(struct page *p, const struct axes *a, const char *class, double from, double b)
{
    buf_addf(p->out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", class,
             x_of(a, 0), y_of(a, from), x_of(a, a->k), y_of(a, from + b * a->k));
}

static void put_points(struct page *p, const struct axes *a, const char *class, double radius,
                       const struct stat_counted *c)
{
    for (size_t i = 0; i < c->n; i++) {
        buf_addf(p->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", class,
                 x_of(a, c->k[i]), y_of(a, c->y[i]), radius);
    }
}

static void put_axes(struct page *p, const struct axes *a, enum stat_string s)
{
    page_svg_open(p, WIDTH, HEIGHT);
    page_raw(p, "<text x=\"0\" y=\"12\">");
    page_say(p, titles[s]);
    buf_addf(p->out,
             "</text><path class=\"ax\" d=\"M%d %dV%dH%d\"/>"
             "<text class=\"q e\" x=\"%d\" y=\"%d\">%.0f</text>"
             "<text class=\"q e\" x=\"%d\" y=\"%d\">0</text>"
             "<text class=\"q e\" x=\"%d\" y=\"%d\">%.0f</text>",
             LEFT, TOP, BOTTOM, RIGHT, LEFT - 3, TOP + 8, a->y, LEFT - 7, BOTTOM, RIGHT,
             BOTTOM + 12, a->k);
}

static const struct stat_counted *of_string(const struct counted_set *s, enum stat_string string)
{
    for (size_t i = 0; i < s->strings; i++) {
        if (s->c[i].string == string) {
            return &s->c[i];
        }
    }
    return NULL;
}

static void put_one(struct page *p, const struct stat_counted *c, const struct stat_counted *other,
                    enum stat_family claimed)
{
    struct axes a = {0};
    struct stat_line line, there = {0};

    reach(&a, c);
    if (other != NULL) {
        reach(&a, other);
    }
    if (a.k <= 0 || a.y <= 0 || !stat_fit(c->k, c->y, c->n, &line, NULL)) {
        return;
    }
    bool live = other != NULL && stat_fit(other->k, other->y, other->n, &there, NULL);
    bool known = !live && claimed != STAT_FAMILIES;
    double expected = live ? there.b : known ? stat_family(claimed)->counts[c->string] : 0;
    double more = line.a + expected * a.k;
    a.y = more > a.y ? more : a.y;
    put_axes(p, &a, c->string);
    if (live || known) {
        put_line(p, &a, "lt", live ? there.a : line.a, expected);
    }
    put_line(p, &a, "lh", line.a, line.b);
    if (live) {
        put_points(p, &a, "o", 4, other);
    }
    put_points(p, &a, "h", 2.5, c);
    buf_addf(p->out, "<text class=\"q\" x=\"0\" y=\"%d\">", BOTTOM + 26);
    page_sayf(p, "%.1f tokens each", line.b);
    buf_addf(p->out, "</text><text class=\"q\" x=\"0\" y=\"%d\">", BOTTOM + 39);
    if (live) {
        page_sayf(p, "reference: %.1f", expected);
    } else if (known) {
        buf_addf(p->out, "%s: %.0f", stat_family(claimed)->name, expected);
    }
    page_raw(p, "</text></svg>\n");
}

void figure_slope(struct page *p)
{
    struct counted_set here, there;

    counted_collect(p->e, "tokens", false, &here);
    counted_collect(p->e, "tokens", true, &there);
    if (here.strings == 0) {
        return;
    }
    page_figure_open(p, "Tokens billed for repeats of a text",
                     "Across: repeats. Up: tokens of input. Points and line: what is billed. "
                     "Dashed: as the reference bills it (rings), or as the tokenizer of the "
                     "model's name counts. Lines of another steepness: another tokenizer, or a "
                     "factor.");
    for (size_t i = 0; i < here.strings; i++) {
        put_one(p, &here.c[i], of_string(&there, here.c[i].string),
                family_claimed(p->e->head.target.model));
    }
    page_figure_close(p);
}
