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

/* A limit of money for each day or month of UTC, and what was charged in it and is held. */
struct budget {
    atomic_int_fast64_t limit; /* nano, 0: none */
    _Atomic(char) period;      /* 'd' or 'm' */
    _Alignas(64) atomic_int_fast64_t held;
    atomic_int_fast64_t spent_window, spent; /* of the window that began there; the ledger writes */
    atomic_int_fast64_t elsewhere; /* held by other stations on the store; the ledger writes */
};

enum account_kind { ACCOUNT_CUSTOMER, ACCOUNT_HOUSE, ACCOUNT_SYSTEM };

/* What a customer's or a group's prices are multiplied with: an immutable row of the store. */
struct factor {
    int64_t id;
    struct ratio ratio;
};

/*
 * An account, which is its first balance; one of its further balances, which are in other
 * currencies; or the promo of a balance, which is spent before it and never refunded.
 */
struct account {
    int64_t id;
    char name[LIMIT_NAME];
    struct currency currency;
    uint8_t kind;
    bool limited;                     /* spends from a purse: customers, and houses with a limit */
    struct account *owner;            /* itself, where it is an account */
    _Atomic(struct account *) next;   /* the owner's next balance, in another currency */
    _Atomic(struct account *) promo;  /* of this balance; NULL: none */
    _Atomic(struct factor *) factor;  /* of the owner; NULL: 1 */
    _Atomic(const char *) group;      /* of the owner; NULL: none */
    const atomic_bool *shared;        /* others may spend of it: what is said below may be old */
    atomic_int_fast64_t credit_limit; /* how far below zero a limited house may go */
    _Alignas(64) atomic_int_fast64_t free; /* the purse */
    atomic_int_fast64_t held;
    atomic_int_fast64_t balance;    /* as committed */
    atomic_int_fast64_t unallotted; /* balance that no purse has */
    atomic_int reads;               /* of the books, that it waits for */
    atomic_int_fast64_t bad_codes;  /* of vouchers: minute << 24 | unknown ones in it */
    struct budget budget;           /* of all its keys together */
};

/* A key that replaced another has its limits and its counts: those of the first of them all. */
struct key {
    int64_t id;
    uint8_t hash[32];
    char label[LIMIT_NAME];
    struct account *account;
    struct key *root;               /* where its requests and money are counted; NULL: here */
    char models[512];               /* comma list of allowed models, empty: all */
    atomic_int_fast64_t expires_us; /* 0: never */
    uint32_t rpm, concurrency;      /* 0: no limit */
    atomic_bool revoked;
    _Alignas(64) atomic_int_fast64_t minute_count; /* minute << 24 | requests in it: one swap */
    atomic_int_fast64_t running;
    struct budget budget;
    int64_t told, heard; /* the ledger's: held here as others were told, and what they told */
};

static inline struct budget *key_budget(struct key *k)
{
    return k->root != NULL ? &k->root->budget : &k->budget;
}

/* Neither revoked nor expired. */
bool key_valid(const struct key *k, int64_t wall_us);

enum key_verdict { KEY_OK, KEY_REVOKED, KEY_EXPIRED, KEY_RPM, KEY_CONCURRENCY };
/* Checks and counts one request in; KEY_OK must be followed by key_leave. */
enum key_verdict key_enter(struct key *k, int64_t wall_us, unsigned *retry_after_s);
void key_leave(struct key *k);

/* Whether this account may wait for another read of the books; true: until account_read_done. */
bool account_read(struct account *a) MUST_CHECK;
void account_read_done(struct account *a);

/* Seconds until this account may bring a voucher's code again; 0: now. */
unsigned account_codes_wait_s(const struct account *a, int64_t wall_us);
void account_bad_code(struct account *a, int64_t wall_us); /* it has brought an unknown one */

/* Budgets. Times are wall clock. */
int64_t budget_window_us(char period, int64_t wall_us); /* when the window of this time began */
int64_t budget_reset_us(const struct budget *b, int64_t wall_us); /* when its window ends */
/* What it has left in the window, holds counted. */
int64_t budget_left(const struct budget *b, int64_t wall_us);
bool budget_hold(struct budget *b, int64_t nano, int64_t wall_us) MUST_CHECK; /* false: not held */
void budget_release(struct budget *b, int64_t nano);
/* Ledger thread: charged (negative: reversed) at this time counts; what was held for it is
 * released. */
void budget_charge(struct budget *b, int64_t held, int64_t charged, int64_t wall_us);
/* Ledger thread: other terms, with what was spent in their window already. Holds stay. */
void budget_set(struct budget *b, int64_t limit, char period, int64_t spent, int64_t wall_us);

/* Both budgets of a key: its own and its account's. */
/* Holds up to `nano` in both, as much as both have left; how much. */
int64_t key_budget_take(struct key *k, int64_t nano, int64_t wall_us);
void key_budget_release(struct key *k, int64_t nano);
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
