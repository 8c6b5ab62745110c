/* SPDX-License-Identifier: Apache-2.0 */
/* Each attempt at a channel, as the closing row's attempts tell it: with its times and its end. */
#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "relay/relay_int.h"

static struct attempt *open_attempt(struct request *r)
{
    struct attempt *a = r->op.attempt_count > 0 ? &r->op.attempts[r->op.attempt_count - 1] : NULL;

    return a != NULL && a->end_us == 0 ? a : NULL;
}

void attempt_begin(struct request *r)
{
    struct str name = r->channel.upstream->name;

    assert(r->op.attempt_count < LIMIT_ATTEMPTS);
    struct attempt *a = &r->op.attempts[r->op.attempt_count++];
    *a = (struct attempt){.began_us = clock_wall_us()};
    (void)snprintf(a->upstream, sizeof(a->upstream), "%.*s", STR_ARG(name));
}

void attempt_head(struct request *r)
{
    struct attempt *a = open_attempt(r);

    if (a != NULL) {
        a->status = r->status;
        a->first_us = r->first_us;
    }
}

void attempt_end(struct request *r, const char *failure)
{
    struct attempt *a = open_attempt(r);

    if (a != NULL) {
        a->end_us = clock_wall_us();
        (void)snprintf(a->failure, sizeof(a->failure), "%s", failure);
    }
}
