/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maximum mean discrepancy of two sets of texts. The kernel of two texts is worked out once; a
 * permutation only adds up others of its values. With x the texts of one side, all sums follow
 * from those within the smaller side:  within(x) = S,  between = rows(x) - 2 S,
 * within(y) = all - S - between.
 */
#include <math.h>
#include <stdlib.h>

#include "assay/stat.h"
#include "base/arena.h"
#include "base/limits.h"

#define SAME 1e-9
#define NO_POINT UINT32_C(0x1fffff) /* beside a text that is too short; above all code points */

struct text {
    uint32_t *points;
    uint64_t *grams; /* sorted */
    size_t points_n, grams_n;
    double norm; /* of the counts of the grams */
};

/* One code point; a byte that is no UTF-8 stands for itself, above all code points. */
static uint32_t next_point(struct str *s)
{
    unsigned char first = (unsigned char)s->p[0];
    size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t point = first & (0xffu >> (length + (length > 1)));

    for (size_t i = 1; i < length; i++) {
        if (i >= s->n || ((unsigned char)s->p[i] & 0xc0) != 0x80) {
            length = 0;
            break;
        }
        point = point << 6 | ((unsigned char)s->p[i] & 0x3fu);
    }
    if (length == 0 || (first >= 0x80 && first < 0xc2) || point > 0x10ffff) {
        *s = str_skip(*s, 1);
        return 0x110000u + first;
    }
    *s = str_skip(*s, length);
    return point;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The product of the counts of every gram that both have. */
static double common(const struct text *a, const struct text *b)
{
    double sum = 0;
    size_t i = 0;
    size_t j = 0;

    while (i < a->grams_n && j < b->grams_n) {
        uint64_t gram = a->grams[i] < b->grams[j] ? a->grams[i] : b->grams[j];
        size_t of_a = i;
        size_t of_b = j;
        while (i < a->grams_n && a->grams[i] == gram) {
            i++;
        }
        while (j < b->grams_n && b->grams[j] == gram) {
            j++;
        }
        sum += (double)(i - of_a) * (double)(j - of_b);
    }
    return sum;
}

static bool text_read(struct text *t, struct str s, struct arena *arena)
{
    if (s.n > LIMIT_ASSAY_TEXT_BYTES) {
        return false;
    }
    *t = (struct text){.points = arena_alloc(arena, s.n * sizeof(*t->points) + 1)};
    t->grams = arena_alloc(arena, (s.n + 1) * sizeof(*t->grams));
    if (arena->overflow) {
        return false;
    }
    while (s.n > 0) {
        t->points[t->points_n++] = next_point(&s);
    }
    t->grams_n = t->points_n > 2 ? t->points_n - 2 : 1;
    for (size_t i = 0; i < t->grams_n; i++) {
        for (size_t k = i; k < i + 3; k++) {
            t->grams[i] = t->grams[i] << 21 | (k < t->points_n ? t->points[k] : NO_POINT);
        }
    }
    qsort(t->grams, t->grams_n, sizeof(*t->grams), compare);
    t->norm = sqrt(common(t, t));
    return true;
}

static double kernel_of(enum stat_kernel kernel, const struct text *a, const struct text *b)
{
    if (kernel == STAT_KERNEL_TRIGRAMS) {
        return common(a, b) / (a->norm * b->norm);
    }
    size_t least = a->points_n < b->points_n ? a->points_n : b->points_n;
    size_t same = 0;
    for (size_t i = 0; i < least; i++) {
        same += a->points[i] == b->points[i];
    }
    if (least == 0) {
        return a->points_n == b->points_n;
    }
    return (double)same / sqrt((double)a->points_n * (double)b->points_n);
}

struct prompt {
    double *gram; /* total x total, nothing on the diagonal */
    double *rows; /* its sums */
    uint32_t *order;
    double all; /* over pairs, each once */
    size_t total, draws;
    bool target; /* the side that is drawn */
};

struct sums {
    double x, y, between;
};

static bool prompt_read(struct prompt *p, const struct stat_texts *texts, enum stat_kernel kernel,
                        struct arena *arena)
{
    size_t total = texts->n + texts->m;

    *p = (struct prompt){.total = total, .target = texts->n <= texts->m};
    p->draws = p->target ? texts->n : texts->m;
    if (total > LIMIT_ASSAY_TEXTS) {
        return false;
    }
    struct text *read = arena_alloc(arena, total * sizeof(*read));
    p->gram = arena_alloc(arena, total * total * sizeof(*p->gram));
    p->rows = arena_alloc(arena, total * sizeof(*p->rows));
    p->order = arena_alloc(arena, total * sizeof(*p->order));
    if (arena->overflow) {
        return false;
    }
    for (size_t i = 0; i < total; i++) {
        /* Those that are drawn come first. */
        const struct str *drawn = p->target ? texts->x : texts->y;
        const struct str *others = p->target ? texts->y : texts->x;
        if (!text_read(&read[i], i < p->draws ? drawn[i] : others[i - p->draws], arena)) {
            return false;
        }
        p->order[i] = (uint32_t)i;
        for (size_t j = 0; j < i; j++) {
            double k = kernel_of(kernel, &read[i], &read[j]);
            p->gram[i * total + j] = k;
            p->gram[j * total + i] = k;
            p->rows[i] += k;
            p->rows[j] += k;
            p->all += k;
        }
    }
    return true;
}

static void prompt_add(const struct prompt *p, struct sums *sums)
{
    double within = 0;
    double rows = 0;

    for (size_t i = 0; i < p->draws; i++) {
        const double *row = &p->gram[p->order[i] * p->total];
        rows += p->rows[p->order[i]];
        for (size_t j = 0; j < i; j++) {
            within += row[p->order[j]];
        }
    }
    double between = rows - 2 * within;
    double others = p->all - within - between;
    sums->between += between;
    sums->x += p->target ? within : others;
    sums->y += p->target ? others : within;
}

static void prompt_shuffle(struct prompt *p, struct stat_random *r)
{
    for (size_t i = 0; i < p->draws; i++) {
        size_t at = i + stat_below(r, (uint32_t)(p->total - i));
        uint32_t text = p->order[at];
        p->order[at] = p->order[i];
        p->order[i] = text;
    }
}

/* Numbers of pairs, over all prompts. */
static double mmd2_of(const struct sums *sums, const struct sums *pairs)
{
    return sums->x / pairs->x - 2 * sums->between / pairs->between + sums->y / pairs->y;
}

static void permute(struct prompt *prompts, size_t count, const struct sums *pairs,
                    unsigned permutations, struct stat_random *r, struct stat_mmd *out)
{
    struct sums sums = {0};
    size_t as_far = 0;

    for (size_t i = 0; i < count; i++) {
        prompt_add(&prompts[i], &sums);
    }
    out->mmd2 = mmd2_of(&sums, pairs);
    for (unsigned n = 0; n < permutations; n++) {
        sums = (struct sums){0};
        for (size_t i = 0; i < count; i++) {
            prompt_shuffle(&prompts[i], r);
            prompt_add(&prompts[i], &sums);
        }
        as_far += mmd2_of(&sums, pairs) >= out->mmd2 - SAME;
    }
    out->p = (double)(1 + as_far) / (double)(1 + permutations);
}

bool stat_mmd(const struct stat_texts *prompts, size_t count, enum stat_kernel kernel,
              unsigned permutations, struct stat_random *r, struct stat_mmd *out)
{
    struct arena arena;
    struct prompt read[LIMIT_ASSAY_PROMPTS];
    struct sums pairs = {0};
    size_t used = 0;
    bool ok = false;

    arena_init(&arena, LIMIT_ASSAY_MEMORY);
    if (count > LIMIT_ASSAY_PROMPTS || permutations == 0 ||
        permutations > LIMIT_ASSAY_PERMUTATIONS) {
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        double n = (double)prompts[i].n;
        double m = (double)prompts[i].m;
        if (prompts[i].n < 2 || prompts[i].m < 2) {
            continue;
        }
        if (!prompt_read(&read[used++], &prompts[i], kernel, &arena)) {
            goto out;
        }
        pairs.x += n * (n - 1) / 2;
        pairs.y += m * (m - 1) / 2;
        pairs.between += n * m;
    }
    if (used > 0) {
        permute(read, used, &pairs, permutations, r, out);
        ok = true;
    }
out:
    arena_release(&arena);
    return ok;
}
