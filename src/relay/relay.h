/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spine: sessions take requests from client connections, requests walk through the house.
 * A lane is one event loop on one thread with its own listener, pool and sessions; lanes share only
 * the configuration snapshot, the directory, purses, health and the ledger's queue.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include <pthread.h>

#include "config/config.h"
#include "ledger/ledger.h"

struct lane;

/* Descriptors on which a station listens. */
struct sockets {
    int listen[LIMIT_LANES], admin; /* admin: -1 where there is none */
    unsigned listen_count;
};

/* What the lanes share; made by serve, outlives them. */
struct station {
    struct ledger *ledger;
    pthread_mutex_t config_lock; /* held for a pointer and a count */
    struct config *config;
    atomic_uint config_number; /* of the one in force */
    struct tls_server *tls;
    atomic_bool draining; /* what runs ends, nothing new begins */
    atomic_bool yielded;  /* another process has the listeners and serves: before draining */
    atomic_bool lingers;  /* then kept connections stay for one more request, which says "close" */
    atomic_bool hurried;  /* what runs is cut off and settled */
    atomic_uint lanes_running;
    atomic_long request_bytes; /* bodies and replies in memory, all lanes */
    atomic_ullong ends[64];    /* requests by how they ended, as relay/ends.def lists them */
    atomic_ullong charges, mismatches;
    struct str (*page)(void); /* the page at / */
    struct sockets inherited; /* that another process listened on; none: they are opened */
    unsigned lanes;           /* among which these are dealt */
};

/* Takes a reference of its own, and prepares its channels, as station_reconfigure does. */
void station_init(struct station *st, struct config *c);
/* The configuration in force, with a reference for the caller. Any thread. */
struct config *station_config(struct station *st);
void station_reconfigure(struct station *st, struct config *next);
void station_release(struct station *st);

struct lane *lane_new(struct station *st, unsigned number, struct err *e);
/* Until the station drains and the last session is gone. */
void lane_run(struct lane *l);
void lane_wake(struct lane *l); /* it sees at once that it drains; any thread, once */
void lane_free(struct lane *l);
unsigned lane_port(const struct lane *l);
/* Adds those of this lane, which stay its own. Until the station drains. */
void lane_sockets(const struct lane *l, struct sockets *out);

#endif
