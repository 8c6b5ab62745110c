/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spine: sessions take requests from client connections, requests walk through the house.
 * A lane is one event loop on one thread with its own listener, pool and sessions; lanes share only
 * the configuration snapshot, the directory, purses, health and the ledger's queue.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "config/config.h"
#include "ledger/ledger.h"

struct lane;

/* What the lanes share; made by serve, outlives them. */
struct station {
    struct ledger *ledger;
    _Atomic(struct config *) config; /* swapped whole; a request holds its own reference */
    struct tls_server *tls;
    atomic_bool draining;
    atomic_long body_bytes; /* request bodies in memory, all lanes */
    atomic_ullong ends[64]; /* requests by how they ended, as relay/ends.def lists them */
    atomic_ullong charges, mismatches;
    struct str (*page)(void); /* the page at / */
};

struct lane *lane_new(struct station *st, unsigned number, struct err *e);
/* Until the station drains and the last session is gone. */
void lane_run(struct lane *l);
void lane_free(struct lane *l);
struct loop *lane_loop(struct lane *l);
unsigned lane_port(const struct lane *l);

#endif
