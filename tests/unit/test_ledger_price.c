/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of prices: those of an older store, what is written when a price changes, and what never. */
#include "ledger_case.h"

#define OLD_SCHEMA 4

static int64_t number(struct station *s, const char *query)
{
    struct err e;
    struct store *store = store_open_reader(s->ledger->store, NULL, &e);
    assert_non_null(store);
    struct statement *st = store_prepare(store, query, &e);
    if (st == NULL)
        fail_msg("%s", e.text);
    assert_int_equal(store_step(st), STEP_ROW);
    int64_t n = store_i64(st, 0);
    store_close(store);
    return n;
}

static void expect_text(struct station *s, const char *query, const char *wanted)
{
    struct err e;
    struct store *store = store_open_reader(s->ledger->store, NULL, &e);
    assert_non_null(store);
    struct statement *st = store_prepare(store, query, &e);
    if (st == NULL)
        fail_msg("%s", e.text);
    assert_int_equal(store_step(st), STEP_ROW);
    struct str got = store_text(st, 0);
    if (!str_eq(got, str_from(wanted)))
        fail_msg("%.*s, not %s", STR_ARG(got), wanted);
    store_close(store);
}

struct offering {
    struct station *s;
    struct price price;
    int64_t next, next_us;
    int64_t id;
    bool ok;
    struct err e;
};

static void do_offer(struct ledger *l, void *ctx)
{
    struct offering *o = ctx;
    o->ok = ledger_price_row(l, STR("m"), &o->price, &o->id, &o->e) &&
            ledger_offer(l, STR("m"), o->id, o->next, o->next_us, &o->e);
}

/* The row of test_price with another rate of input. */
static int64_t offer(struct station *s, int64_t in, int64_t next, int64_t next_us)
{
    struct offering o = {.s = s, .price = test_price, .next = next, .next_us = next_us};
    struct op op = {.op = {.kind = LEDGER_CALL, .call = do_offer, .ctx = &o}};
    o.price.tiers[0].rate[LEAF_in] = in;
    run(s, &op);
    if (!o.ok)
        fail_msg("%s", o.e.text);
    return o.id;
}

static void a_row_is_written_once(void **state)
{
    (void)state;
    struct station *s = station_new("customer", 1000, 0);
    int64_t first = offer(s, 1000, 0, 0);
    assert_int_equal(first, s->price);
    assert_int_equal(offer(s, 1000, 0, 0), first);
    int64_t second = offer(s, 2000, 0, 0);
    assert_true(second != first);
    assert_int_equal(number(s, "SELECT COUNT(*) FROM offer"), 2);
    assert_int_equal(offer(s, 1000, 0, 0), first); /* the same as before: the row of then */
    assert_int_equal(number(s, "SELECT COUNT(*) FROM price"), 2);
    assert_int_equal(number(s, "SELECT COUNT(*) FROM offer"), 3);
    expect_text(s, "SELECT terms FROM price WHERE id=1",
                "{\"tiers\":[{\"min_input\":0,\"in\":1000,\"out\":1000}]}");
    station_free(s);
}

static void what_is_announced_is_written_once(void **state)
{
    (void)state;
    struct station *s = station_new("customer", 1000, 0);
    int64_t later = offer(s, 2000, 0, 0), at = INT64_C(4000000000000000);
    int64_t first = offer(s, 1000, later, at);
    assert_int_equal(number(s, "SELECT COUNT(*) FROM offer"), 3);
    assert_int_equal(offer(s, 1000, later, at), first);
    assert_int_equal(number(s, "SELECT COUNT(*) FROM offer"), 3);
    offer(s, 1000, 0, 0); /* withdrawn: the price of now is said again, behind it */
    assert_int_equal(number(s, "SELECT COUNT(*) FROM offer"), 4);
    offer(s, 1000, 0, 0);
    assert_int_equal(number(s, "SELECT COUNT(*) FROM offer"), 4);
    station_free(s);
}

static void rows_never_change(void **state)
{
    (void)state;
    struct station *s = station_new("customer", 1000, 0);
    static const char *const wrong[] = {"UPDATE price SET terms=''", "DELETE FROM price",
                                        "UPDATE offer SET price=2", "DELETE FROM offer"};
    offer(s, 1000, 0, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct admin a = {.sql = wrong[i]};
        assert_false(call(s, &a, do_sql));
        assert_non_null(strstr(a.e.text, "append-only"));
        buf_release(&a.out);
    }
    station_free(s);
}

