/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, purses and the durable record. SQL (SQLite WAL, synchronous=FULL) is the only truth; one
 * ledger thread owns the writing connection and commits in groups. Lanes talk to it through
 * ledger_gather and get their operation back on their own loop after the commit. Holds live in
 * memory only. 1 a customer's balance is never below zero  2 every movement is a transfer  3 sum of
 * allotments <= balance  4 a charge is durable before its operation comes back done  5 a charge has
 * exactly one of: a closing request row, a reversal, an epoch that runs.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/money.h"
#include "base/rid.h"
#include "config/config.h"
#include "identity/identity.h"
#include "io/io.h"
#include "ledger/code.h"
#include "price/price.h"

struct ledger;

/* Opens (creates, migrates) the store at path, takes the lock (a second station is refused),
 * replaces the epoch, reverses charges without a request row, loads accounts and keys, starts the
 * thread when run. */
struct ledger *ledger_open(const char *path, bool run, struct err *e);
/*
 * The same beside a station that shares the store, and does not lead: it holds no lock that a
 * second station would run into. Each spends only what it was allotted on the disk; charges of one
 * count in the budgets of the other; what one leaves undone when it dies, the other mends.
 */
struct ledger *ledger_open_beside(const char *path, struct err *e);
/* On the ledger thread. On: another may be opened beside this one from now on. Off: no more, once
 * all others are gone; until then money is decided on the disk. */
bool ledger_share(struct ledger *l, bool on, struct err *e) MUST_CHECK;
bool ledger_shared(const struct ledger *l); /* another may be there; any thread */
/* Takes the lock that the station has which administration and a next start find; or gives it up.
 * Any thread. */
bool ledger_lead(struct ledger *l, struct err *e) MUST_CHECK;
void ledger_yield(struct ledger *l);
/* Starts the threads of a ledger opened with run == false. From then on the books are checked, now
 * and every hour; a small store has been checked when it returns. */
bool ledger_run(struct ledger *l, struct err *e) MUST_CHECK;
void ledger_close(struct ledger *l); /* commits what is queued, gives allotments back */

/* Looks a raw key up by its SHA-256. NULL: unknown. Any thread. Lives until ledger_close. */
struct key *ledger_key(struct ledger *l, struct str raw);

enum hold_result {
    HOLD_HELD,
    HOLD_NO_FUNDS,
    HOLD_OVER_BUDGET,
    HOLD_OVER_ACCOUNT_BUDGET,
    HOLD_WAIT
};
/* What one request holds of a balance: first of its promo. */
struct hold {
    struct account *from;
    int64_t promo, paid;
    bool asked; /* a LEDGER_ALLOT for it came back: what memory says then is as new as can be */
};
static inline int64_t hold_total(const struct hold *h)
{
    return h->promo + h->paid;
}
/* Takes nano more from the purses of h->from, a balance of the key's account. HOLD_WAIT: submit a
 * LEDGER_ALLOT for that balance and try again after. Budgets are in the currency of the account's
 * first balance and count what comes from it. Any thread. */
enum hold_result ledger_hold(struct hold *h, struct key *k, int64_t nano);
/* Gives all of it back. */
void ledger_release(struct hold *h, struct key *k);
/* What could still be held of this balance, with its promo; INT64_MAX: there is no limit. */
int64_t ledger_available(const struct account *a);

/* The balance of this account in a currency, or NULL. Any thread. */
struct account *ledger_balance_in(struct account *owner, struct currency cur);

/* A dated rate of exchange: 1 of base is ratio of quote. A row of the store that never changes. */
struct rate {
    int64_t id;
    struct currency base, quote;
    struct ratio ratio;
    int64_t from_us;
};
/* The rate in force then between the two, turned so that a price in from becomes one in to. Any
 * thread. False: there is none. */
bool ledger_rate(struct ledger *l, struct currency from, struct currency to, int64_t at_us,
                 struct rate *out);

/* A period of an upstream's budget, as the configuration has it. */
struct plan {
    struct str upstream; /* borrowed */
    struct upstream_budget budget;
    int64_t from_us, until_us;
};

enum ledger_op_kind {
    LEDGER_ALLOT,
    LEDGER_CHARGE,
    LEDGER_CLOSE,
    LEDGER_REVERSE,
    LEDGER_USE,
    LEDGER_CALL,
    LEDGER_READ,  /* on a reader's thread, by what the last commit left; never waits for a report */
    LEDGER_REPORT /* the same, for reads as long as the store is large */
};

/* The books as a reader finds them. */
struct ledger_view;

