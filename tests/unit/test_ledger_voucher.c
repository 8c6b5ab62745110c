/* SPDX-License-Identifier: Apache-2.0 */
/* Vouchers and refunds where the store fails, and what can be refunded when charges come and go. */
#include "ledger_case.h"

static const struct currency usd = {"USD"};

/* One change by administration or by a customer, on the ledger thread. */
struct change {
    struct station *s;
    int64_t nano;
    const char *text; /* a code */
    struct currency cur;
    bool ok;
    enum redeem_result result;
    struct buf out;
    struct err e;
};

static void do_make(struct ledger *l, void *ctx)
{
    struct change *c = ctx;

    c->ok = ledger_voucher_create(l, c->nano, c->cur, 3, 0, STR(""), &c->out, &c->e);
}

static void do_redeem(struct ledger *l, void *ctx)
{
    struct change *c = ctx;
    struct voucher_code code;

    assert_int_equal(code_parse(str_from(c->text), &code), CODE_GOOD);
    c->result = ledger_redeem(l, c->s->account, &code, &c->out, &c->e);
}

static void do_refund(struct ledger *l, void *ctx)
{
    struct change *c = ctx;

    c->ok = ledger_refund(l, STR("alice"), usd, c->nano, STR(""), &c->out, &c->e);
}

static void do_end_refund(struct ledger *l, void *ctx)
{
    struct change *c = ctx;

    c->ok = ledger_refund_end(l, str_from(c->text), false, &c->out, &c->e);
}

static void change(struct station *s, struct change *c, void (*fn)(struct ledger *, void *))
{
    struct op o = {.op = {.kind = LEDGER_CALL, .call = fn, .ctx = c}};

    c->s = s;
    buf_init(&c->out, 1 << 20);
    run(s, &o);
}

/* The first of three vouchers of so much each. */
static void make_in(struct station *s, struct currency cur, int64_t nano, char code[CODE_TEXT + 1])
{
    struct change c = {.nano = nano, .cur = cur};

    change(s, &c, do_make);
    assert_true(c.ok);
    size_t at = str_find(buf_str(&c.out), STR("{\"code\":\""));
    assert_true(at != SIZE_MAX);
    memcpy(code, c.out.p + at + 9, CODE_TEXT);
    code[CODE_TEXT] = '\0';
    buf_release(&c.out);
}

static void make(struct station *s, int64_t nano, char code[CODE_TEXT + 1])
{
    make_in(s, usd, nano, code);
}

static enum redeem_result redeem(struct station *s, const char *code)
{
    struct change c = {.text = code};

    change(s, &c, do_redeem);
    assert_true((c.result == REDEEM_DONE) == (c.out.n > 0));
    buf_release(&c.out);
    return c.result;
}

static bool refund(struct station *s, int64_t nano)
{
    struct change c = {.nano = nano};

    change(s, &c, do_refund);
    buf_release(&c.out);
    return c.ok;
}

/* Exactly this can be refunded: not a nano more. */
static void expect_refundable(struct station *s, int64_t nano)
{
    static int count;
    char id[16];
    struct change c = {.text = id};

    assert_false(refund(s, nano + 1));
    assert_true(refund(s, nano));
    snprintf(id, sizeof id, "r%d", ++count);
    change(s, &c, do_end_refund);
    if (!c.ok)
        fail_msg("%s", c.e.text);
    buf_release(&c.out);
}

static void a_store_that_fails_redeems_nothing(void **state)
{
    static const char *const guards[] = {
        "CREATE TEMP TRIGGER full BEFORE INSERT ON main.transfer BEGIN"
        " SELECT RAISE(ABORT, 'no room'); END",
        "CREATE TEMP TRIGGER full BEFORE UPDATE ON main.voucher BEGIN"
        " SELECT RAISE(ABORT, 'no room'); END",
        "CREATE TEMP TRIGGER full BEFORE UPDATE ON main.account BEGIN"
        " SELECT RAISE(ABORT, 'no room'); END",
    };
    struct station *s = station_new("customer", 1000, 0);
    char code[CODE_TEXT + 1];

    (void)state;
    make(s, 500, code);
    for (size_t i = 0; i < sizeof guards / sizeof guards[0]; i++) {
        sql(s, guards[i]);
        assert_int_equal(redeem(s, code), REDEEM_FAILED);
        expect(s, 1000, 0);
        sql(s, "DROP TRIGGER full");
        assert_true(check(s));
    }
    assert_int_equal(redeem(s, code), REDEEM_DONE);
    assert_int_equal(redeem(s, code), REDEEM_DONE); /* the same again */
    expect(s, 1500, 0);
    assert_true(check(s));
    station_free(s);
}

