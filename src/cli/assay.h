/* SPDX-License-Identifier: Apache-2.0 */
/* Of `entrepot assay` alone: its options, and what it asks a person for. */
#ifndef CLI_ASSAY_H
#define CLI_ASSAY_H

#include "assay/run.h"
#include "assay/words.h"

struct assay_options {
    struct run_side sides[2]; /* the keys are in keys[] */
    const char *key_env[2];
    enum profile profile;
    struct str only; /* probes, with commas between; empty: all */
    enum lang lang;
    bool any_dialect, yes, cost_limited;
    int64_t max_nano;
    uint64_t max_calls, seed, threads;
    const char *json, *html, *evidence, *recompute;
    struct buf keys[2]; /* wiped when released */
};

/* False after saying what is wrong. */
bool assay_options_read(int argc, char **argv, struct assay_options *o);

/* The keys: out of the environment, where they are overwritten, or from the terminal without an
 * echo. False after saying why there is none. */
bool assay_keys(struct assay_options *o);
/* Says what the calls may come to, and asks. False: no. */
bool assay_agreed(const struct assay_options *o, const struct run *r);
void assay_progress(void *ctx, const struct run_progress *p);
void assay_progress_end(void);

#endif
