/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statistics of the assay. Pure: no clock, no chance but what a generator that is passed in
 * gives, so that the same seed makes the same report on every machine. A function that returns
 * false was asked for more than base/limits.h allows, or for what its input cannot tell, and has
 * filled nothing. Answers are counted by kind: whoever asks numbers the kinds of a cell from 0.
 */
#ifndef ASSAY_STAT_H
#define ASSAY_STAT_H

#include "base/err.h"
#include "base/str.h"

/* ---- Chance: xoshiro256**, seeded through splitmix64 ---- */

struct stat_random {
    uint64_t s[4];
};
void stat_seed(struct stat_random *r, uint64_t seed);
uint64_t stat_next(struct stat_random *r);
uint32_t stat_below(struct stat_random *r, uint32_t n); /* 0 to n - 1, each as likely; n > 0 */
double stat_unit(struct stat_random *r);                /* from 0 to below 1, in steps of 2^-53 */

/* ---- A line through points ---- */

struct stat_line {
    double a, b;  /* y = a + b k */
    double r2;    /* 1 where all y are the same */
    double worst; /* the largest residual, without its sign */
};
/* By least squares; residuals may be NULL. False unless two k differ. */
bool stat_fit(const double *k, const double *y, size_t n, struct stat_line *out,
              double *residuals) MUST_CHECK;
/* Sorts v. n > 0. */
double stat_median(double *v, size_t n);

/* ---- Tokenizers, by what a vendor counts (tokenizers.def) ---- */

enum stat_string {
#define STRING(id, name, text) STAT_STRING_##id,
#define FAMILY(id, name, models, ...)
#define TEMPLATE(prefix, low, high, system)
#include "assay/tokenizers.def"
    STAT_STRINGS
};
enum stat_family {
#define STRING(id, name, text)
#define FAMILY(id, name, models, ...) STAT_FAMILY_##id,
#define TEMPLATE(prefix, low, high, system)
#include "assay/tokenizers.def"
    STAT_FAMILIES /* none of these, or none was claimed */
};
struct stat_family_row {
    const char *name, *models;
    unsigned counts[STAT_STRINGS]; /* tokens of one repeat, with its "\n" */
};
const struct stat_family_row *stat_family(enum stat_family f);
const char *stat_string_name(enum stat_string s);
const char *stat_string_text(enum stat_string s);

/* What a template adds to one user message; models differ by where they are served. */
struct stat_template {
    const char *prefix; /* of the model's name */
    unsigned low, high;
    unsigned system; /* more, when there is a system message; 0: not known */
};
/* The longest prefix that the model's name fits (family.h); NULL: not known. */
const struct stat_template *stat_template(struct str model);

/* Tokens counted for k repeats of one string. */
struct stat_counted {
    enum stat_string string;
    const double *k, *y;
    size_t n;
};
enum stat_tokens_state {
    STAT_TOKENS_FAMILY,     /* the counts of `family` */
    STAT_TOKENS_MULTIPLIED, /* the counts of `family`, all times `multiplier`: of the claimed, or,
                               which a tokenizer that is not here might also make, of another */
    STAT_TOKENS_NONE,       /* of no family here */
    STAT_TOKENS_UNCLEAR,    /* these strings do not tell the nearest families apart */
    STAT_TOKENS_CROOKED,    /* they do not grow with the text: made up, rounded or estimated */
};
struct stat_tokens {
    enum stat_tokens_state state;
    enum stat_family family; /* the nearest, also where it is not near enough */
    double distance, next;   /* tokens per repeat, over all strings, to it and the next */
    double multiplier;       /* against `family` */
    double intercept;        /* median: what stands around the text */
    double worst, r2;        /* of the worst line */
    struct stat_line line[STAT_STRINGS]; /* as they were given */
};
/* Each string once at most. */
bool stat_tokens_fit(const struct stat_counted *c, size_t n, enum stat_family claimed,
                     struct stat_tokens *out) MUST_CHECK;

/* ---- Two samples of short answers ---- */

struct stat_cell {
    const uint32_t *x, *y; /* of the target and of the reference, by kind */
    size_t kinds;
};
struct stat_two {
    double chi, u;     /* over all cells */
    double z_chi, z_u; /* standardised by their own permutations */
    double z;          /* the larger: the statistic */
    double p;          /* (1 + permutations at least as far) / (1 + permutations) */
};
/*
 * Is x drawn as y is? Labels are permuted within each cell. Cells without answers on one side say
 * nothing and are passed over; false when that is all of them.
 */
