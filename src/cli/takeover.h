/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process takes over from another, on the same store and address, while clients notice nothing.
 * Over the socket of administration, a line of JSON each, with T the one that takes and G the one
 * that gives:
 *
 *   T  {"takeover":"ask","listen":...,"admin":...}
 *   G  shares the store; then {"ok":true,"admin":...} with the descriptors on which it listens
 *   T  opens the store beside it, makes its lanes on these, {"takeover":"lead"}
 *   G  gives up the lock
 *   T  takes it, serves, {"takeover":"running"}
 *   G  listens no more and drains; its charges go on
 *
 * G serves until the last line. Where T fails or goes silent before, G takes the lock again and
 * nothing has changed; where somebody else has the lock by then, that one serves, and G drains.
 */
#ifndef CLI_TAKEOVER_H
#define CLI_TAKEOVER_H

#include "admin/socket.h"
#include "relay/relay.h"

/* The giving side, all on one loop. */
struct giver;
struct giver *giver_new(struct loop *home, struct station *st, struct lane **lanes, unsigned count);
/* admin: whose socket it listens to; it may be opened anew, at the path. */
void giver_listen(struct giver *g, struct admin_socket **admin, const char *path);
bool giver_busy(const struct giver *g);
bool giver_gone(const struct giver *g); /* another serves */
void giver_free(struct giver *g);       /* breaks off what is under way */

/* The taking side; it blocks, at most LIMIT_TAKEOVER_MS for each answer. */
struct taker {
    int fd; /* -1: nobody is there to take over from */
    struct sockets sockets;
};
bool taker_ask(struct taker *t, const struct config *c, const char *path, struct err *e);
bool taker_lead(struct taker *t, struct ledger *l, struct err *e);
void taker_running(struct taker *t);
void taker_end(struct taker *t);

#endif
