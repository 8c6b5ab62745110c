/* SPDX-License-Identifier: Apache-2.0 */
/* Several balances of an account: promo, other currencies, credit of a house; factors, rates. */
#include "ledger_case.h"

#include <pthread.h>
#include <sqlite3.h>

static atomic_bool busy;

static const struct currency own = {""}, cny = {"CNY"}, usd = {"USD"};

struct credit {
    struct currency cur;
    bool promo, debit;
    int64_t nano;
    bool ok;
    struct err e;
};

static void do_credit(struct ledger *l, void *ctx)
{
    struct credit *c = ctx;
    struct buf out;

    buf_init(&out, 4096);
    c->ok = (c->debit ? ledger_debit : ledger_credit)(l, STR("alice"), c->cur, c->promo, c->nano,
                                                      STR(""), STR(""), &out, &c->e);
    buf_release(&out);
}

static bool move(struct station *s, struct credit c)
{
    struct op o = {.op = {.kind = LEDGER_CALL, .call = do_credit, .ctx = &c}};

    run(s, &o);
    return c.ok;
}

static struct account *promo_of(struct account *a)
{
    return atomic_load(&a->promo);
}

static int64_t balance_of(struct station *s, const char *name)
{
    const struct account *a = directory_account(s->ledger->directory, str_from(name));

    return a == NULL ? 0 : ledger_balance(a);
}

static enum hold_result hold_from(struct station *s, struct hold *h, int64_t nano)
{
    enum hold_result r = ledger_hold(h, s->key, nano);

    if (r == HOLD_WAIT) {
        struct op o = {.op = {.kind = LEDGER_ALLOT, .account = h->from, .nano = nano}};
        assert_true(run(s, &o));
        r = ledger_hold(h, s->key, nano);
    }
    return r;
}

static bool charge_from(struct station *s, struct charge *c, uint8_t n, struct hold h, int64_t nano)
{
    struct op o = {.op = {.kind = LEDGER_CHARGE, .charge = c}};

    fill(s, c, n, 0, nano);
    c->hold = h;
    return run(s, &o);
}

/* In memory as on disk: what a purse has is the balance less what no purse has. */
static void sound(struct station *s, const struct account *a, int64_t balance)
{
    (void)s;
    assert_int_equal(ledger_balance(a), balance);
    assert_int_equal(atomic_load(&a->held), 0);
    assert_int_equal(atomic_load(&a->free) + atomic_load(&a->unallotted),
                     balance + atomic_load(&a->credit_limit));
}

static void promo_is_spent_first(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct hold h = {.from = s->account};
    struct charge c;
    (void)state;

    assert_true(move(s, (struct credit){.cur = own, .promo = true, .nano = 300}));
    assert_int_equal(hold_from(s, &h, 500), HOLD_HELD);
    assert_int_equal(h.promo, 300);
    assert_int_equal(h.paid, 200);
    assert_true(charge_from(s, &c, 1, h, 400));
    assert_int_equal(c.charged, 400);
    assert_int_equal(c.promo, 300);
    sound(s, s->account, 900);
    sound(s, promo_of(s->account), 0);
    /* Promo granted is no revenue: spent, it has lowered it. */
    assert_int_equal(balance_of(s, "rev:usage:USD"), 400);
    assert_int_equal(balance_of(s, "rev:promo_discount:USD"), -300);
    assert_int_equal(balance_of(s, "promo:USD"), 0);
    assert_true(close_request(s, 1));
    assert_true(check(s));
    station_free(s);
}

static void what_exceeds_the_hold_takes_promo_then_the_balance(void **state)
{
    struct station *s = station_new("customer", 100, 0);
    struct hold h = {.from = s->account};
    struct charge c;
    (void)state;

    assert_true(move(s, (struct credit){.cur = own, .promo = true, .nano = 50}));
    assert_int_equal(hold_from(s, &h, 10), HOLD_HELD);
    assert_int_equal(h.promo, 10);
    assert_true(charge_from(s, &c, 1, h, 200));
    assert_int_equal(c.charged, 150);
    assert_int_equal(c.promo, 50);
    sound(s, s->account, 0);
    sound(s, promo_of(s->account), 0);
    assert_int_equal(balance_of(s, "loss:overrun:USD"), -50);
    assert_true(close_request(s, 1));
    assert_true(check(s));
    station_free(s);
}

