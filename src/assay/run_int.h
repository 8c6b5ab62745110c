/* SPDX-License-Identifier: Apache-2.0 */
/* Of this room alone: what the threads of a run share. */
#ifndef ASSAY_RUN_INT_H
#define ASSAY_RUN_INT_H

#include <pthread.h>

#include "assay/run.h"

struct shared {
    struct run *run;
    pthread_mutex_t lock;
    size_t next;            /* planned call that nobody has taken */
    uint64_t seq;           /* lines written */
    uint64_t sent;          /* requests, tries included, also those under way */
    int64_t until_ns;       /* monotonic: then no further call is made */
    int64_t reserved;       /* nano of calls under way, at most */
    bool no_temperature[2]; /* it was refused, on that side */
    unsigned failed[2];     /* one after the other, of the target and of the reference */
    bool torn;              /* a line broke off in the file: none follows it */
    const char *end;        /* why no further call is made; NULL: go on */
    struct run_progress progress;
};

struct asked {
    const char *probe, *cell;
    uint64_t k;
    bool reference;
    const struct question *q;
};
/* A line of evidence. With the lock, or before there are threads. */
void run_store(struct shared *s, const struct buf *line);
/* Of a client of this run: counts one request, unless that would be one too many. */
bool run_may_send(void *shared);
/* One call, and its line. True when it was answered with 200 and an answer of the dialect. */
bool run_ask(struct shared *s, struct client *c, const struct asked *a, struct client_answer *out);

extern const struct question run_hello; /* what is asked to find a dialect */
/* detect.c: fills the speaker of that side; its calls are evidence, too. */
bool run_detect(struct shared *s, struct client *c, bool reference, struct err *why);

#endif
