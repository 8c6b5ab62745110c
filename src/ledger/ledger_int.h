/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the ledger share. Everything here belongs to the ledger thread (or, when there
 * is none, to the caller), but the queue, which has its mutex, and the readers with theirs.
 * In-memory money changes only after the commit that made it true, so that a failed commit leaves
 * no trace.
 */
#ifndef LEDGER_LEDGER_INT_H
#define LEDGER_LEDGER_INT_H

#include <pthread.h>

#include "base/map.h"
#include "ledger/ledger.h"
#include "store/store.h"

/* The one kind of transfer that no event has: a charge's others, but for its cost, the other way
 * round. Its cost is "lost" then: so either kind says that a charge was reversed. */
#define KIND_REVERSAL "reversal"

enum sql {
    SQL_INSERT_ACCOUNT,
    SQL_INSERT_BALANCE,
    SQL_SET_CREDIT_LIMIT,
    SQL_SET_GROUP,
    SQL_INSERT_FACTOR,
    SQL_INSERT_RATE,
    SQL_SET_BUDGET,
    SQL_SPENT,
    SQL_SPENT_BY_KEY,
    SQL_INSERT_CHARGE,
    SQL_INSERT_TRANSFER,
    SQL_INSERT_PURCHASE,
    SQL_INSERT_PLAN,
    SQL_USE_PLAN,
    SQL_SPEND_PLAN,
    SQL_REFUSE_PLAN,
    SQL_INSERT_REQUEST,
    SQL_INSERT_ATTEMPT,
    SQL_INSERT_ALLOTMENT,
    SQL_INSERT_KEY,
    SQL_INSERT_PRICE,
    SQL_UPDATE_BALANCE,
    SQL_UPDATE_ALLOTMENT,
    SQL_REVOKE_KEY,
    SQL_FIND_PRICE,
    SQL_OFFERED,
    SQL_LAST_OFFER,
    SQL_ALL_OFFERED,
    SQL_INSERT_OFFER,
    SQL_FIND_CHARGE,
    SQL_CHARGE_TRANSFERS,
    SQL_REVERSED,
    SQL_INSERT_EPOCH,
    SQL_SET_EPOCH,
    SQL_OPEN_EPOCH,
    SQL_DROP_ALLOTMENTS,
    SQL_DATA_VERSION,
    SQL_LAST_ACCOUNT,
    SQL_LAST_KEY,
    SQL_LAST_CHARGE,
    SQL_LAST_TRANSFER,
    SQL_NEW_ACCOUNTS,
    SQL_NEW_KEYS,
    SQL_NEW_CHARGES,
    SQL_NEW_TRANSFERS,
    SQL_PURSE,
    SQL_REVOKED,
    SQL_DROP_BUDGET_HOLDS,
    SQL_TELL_BUDGET_HOLD,
    SQL_BUDGET_HOLDS,
    SQL_COUNT
};

/* A balance and what the batch at hand does to it. balance + limit of credit = allotted +
 * unallotted where it is limited. */
struct purse {
    struct account account;
    struct group *group;       /* NULL: none */
    struct factor *own_factor; /* NULL: its group's */
    struct purse *next_dirty;
    bool dirty;
    bool budgeted;    /* a key of it has a budget, as a start has loaded it */
    bool has_row;     /* an allotment row of this epoch exists */
    int64_t delta;    /* of the balance */
    int64_t given;    /* moved from unallotted to free */
    int64_t spent;    /* charged against the allotment */
    int64_t returned; /* of what requests held or the purse had, to where any station may get it */
    int64_t generation;  /* of the ledger, when balance and unallotted were read from the disk */
    int64_t idle, swept; /* share.c: the least in the purse for idle_rounds; what goes back */
    unsigned idle_rounds;
    int64_t heard;
};

/* A business event, as events.def tells it, and what its transfers are made of. */
enum event {
    EVENT_CHARGE,
    EVENT_ATTEMPT,
    EVENT_LOST,
    EVENT_CREDIT,
    EVENT_DEBIT,
    EVENT_GRANT,
    EVENT_LAPSE,
    EVENT_VOUCHER_SOLD,
    EVENT_VOUCHER_REDEEMED,
    EVENT_VOUCHER_VOIDED,
    EVENT_VOUCHER_BROKEN,
    EVENT_REFUND,
    EVENT_REFUND_SENT,
    EVENT_REFUND_CANCELLED,
    EVENT_BUY,
    EVENT_EXCHANGE,
    EVENT_WRITEOFF,
    EVENT_PLAN,
};
enum amount {
    AMOUNT_PAID,
    AMOUNT_PROMO,
    AMOUNT_OVERRUN,
    AMOUNT_COST,
    AMOUNT_SPREAD,
    AMOUNT_BEYOND,
    AMOUNT_COUNT
};
struct event_facts {
    struct account *payer; /* a balance; its promo is found through it */
    struct currency cur;   /* where there is no payer */
    struct str upstream;   /* at most LIMIT_UPSTREAM bytes, so that names of accounts hold it */
    struct currency cost_cur;
    struct str bearer; /* "cogs:lab", "loss:no_usage" */
    int64_t amount[AMOUNT_COUNT];
};
#define EVENT_LEGS 6
/* The accounts that an event moves money between, in the order of its rows. */
struct event_purses {
    struct purse *debit[EVENT_LEGS], *credit[EVENT_LEGS];
};