static void a_reversal_gives_promo_back_and_names_the_loss(void **state)
{
    struct station *s = station_new("customer", 100, 0);
    struct hold h = {.from = s->account};
    struct charge c;
    (void)state;

    assert_true(move(s, (struct credit){.cur = own, .promo = true, .nano = 30}));
    assert_int_equal(hold_from(s, &h, 80), HOLD_HELD);
    assert_true(charge_from(s, &c, 1, h, 60));
    assert_int_equal(balance_of(s, "cogs:lab:CNY"), -30);
    struct op o = {.op = {.kind = LEDGER_REVERSE, .charge = &c}};
    assert_true(run(s, &o));
    sound(s, s->account, 100);
    sound(s, promo_of(s->account), 30);
    assert_int_equal(balance_of(s, "cogs:lab:CNY"), 0);
    assert_int_equal(balance_of(s, "loss:crash:CNY"), -30);
    assert_int_equal(balance_of(s, "asset:lab:CNY"), 30);
    assert_int_equal(balance_of(s, "promo:USD"), -30);
    assert_int_equal(balance_of(s, "rev:promo_discount:USD"), 0);
    assert_true(check(s));
    station_free(s);
}

static void a_start_reverses_promo_and_loads_balances(void **state)
{
    struct station *s = station_new("customer", 100, 0);
    struct hold h = {.from = s->account};
    struct charge c;
    (void)state;

    assert_true(move(s, (struct credit){.cur = own, .promo = true, .nano = 30}));
    assert_true(move(s, (struct credit){.cur = cny, .nano = 70}));
    assert_int_equal(hold_from(s, &h, 80), HOLD_HELD);
    assert_true(charge_from(s, &c, 1, h, 60));
    ledger_close(s->ledger);
    open_ledger(s);
    sound(s, s->account, 100);
    sound(s, promo_of(s->account), 30);
    sound(s, ledger_balance_in(s->account, cny), 70);
    assert_int_equal(balance_of(s, "loss:crash:CNY"), -30);
    assert_true(check(s));
    station_free(s);
}

static void balances_are_apart(void **state)
{
    struct station *s = station_new("customer", 100, 0);
    struct charge c;
    (void)state;

    assert_null(ledger_balance_in(s->account, cny));
    assert_false(move(s, (struct credit){.cur = cny, .debit = true, .nano = 1}));
    assert_true(move(s, (struct credit){.cur = cny, .nano = 70}));
    struct account *second = ledger_balance_in(s->account, cny);
    assert_non_null(second);
    assert_ptr_equal(second->owner, s->account);
    struct hold h = {.from = second};
    assert_int_equal(hold_from(s, &h, 71), HOLD_NO_FUNDS);
    assert_int_equal(hold_from(s, &h, 70), HOLD_HELD);
    assert_true(charge_from(s, &c, 1, h, 50));
    sound(s, second, 20);
    sound(s, s->account, 100);
    assert_int_equal(balance_of(s, "rev:usage:CNY"), 50);
    assert_false(move(s, (struct credit){.cur = cny, .debit = true, .nano = 21}));
    assert_true(move(s, (struct credit){.cur = cny, .debit = true, .nano = 20}));
    sound(s, second, 0);
    station_free(s);
}

static void promo_lapses_but_not_what_is_held(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    struct hold h = {.from = s->account};
    (void)state;

    assert_true(move(s, (struct credit){.cur = own, .promo = true, .nano = 30}));
    assert_int_equal(hold_from(s, &h, 20), HOLD_HELD);
    assert_false(move(s, (struct credit){.cur = own, .promo = true, .debit = true, .nano = 11}));
    assert_true(move(s, (struct credit){.cur = own, .promo = true, .debit = true, .nano = 10}));
    ledger_release(&h, s->key);
    sound(s, promo_of(s->account), 20);
    assert_true(check(s));
    station_free(s);
}

