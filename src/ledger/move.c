/* SPDX-License-Identifier: Apache-2.0 */
/* Money that moves by an operator's word: credits, debits, promo, and the limit of a house. */
#include <stdio.h>

#include "base/clock.h"
#include "ledger/ledger_int.h"
#include "ledger/text.h"

#define NOTE_BYTES 100

bool check_note(struct str note, struct err *e)
{
    return (note.n <= NOTE_BYTES && text_is_printable(note)) ||
           err_set(e, "a note is at most %d bytes of printable text", NOTE_BYTES);
}

bool balance_allowed(const struct account *owner, struct currency cur, bool promo, struct err *e)
{
    unsigned count = 0;

    if (owner->kind == ACCOUNT_HOUSE && (promo || strcmp(cur.code, owner->currency.code) != 0))
        return err_set(e, "a house account holds %s alone, and no promo", owner->currency.code);
    for (const struct account *a = owner; a != NULL; a = atomic_load(&a->next)) {
        if (strcmp(a->currency.code, cur.code) == 0)
            return true;
        count++;
    }
    return count < LIMIT_BALANCES ||
           err_set(e, "an account has at most %d balances", LIMIT_BALANCES);
}

/* Makes the balance of this account in the currency, or the promo of it, where there is none. */
static struct account *balance_make(struct ledger *l, struct account *owner, struct currency cur,
                                    bool promo, struct err *e)
{
    struct statement *st = l->sql[SQL_INSERT_BALANCE];
    char name[LIMIT_NAME];
    int n = snprintf(name, sizeof name, "%s:%s%s", owner->name, cur.code, promo ? ":promo" : "");

    store_bind_text(st, 1, str_slice(name, (size_t)n));
    store_bind_text(st, 2, str_from(cur.code));
    store_bind_i64(st, 3, clock_wall_us());
    store_bind_i64(st, 4, promo);
    store_bind_i64(st, 5, owner->id);
    if (store_step(st) != STEP_DONE) {
        store_failed(l->store, e);
        return NULL;
    }
    struct purse *p = purse_add(l, store_last_id(l->store), str_from(name), owner->kind, cur, 0, 0,
                                purse_by_id(l, owner->id));
    balance_attach(p, promo);
    return &p->account;
}

struct account *balance_find(struct ledger *l, struct str account, struct currency cur, bool promo,
                             bool make, struct err *e)
{
    struct account *owner = account_named(l, account, e);

    if (owner == NULL)
        return NULL;
    if (cur.code[0] == '\0')
        cur = owner->currency;
    if (!balance_allowed(owner, cur, promo, e))
        return NULL;
    struct account *a = ledger_balance_in(owner, cur);
    if (a == NULL && make)
        a = balance_make(l, owner, cur, false, e);
    if (a != NULL && promo && atomic_load(&a->promo) == NULL && make)
        (void)balance_make(l, owner, cur, true, e);
    struct account *found = a == NULL || !promo ? a : atomic_load(&a->promo);
    if (found == NULL && !make)
        err_set(e, "the account \"%s\" holds no %s%s", owner->name, promo ? "promo in " : "",
                cur.code);
    return found;
}

bool ledger_has_balance(const struct ledger_view *v, struct str account, struct currency cur,
                        struct err *e)
{
    struct account *a = directory_account(v->directory, account);

    if (a == NULL || a->kind == ACCOUNT_SYSTEM || a->owner != a)
        return err_set(e, "there is no account \"%.*s\"",
                       text_is_printable(account) ? (int)account.n : 0, account.p);
    return cur.code[0] == '\0' || ledger_balance_in(a, cur) != NULL ||
           err_set(e, "the account \"%s\" holds no %s", a->name, cur.code);
}