/* What a charge takes from one purse: held before, and beyond it. */
struct share {
    int64_t held, taken, given; /* given: out of what no purse had */
    int64_t paid;
    int64_t returned; /* of these, to where no purse has it */
};

/* An operation of a batch and what its failure or success must do to memory. */
struct item {
    struct ledger_op *op;
    struct event_purses purses; /* CHARGE, REVERSE */
    struct share own, promo;    /* CHARGE */
    int64_t budgeted;           /* CHARGE: beyond the hold, held in the budgets until it settles */
    struct key *key;            /* whose budget changes; REVERSE: NULL where none does */
    int64_t refunded;           /* REVERSE */
    int64_t ts_us;              /* of the charge */
    bool undone;                /* the store failed: nothing is wrong with the operation itself */
};

struct batch {
    struct ledger *ledger;
    struct purse *dirty;
    int64_t purchase, plan;   /* whose transfers these are; 0: of none */
    int64_t ts_us;            /* the time that they belong to; 0: now */
    const struct purse *full; /* what broke it: a balance that would be too large; or NULL */
    bool broken;              /* a statement failed: nothing of this batch may commit */
};

/* What a reader sees; view_begin to view_end of it is one snapshot. */
struct ledger_view {
    struct store *store;
    struct directory *directory;
    atomic_bool *broken; /* of the ledger, told by a check; NULL: nobody serves */
};

struct reader {
    struct ledger_view view;
    pthread_t thread;
    bool running;
    pthread_mutex_t mutex; /* of the queue: first, last, queued */
    pthread_cond_t wake;
    struct task *first, *last;
    unsigned queued;
    atomic_bool stopping;
    /* Of the one for reports, under the mutex: it checks the books by itself. */
    int64_t check_every_ms, check_at_ns; /* 0: never */
    bool checked;
    pthread_cond_t first_check;
};
enum { READER_SHORT, READER_LONG, READERS };

struct ledger {
    struct store *store;
    struct ledger_view own_view; /* over the writing connection */
    struct reader readers[READERS];
    struct statement *sql[SQL_COUNT];
    struct directory *directory;
    struct map *accounts; /* by id: struct purse */
    struct map *keys;     /* by id: struct key */
    _Atomic(struct rate_entry *) rates;
    struct map *groups;  /* by name: struct group */
    struct map *factors; /* by id: struct factor; all that were ever in force here */
    int64_t epoch;
    /* share.c */
    atomic_bool shared; /* another station may spend from the store: the disk decides */
    bool pinned;        /* and that stays so, whoever is there */
    int64_t generation, round_ns;
    struct {
        int64_t version, account, key, charge, transfer, reversed, revoked;
        bool holds;
    } seen; /* of what others commit */
    pthread_t thread;
    bool running;
    pthread_mutex_t mutex; /* of the queue: first, last, stopping */
    pthread_cond_t wake;
    struct task *first, *last;
    atomic_uint queued; /* in the queue and in outboxes */
    atomic_bool open;   /* operations are taken */
    bool stopping;
    atomic_bool failing;           /* the last transaction did not commit */
    atomic_bool broken;            /* an invariant is, as the last check found */
    struct task *kept, *kept_last; /* closing rows and uses not written, to be tried again */
    unsigned kept_count;
};

extern const char *const ledger_schema[]; /* schema.c */
extern const int ledger_schema_count;
extern const char *const ledger_sql[SQL_COUNT];

/* ledger.c */
/* A condition whose waits end by a clock that nobody sets. */
void condition_init(pthread_cond_t *c);
/* When so much of that clock has passed. */
struct timespec condition_time(int64_t mono_ns);
struct str id_bytes(const int64_t *id); /* the key of an id in a map */
struct purse *purse_by_id(struct ledger *l, int64_t id);
struct purse *purse_by_name(struct ledger *l, const char *name);
struct key *key_by_id(struct ledger *l, int64_t id);
struct purse *purse_add(struct ledger *l, int64_t id, struct str name, uint8_t kind,
                        struct currency cur, int64_t balance, int64_t credit_limit,
                        struct purse *owner); /* NULL: its own */
/* The system account of this name, made on first use, outside any transaction. */
struct purse *system_account(struct ledger *l, const char *name, struct currency cur,
                             struct err *e);

