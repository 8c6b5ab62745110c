/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probes, a row each (probe.c): what they ask, and what they make of the answers. A judge is a
 * function of the evidence alone.
 */
#ifndef ASSAY_PROBE_H
#define ASSAY_PROBE_H

#include "assay/claim.h"
#include "assay/evidence.h"
#include "assay/plan.h"

/* What is asked right behind an answer and depends on it. False: nothing more. */
struct follow {
    const struct said *said; /* NULL: there was no answer of the dialect, with 200 */
    unsigned i, repeat;      /* which of at most how many: 1 for the first behind the planned one */
    enum dialect dialect;    /* of the target */
    enum dialect other;      /* what the reference speaks */
    bool has_reference;      /* there is one to ask */
    struct arena *arena;     /* for texts of q */
    const char *cell;        /* in and out, constant */
    bool reference;          /* in and out: who was asked, and who is to be */
    struct question q;       /* in and out */
};

struct probe {
    const char *name;
    unsigned profiles; /* PROFILE_BIT */
    bool paired;       /* the reference is asked the same */
    const char *what;  /* one line for --help and the documentation */
    void (*plan)(struct plan *p, const struct probe *self); /* NULL: it asks nothing itself */
    void (*judge)(const struct evidence *e, struct verdicts *v);
    bool (*follow)(struct follow *f); /* NULL: what follows is the same again */
    const char *needs; /* another, without whose answers it can judge nothing; or NULL */
};
extern const struct probe probes[];
extern const size_t probe_count;

/* The target's answered call of that probe, cell and number; NULL: there is none. */
const struct record *probe_find(const struct evidence *e, const char *probe, const char *cell,
                                uint64_t k);

void probes_judge(const struct evidence *e, struct verdicts *v);

void tokens_plan(struct plan *p, const struct probe *self);
void tokens_judge(const struct evidence *e, struct verdicts *v);
void count_plan(struct plan *p, const struct probe *self);
void count_judge(const struct evidence *e, struct verdicts *v);
void errors_plan(struct plan *p, const struct probe *self);
void errors_judge(const struct evidence *e, struct verdicts *v);
void shape_judge(const struct evidence *e, struct verdicts *v);
void answers_plan(struct plan *p, const struct probe *self);
void answers_judge(const struct evidence *e, struct verdicts *v);
void stream_plan(struct plan *p, const struct probe *self);
void stream_judge(const struct evidence *e, struct verdicts *v);
void again_plan(struct plan *p, const struct probe *self);
void again_judge(const struct evidence *e, struct verdicts *v);
void settings_plan(struct plan *p, const struct probe *self);
void settings_judge(const struct evidence *e, struct verdicts *v);
void thoughts_plan(struct plan *p, const struct probe *self);
bool thoughts_follow(struct follow *f);
void thoughts_judge(const struct evidence *e, struct verdicts *v);
void toolset_plan(struct plan *p, const struct probe *self);
void toolset_judge(const struct evidence *e, struct verdicts *v);
void tools_plan(struct plan *p, const struct probe *self);
bool tools_follow(struct follow *f);
void tools_judge(const struct evidence *e, struct verdicts *v);
void context_plan(struct plan *p, const struct probe *self);
bool context_follow(struct follow *f);
void context_judge(const struct evidence *e, struct verdicts *v);
void output_plan(struct plan *p, const struct probe *self);
void output_judge(const struct evidence *e, struct verdicts *v);
void ids_judge(const struct evidence *e, struct verdicts *v);
void starts_plan(struct plan *p, const struct probe *self);
void starts_judge(const struct evidence *e, struct verdicts *v);
void texts_plan(struct plan *p, const struct probe *self);
void texts_judge(const struct evidence *e, struct verdicts *v);
void snapshot_plan(struct plan *p, const struct probe *self);
void snapshot_judge(const struct evidence *e, struct verdicts *v);
void vision_plan(struct plan *p, const struct probe *self);
void vision_judge(const struct evidence *e, struct verdicts *v);
void logprobs_plan(struct plan *p, const struct probe *self);
void logprobs_judge(const struct evidence *e, struct verdicts *v);
bool logprobs_follow(struct follow *f);
void cache_plan(struct plan *p, const struct probe *self);
void cache_judge(const struct evidence *e, struct verdicts *v);
void folk_plan(struct plan *p, const struct probe *self);
void folk_judge(const struct evidence *e, struct verdicts *v);
void common_judge(const struct evidence *e, struct verdicts *v);
void arithmetic_judge(const struct evidence *e, struct verdicts *v);

#endif