bool stat_two_sample(const struct stat_cell *cells, size_t count, unsigned permutations,
                     struct stat_random *r, struct stat_two *out) MUST_CHECK;

/* ---- Two samples of texts: maximum mean discrepancy ---- */

struct stat_texts { /* answers to one prompt */
    const struct str *x, *y;
    size_t n, m;
};
enum stat_kernel { STAT_KERNEL_TRIGRAMS, STAT_KERNEL_HAMMING };
struct stat_mmd {
    double mmd2;
    double p;
};
/* False unless one prompt at least has two texts on both sides; others are passed over. */
bool stat_mmd(const struct stat_texts *prompts, size_t count, enum stat_kernel kernel,
              unsigned permutations, struct stat_random *r, struct stat_mmd *out) MUST_CHECK;

/* ---- Which of the known models answers so? ---- */

struct stat_snapshots {
    const uint32_t *counts; /* models rows of kinds */
    size_t models, kinds;
};
/* posterior has models + 1 places; the last is "none of these". All are as likely beforehand. */
bool stat_identify(const struct stat_snapshots *s, const uint32_t *answers,
                   double *posterior) MUST_CHECK;

/* ---- Log probabilities of one place in a text ---- */

struct stat_row {
    const uint32_t *token; /* numbered by whoever asks, each once */
    const double *logprob;
    size_t n;
};
/* Mean |difference| over the tokens of both; one that a row lacks counts as that row's least. */
bool stat_row_distance(const struct stat_row *a, const struct stat_row *b, double *out) MUST_CHECK;

struct stat_rows { /* of one cell */
    const struct stat_row *target, *reference;
    size_t targets, references;
};
struct stat_logprobs {
    double distance; /* median over cells of the least distance to a reference row */
    double floor;    /* the largest distance between two reference rows of a cell */
    bool differs;    /* the distance is well above the floor */
    size_t rows,
        far; /* of the target, and those of them that are as far from every reference row */
};
/* The reference rows of a cell must come from calls in different orders: repeats of one call
 * measure no noise. False without a cell that has two of them and one of the target. */
bool stat_logprobs(const struct stat_rows *cells, size_t count,
                   struct stat_logprobs *out) MUST_CHECK;

/* ---- Shares and many claims ---- */

struct stat_interval {
    double low, high;
};
/* Of k in n, k <= n, n > 0, at a confidence such as 0.95. */
bool stat_clopper_pearson(unsigned k, unsigned n, double confidence,
                          struct stat_interval *out) MUST_CHECK;
bool stat_wilson(unsigned k, unsigned n, double confidence, struct stat_interval *out) MUST_CHECK;
/* Of pairs that only one side, and only the other, passed: two-sided exact p. */
bool stat_mcnemar(unsigned b, unsigned c, double *p) MUST_CHECK;
/* p becomes adjusted p, each in its place: reject where it is at most the level of the family. */
bool stat_holm(double *p, size_t n) MUST_CHECK;

/* ---- What a run could have caught ---- */

struct stat_power_cell {
    const uint32_t *reference; /* its answers, by kind */
    const uint32_t *other;     /* of the model served instead; NULL: not known */
    size_t kinds;
    unsigned n, m; /* answers of the target and of the reference that the run compares */
};
struct stat_power_ask {
    const struct stat_power_cell *cells;
    size_t count;
    double mix;   /* share of the requests that the other model serves: 1 is a full swap */
    double level; /* of the test */
    unsigned runs, permutations;
};
struct stat_power {
    unsigned caught, runs;
    struct stat_interval share; /* 95 % */
};
/*
 * Simulates stat_two_sample. Answers that the reference was not seen to give are new ones, as many
 * as its counts tell, so that cells of many answers promise no more than they hold. A model that is
 * not known is as sure of itself as the reference, with other favourites. Of five answers a cell
 * the promise itself is rough: counts of ten or more are worth asking.
 */
bool stat_power(const struct stat_power_ask *ask, struct stat_random *r,
                struct stat_power *out) MUST_CHECK;

#endif