static void budgets_are_of_the_first_balance(void **state)
{
    struct station *s = station_new("customer", 100, 50);
    struct charge c;
    (void)state;

    assert_true(move(s, (struct credit){.cur = cny, .nano = 70}));
    struct hold h = {.from = ledger_balance_in(s->account, cny)};
    assert_int_equal(hold_from(s, &h, 60), HOLD_HELD);
    assert_int_equal(atomic_load(&s->key->budget.held), 0);
    assert_true(charge_from(s, &c, 1, h, 60));
    assert_int_equal(budget_left(&s->key->budget, clock_wall_us()), 50);
    assert_true(reverse(s, 1));
    assert_int_equal(budget_left(&s->key->budget, clock_wall_us()), 50);
    station_free(s);
}

struct limit {
    int64_t nano;
    bool ok;
    struct err e;
};

static void do_limit(struct ledger *l, void *ctx)
{
    struct limit *a = ctx;
    struct buf out;

    buf_init(&out, 4096);
    a->ok = ledger_account_credit_limit(l, STR("alice"), a->nano, &out, &a->e);
    buf_release(&out);
}

static bool limit(struct station *s, int64_t nano)
{
    struct limit a = {.nano = nano};
    struct op o = {.op = {.kind = LEDGER_CALL, .call = do_limit, .ctx = &a}};

    run(s, &o);
    return a.ok;
}

static void stop(struct station *s)
{
    struct err e;

    ledger_close(s->ledger);
    s->ledger = ledger_open(s->path, false, &e);
    assert_non_null(s->ledger);
}

static void a_house_goes_to_its_limit(void **state)
{
    struct station *s = station_new("house", 0, 0);
    struct limit set = {.nano = 100};
    struct hold h = {0};
    struct charge c;
    struct err e;
    (void)state;

    assert_false(limit(s, 100)); /* not while requests may run without one */
    stop(s);
    do_limit(s->ledger, &set);
    assert_true(set.ok);
    assert_true(ledger_run(s->ledger, &e));
    s->account = directory_account(s->ledger->directory, STR("alice"));
    s->key = ledger_key(s->ledger, str_from(s->raw));
    h.from = s->account;
    assert_int_equal(hold_from(s, &h, 101), HOLD_NO_FUNDS);
    assert_int_equal(hold_from(s, &h, 60), HOLD_HELD);
    assert_true(charge_from(s, &c, 1, h, 60));
    sound(s, s->account, -60);
    assert_true(check(s));
    assert_false(limit(s, 59));
    assert_true(limit(s, 70));
    h = (struct hold){.from = s->account};
    assert_int_equal(hold_from(s, &h, 11), HOLD_NO_FUNDS);
    assert_true(limit(s, 80));
    assert_int_equal(hold_from(s, &h, 20), HOLD_HELD);
    ledger_release(&h, s->key);
    sound(s, s->account, -60);
    assert_true(check(s));
    station_free(s);
}

static void only_a_house_has_credit(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    (void)state;

    assert_false(limit(s, 100));
    station_free(s);
}

struct setting {
    struct ratio ratio;
    bool group;
    const char *name;
    int64_t from_us;
    bool ok;
    struct err e;
};

static void do_rate(struct ledger *l, void *ctx)
{
    struct setting *a = ctx;
    struct buf out;

    buf_init(&out, 4096);
    a->ok = ledger_rate_set(l, usd, cny, a->ratio, a->from_us, STR("a bank"), &out, &a->e);
    buf_release(&out);
}

static void do_factor(struct ledger *l, void *ctx)
{
    struct setting *a = ctx;
    struct buf out;

    buf_init(&out, 4096);
    a->ok = ledger_factor_set(l, a->group, str_from(a->name), a->ratio, &out, &a->e);
    buf_release(&out);
}

static void do_group(struct ledger *l, void *ctx)
{
    struct setting *a = ctx;
    struct buf out;

    buf_init(&out, 4096);
    a->ok = ledger_account_group(l, STR("alice"), str_from(a->name), &out, &a->e);
    buf_release(&out);
}

static bool set(struct station *s, void (*fn)(struct ledger *, void *), struct setting a)
{
    struct op o = {.op = {.kind = LEDGER_CALL, .call = fn, .ctx = &a}};

    run(s, &o);
    return a.ok;
}