struct charge {
    struct rid rid;
    struct key *key;
    struct str tag, asked, sent, seen, upstream; /* borrowed until the operation is back */
    int64_t price_id, factor_id, rate_id;        /* rows that made the price; 0: none */
    struct usage usage;
    struct currency cost_currency;
    int64_t cost;            /* nano the vendor will bill, 0 if unknown */
    const struct plan *plan; /* of the upstream; NULL: none. Where it has a cost, the ledger sets
                                that of this charge: its part of it */
    int64_t beyond;   /* nano: an estimate of what it costs besides, where usage is missing */
    int64_t computed; /* nano by the price row, in the currency of hold.from */
    struct hold hold;
    int64_t charged; /* set by the ledger: min(computed, held + free), of which promo paid a part */
    int64_t promo;
    int64_t ts_us; /* 0: set by the ledger, so that charges are in the order of commits */
};

/* One attempt at a channel. */
struct attempt {
    struct str upstream;
    const char *failure; /* static; "": it answered */
    unsigned status;     /* 0: no reply came */
    int64_t began_us, first_us, end_us;
    bool counted, charged; /* as one of a budget of requests; it led to a charge */
    struct plan plan;      /* of that budget */
    /* What the vendor bills for it and no charge tells: nano, and which account bears it (NULL:
     * cogs of the upstream). No currency: not known. */
    int64_t cost;
    struct currency cost_currency;
    const char *cost_to;
};

struct closing { /* the request row */
    struct rid rid;
    struct account *account;
    struct key *key;
    struct str asked, upstream, edits, lossy;
    const char *endpoint, *end; /* static */
    unsigned status;
    unsigned attempt_count;
    struct attempt attempts[LIMIT_ATTEMPTS];
    bool stream;
    uint64_t bytes_in, bytes_out;
    int64_t ts_us, first_us, end_us;
};

struct ledger_op {
    struct task task; /* next in the queue; task.run is called on `loop` when done (NULL loop: freed
                         by the ledger with free) */
    uint8_t kind;
    bool ok; /* false: not durable (store failed); nothing was written */
    struct loop *loop;
    struct account *account; /* ALLOT: a balance; its promo is allotted, too */
    int64_t nano;            /* ALLOT: wanted. USE: requests of the plan, or -1: given back */
    const struct plan *plan; /* USE: as long-lived as the operation */
    struct charge
        *charge;    /* CHARGE, REVERSE: owned by the submitter until done; REVERSE copies rid only.
                     * A charge that succeeds uses up the hold; one that fails leaves it held. */
    struct rid rid; /* REVERSE: these are copied from charge when it is taken */
    struct currency cost_currency;
    struct closing *closing; /* CLOSE: with all it points to, as long-lived as the operation */
    void (*call)(struct ledger *l,
                 void *ctx); /* CALL: run on the ledger thread inside its own transaction */
    void (*read)(struct ledger_view *v, void *ctx); /* READ, REPORT */
    void *ctx;
};
/* Any thread. False when the queue is full (LIMIT_LEDGER_QUEUE, for reads LIMIT_READS): nothing was
 * taken. */
bool ledger_submit(struct ledger *l, struct ledger_op *op) MUST_CHECK;
/* Operations that one thread gathers and hands over in one go: one lock and one wake for all. */
struct ledger_outbox {
    struct task *first, *last;
};
/* As ledger_submit, but the operation waits in the box until ledger_send; reads do not. */
bool ledger_gather(struct ledger *l, struct ledger_outbox *box, struct ledger_op *op) MUST_CHECK;
void ledger_send(struct ledger *l, struct ledger_outbox *box);
/* False while transactions fail, the queue is half full, or the last check found an invariant
 * broken: begin nothing new. Any thread. */
bool ledger_admits(struct ledger *l);

/* Administration; on the ledger thread (LEDGER_CALL) or with run == false. JSON appended to out. */
bool ledger_account_create(struct ledger *l, struct str name, struct str kind, struct currency cur,
                           int64_t budget_nano, char budget_period, struct buf *out, struct err *e);
/* nano < 0, period 0: as it is; nano 0: none any more. */
bool ledger_account_budget(struct ledger *l, struct str name, int64_t nano, char period,
                           struct buf *out, struct err *e);
bool ledger_key_create(struct ledger *l, struct str account, struct str label, struct str models,
                       int64_t expires_us, uint32_t rpm, uint32_t concurrency, int64_t budget_nano,
                       char budget_period, struct buf *out,
                       struct err *e); /* the raw key is in out, once */
bool ledger_key_revoke(struct ledger *l, struct str id, struct buf *out, struct err *e);
/* Has it a balance in this currency? Without a currency: yes, where there is such an account. */
bool ledger_has_balance(const struct ledger_view *v, struct str account, struct currency cur,
                        struct err *e);
