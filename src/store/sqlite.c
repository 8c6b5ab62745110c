/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/lock.h"

struct statement {
    sqlite3_stmt *sql;
    struct statement *next;
};

struct store {
    sqlite3 *db;
    struct statement *statements;
    int lock_fd;             /* -1: a reader has none */
    const atomic_bool *stop; /* of a reader */
    int64_t busy_since_ns;   /* another process writes; see wait_turn */
};

#define STOP_STEPS 10000  /* instructions of SQLite between two looks at stop: a millisecond */
#define BACKUP_PAGES 1024 /* copied between two looks at it */
#define BUSY_NS INT64_C(5000000000)
#define BUSY_PAUSE_US 300 /* two that write in turn wait for one another's fsync, not for a timer */

/* The file is made here first, since SQLite would make it readable for others. */
static bool make_private_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(e, "cannot open the store %s: %s", path, strerror(errno));
    close(fd);
    return true;
}

#define LOOKASIDE_BYTES 512 /* SQLite's small allocations come from 512 slots of its own */
#define LOOKASIDE_SLOTS 512

static int wait_turn(void *ctx, int count)
{
    struct store *s = ctx;

    if (count == 0)
        s->busy_since_ns = clock_mono_ns();
    if (clock_mono_ns() - s->busy_since_ns > BUSY_NS)
        return 0;
    usleep(BUSY_PAUSE_US);
    return 1;
}

static bool open_db(struct store *s, const char *path, struct err *e)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (!make_private_file(path, e))
        return false;
    /* Counting every allocation would take a lock for each; refused when there is a store already.
     */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK)
        return err_set(e, "cannot open the store %s: %s", path, store_error(s));
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, LOOKASIDE_BYTES,
                            LOOKASIDE_SLOTS);
    /* The wait comes first: after a crash somebody who only reads may hold the file for a moment.
     * secure_delete: what a row held is not left in free pages. */
    sqlite3_busy_handler(s->db, wait_turn, s);
    if (!store_exec(s,
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                    "PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON; PRAGMA trusted_schema=OFF;"
                    "PRAGMA cache_size=-16384",
                    e))
        return false;
    return true;
}

static struct store *open_one(const char *path, bool lead, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);

    if (s == NULL) {
        err_set(e, "out of memory");
        return NULL;
    }
    s->lock_fd = lock_open(path, e);
    if (s->lock_fd < 0 || (lead && !lock_lead(s->lock_fd, path, e)) || !open_db(s, path, e)) {
        store_close(s);
        return NULL;
    }
    return s;
}

struct store *store_open(const char *path, struct err *e)
{
    return open_one(path, true, e);
}

struct store *store_open_beside(const char *path, struct err *e)
{
    return open_one(path, false, e);
}

bool store_lead(struct store *s, struct err *e)
{
    return lock_lead(s->lock_fd, sqlite3_db_filename(s->db, "main"), e);
}

void store_yield(struct store *s)
{
    lock_yield(s->lock_fd);
}

bool store_take_seat(struct store *s, int64_t number)
{
    return lock_take_seat(s->lock_fd, number);
}

bool store_seat_taken(const struct store *s, int64_t number)
{
    return lock_seat_taken(s->lock_fd, number);
}

static int stopped(void *ctx)
{
    const struct store *s = ctx;

    return s->stop != NULL && atomic_load(s->stop);
}

static bool open_reader_db(struct store *s, const char *path, struct err *e)
{
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK)
        return err_set(e, "cannot open the store %s: %s", path, store_error(s));
    sqlite3_progress_handler(s->db, STOP_STEPS, stopped, s);
    return store_exec(s, "PRAGMA busy_timeout=5000; PRAGMA trusted_schema=OFF", e);
}

struct store *store_open_reader(const struct store *of, const atomic_bool *stop, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);

    if (s == NULL) {
        err_set(e, "out of memory");
        return NULL;
    }
    s->lock_fd = -1;
    s->stop = stop;
    if (!open_reader_db(s, sqlite3_db_filename(of->db, "main"), e)) {
        store_close(s);
        return NULL;
    }
    return s;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    while (s->statements != NULL) {
        struct statement *st = s->statements;
        s->statements = st->next;
        sqlite3_finalize(st->sql);
        free(st);
    }
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s);
}

const char *store_error(const struct store *s)
{
    return s->db == NULL ? "out of memory" : sqlite3_errmsg(s->db);
}

bool store_failed(const struct store *s, struct err *e)
{
    return err_set(e, "store: %s", store_error(s));
}

bool store_exec(struct store *s, const char *sql, struct err *e)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_failed(s, e);
    return true;
}

bool store_begin(struct store *s, struct err *e)
{
    return store_exec(s, "BEGIN IMMEDIATE", e);
}

bool store_commit(struct store *s, struct err *e)
{
    if (store_exec(s, "COMMIT", e))
        return true;
    store_rollback(s);
    return false;
}

bool store_begin_read(struct store *s, struct err *e)
{
    /* A transaction begins with its first read. */
    if (store_exec(s, "BEGIN; SELECT 1 FROM sqlite_schema", e))
        return true;
    store_rollback(s);
    return false;
}