static void rates_have_dates_and_two_directions(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    int64_t now = clock_wall_us();
    struct rate r;
    (void)state;

    assert_false(ledger_rate(s->ledger, usd, cny, now, &r));
    assert_false(set(s, do_rate, (struct setting){.ratio = {7, 1}, .from_us = now - 1000000}));
    assert_true(set(s, do_rate, (struct setting){.ratio = {29, 4}}));
    assert_true(set(s, do_rate, (struct setting){.ratio = {8, 1}, .from_us = now + 60000000}));
    for (int again = 0; again < 2; again++) {
        assert_false(ledger_rate(s->ledger, usd, cny, now - 1, &r));
        assert_true(ledger_rate(s->ledger, usd, cny, now + 59000000, &r));
        assert_int_equal(r.ratio.num, 29);
        assert_int_equal(r.ratio.den, 4);
        assert_true(ledger_rate(s->ledger, cny, usd, now + 59000000, &r));
        assert_int_equal(r.ratio.num, 4);
        assert_int_equal(r.ratio.den, 29);
        assert_true(ledger_rate(s->ledger, usd, cny, now + 61000000, &r));
        assert_int_equal(r.ratio.num, 8);
        ledger_close(s->ledger);
        open_ledger(s);
    }
    station_free(s);
}

static int64_t factor_num(const struct station *s)
{
    const struct factor *f = atomic_load(&s->account->factor);

    return f == NULL ? 1 : f->ratio.num;
}

static void an_accounts_factor_is_its_own_or_its_groups(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    (void)state;

    assert_int_equal(factor_num(s), 1);
    assert_true(
        set(s, do_factor, (struct setting){.ratio = {9, 10}, .group = true, .name = "vip"}));
    assert_int_equal(factor_num(s), 1);
    assert_true(set(s, do_group, (struct setting){.name = "vip"}));
    assert_int_equal(factor_num(s), 9);
    assert_true(
        set(s, do_factor, (struct setting){.ratio = {7, 10}, .group = true, .name = "vip"}));
    assert_int_equal(factor_num(s), 7);
    assert_true(set(s, do_factor, (struct setting){.ratio = {5, 4}, .name = "alice"}));
    assert_int_equal(factor_num(s), 5);
    ledger_close(s->ledger);
    open_ledger(s);
    assert_int_equal(factor_num(s), 5);
    assert_true(set(s, do_group, (struct setting){.name = ""}));
    assert_int_equal(factor_num(s), 5);
    assert_false(set(s, do_factor, (struct setting){.ratio = {5, 4}, .name = "nobody"}));
    station_free(s);
}

static void what_nobody_pays_is_reversed_once(void **state)
{
    struct station *s = station_new("customer", 100, 0);
    struct charge c;
    struct op o = {.op = {.kind = LEDGER_CHARGE, .charge = &c}};
    (void)state;

    fill(s, &c, 1, 0, 0);
    c.cost = 30; /* the vendor bills what its customer does not pay */
    assert_true(run(s, &o));
    assert_int_equal(balance_of(s, "cogs:lab:CNY"), -30);
    for (int i = 0; i < 2; i++) {
        assert_true(reverse(s, 1));
        assert_int_equal(balance_of(s, "cogs:lab:CNY"), 0);
        assert_int_equal(balance_of(s, "loss:crash:CNY"), -30);
        assert_true(check(s));
    }
    ledger_close(s->ledger);
    open_ledger(s);
    assert_int_equal(balance_of(s, "loss:crash:CNY"), -30);
    assert_true(check(s));
    station_free(s);
}

static void a_charge_that_is_refused_uses_nothing_of_a_plan(void **state)
{
    struct station *s = station_new("customer", 100, 0);
    const struct plan plan = {.upstream = STR("lab"),
                              .budget = {.unit = BUDGET_REQUESTS,
                                         .period = 'd',
                                         .units = 4,
                                         .cost = 40,
                                         .currency = {"CNY"}},
                              .until_us = INT64_MAX};
    struct charge c;
    struct op o = {.op = {.kind = LEDGER_CHARGE, .charge = &c}};
    (void)state;

    for (int i = 0; i < 3; i++) { /* the second has the first one's id */
        fill(s, &c, i < 2 ? 1 : 2, 0, 6);
        c.plan = &plan;
        assert_int_equal(run(s, &o), i != 1);
        assert_int_equal(balance_of(s, "cogs:lab:CNY"), i < 2 ? -10 : -20);
        assert_true(check(s));
    }
    station_free(s);
}