static const char old_rows[] =
    "INSERT INTO account(id, name, currency, kind, balance, created) VALUES"
    " (1,'alice','USD','customer',0,1), (2,'funding:USD','USD','system',-5450,1),"
    " (3,'rev:usage:USD','USD','system',5450,1);"
    "INSERT INTO key VALUES(1, zeroblob(32), 'k', 1, '', 0, 0, 0, 0, 'm', 0, 1);"
    "INSERT INTO price VALUES(7,'m','USD',1000,2000,100,1250,1250,1050000,1000000,5);"
    "INSERT INTO price VALUES(8,'m','USD',1000,2000,1000,1000,1000,1000000,1000000,6);"
    "INSERT INTO price VALUES(9,'n','USD',0,2000,1000,1250,2000,1000000,1000000,7);"
    "INSERT INTO epoch VALUES(1, 1, 0);"
    "INSERT INTO charge VALUES(1, randomblob(16), 1, 1, '', 'm', 'm', 'm', 'lab', 7, 1000, 1000, 0,"
    " 1000, 100, 0, 0, 0, '', 2677, 2677, 1, 5);"
    "INSERT INTO charge VALUES(2, randomblob(16), 1, 1, '', 'n', 'n', 'n', 'lab', 9, 0, 0, 1, 1,"
    " 0, 0, 0, 0, '', 3, 3, 1, 5);"
    "INSERT INTO charge VALUES(3, randomblob(16), 1, 1, '', 'm', 'm', 'm', 'lab', NULL, 5, 0, 0, 0,"
    " 0, 0, 2, 0, '', 0, 0, 1, 5);"
    "INSERT INTO charge VALUES(4, randomblob(16), 1, 1, '', 'm', 'm', 'm', 'lab', 8, 770, 1000, "
    "500,"
    " 500, 0, 0, 0, 0, '', 2770, 2770, 1, 5);"
    "INSERT INTO request SELECT rid, 1, 1, 'chat', 'm', 'lab', 0, 'complete', 200, 1, '', 1, 1, 1, "
    "1,"
    " 1, '' FROM charge;"
    "INSERT INTO transfer(debit, credit, nano, kind, ts) VALUES(2, 1, 5450, 'credit', 1);"
    "INSERT INTO transfer(debit, credit, nano, kind, cause, ts)"
    " SELECT 1, 3, nano, 'charge', id, ts FROM charge WHERE nano>0;";

/* A store as the version before left it: rows keep their numbers, charges are still explained. */
static void an_older_store_is_carried_over(void **state)
{
    (void)state;
    struct station s = {.folder = "/tmp/ledger-XXXXXX"};
    struct err e;

    assert_non_null(mkdtemp(s.folder));
    snprintf(s.path, sizeof s.path, "%s/station.db", s.folder);
    struct store *old = store_open(s.path, &e);
    assert_non_null(old);
    assert_true(store_migrate(old, ledger_schema, OLD_SCHEMA, &e));
    if (!store_exec(old, old_rows, &e))
        fail_msg("%s", e.text);
    store_close(old);
    s.loop = loop_new(&e);
    open_ledger(&s);
    assert_true(check(&s));
    assert_int_equal(number(&s, "SELECT COUNT(*) FROM charge c JOIN price p ON p.id=c.price"), 3);
    assert_int_equal(number(&s, "SELECT COUNT(*) FROM price WHERE id IN (7,8,9) AND ts=id-2"), 3);
    assert_int_equal(number(&s, "SELECT COUNT(*) FROM pragma_foreign_key_check"), 0);
    expect_text(&s, "SELECT terms FROM price WHERE id=7",
                "{\"tiers\":[{\"min_input\":0,\"in\":1000,\"cache_read\":100,"
                "\"cache_write_5m\":1250,\"out\":2000}]}");
    expect_text(&s, "SELECT terms FROM price WHERE id=8",
                "{\"tiers\":[{\"min_input\":0,\"in\":1000,\"out\":2000}]}");
    expect_text(&s, "SELECT terms FROM price WHERE id=9",
                "{\"tiers\":[{\"min_input\":0,\"in\":0,\"cache_read\":1000,"
                "\"cache_write_5m\":1250,\"cache_write_1h\":2000,\"out\":2000}]}");
    /* A price that has not changed is the row that it was. */
    struct offering same = {.s = &s,
                            .price = {.currency = {"USD"},
                                      .margin = {1050000, 1000000},
                                      .tier_count = 1,
                                      .tiers = {{.rate = {[LEAF_in] = 1000,
                                                          [LEAF_cache_read] = 100,
                                                          [LEAF_cache_write_5m] = 1250,
                                                          [LEAF_out] = 2000}}}}};
    bool stated[LEAF_COUNT] = {[LEAF_in] = true,
                               [LEAF_cache_read] = true,
                               [LEAF_cache_write_5m] = true,
                               [LEAF_out] = true};
    price_fill(&same.price.tiers[0], stated);
    struct op op = {.op = {.kind = LEDGER_CALL, .call = do_offer, .ctx = &same}};
    run(&s, &op);
    assert_true(same.ok);
    assert_int_equal(same.id, 7);
    struct admin broken = {.sql = "INSERT INTO charge SELECT 99, zeroblob(16), account, key, tag,"
                                  " asked, sent, seen, upstream, 77, in_, cache_read,"
                                  " cache_write_5m, cache_write_1h, out, reasoning, state, cost,"
                                  " cost_currency, computed, nano, epoch, ts FROM charge LIMIT 1"};
    assert_false(call(&s, &broken, do_sql)); /* there is no row 77 */
    buf_release(&broken.out);
    struct station *whole = malloc(sizeof *whole);
    assert_non_null(whole);
    *whole = s;
    station_free(whole);
}

/* A charge that the row which it names does not explain is found. */
static void a_wrong_charge_is_found(void **state)
{
    (void)state;
    struct station *s = station_new("customer", 1000, 0);
    struct charge c;
    hold(s, 100);
    assert_true(charge(s, &c, 1, 100, 60));
    assert_true(close_request(s, 1));
    assert_true(check(s));
    sql(s, "DROP TRIGGER charge_keep");
    sql(s, "UPDATE charge SET in_=in_+1");
    assert_false(check(s));
    sql(s, "UPDATE charge SET in_=in_-1");
    assert_true(check(s));
    sql(s, "DROP TRIGGER price_keep");
    sql(s, "UPDATE price SET terms='{}'");
    assert_false(check(s));
    station_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_written_once),
        cmocka_unit_test(what_is_announced_is_written_once),
        cmocka_unit_test(rows_never_change),
        cmocka_unit_test(an_older_store_is_carried_over),
        cmocka_unit_test(a_wrong_charge_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