/* Nobody is told that a voucher is refused because the balance that it needs could not be made. */
static void a_balance_that_cannot_be_made_is_no_refusal(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    char code[CODE_TEXT + 1];

    (void)state;
    make_in(s, (struct currency){"EUR"}, 500, code);
    sql(s, "CREATE TEMP TRIGGER full BEFORE INSERT ON main.account BEGIN"
           " SELECT RAISE(ABORT, 'no room'); END");
    assert_int_equal(redeem(s, code), REDEEM_FAILED);
    sql(s, "DROP TRIGGER full");
    assert_int_equal(redeem(s, code), REDEEM_DONE);
    station_free(s);
}

static void half_a_batch_is_none(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    struct change c = {.nano = 5, .cur = usd};

    (void)state;
    sql(s, "CREATE TEMP TRIGGER full BEFORE INSERT ON main.voucher"
           " WHEN (SELECT COUNT(*) FROM voucher)>1 BEGIN SELECT RAISE(ABORT, 'no room'); END");
    change(s, &c, do_make);
    assert_false(c.ok);
    assert_int_equal(c.out.n, 0);
    buf_release(&c.out);
    sql(s, "DROP TRIGGER full");
    sql(s, "CREATE TEMP TABLE none(n CHECK(n=0))");
    sql(s, "INSERT INTO none SELECT (SELECT COUNT(*) FROM voucher)"
           " + (SELECT COUNT(*) FROM voucher_batch) + (SELECT COUNT(*) FROM transfer)");
    assert_true(check(s));
    station_free(s);
}

static void a_voucher_ends_once_whoever_writes(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    struct admin again = {.sql = "UPDATE voucher SET ts=ts+1 WHERE state='redeemed'"};
    struct admin gone = {.sql = "DELETE FROM voucher"};
    char code[CODE_TEXT + 1];

    (void)state;
    make(s, 500, code);
    assert_int_equal(redeem(s, code), REDEEM_DONE);
    assert_false(call(s, &again, do_sql));
    assert_false(call(s, &gone, do_sql));
    buf_release(&again.out);
    buf_release(&gone.out);
    station_free(s);
}

static void a_refund_that_fails_gives_back_what_it_took(void **state)
{
    struct station *s = station_new("customer", 1000, 0);

    (void)state;
    hold(s, 1000); /* all of it is in the purse */
    release(s, 900);
    sql(s, "CREATE TEMP TRIGGER full BEFORE INSERT ON main.refund BEGIN"
           " SELECT RAISE(ABORT, 'no room'); END");
    assert_false(refund(s, 900));
    expect(s, 1000, 100);
    sql(s, "DROP TRIGGER full");
    assert_false(refund(s, 901)); /* 100 are held */
    assert_true(refund(s, 900));
    expect(s, 100, 100);
    release(s, 100);
    assert_true(check(s));
    station_free(s);
}

static void charges_spend_vouchers_first(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct charge c;
    char code[CODE_TEXT + 1];

    (void)state;
    expect_refundable(s, 1000);
    hold(s, 100);
    assert_true(charge(s, &c, 1, 100, 100)); /* before there was a voucher */
    make(s, 500, code);
    assert_int_equal(redeem(s, code), REDEEM_DONE);
    expect_refundable(s, 900);
    hold(s, 300);
    assert_true(charge(s, &c, 2, 300, 300)); /* 200 of the voucher are left */
    expect_refundable(s, 900);
    hold(s, 300);
    assert_true(charge(s, &c, 3, 300, 300)); /* and 100 of what was paid in are gone */
    expect_refundable(s, 800);
    assert_true(reverse(s, 3)); /* it never was */
    expect_refundable(s, 900);
    assert_true(reverse(s, 1));
    expect_refundable(s, 1000);
    expect(s, 1200, 0);
    assert_true(check(s));
    station_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_fails_redeems_nothing),
        cmocka_unit_test(a_balance_that_cannot_be_made_is_no_refusal),
        cmocka_unit_test(half_a_batch_is_none),
        cmocka_unit_test(a_voucher_ends_once_whoever_writes),
        cmocka_unit_test(a_refund_that_fails_gives_back_what_it_took),
        cmocka_unit_test(charges_spend_vouchers_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
