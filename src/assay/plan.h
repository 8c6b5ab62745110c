/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of a run, in an order that the seed gives: a seller cannot tell one probe's calls from
 * another's by when they come, and a reference is asked at the same times as the target.
 */
#ifndef ASSAY_PLAN_H
#define ASSAY_PLAN_H

#include "assay/speak.h"
#include "assay/stat.h"
#include "base/arena.h"
#include "base/limits.h"

enum profile { PROFILE_QUICK, PROFILE_STANDARD, PROFILE_DEEP, PROFILE_FOLK, PROFILE_COUNT };
#define PROFILE_BIT(p) (1U << (p))
const char *profile_name(enum profile p);
bool profile_find(struct str name, enum profile *out);

struct probe;
struct planned {
    const struct probe *probe;
    const char *cell;
    uint64_t k;
    bool reference;
    struct question q;
};

struct plan {
    enum profile profile;
    bool reference; /* there is one to ask */
    struct stat_random random;
    struct arena arena;
    size_t count;
    struct planned calls[LIMIT_ASSAY_CALLS];
};

/* only: names of probes with commas between, which alone ask; empty: all of the profile. NULL
 * without memory. */
struct plan *plan_new(enum profile profile, bool reference, uint64_t seed, struct str only);
void plan_free(struct plan *p);
/* For probes. Copies the texts; cell is constant. */
void plan_add(struct plan *p, const struct probe *probe, const char *cell, uint64_t k,
              const struct question *q);
/* Eight digits: as many tokens whichever they are, in all tokenizers that were looked at. */
void plan_nonce(struct plan *p, struct buf *out);

/* What the calls may come to, on both sides. */
struct plan_size {
    uint64_t calls[2], input[2], output[2]; /* of the target, of the reference; output at most */
};
/* What a question costs at most, in tokens; a hidden prompt is not known beforehand. */
uint64_t question_input(const struct question *q);
uint64_t question_output(const struct question *q);
void plan_measure(const struct plan *p, struct plan_size *out);

#endif
