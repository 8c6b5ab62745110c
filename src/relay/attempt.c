/* SPDX-License-Identifier: Apache-2.0 */
/* Each attempt at a channel, as the closing row's attempts tell it: with its times and its end. */
#include <assert.h>

#include "base/clock.h"
#include "relay/relay_int.h"

static struct attempt *open_attempt(struct request *r)
{
    struct attempt *a = r->attempt_count > 0 ? &r->attempts[r->attempt_count - 1] : NULL;

    return a != NULL && a->end_us == 0 ? a : NULL;
}

void attempt_begin(struct request *r)
{
    assert(r->attempt_count < LIMIT_ATTEMPTS);
    struct attempt *a = &r->attempts[r->attempt_count++];
    *a = (struct attempt){
        .upstream = r->channel.upstream->name, .failure = "", .began_us = clock_wall_us()};
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
        a->failure = failure;
    }
}
