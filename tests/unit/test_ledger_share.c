/* SPDX-License-Identifier: Apache-2.0 */
/* Two ledgers on one store, as while one station takes over from another: one purse, spent once. */
#include "ledger_case.h"

#include <pthread.h>

struct sharing {
    bool on, ok;
    struct err e;
};

static void do_share(struct ledger *l, void *ctx)
{
    struct sharing *s = ctx;

    s->ok = ledger_share(l, s->on, &s->e);
}

static bool share(struct station *s, bool on)
{
    struct sharing want = {.on = on};
    struct op o = {.op = {.kind = LEDGER_CALL, .call = do_share, .ctx = &want}};

    run(s, &o);
    return want.ok;
}

static struct station *beside(struct station *a)
{
    struct station *b = calloc(1, sizeof *b);
    struct err e;

    assert_non_null(b);
    memcpy(b->path, a->path, sizeof b->path);
    memcpy(b->raw, a->raw, sizeof b->raw);
    b->price = a->price;
    b->loop = loop_new(&e);
    b->ledger = ledger_open_beside(b->path, &e);
    if (b->ledger == NULL || !ledger_run(b->ledger, &e))
        fail_msg("%s", e.text);
    b->account = directory_account(b->ledger->directory, STR("alice"));
    b->key = ledger_key(b->ledger, str_from(b->raw));
    return b;
}

static void leave(struct station *b)
{
    ledger_close(b->ledger);
    loop_free(b->loop);
    free(b);
}

/* As a request asks: what memory says counts only once the ledger has looked. */
static enum hold_result ask(struct station *s, struct hold *h, int64_t nano)
{
    enum hold_result r = ledger_hold(h, s->key, nano);

    for (int i = 0; r == HOLD_WAIT && i < 3; i++) {
        struct op o = {.op = {.kind = LEDGER_ALLOT, .account = h->from, .nano = nano}};
        assert_true(run(s, &o));
        h->asked = true;
        r = ledger_hold(h, s->key, nano);
    }
    h->asked = false;
    return r;
}

static void pay(struct station *s, struct hold h, uint8_t n, int64_t cost)
{
    struct charge c;
    struct op o = {.op = {.kind = LEDGER_CHARGE, .charge = &c}};

    fill(s, &c, n, 0, cost);
    c.hold = h;
    assert_true(run(s, &o));
    assert_int_equal(c.charged, cost);
}

static void nobody_starts_beside_one_that_spends_alone(void **state)
{
    struct station *a = station_new("customer", 1000, 0);
    struct err e = {""};

    (void)state;
    assert_null(ledger_open_beside(a->path, &e));
    assert_non_null(strstr(e.text, "does not share"));
    assert_null(ledger_open(a->path, false, &e));
    assert_non_null(strstr(e.text, "in use by process"));
    hold(a, 400);
    expect(a, 1000, 400);
    release(a, 400);
    station_free(a);
}

static void money_is_spent_once_and_lies_nowhere_idle(void **state)
{
    struct station *a = station_new("customer", 1000, 0);
    struct hold there = {.from = a->account};

    (void)state;
    assert_int_equal(ask(a, &there, 100), HOLD_HELD); /* alone: a quarter of all comes along */
    assert_true(share(a, true));
    struct station *b = beside(a);
    struct hold here = {.from = b->account};
    assert_int_equal(atomic_load(&a->account->free), 0); /* what no request holds is back */
    assert_int_equal(ask(b, &here, 901), HOLD_NO_FUNDS);
    assert_int_equal(atomic_load(&b->account->free), 0); /* who cannot have all takes nothing */
    assert_int_equal(ask(b, &here, 900), HOLD_HELD);
    assert_int_equal(ask(a, &there, 1), HOLD_NO_FUNDS);
    pay(b, here, 1, 200);
    assert_true(close_request(b, 1));
    /* What was too much of that hold is there as soon as the charge is. */
    assert_int_equal(ask(a, &there, 701), HOLD_NO_FUNDS);
    assert_int_equal(ask(a, &there, 700), HOLD_HELD);
    pay(a, there, 2, 800);
    assert_true(close_request(a, 2));
    here = (struct hold){.from = b->account};
    assert_int_equal(ask(b, &here, 1), HOLD_NO_FUNDS);
    expect(b, 0, 0);
    assert_true(check(a));
    assert_true(check(b));
    leave(b);
    station_free(a);
}