/* Refuses in amounts; what was taken from the purse goes back. */
static bool too_much(struct account *a, int64_t taken, struct err *e)
{
    const struct account *of = a->owner; /* the balance whose promo it is, or none */
    struct buf b;

    while (of != NULL && atomic_load(&of->promo) != a)
        of = atomic_load(&of->next);

    purse_give_back(a, taken);
    buf_init(&b, 64);
    decimal_write(&b, atomic_load(&a->unallotted) + atomic_load(&a->free), 9);
    err_set(e, "only %.*s %s of its %s is not held by requests under way", STR_ARG(buf_str(&b)),
            a->currency.code, of != NULL ? "promo" : "balance");
    buf_release(&b);
    return false;
}

/* Money that is to go from an account besides: none for a == NULL. taken: from its purse. */
struct taking {
    struct account *a;
    int64_t nano, taken;
};

/* What lanes may spend comes after what no purse has; taken as a hold, so that no request spends
 * it, too. Inside the transaction that it is for. */
static bool take_free(struct ledger *l, struct batch *b, struct taking *t, struct err *e)
{
    struct account *a = t->a;
    int64_t taken;

    if (a == NULL || !a->limited)
        return true;
    struct purse *p = (struct purse *)(void *)a;
    if (!share_refresh(l, p, e))
        return false;
    int64_t rest = t->nano - atomic_load(&a->unallotted);
    if (rest <= 0)
        return true;
    taken = purse_take(a, rest);
    if (taken < rest)
        return too_much(a, taken, e);
    t->taken = taken;
    batch_touch(b, p)->spent += rest;
    return true;
}

/* After a rollback, or instead of a commit. */
static bool undo(struct ledger *l, struct batch *b, struct taking *t)
{
    store_rollback(l->store);
    batch_drop(b);
    if (t->taken > 0)
        purse_give_back(t->a, t->taken);
    return false;
}

static void keep(struct batch *b, struct taking *t)
{
    batch_apply(b);
    if (t->taken > 0)
        atomic_fetch_sub(&t->a->held, t->taken);
}

bool move_commit(struct ledger *l, enum event event, const struct event_facts *f,
                 struct account *from, struct str note, also_fn *also, void *ctx, struct err *e)
{
    struct batch b = {.ledger = l};
    struct taking t = {.a = from, .nano = f->amount[AMOUNT_PAID]};
    struct event_purses purses;

    if (!event_prepare(l, event, f, &purses, e) || !share_begin(l, e))
        return false;
    if (!take_free(l, &b, &t, e))
        return undo(l, &b, &t);
    bool ok = event_post(l, &b, event, f, &purses, 0, note);
    bool told = ok && also != NULL && !also(l, ctx, store_last_id(l->store), e);
    if (!ok || told || !batch_flush(l, &b)) {
        if (!told)
            batch_failed(&b, e);
        return undo(l, &b, &t);
    }
    if (!store_commit(l->store, e))
        return undo(l, &b, &t);
    keep(&b, &t);
    return true;
}

/* A movement by an operator's word, and what it is booked under. */
struct movement {
    enum event event;
    struct account *of; /* the balance, or its promo */
    struct account *from;
    int64_t nano;
    struct str note, reference;
};

/* Once under a reference. The account as it stands then. */
static bool move_once(struct ledger *l, const struct movement *m, const char *kind, struct buf *out,
                      struct err *e)
{
    char room[80];
    struct buf what = {.p = room, .cap = sizeof room, .max = sizeof room};
    struct event_facts facts = {.payer = ledger_balance_in(m->of->owner, m->of->currency),
                                .amount = {[AMOUNT_PAID] = m->nano}};
    bool known;

    reference_what(&what, kind, m->nano, m->of->currency);
    struct reference r = {str_from(m->of->owner->name), m->reference, buf_str(&what)};
    if (!reference_known(l, &r, &known, e))
        return false;
    if (known ? !share_now(l, m->of, e)
              : !move_commit(l, m->event, &facts, m->from, m->note, reference_keep, &r, e))
        return false;
    text_account(out, m->of, ledger_balance(m->of));
    return true;
}

bool ledger_credit(struct ledger *l, struct str account, struct currency cur, bool promo,
                   int64_t nano, struct str note, struct str reference, struct buf *out,
                   struct err *e)
{
    int64_t sum;