void store_rollback(struct store *s)
{
    /* Some failures (a full disk) have rolled back already. A failing ROLLBACK has too. */
    if (sqlite3_get_autocommit(s->db) == 0)
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int64_t store_last_id(const struct store *s)
{
    return sqlite3_last_insert_rowid(s->db);
}

bool store_in_transaction(const struct store *s)
{
    return sqlite3_get_autocommit(s->db) == 0;
}

int store_changes(const struct store *s)
{
    return sqlite3_changes(s->db);
}

static bool read_version(struct store *s, int *version, struct err *e)
{
    struct statement *st = store_prepare(s, "PRAGMA user_version", e);

    if (st == NULL)
        return false;
    if (store_step(st) != STEP_ROW)
        return store_failed(s, e);
    *version = (int)store_i64(st, 0);
    store_reset(st);
    return true;
}

static bool migrate_one(struct store *s, const char *text, int version, struct err *e)
{
    char set[48];

    snprintf(set, sizeof set, "PRAGMA user_version=%d", version);
    if (!store_begin(s, e))
        return false;
    if (!store_exec(s, text, e) || !store_exec(s, set, e)) {
        store_rollback(s);
        return false;
    }
    return store_commit(s, e);
}

bool store_migrate(struct store *s, const char *const *texts, int count, struct err *e)
{
    int version = 0;

    if (!read_version(s, &version, e))
        return false;
    if (version > count)
        return err_set(e, "the store was written by a newer version (schema %d, this one knows %d)",
                       version, count);
    if (version < count && lock_any_seat_taken(s->lock_fd))
        return err_set(e,
                       "the store has to be migrated from schema %d to %d, which no station that "
                       "still uses it could follow: stop it first",
                       version, count);
    for (int i = version; i < count; i++)
        if (!migrate_one(s, texts[i], i + 1, e))
            return false;
    return true;
}

bool store_backup(struct store *s, const char *to, struct err *e)
{
    sqlite3 *copy = NULL;
    int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(e, "cannot make %s: %s", to, strerror(errno));
    close(fd);
    int rc = sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_backup *b = sqlite3_backup_init(copy, "main", s->db, "main");
        if (b != NULL) {
            do
                rc = sqlite3_backup_step(b, BACKUP_PAGES);
            while (rc == SQLITE_OK && !stopped(s));
            rc = rc == SQLITE_OK ? SQLITE_INTERRUPT : rc;
            sqlite3_backup_finish(b);
        }
        rc = rc == SQLITE_DONE || b == NULL ? sqlite3_errcode(copy) : rc;
    }
    if (rc != SQLITE_OK) {
        err_set(e, "backup to %s: %s", to, sqlite3_errstr(rc));
        unlink(to);
    }
    sqlite3_close(copy);
    return rc == SQLITE_OK;
}

struct statement *store_prepare(struct store *s, const char *sql, struct err *e)
{
    struct statement *st = calloc(1, sizeof *st);

    if (st == NULL) {
        err_set(e, "out of memory");
        return NULL;
    }
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->sql, NULL) !=
        SQLITE_OK) {
        store_failed(s, e);
        free(st);
        return NULL;
    }
    st->next = s->statements;
    s->statements = st;
    return st;
}

void store_drop(struct store *s, struct statement *st)
{
    struct statement **at = &s->statements;

    if (st == NULL)
        return;
    while (*at != st)
        at = &(*at)->next;
    *at = st->next;
    sqlite3_finalize(st->sql);
    free(st);
}

/* Binding fails only for a wrong index or for want of memory: both end the program. */
static void bound(int rc)
{
    if (rc != SQLITE_OK)
        abort();
}

void store_bind_i64(struct statement *st, int at, int64_t v)
{
    bound(sqlite3_bind_int64(st->sql, at, v));
}

void store_bind_text(struct statement *st, int at, struct str v)
{
    bound(
        sqlite3_bind_text64(st->sql, at, v.p == NULL ? "" : v.p, v.n, SQLITE_STATIC, SQLITE_UTF8));
}

void store_bind_blob(struct statement *st, int at, const void *p, size_t n)
{
    bound(sqlite3_bind_blob64(st->sql, at, p, n, SQLITE_STATIC));
}

void store_bind_null(struct statement *st, int at)
{
    bound(sqlite3_bind_null(st->sql, at));
}

enum store_step store_step(struct statement *st)
{
    int rc = sqlite3_step(st->sql);

    if (rc == SQLITE_ROW)
        return STEP_ROW;
    sqlite3_reset(st->sql);
    if (rc == SQLITE_DONE)
        return STEP_DONE;
    return rc == SQLITE_CONSTRAINT ? STEP_CONSTRAINT : STEP_FAIL;
}

void store_reset(struct statement *st)
{
    sqlite3_reset(st->sql);
}

int64_t store_i64(struct statement *st, int column)
{
    return sqlite3_column_int64(st->sql, column);
}

struct str store_text(struct statement *st, int column)
{
    const void *p = sqlite3_column_text(st->sql, column);
    int n = sqlite3_column_bytes(st->sql, column);

    return str_slice(p, (size_t)n);
}

struct str store_blob(struct statement *st, int column)
{
    const void *p = sqlite3_column_blob(st->sql, column);
    int n = sqlite3_column_bytes(st->sql, column);

    return str_slice(p, (size_t)n);
}

bool store_null(struct statement *st, int column)
{
    return sqlite3_column_type(st->sql, column) == SQLITE_NULL;
}