static void what_a_request_gave_back_goes_back(void **state)
{
    struct station *a = station_new("customer", 1000, 0);
    struct hold there = {.from = a->account};

    (void)state;
    assert_true(share(a, true));
    struct station *b = beside(a);
    struct hold here = {.from = b->account};
    assert_int_equal(ask(a, &there, 1000), HOLD_HELD);
    assert_int_equal(ask(b, &here, 1), HOLD_NO_FUNDS);
    ledger_release(&there, a->key);
    for (int i = 0; i < 1000 && atomic_load(&a->account->free) > 0; i++)
        usleep(2000);
    assert_int_equal(ask(b, &here, 1000), HOLD_HELD);
    ledger_release(&here, b->key);
    leave(b);
    station_free(a);
}

static void a_store_that_others_use_is_not_migrated(void **state)
{
    struct station *a = station_new("customer", 1000, 0);
    struct err e = {""};

    (void)state;
    assert_true(share(a, true));
    sql(a, "PRAGMA user_version=1");
    assert_null(ledger_open_beside(a->path, &e));
    assert_non_null(strstr(e.text, "has to be migrated from schema 1"));
    char back[64];
    snprintf(back, sizeof back, "PRAGMA user_version=%d", ledger_schema_count);
    sql(a, back);
    station_free(a);
}

static void who_is_left_spends_alone_again(void **state)
{
    struct station *a = station_new("customer", 1000, 0);
    struct hold h = {.from = a->account};

    (void)state;
    assert_true(share(a, true));
    struct station *b = beside(a);
    struct hold here = {.from = b->account};
    assert_int_equal(ask(b, &here, 300), HOLD_HELD);
    assert_true(share(a, false));
    pay(b, here, 1, 300);
    assert_true(close_request(b, 1));
    here = (struct hold){.from = b->account};
    assert_int_equal(ask(b, &here, 500), HOLD_HELD);
    ledger_release(&here, b->key);
    assert_true(atomic_load(&a->ledger->shared));
    leave(b);
    for (int i = 0; i < 5000 && atomic_load(&a->ledger->shared); i++)
        usleep(2000);
    assert_false(atomic_load(&a->ledger->shared));
    expect(a, 700, 0);
    assert_int_equal(ask(a, &h, 700), HOLD_HELD);
    expect(a, 700, 700);
    ledger_release(&h, a->key);
    assert_true(check(a));
    station_free(a);
}

static void charges_there_count_in_budgets_here(void **state)
{
    struct station *a = station_new("customer", 100000, 1000);

    (void)state;
    hold(a, 300);
    struct charge c;
    assert_true(charge(a, &c, 1, 300, 300));
    assert_true(share(a, true));
    struct station *b = beside(a);
    struct hold here = {.from = b->account}, there = {.from = a->account};
    assert_int_equal(ask(b, &here, 701), HOLD_OVER_BUDGET);
    assert_int_equal(ask(b, &here, 600), HOLD_HELD);
    pay(b, here, 2, 600);
    assert_true(allot(a, 1)); /* any commit looks at what the others have done */
    assert_int_equal(ask(a, &there, 101), HOLD_OVER_BUDGET);
    assert_int_equal(ask(a, &there, 100), HOLD_HELD);
    ledger_release(&there, a->key);
    assert_true(reverse(b, 2));
    assert_true(allot(a, 1));
    there = (struct hold){.from = a->account};
    assert_int_equal(ask(a, &there, 701), HOLD_OVER_BUDGET);
    assert_int_equal(ask(a, &there, 700), HOLD_HELD);
    ledger_release(&there, a->key);
    assert_true(check(b));
    leave(b);
    station_free(a);
}