/* Adds to the account's balance in this currency (none: its own), which is made if need be; promo:
 * to its promo. Under a reference (empty: none) nothing of this account is booked twice: the same
 * again is answered as it was done. */
bool ledger_credit(struct ledger *l, struct str account, struct currency cur, bool promo,
                   int64_t nano, struct str note, struct str reference, struct buf *out,
                   struct err *e);
/* Takes back what was credited: at most what no request holds. An unlimited house has no floor. */
bool ledger_debit(struct ledger *l, struct str account, struct currency cur, bool promo,
                  int64_t nano, struct str note, struct str reference, struct buf *out,
                  struct err *e);
/* So many vouchers of this much each; their codes are in out, once. expires_us 0: never. */
bool ledger_voucher_create(struct ledger *l, int64_t nano, struct currency cur, unsigned count,
                           int64_t expires_us, struct str note, struct buf *out, struct err *e);
/* Ends what is open of a batch, or one voucher by its code. broken: what has expired becomes the
 * operator's; else it is paid back outside. */
bool ledger_voucher_void(struct ledger *l, struct str batch_or_code, bool broken, struct buf *out,
                         struct err *e);
enum redeem_result {
    REDEEM_DONE, /* also when this account has redeemed it before */
    REDEEM_UNKNOWN,
    REDEEM_USED,
    REDEEM_EXPIRED,
    REDEEM_VOID,
    REDEEM_REFUSED, /* it stays open; e says why */
    REDEEM_FAILED   /* nobody knows: the store failed */
};
/* Its amount goes to the owner's balance of its currency, which is made if need be. */
enum redeem_result ledger_redeem(struct ledger *l, struct account *owner,
                                 const struct voucher_code *code, struct buf *out, struct err *e);
/* Of what was paid in and is neither spent, held nor of a voucher; nano 0: all of it. It leaves the
 * balance at once. */
bool ledger_refund(struct ledger *l, struct str account, struct currency cur, int64_t nano,
                   struct str reference, struct buf *out, struct err *e);
/* Ends the refund of this id ("r7"): it has left, or it goes back to its balance. */
bool ledger_refund_end(struct ledger *l, struct str id, bool sent, struct buf *out, struct err *e);
enum rotate_result { ROTATE_DONE, ROTATE_REFUSED, ROTATE_OFTEN, ROTATE_FAILED };
/* A new key (in out, once) with all limits of this one, counted together with it; this one ends
 * when the overlap has passed. */
enum rotate_result ledger_key_rotate(struct ledger *l, struct key *k, int64_t overlap_us,
                                     struct buf *out, struct err *e);
/* The same by its id. */
bool ledger_key_rotate_id(struct ledger *l, struct str id, int64_t overlap_us, struct buf *out,
                          struct err *e);
/* What was paid in at a vendor; and what was paid for it, the exchange's spread in it, where that
 * is another currency. */
struct purchase {
    struct str upstream; /* its name in the configuration */
    struct currency currency, paid_currency;
    int64_t nano, paid, spread;
    struct str note;
    struct str reference; /* of this upstream, as of an account with a credit; empty: none */
};
bool ledger_upstream_buy(struct ledger *l, const struct purchase *p, struct buf *out,
                         struct err *e);
/* Of what is left there, so much (nano 0: all) is gone: it expired, or the vendor has. */
bool ledger_upstream_writeoff(struct ledger *l, const struct purchase *p, struct buf *out,
                              struct err *e);
/* How far below zero a house account may go; 0: without limit, which it gets only when it is made
 * or while the station does not run. */
bool ledger_account_credit_limit(struct ledger *l, struct str name, int64_t nano, struct buf *out,
                                 struct err *e);
/* The group whose factor applies to it; empty: none. */
bool ledger_account_group(struct ledger *l, struct str name, struct str group, struct buf *out,
                          struct err *e);
/* Was a factor ever set for it? */
bool ledger_group_priced(const struct ledger *l, struct str group);
/* What prices are multiplied with, from now on: of an account, else of its group, else 1. */
bool ledger_factor_set(struct ledger *l, bool group, struct str name, struct ratio ratio,
                       struct buf *out, struct err *e);
/* The account has none of its own any more. */
bool ledger_factor_none(struct ledger *l, struct str name, struct buf *out, struct err *e);
/* 1 base = ratio quote, from then on; from_us 0: now. */
bool ledger_rate_set(struct ledger *l, struct currency base, struct currency quote,
                     struct ratio ratio, int64_t from_us, struct str source, struct buf *out,
                     struct err *e);
