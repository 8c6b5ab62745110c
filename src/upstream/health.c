/* SPDX-License-Identifier: Apache-2.0 */
/* Health of channels, by name. A short lock guards the map; the entries themselves are atomics. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "upstream/upstream.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map *all;

struct health *health_get(struct str upstream, unsigned key, struct str model)
{
    struct buf name;
    struct health *h;

    buf_init(&name, 1024);
    buf_addf(&name, "%.*s %u %.*s", STR_ARG(upstream), key, STR_ARG(model));
    pthread_mutex_lock(&lock);
    if (all == NULL) {
        all = map_new();
    }
    h = map_get(all, buf_str(&name));
    if (h == NULL) {
        h = calloc(1, sizeof(*h));
        assert(h != NULL);
        map_put(all, buf_str(&name), h);
    }
    pthread_mutex_unlock(&lock);
    buf_release(&name);
    return h;
}