static void a_house_in_debt_may_lose_its_limit(void **state)
{
    struct station *s = station_new("house", 0, 0);
    struct limit set = {.nano = 100}, none = {.nano = 0};
    struct charge c;
    struct err e;
    (void)state;

    assert_true(charge(s, &c, 1, 0, 60));
    assert_true(close_request(s, 1));
    stop(s);
    do_limit(s->ledger, &set);
    assert_true(set.ok);
    do_limit(s->ledger, &none);
    assert_true(none.ok);
    assert_int_equal(
        atomic_load(&directory_account(s->ledger->directory, STR("alice"))->unallotted), 0);
    assert_true(ledger_run(s->ledger, &e));
    s->account = directory_account(s->ledger->directory, STR("alice"));
    s->key = ledger_key(s->ledger, str_from(s->raw));
    assert_int_equal(try_hold(s, 1000), HOLD_HELD);
    release(s, 1000);
    station_free(s);
}

static void a_clock_that_is_set_back_finds_the_rate_of_then(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    int64_t now = clock_wall_us(), minute = 60000000;
    char text[200];
    struct rate r;
    (void)state;

    for (int64_t age = 120; age > 0; age -= 90) {
        snprintf(text, sizeof text,
                 "INSERT INTO rate(base, quote, num, den, from_, source, ts)"
                 " VALUES('USD', 'CNY', %lld, 1, %lld, '', 0)",
                 (long long)age, (long long)(now - age * minute));
        sql(s, text);
    }
    ledger_close(s->ledger);
    open_ledger(s);
    assert_true(ledger_rate(s->ledger, usd, cny, now, &r));
    assert_int_equal(r.ratio.num, 30);
    assert_true(ledger_rate(s->ledger, usd, cny, now - 60 * minute, &r));
    assert_int_equal(r.ratio.num, 120);
    station_free(s);
}

/* Keeps the file to itself for a moment, as a reader does that finds a crash's log. */
static void *keep_busy(void *path)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", NULL, NULL, NULL),
        SQLITE_OK);
    atomic_store(&busy, true);
    usleep(200000);
    sqlite3_close(db);
    return NULL;
}

static void a_start_waits_for_who_has_the_file(void **state)
{
    struct station *s = station_new("customer", 100, 0);
    pthread_t thread;
    (void)state;

    ledger_close(s->ledger);
    assert_int_equal(pthread_create(&thread, NULL, keep_busy, s->path), 0);
    while (!atomic_load(&busy))
        usleep(1000);
    open_ledger(s);
    pthread_join(thread, NULL);
    sound(s, s->account, 100);
    station_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promo_is_spent_first),
        cmocka_unit_test(what_exceeds_the_hold_takes_promo_then_the_balance),
        cmocka_unit_test(a_reversal_gives_promo_back_and_names_the_loss),
        cmocka_unit_test(a_start_reverses_promo_and_loads_balances),
        cmocka_unit_test(balances_are_apart),
        cmocka_unit_test(promo_lapses_but_not_what_is_held),
        cmocka_unit_test(budgets_are_of_the_first_balance),
        cmocka_unit_test(a_house_goes_to_its_limit),
        cmocka_unit_test(only_a_house_has_credit),
        cmocka_unit_test(rates_have_dates_and_two_directions),
        cmocka_unit_test(an_accounts_factor_is_its_own_or_its_groups),
        cmocka_unit_test(what_nobody_pays_is_reversed_once),
        cmocka_unit_test(a_charge_that_is_refused_uses_nothing_of_a_plan),
        cmocka_unit_test(a_house_in_debt_may_lose_its_limit),
        cmocka_unit_test(a_clock_that_is_set_back_finds_the_rate_of_then),
        cmocka_unit_test(a_start_waits_for_who_has_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
