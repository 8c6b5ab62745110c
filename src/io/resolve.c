/* SPDX-License-Identifier: Apache-2.0 */
/* Names to addresses: literals at once, else getaddrinfo on a worker, with one cache for all
 * threads. */
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/map.h"
#include "io/io_int.h"

#define CACHE_MAX 1024 /* host names come from the configuration; this is far above any */
#define RETRY_MS \
    (5 * 1000) /* an old answer stands in for so long before the resolver is asked again */

struct answer {
    struct addresses addresses;
    int64_t until_ms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map *answers;

socklen_t address_size(const union address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
}

void address_set_port(union address *a, unsigned port)
{
    if (a->any.sa_family == AF_INET6) {
        a->v6.sin6_port = htons((uint16_t)port);
    } else {
        a->v4.sin_port = htons((uint16_t)port);
    }
}

bool resolve_literal(const char *host, struct addresses *out)
{
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, &out->at[0].v4.sin_addr) == 1) {
        out->at[0].v4.sin_family = AF_INET;
        out->count = 1;
    } else if (inet_pton(AF_INET6, host, &out->at[0].v6.sin6_addr) == 1) {
        out->at[0].v6.sin6_family = AF_INET6;
        out->count = 1;
    } else if (str_eq_nocase(str_from(host), STR("localhost"))) {
        out->at[0].v4.sin_family = AF_INET;
        out->at[0].v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        out->at[1].v6.sin6_family = AF_INET6;
        out->at[1].v6.sin6_addr = in6addr_loopback;
        out->count = 2;
    }
    return out->count > 0;
}

static bool cache_get(const char *host, bool even_old, struct addresses *out)
{
    bool found = false;
    int64_t now_ms = clock_mono_ns() / 1000000;

    pthread_mutex_lock(&lock);
    struct answer *a = answers == NULL ? NULL : map_get(answers, str_from(host));
    if (a != NULL && (even_old || now_ms < a->until_ms)) {
        *out = a->addresses;
        found = true;
        if (now_ms >= a->until_ms) {
            a->until_ms = now_ms + RETRY_MS;
        }
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static void cache_put(const char *host, const struct addresses *found)
{
    pthread_mutex_lock(&lock);
    if (answers == NULL) {
        answers = map_new();
    }
    struct answer *a = map_get(answers, str_from(host));
    if (a == NULL && map_count(answers) < CACHE_MAX) {
        a = calloc(1, sizeof(*a));
        if (a != NULL) {
            (void)map_put(answers, str_from(host), a);
        }
    }
    if (a != NULL) {
        a->addresses = *found;
        a->until_ms = clock_mono_ns() / 1000000 + LIMIT_DNS_MS;
    }
    pthread_mutex_unlock(&lock);
}

bool resolve_now(const char *host, struct addresses *out)
{
    return resolve_literal(host, out) || cache_get(host, false, out);
}

bool resolve_slow(const char *host, struct addresses *out, const char **why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;

    /* Many dials may have queued up behind the first that asked. */
    if (resolve_now(host, out)) {
        return true;
    }
    int failed = getaddrinfo(host, NULL, &hints, &list);
    memset(out, 0, sizeof(*out));
    for (struct addrinfo *i = list; failed == 0 && i != NULL && out->count < LIMIT_ADDRESSES;
         i = i->ai_next) {
        if ((i->ai_family == AF_INET || i->ai_family == AF_INET6) &&
            i->ai_addrlen <= sizeof(union address)) {
            memcpy(&out->at[out->count++], i->ai_addr, i->ai_addrlen);
        }
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
    if (out->count > 0) {
        cache_put(host, out);
        return true;
    }
    *why = failed == EAI_NONAME ? "host name not found" : "host name could not be resolved";
    return cache_get(host, true, out);
}