/* Makes it a further balance of its owner, or the promo of the owner's balance of its currency. */
void balance_attach(struct purse *p, bool promo);

/* admin.c */
struct account *account_named(struct ledger *l, struct str name, struct err *e);
struct key *key_named(struct ledger *l, struct str id, struct err *e);
/* ek_ and 43 characters, without a NUL; only its hash is kept. */
#define KEY_RAW 46
void key_make(char raw[KEY_RAW], uint8_t hash[32]);
/* Reads back what was inserted, so that a key is built in one place. */
struct key *key_load_new(struct ledger *l, int64_t id, struct err *e);

/* move.c */
bool check_note(struct str note, struct err *e);
/* May it have this balance? Also where it has it already. */
bool balance_allowed(const struct account *owner, struct currency cur, bool promo, struct err *e);
/* The balance of this account in the currency (none: its own), or the promo of that; make: also
 * where there is none yet. */
struct account *balance_find(struct ledger *l, struct str account, struct currency cur, bool promo,
                             bool make, struct err *e);
/* The event as one commit of its own, and in the same transaction the rows that `also` (or NULL)
 * writes of the last transfer. What it pays is taken from what no request holds of `from`, a
 * balance, or (NULL) from none. */
typedef bool also_fn(struct ledger *l, void *ctx, int64_t transfer, struct err *e);
bool move_commit(struct ledger *l, enum event event, const struct event_facts *f,
                 struct account *from, struct str note, also_fn *also, void *ctx, struct err *e);

/* reference.c */
struct reference {
    struct str scope, text; /* an account's name or "upstream:NAME"; empty: there is none */
    struct str what;        /* what is booked, so that another is known */
};
bool reference_check(struct str text, struct err *e);
/* Was this booked before? False: something else was, or nobody knows. */
bool reference_known(struct ledger *l, const struct reference *r, bool *known, struct err *e);
/* An also_fn; ctx is a struct reference. */
bool reference_keep(struct ledger *l, void *ctx, int64_t transfer, struct err *e);
void reference_what(struct buf *out, const char *kind, int64_t nano, struct currency cur);

/* event.c */
/* Who bears a cost at an upstream, where nobody else (NULL) is named; room is of LIMIT_NAME. */
struct str event_bearer(const char *cost_to, struct str upstream, char *room);
/* Finds the accounts, and makes those of the system on first use: outside any transaction, but for
 * a start, which ends with its transaction. */
bool event_prepare(struct ledger *l, enum event event, const struct event_facts *f,
                   struct event_purses *out, struct err *e);
/* cause 0: none. False: the batch is broken. */
bool event_post(struct ledger *l, struct batch *b, enum event event, const struct event_facts *f,
                const struct event_purses *purses, int64_t cause, struct str note);

/* rate.c */
void rate_add(struct ledger *l, const struct rate *r);
bool rates_load(struct ledger *l, struct err *e);
void rates_free(struct ledger *l);

/* factor.c */
bool factors_load(struct ledger *l, struct err *e);
void factors_free(struct ledger *l);
void group_join(struct ledger *l, struct purse *p, struct str group); /* empty: leaves it */

/* purse.c */
int64_t purse_take(struct account *a,
                   int64_t nano); /* at most nano from free into held; how much */
void purse_give_back(struct account *a, int64_t nano); /* from held into free */

/* batch.c */
void bind_row(struct statement *st, int at, int64_t id); /* of another row; 0: there is none */
struct purse *batch_touch(struct batch *b, struct purse *p);
/* cause 0: none. Nothing happens for nano == 0. */
bool batch_transfer(struct ledger *l, struct batch *b, struct purse *debit, struct purse *credit,
                    int64_t nano, const char *kind, int64_t cause, struct str note);
bool batch_flush(struct ledger *l, struct batch *b);     /* sums to balance and allotment rows */
void batch_apply(struct batch *b);                       /* after the commit: to memory */
void batch_drop(struct batch *b);                        /* after a rollback */
bool batch_failed(const struct batch *b, struct err *e); /* says why; false */
void batch_run(struct ledger *l, struct item *items, size_t count);

/* plan.c */
/* A period's units and cost; what was booked of both before these were changed stays as it is. */
struct plan_terms {
    int64_t units, cost, base_booked, base_spent;
};
/* What of the cost is due when so many units are booked. */
int64_t plan_due(const struct plan_terms *t, int64_t booked);
/* Counts in the row of its period, which is made on first use; *id is it, *nano the part of the
 * period's cost that the booked units bear. False: the batch is broken. */
bool plan_use(struct ledger *l, struct batch *b, const struct plan *p, int64_t used, int64_t booked,
              int64_t *id, int64_t *nano);
