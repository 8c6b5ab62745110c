/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Administration of a serving station: a socket in its data folder, for its owner alone. One line
 * of JSON in, one out: {"argv":["account","create","bob"]} -> {"ok":true,"result":{...}} or
 * {"ok":false,"error":"...","result":...}. On one loop; commands run on the ledger's threads. Close
 * it before the ledger and before its loop, after the ledger has answered what it was given.
 */
#ifndef ADMIN_SOCKET_H
#define ADMIN_SOCKET_H

#include "relay/relay.h"
#include "json/json.h"

struct admin_socket;

struct admin_socket *admin_socket_open(struct loop *loop, struct station *station, struct str path,
                                       struct err *e);
/* A line {"takeover":"ask",...} gives the connection away, with the line, which is borrowed. */
typedef void takeover_fn(void *ctx, struct conn *conn, const struct json *line);
void admin_socket_on_takeover(struct admin_socket *s, takeover_fn *fn, void *ctx);
/* Commands that change something are refused for now, or no more. */
void admin_socket_hold(struct admin_socket *s, bool on);
/* As close, but its path in the file system is another's by now. */
void admin_socket_leave(struct admin_socket *s);
/* Takes no more commands; those under way end, and their answers are dropped. */
void admin_socket_close(struct admin_socket *s);

/* The answer's line for a result (may be empty) and a failure (text empty: none). */
void admin_write_answer(struct buf *out, bool ok, struct str result, const struct err *e);

#endif