/* Was anything sold in it, or is there a rate of it? Also true where nothing was sold yet. */
bool ledger_currency_used(struct ledger *l, struct currency cur, bool *used, struct err *e);
/* The immutable row of this price (made when new); its id. */
bool ledger_price_row(struct ledger *l, struct str model, const struct price *p, int64_t *id,
                      struct err *e);
/* Many of these in one transaction, before ledger_run; on the ledger thread there is one. */
bool ledger_begin(struct ledger *l, struct err *e) MUST_CHECK;
bool ledger_commit(struct ledger *l, struct err *e) MUST_CHECK;
/* The model is sold at this row from now on, and from next_us on at the next (0: none is known);
 * nothing is written where that is so already. */
bool ledger_offer(struct ledger *l, struct str model, int64_t price, int64_t next, int64_t next_us,
                  struct err *e);
/* What was sold until now and is no longer. */
bool ledger_withdraw(struct ledger *l, bool (*sold)(void *ctx, struct str model), void *ctx,
                     struct err *e);
/* Reads: in the function of a LEDGER_READ or LEDGER_REPORT, or with ledger_view where
 * administration may run. Each sees one snapshot: balances and the charges below them agree, and a
 * charge that came back done before the read was submitted is in it. */
struct ledger_view *ledger_view(struct ledger *l);
bool ledger_list(struct ledger_view *v, struct str what, struct buf *out,
                 struct err *e); /* accounts, keys, groups, rates */
bool ledger_usage(struct ledger_view *v, struct str account, unsigned limit, struct buf *out,
                  struct err *e);
enum ledger_prices { PRICES_BRIEF, PRICES_SOLD, PRICES_EVER, PRICES_ROW };
/* Of a model, or of all (empty): what it costs now, in brief or in full; what it has ever cost,
 * from when until when; or the one row of this id. An object with a list. */
bool ledger_prices(struct ledger_view *v, enum ledger_prices which, struct str model, int64_t row,
                   struct buf *out, struct err *e);
/* All batches of vouchers, or (batch given) the vouchers of one. */
bool ledger_vouchers(struct ledger_view *v, struct str batch, struct buf *out, struct err *e);
/* Refunds of an account; of all, where none is named. */
bool ledger_refunds(struct ledger_view *v, struct str account, struct buf *out, struct err *e);
/* What was earned and lost, from the transfers of the house's own accounts. */
enum margin_by {
    MARGIN_TOTAL,
#define X(NAME, name, key) MARGIN_##NAME,
#include "ledger/margin.def"
#undef X
};
struct margin_query {
    enum margin_by by;
    int64_t from_us, to_us;   /* to_us: not in it any more; INT64_MAX: until now */
    struct currency currency; /* what all is told in; none: each in its own */
};
/* "" is the total alone. */
bool margin_by_parse(struct str name, enum margin_by *out, struct err *e);
/* By what was asked for, at most LIMIT_MARGIN_ROWS groups, and in total; and in words. */
bool ledger_margin(struct ledger_view *v, const struct margin_query *q, struct buf *out,
                   struct err *e);
/* What was bought, used and is left at an upstream, by currency; of all of them where none is
 * named. */
bool ledger_upstreams(struct ledger_view *v, struct str name, struct buf *out, struct err *e);
/* What was used in this period, as the store has it; its row is made if need be, or follows what
 * the configuration says now. Where there are no periods, p->from_us becomes the end of what was
 * bought before. On the ledger thread or with run == false, as the next. */
bool ledger_plan_open(struct ledger *l, struct plan *p, int64_t *used, struct err *e);
/* The configuration says now that it ended at until_us. */
bool ledger_plan_expire(struct ledger *l, const struct plan *p, struct err *e);
/* Books what is left of the cost of periods that have ended: requests that no charge came of, and
 * what was not used. Once for each period. */
bool ledger_plans_end(struct ledger *l, int64_t wall_us, struct err *e);
/* Books the requests of periods that go on which were counted and that no charge came of. Only when
 * nothing is under way. */
bool ledger_plans_lost(struct ledger *l, int64_t wall_us, struct err *e);
/* False: an invariant is broken, out names the rows; while it serves, nothing is admitted until a
 * check finds all as it must be. */
bool ledger_check(struct ledger_view *v, struct buf *out, struct err *e);
bool ledger_backup(struct ledger_view *v, const char *to, struct buf *out, struct err *e);
/* An owner is there. Before ledger_run, or on the ledger thread. */
bool ledger_has_house(struct ledger *l);
int64_t ledger_balance(const struct account *a); /* as of the last commit; any thread */

#endif