static void holds_there_count_in_budgets_here(void **state)
{
    struct station *a = station_new("customer", 100000, 1000);
    struct hold there = {.from = a->account};

    (void)state;
    assert_int_equal(ask(a, &there, 400), HOLD_HELD);
    assert_true(share(a, true));
    struct station *b = beside(a);
    struct hold here = {.from = b->account};
    assert_int_equal(ask(b, &here, 601), HOLD_OVER_BUDGET);
    assert_int_equal(ask(b, &here, 500), HOLD_HELD);
    for (int i = 0; i < 1000 && atomic_load(&a->key->budget.elsewhere) != 500; i++)
        usleep(2000);
    struct hold more = {.from = a->account};
    assert_int_equal(ask(a, &more, 101), HOLD_OVER_BUDGET);
    pay(a, there, 1, 300);
    assert_true(close_request(a, 1));
    /* Charged 300 of what was held: what is left of the hold is free with the charge itself. */
    more = (struct hold){.from = b->account};
    assert_int_equal(ask(b, &more, 201), HOLD_OVER_BUDGET);
    assert_int_equal(ask(b, &more, 1), HOLD_HELD);
    assert_int_equal(ask(b, &more, 200), HOLD_OVER_BUDGET);
    assert_int_equal(ask(b, &more, 199), HOLD_HELD);
    ledger_release(&more, b->key);
    ledger_release(&here, b->key);
    assert_true(check(b));
    leave(b);
    for (int i = 0; i < 1000 && atomic_load(&a->key->budget.elsewhere) != 0; i++)
        usleep(2000);
    more = (struct hold){.from = a->account};
    assert_int_equal(ask(a, &more, 700), HOLD_HELD);
    ledger_release(&more, a->key);
    station_free(a);
}

#define RACES 2000

struct racer {
    struct station *s;
    uint8_t mark;
    int64_t paid;
    unsigned refused, failed;
};

/* Holds and pays until the money is gone. Nothing is asserted here: not the test's own thread. */
static void *race(void *ctx)
{
    struct racer *r = ctx;

    for (unsigned i = 0; i < RACES && r->refused < 5; i++) {
        struct hold h = {.from = r->s->account};
        if (ask(r->s, &h, 50) != HOLD_HELD) {
            r->refused++;
            continue;
        }
        struct charge c;
        struct op o = {.op = {.kind = LEDGER_CHARGE, .charge = &c}};
        fill(r->s, &c, r->mark, 0, 1 + i % 60);
        c.rid.b[1] = (uint8_t)(i >> 8);
        c.rid.b[2] = (uint8_t)i;
        c.hold = h;
        r->failed += !run(r->s, &o);
        r->paid += c.charged;
    }
    return NULL;
}

static void two_race_for_the_same_money(void **state)
{
    struct station *a = station_new("customer", 9000, 0);

    (void)state;
    assert_true(share(a, true));
    struct station *b = beside(a);
    struct racer racers[2] = {{.s = a, .mark = 1}, {.s = b, .mark = 2}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(racers[0].failed + racers[1].failed, 0);
    assert_true(racers[0].refused > 0 && racers[1].refused > 0);
    assert_true(racers[0].paid > 0 && racers[1].paid > 0);
    int64_t left = 9000 - racers[0].paid - racers[1].paid;
    assert_true(left >= 0 && left < 50 + 60);
    assert_true(allot(a, 1));
    assert_int_equal(ledger_balance(a->account), left);
    assert_true(check(b));
    leave(b);
    station_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_starts_beside_one_that_spends_alone),
        cmocka_unit_test(money_is_spent_once_and_lies_nowhere_idle),
        cmocka_unit_test(what_a_request_gave_back_goes_back),
        cmocka_unit_test(a_store_that_others_use_is_not_migrated),
        cmocka_unit_test(who_is_left_spends_alone_again),
        cmocka_unit_test(charges_there_count_in_budgets_here),
        cmocka_unit_test(holds_there_count_in_budgets_here),
        cmocka_unit_test(two_race_for_the_same_money),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
