/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/guesses.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/map.h"

struct guesser {
    struct ip site;
    int64_t since_ms;
    unsigned count; /* 0: free */
};

struct guesses {
    struct map *by_site;
    size_t next; /* the entry that is used next, whoever has it */
    struct guesser all[LIMIT_GUESSERS];
};

static struct str key_of(const struct ip *site)
{
    return str_slice((const char *)site->b, sizeof(site->b));
}

struct guesses *guesses_new(void)
{
    struct guesses *g = calloc(1, sizeof(*g));

    assert(g != NULL);
    g->by_site = map_new();
    return g;
}

void guesses_free(struct guesses *g)
{
    map_free(g->by_site);
    free(g);
}

static struct guesser *find(const struct guesses *g, const struct ip *from)
{
    struct ip site = ip_site(from);
    return map_get(g->by_site, key_of(&site));
}

static bool over(const struct guesser *who, int64_t now_ms)
{
    return now_ms - who->since_ms >= LIMIT_BAD_KEYS_MS;
}

unsigned guesses_wait_s(const struct guesses *g, const struct ip *from, int64_t now_ms)
{
    const struct guesser *who = find(g, from);

    if (who == NULL || who->count < LIMIT_BAD_KEYS || over(who, now_ms)) {
        return 0;
    }
    return (unsigned)((who->since_ms + LIMIT_BAD_KEYS_MS - now_ms + 999) / 1000);
}

bool guesses_note(struct guesses *g, const struct ip *from, int64_t now_ms)
{
    struct guesser *who = find(g, from);

    if (!ip_known(from)) {
        return false;
    }
    if (who == NULL) {
        who = &g->all[g->next];
        g->next = (g->next + 1) % LIMIT_GUESSERS;
        if (who->count > 0) {
            map_remove(g->by_site, key_of(&who->site));
        }
        *who = (struct guesser){.site = ip_site(from), .since_ms = now_ms};
        map_put(g->by_site, key_of(&who->site), who);
    } else if (over(who, now_ms)) {
        who->since_ms = now_ms;
        who->count = 0;
    }
    return ++who->count == LIMIT_BAD_KEYS;
}