    if (nano <= 0)
        return err_set(e, "a credit is a positive amount");
    if (!check_note(note, e) || !reference_check(reference, e))
        return false;
    struct account *a = balance_find(l, account, cur, promo, true, e);
    if (a == NULL)
        return false;
    if (!money_add(&sum, ledger_balance(a), nano) ||
        !money_add(&sum, sum, atomic_load(&a->credit_limit)))
        return err_set(e, "the balance would be larger than the ledger can hold");
    struct movement m = {promo ? EVENT_GRANT : EVENT_CREDIT, a, NULL, nano, note, reference};
    return move_once(l, &m, promo ? "promo grant" : "credit", out, e);
}

bool ledger_debit(struct ledger *l, struct str account, struct currency cur, bool promo,
                  int64_t nano, struct str note, struct str reference, struct buf *out,
                  struct err *e)
{
    int64_t sum;

    if (nano <= 0)
        return err_set(e, "a debit is a positive amount");
    if (!check_note(note, e) || !reference_check(reference, e))
        return false;
    struct account *a = balance_find(l, account, cur, promo, false, e);
    if (a == NULL)
        return false;
    if (!money_sub(&sum, ledger_balance(a), nano))
        return err_set(e, "the balance would be smaller than the ledger can hold");
    struct movement m = {promo ? EVENT_LAPSE : EVENT_DEBIT, a, a, nano, note, reference};
    return move_once(l, &m, promo ? "promo lapse" : "debit", out, e);
}

static bool write_limit(struct ledger *l, struct account *a, int64_t nano, struct batch *b,
                        struct err *e)
{
    struct statement *st = l->sql[SQL_SET_CREDIT_LIMIT];

    store_bind_i64(st, 1, nano);
    store_bind_i64(st, 2, a->id);
    return (store_step(st) == STEP_DONE && batch_flush(l, b)) || store_failed(l->store, e);
}

/* Becoming limited, or no longer, while requests run would mix holds of both kinds. */
static bool check_limit(struct ledger *l, const struct account *a, int64_t nano, struct err *e)
{
    int64_t sum;

    if (a->kind != ACCOUNT_HOUSE)
        return err_set(e, "only a house account has a limit of credit; a customer has paid before");
    if (nano < 0)
        return err_set(e, "a limit of credit is an amount above 0, or none");
    if (!money_add(&sum, ledger_balance(a), nano))
        return err_set(e, "the limit is larger than the ledger can hold");
    if ((l->running || atomic_load(&l->shared)) && a->limited != (nano > 0))
        return err_set(e, nano > 0
                              ? "stop the station to give a limit of credit to an account that has"
                                " none; one that it has can be changed while it runs"
                              : "stop the station to take a limit of credit away; while it runs"
                                " it can be changed");
    if (nano > 0 && ledger_balance(a) + nano < 0)
        return err_set(e, "the account is further below zero than that already");
    return true;
}

bool ledger_account_credit_limit(struct ledger *l, struct str name, int64_t nano, struct buf *out,
                                 struct err *e)
{
    struct account *a = account_named(l, name, e);
    struct batch b = {.ledger = l};
    struct taking t = {0};

    if (a == NULL || !share_begin(l, e))
        return false;
    if (!share_refresh(l, (struct purse *)(void *)a, e) || !check_limit(l, a, nano, e))
        return undo(l, &b, &t);
    bool stays_limited = a->limited && nano > 0;
    int64_t less = stays_limited ? atomic_load(&a->credit_limit) - nano : 0;
    if (less > 0)
        t = (struct taking){.a = a, .nano = less};
    if (!take_free(l, &b, &t, e) || !write_limit(l, a, nano, &b, e) || !store_commit(l->store, e))
        return undo(l, &b, &t);
    keep(&b, &t);
    a->limited = nano > 0;
    atomic_store(&a->credit_limit, nano);
    atomic_fetch_sub(&a->unallotted, less);
    if (!stays_limited) /* nobody serves, so no purse has anything of it */
        atomic_store(&a->unallotted, a->limited ? ledger_balance(a) + nano : 0);
    text_account(out, a, ledger_balance(a));
    return true;
}