struct plan_part {
    int64_t plan, used, booked, nano;
};
/* What a charge uses of it; sets its cost where the plan says so. */
bool plan_charge(struct ledger *l, struct batch *b, struct charge *c, struct plan_part *out);
/* The same taken back, in the same transaction: the charge is refused. */
void plan_refuse(struct ledger *l, struct batch *b, const struct plan_part *part);
bool plan_close_prepare(struct ledger *l, const struct closing *c);
/* Attempts that reached a vendor and led to no charge have their part of the cost, too. */
bool plan_close(struct ledger *l, struct batch *b, const struct closing *c);

/* charge.c */
bool charge_prepare(struct ledger *l, struct item *it); /* CHARGE, REVERSE, CLOSE */
bool charge_write(struct ledger *l, struct batch *b, struct item *it);
bool charge_reverse(struct ledger *l, struct batch *b, const struct rid *rid, struct str reason,
                    struct item *it);
void charge_settle(struct item *it, bool done); /* the hold, after commit or rollback */
bool closing_write(struct ledger *l, struct batch *b, const struct closing *c);

/* leaves.c: the usage of a charge in its row */
#define LEAF_COLUMNS 6 /* in_, cache_read, cache_write_5m, cache_write_1h, out, reasoning */
void leaves_bind(struct statement *st, int at, const struct usage *u); /* these and the state */
/* more and tier; the text is in room until the step. */
void leaves_bind_more(struct statement *st, int at, const struct usage *u, char room[LIMIT_LEAVES]);
/* From the columns at, and more, tier at more; false: what stands there is none. */
bool leaves_read(struct statement *row, int at, int more, struct usage *u);
void leaves_text(struct buf *out, const struct usage *u); /* as JSON */

/* share.c */
#define SHARE_ROUND_NS INT64_C(20000000) /* from one look at the others to the next */
/* As store_begin; memory then knows what other stations have committed. Any transaction that
 * decides about money begins so. */
bool share_begin(struct ledger *l, struct err *e) MUST_CHECK;
bool share_look(struct ledger *l, struct err *e) MUST_CHECK; /* that alone */
/* The same outside of one, for what is said or checked before. */
bool share_now(struct ledger *l, struct account *a, struct err *e) MUST_CHECK;
/* Inside such a transaction: balance and unallotted are as on the disk. Nothing where this station
 * is alone. */
bool share_refresh(struct ledger *l, struct purse *p, struct err *e) MUST_CHECK;
/* A start in its three steps: an epoch; with the accounts loaded, the end of those that are dead;
 * with all loaded. */
bool share_start(struct ledger *l, bool beside, struct err *e) MUST_CHECK;
bool share_started(struct ledger *l, struct batch *b, struct err *e) MUST_CHECK;
bool share_loaded(struct ledger *l, struct err *e) MUST_CHECK;
/* Now and then while it is shared: idle money goes back, dead stations are settled, and where no
 * other is left it is shared no more. */
void share_round(struct ledger *l);

/* holds.c; inside a transaction where the store is shared */
bool holds_hear(struct ledger *l, struct err *e) MUST_CHECK;
bool holds_tell(struct ledger *l, struct err *e) MUST_CHECK;
/* So much of what was told is charged in this transaction. */
bool holds_tell_less(struct ledger *l, struct key *k, int64_t nano) MUST_CHECK;
/* -1: after a rollback nobody knows what others were told. 0: nobody is there to be told. */
void holds_forget(struct ledger *l, int64_t told);

/* start.c */
bool ledger_load_account(struct ledger *l, struct statement *row, struct err *e);
/* Reverses what this epoch charged, beyond the mark, without a closing row. */
bool charges_of_dead(struct ledger *l, struct batch *b, int64_t epoch, int64_t mark, struct err *e);
/* What an account was charged in the window that is open at *at_us. That moves to the last of these
 * charges where it is later: then the clock was set back. */
bool ledger_spent(struct ledger *l, int64_t account, char period, int64_t *at_us, int64_t *nano,
                  struct err *e);
bool ledger_start(struct ledger *l, bool beside, struct err *e);
bool ledger_load_key(struct ledger *l, struct statement *row);

/* A transaction that changes nothing: does the store commit again? */
bool batch_probe(struct ledger *l);

/* check.c */
/* A check that nobody asked for. False: it could not be made. */
bool check_alone(struct ledger_view *v, struct err *e) MUST_CHECK;

/* reader.c */
bool readers_start(struct ledger *l, struct err *e);
void readers_stop(struct ledger *l); /* cuts off what is being read */
bool reader_submit(struct reader *r, struct ledger_op *op);
bool view_begin(struct ledger_view *v, struct err *e);
void view_end(struct ledger_view *v);

/* thread.c */
bool thread_start(struct ledger *l, struct err *e);
void thread_stop(struct ledger *l);

#endif
