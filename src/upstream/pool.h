/* SPDX-License-Identifier: Apache-2.0 */
/* Idle connections of one lane, by host, port and security. Inside the room only. */
#ifndef UPSTREAM_POOL_H
#define UPSTREAM_POOL_H

#include "upstream/upstream.h"

struct loop *pool_loop(struct pool *p);
/* An idle, living connection, or NULL. */
struct conn *pool_take(struct pool *p, const struct upstream *u);
void pool_put(struct pool *p, const struct upstream *u, struct conn *c);
/* Trust and sessions for this upstream; NULL for plain, or when the CA file cannot be read
 * (*failed). */
struct tls_client *pool_tls(struct pool *p, const struct upstream *u, bool *failed);
/* 64 KB that one read of this lane may use until the next. */
char *pool_scratch(struct pool *p);
#define POOL_SCRATCH (64 * 1024)

#endif
