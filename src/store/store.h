/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only user of SQLite: a connection with a lock beside the file, so that one process has it,
 * and connections that only read. A store belongs to one thread at a time. Statements belong to
 * their store and end with it; text and blobs bound to one must live until it is stepped to its
 * end or reset; columns live until the next step or reset. Failure is false or STEP_FAIL, its
 * sentence in the err or in store_error.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/str.h"

struct store;
struct statement;

/* Opens or creates the file at path (0600): WAL, synchronous=FULL, foreign keys. NULL on failure,
 * also
 * when another process holds `<path>.lock`; the text names its pid. */
struct store *store_open(const char *path, struct err *e);
/* The same beside a process that holds the lock: see store_lead. */
struct store *store_open_beside(const char *path, struct err *e);
/* Takes the lock beside the file, or gives it up and stays. Any thread. */
bool store_lead(struct store *s, struct err *e);
void store_yield(struct store *s);
/* A number that this process holds as long as the store is open or it lives; whether another holds
 * one. */
bool store_take_seat(struct store *s, int64_t number);
bool store_seat_taken(const struct store *s, int64_t number);
/* A further connection to a store that is open, for reading alone, of one thread of its own; to be
 * closed first. Once *stop is true what it reads fails soon. */
struct store *store_open_reader(const struct store *of, const atomic_bool *stop, struct err *e);
void store_close(struct store *s); /* NULL is fine; an open transaction is rolled back */

/* Text i brings the schema from version i to i + 1, each in its own transaction. Refused while
 * another process has a seat: it knows the old one. */
bool store_migrate(struct store *s, const char *const *texts, int count, struct err *e) MUST_CHECK;

bool store_exec(struct store *s, const char *sql, struct err *e) MUST_CHECK;
bool store_begin(struct store *s, struct err *e) MUST_CHECK;
bool store_commit(struct store *s, struct err *e) MUST_CHECK; /* a failed commit is rolled back */
/* From here to store_rollback all reads see the same commit. */
bool store_begin_read(struct store *s, struct err *e) MUST_CHECK;
void store_rollback(struct store *s);                    /* nothing where no transaction is open */
const char *store_error(const struct store *s);          /* of the last failure */
bool store_failed(const struct store *s, struct err *e); /* it is put into e; false, always */
int64_t store_last_id(const struct store *s);
bool store_in_transaction(const struct store *s);
int store_changes(const struct store *s); /* rows touched by the last statement */

/* A copy of the store into a new file (0600), consistent between begin_read and rollback. */
bool store_backup(struct store *s, const char *to, struct err *e) MUST_CHECK;

struct statement *store_prepare(struct store *s, const char *sql, struct err *e);
void store_drop(struct store *s, struct statement *st); /* before its store ends; NULL is fine */
void store_bind_i64(struct statement *st, int at, int64_t v); /* at counts from 1 */
void store_bind_text(struct statement *st, int at, struct str v);
void store_bind_blob(struct statement *st, int at, const void *p, size_t n);
void store_bind_null(struct statement *st, int at);

enum store_step { STEP_ROW, STEP_DONE, STEP_CONSTRAINT, STEP_FAIL };
/* After anything but STEP_ROW the statement is reset and may be bound again. After STEP_CONSTRAINT
 * the
 * transaction stands without this statement; after STEP_FAIL it may be gone: roll back. */
enum store_step store_step(struct statement *st) MUST_CHECK;
void store_reset(struct statement *st);
int64_t store_i64(struct statement *st, int column); /* column counts from 0 */
struct str store_text(struct statement *st, int column);
struct str store_blob(struct statement *st, int column);
bool store_null(struct statement *st, int column);

#endif
