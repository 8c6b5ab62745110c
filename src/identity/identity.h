/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts and keys in memory, and the limits of a key. Made and changed by the ledger thread after
 * its commits; read by any thread; entries live until the process ends. All counters are atomic.
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/money.h"
#include "base/str.h"

enum account_kind { ACCOUNT_CUSTOMER, ACCOUNT_HOUSE, ACCOUNT_SYSTEM };

struct account {
    int64_t id;
    char name[LIMIT_NAME];
    struct currency currency;
    uint8_t kind;
    _Alignas(64) atomic_int_fast64_t free; /* the purse */
    atomic_int_fast64_t held;
    atomic_int_fast64_t balance;    /* as committed */
    atomic_int_fast64_t unallotted; /* balance that no purse has */
};

struct key {
    int64_t id;
    uint8_t hash[32];
    char label[LIMIT_NAME];
    struct account *account;
    char models[512];          /* comma list of allowed models, empty: all */
    int64_t expires_us;        /* 0: never */
    uint32_t rpm, concurrency; /* 0: no limit */
    int64_t budget;            /* nano, 0: none */
    char budget_period;        /* 'd' or 'm' */
    atomic_bool revoked;
    _Alignas(64) atomic_int_fast64_t minute_count; /* minute << 24 | requests in it: one swap */
    atomic_int_fast64_t running;
    atomic_int_fast64_t held; /* nano in open holds; counts against the budget */
    atomic_int_fast64_t spent_window,
        spent; /* charged in the window that began there; ledger thread writes */
};

/* Neither revoked nor expired. */
bool key_valid(const struct key *k, int64_t wall_us);

enum key_verdict { KEY_OK, KEY_REVOKED, KEY_EXPIRED, KEY_RPM, KEY_CONCURRENCY };
/* Checks and counts one request in; KEY_OK must be followed by key_leave. */
enum key_verdict key_enter(struct key *k, int64_t wall_us, unsigned *retry_after_s);
void key_leave(struct key *k);

/* The budget. Times are wall clock; windows are days or months of UTC. */
int64_t key_window_us(const struct key *k,
                      int64_t wall_us); /* when the window of this time began */
/* What its budget has left in the window, holds counted. */
int64_t key_budget_left(struct key *k, int64_t wall_us);
bool key_budget_hold(struct key *k, int64_t nano,
                     int64_t wall_us) MUST_CHECK; /* false: nothing held */
void key_budget_release(struct key *k, int64_t nano);
/* Ledger thread: charged (negative: reversed) at this time counts; what was held for it is
 * released. */
void key_budget_charge(struct key *k, int64_t held, int64_t charged, int64_t wall_us);

/* Directory: insert by one thread, look-ups by any. */
struct directory;
struct directory *directory_new(void);
void directory_free(struct directory *d);
void directory_add_key(struct directory *d, struct key *k);
void directory_add_account(struct directory *d, struct account *a);
struct key *directory_key(const struct directory *d, const uint8_t hash[32]);
struct account *directory_account(const struct directory *d, struct str name);

#endif
