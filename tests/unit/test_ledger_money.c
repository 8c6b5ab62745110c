/* SPDX-License-Identifier: Apache-2.0 */
/* The money path, against a real store in a temporary folder and through the real thread. */
#include "ledger_case.h"

static void test_hold_and_charge(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct charge c;

    (void)state;
    assert_int_equal(try_hold(s, 100), HOLD_WAIT);
    assert_true(allot(s, 100));
    assert_int_equal(atomic_load(&s->account->free), 250); /* a quarter */
    assert_int_equal(try_hold(s, 100), HOLD_HELD);
    expect(s, 1000, 100);
    release(s, 100);
    expect(s, 1000, 0);
    hold(s, 100);
    assert_true(charge(s, &c, 1, 100, 70));
    assert_int_equal(c.charged, 70);
    assert_true(close_request(s, 1));
    expect(s, 930, 0);
    assert_true(check(s));
    station_free(s);
}

static void test_no_funds(void **state)
{
    struct station *s = station_new("customer", 10, 0);

    (void)state;
    assert_int_equal(try_hold(s, 11), HOLD_NO_FUNDS);
    hold(s, 10);
    assert_int_equal(try_hold(s, 1), HOLD_NO_FUNDS);
    assert_true(allot(s, 5)); /* nothing is there: still an answer */
    expect(s, 10, 10);
    station_free(s);
}

static void test_overrun(void **state)
{
    struct station *s = station_new("customer", 100, 0);
    struct charge c;

    (void)state;
    hold(s, 20);
    assert_int_equal(atomic_load(&s->account->free), 5);
    assert_true(charge(s, &c, 2, 20, 60)); /* beyond the hold and the purse: the balance pays */
    assert_int_equal(c.charged, 60);
    expect(s, 40, 0);
    hold(s, 20);
    assert_true(charge(s, &c, 1, 20, 95)); /* beyond the balance: the operator */
    assert_int_equal(c.charged, 40);
    expect(s, 0, 0);
    struct purse *loss = purse_by_name(s->ledger, "loss:overrun:USD");
    assert_int_equal(ledger_balance(&loss->account), -55);
    assert_true(check(s));
    assert_true(reverse(s, 1));
    expect(s, 40, 0);
    assert_int_equal(ledger_balance(&loss->account), 0);
    assert_true(reverse(s, 1)); /* once */
    expect(s, 40, 0);
    assert_true(check(s));
    station_free(s);
}

static void test_one_request_is_charged_once(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct charge c;

    (void)state;
    hold(s, 50);
    assert_true(charge(s, &c, 1, 50, 50));
    hold(s, 50);
    assert_false(charge(s, &c, 1, 50, 60));
    expect(s, 950, 50); /* a failed charge leaves the hold to its owner */
    release(s, 50);
    assert_true(check(s));
    station_free(s);
}

static void wait_a_little(struct ledger *l, void *ctx)
{
    (void)l;
    (void)ctx;
    usleep(100 * 1000);
}

/* Many operations in few commits: the sums of a batch are those of its rows. */
static void test_batch(void **state)
{
    enum { COUNT = 600 };
    static struct charge charges[COUNT];
    static struct op ops[COUNT];
    struct station *s = station_new("customer", 100000, 0);
    struct op pause = {.op = {.kind = LEDGER_CALL, .call = wait_a_little}};

    (void)state;
    submit(s, &pause); /* so that the rest is queued when the thread comes to it */
    assert_true(try_hold(s, COUNT * 50) == HOLD_WAIT);
    struct op more = {.op = {.kind = LEDGER_ALLOT, .account = s->account, .nano = COUNT * 50}};
    submit(s, &more);
    await(s, 2);
    submit(s, &pause);
    for (unsigned i = 0; i < COUNT; i++) {
        hold(s, 50);
        fill(s, &charges[i], 0, 50, 40);
        charges[i].rid.b[14] = (uint8_t)(i / 2 >> 8); /* each twice */
        charges[i].rid.b[15] = (uint8_t)(i / 2);
        ops[i] = (struct op){.op = {.kind = LEDGER_CHARGE, .charge = &charges[i]}};
        submit(s, &ops[i]);
    }
    await(s, COUNT + 1);
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(ops[i].op.ok == (i % 2 == 0));
    expect(s, 100000 - COUNT / 2 * 40, COUNT / 2 * 50);
    assert_true(check(s));
    station_free(s);
}

static void test_house_is_never_refused(void **state)
{
    struct station *s = station_new("house", 0, 0);
    struct charge c;

    (void)state;
    assert_int_equal(try_hold(s, 1000), HOLD_HELD);
    assert_true(charge(s, &c, 1, 1000, 5000));
    assert_int_equal(c.charged, 5000);
    expect(s, -5000, 0);
    assert_true(check(s));
    station_free(s);
}

/* A store as the first version left it, with an account in it. */
static void test_an_old_store_opens(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    char path[128];
    struct err e;

    (void)state;
    snprintf(path, sizeof path, "%s/old.db", s->folder);
    struct store *old = store_open(path, &e);
    assert_non_null(old);
    assert_true(store_migrate(old, ledger_schema, 1, &e));
    assert_true(store_exec(old,
                           "INSERT INTO account(name, currency, kind, balance, created)"
                           " VALUES('bob', 'USD', 'customer', 0, 1)",
                           &e));
    store_close(old);
    struct ledger *l = ledger_open(path, false, &e);
    if (l == NULL)
        fail_msg("%s", e.text);
    struct account *bob = directory_account(l->directory, STR("bob"));
    assert_non_null(bob);
    assert_int_equal(atomic_load(&bob->budget.limit), 0);
    ledger_close(l);
    unlink(path);
    snprintf(path, sizeof path, "%s/old.db.lock", s->folder);
    unlink(path);
    station_free(s);
}

/* A process that dies with two charges, of which one is closed, and with a hold. */
static void die_in_the_middle(struct station *s)
{
    struct charge c;
    struct err e;

    s->loop = loop_new(&e); /* not the parent's */
    if (s->loop == NULL)
        _exit(3);
    open_ledger(s);
    hold(s, 100);
    if (!charge(s, &c, 1, 100, 70) || !close_request(s, 1))
        _exit(1);
    hold(s, 200);
    if (!charge(s, &c, 2, 200, 300))
        _exit(2);
    hold(s, 10);
    _exit(0);
}

static void test_crash(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    int status;

    (void)state;
    ledger_close(s->ledger);
    pid_t child = fork();
    if (child == 0)
        die_in_the_middle(s);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    open_ledger(s);
    expect(s, 930, 0);
    assert_int_equal(atomic_load(&s->account->unallotted), 930);
    assert_true(check(s));
    ledger_close(s->ledger);
    open_ledger(s);
    expect(s, 930, 0);
    assert_true(check(s));
    station_free(s);
}

/* What the threads hold together, which may never exceed the purse. */
static atomic_int_fast64_t in_hands;
static atomic_bool too_much;

static void *hold_and_release(void *ctx)
{
    struct station *s = ctx;

    for (int i = 0; i < 20000; i++) {
        if (try_hold(s, 3) != HOLD_HELD)
            continue;
        if (atomic_fetch_add(&in_hands, 3) + 3 > 10)
            atomic_store(&too_much, true);
        atomic_fetch_sub(&in_hands, 3);
        release(s, 3);
    }
    return NULL;
}

static void test_threads_never_hold_too_much(void **state)
{
    struct station *s = station_new("customer", 10, 0);
    pthread_t threads[4];

    (void)state;
    assert_true(allot(s, 10));
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_release, s), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_false(atomic_load(&too_much));
    assert_int_equal(atomic_load(&s->account->free), 10);
    expect(s, 10, 0);
    station_free(s);
}

static bool debit(struct station *s, int64_t nano)
{
    struct buf out;
    struct err e;

    /* No operation is under way: the ledger thread sleeps. */
    buf_init(&out, 4096);
    bool ok = ledger_debit(s->ledger, STR("alice"), (struct currency){""}, false, nano,
                           STR("typed twice"), STR(""), &out, &e);
    assert_true(ok || strstr(e.text, "held") != NULL || strstr(e.text, "positive") != NULL);
    buf_release(&out);
    return ok;
}

static void test_a_debit_takes_what_nobody_holds(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct charge c;

    (void)state;
    assert_false(debit(s, 0));
    assert_false(debit(s, -1));
    assert_false(debit(s, 1001));
    hold(s, 100); /* 250 are in the purse, 750 are not */
    expect(s, 1000, 100);
    assert_false(debit(s, 901));
    expect(s, 1000, 100); /* a refusal leaves nothing */
    assert_true(debit(s, 700));
    expect(s, 300, 100);
    assert_true(debit(s, 120)); /* 50 are not in the purse */
    expect(s, 180, 100);
    assert_true(check(s)); /* the allotment has shrunk, too */
    assert_true(debit(s, 80));
    assert_false(debit(s, 1));
    assert_int_equal(try_hold(s, 1), HOLD_NO_FUNDS);
    assert_true(charge(s, &c, 1, 100, 100)); /* what was held is still there */
    assert_true(close_request(s, 1));
    expect(s, 0, 0);
    ledger_close(s->ledger);
    open_ledger(s);
    expect(s, 0, 0);
    assert_true(check(s));
    sql(s, "CREATE TEMP TABLE d(n INTEGER CHECK(n=900));"
           "INSERT INTO d SELECT SUM(nano) FROM transfer WHERE kind='debit'");
    station_free(s);
}

static void test_a_debit_that_fails_changes_nothing(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct buf out;
    struct err e;

    (void)state;
    hold(s, 100);
    sql(s, "CREATE TEMP TRIGGER full BEFORE INSERT ON main.transfer BEGIN"
           " SELECT RAISE(ABORT, 'no room'); END");
    buf_init(&out, 4096);
    assert_false(ledger_debit(s->ledger, STR("alice"), (struct currency){""}, false, 900, STR(""),
                              STR(""), &out, &e));
    assert_non_null(strstr(e.text, "no room"));
    buf_release(&out);
    expect(s, 1000, 100);
    sql(s, "DROP TRIGGER full");
    assert_true(debit(s, 900));
    expect(s, 100, 100);
    station_free(s);
}

static void test_check_finds_one_nano(void **state)
{
    struct station *s = station_new("customer", 1000, 0);

    (void)state;
    assert_true(check(s));
    sql(s, "UPDATE account SET balance=balance+1 WHERE name='alice'");
    assert_false(check(s));
    station_free(s);
}

static void test_history_is_kept(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct admin a = {.sql = "UPDATE transfer SET nano=nano+1"};
    struct admin b = {.sql = "DELETE FROM transfer"};

    (void)state;
    assert_false(call(s, &a, do_sql));
    assert_false(call(s, &b, do_sql));
    buf_release(&a.out);
    buf_release(&b.out);
    station_free(s);
}

static void test_full_disk(void **state)
{
    struct station *s = station_new("customer", 100000, 0);
    struct charge c;
    uint8_t n = 1;

    (void)state;
    hold(s, 100);
    assert_true(charge(s, &c, n, 100, 100));
    sql(s, "PRAGMA max_page_count=1"); /* SQLite makes that the present size */
    int64_t balance = ledger_balance(s->account);
    for (hold(s, 100); charge(s, &c, ++n, 100, 110); hold(s, 100)) {
        balance -= 110;
        assert_true(n < 250);
    }
    expect(s, balance, 100);
    assert_int_equal(c.charged, 0);
    sql(s, "PRAGMA max_page_count=100000");
    assert_true(charge(s, &c, n, 100, 110)); /* the same hold, the thread goes on */
    expect(s, balance - 110, 0);
    assert_true(check(s));
    station_free(s);
}

/* As the relay submits it: nobody waits for it. */
static void close_with(struct station *s, uint8_t n, int64_t cost)
{
    static const char asked[] = "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
                                "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm";
    struct {
        struct ledger_op op;
        struct closing closing;
    } *row = calloc(1, sizeof *row);

    assert_non_null(row);
    row->op.kind = LEDGER_CLOSE;
    row->op.closing = &row->closing;
    row->closing = (struct closing){.rid = rid_of(n),
                                    .account = s->account,
                                    .key = s->key,
                                    .asked = {asked, sizeof asked - 1}, /* rows that fill pages */
                                    .endpoint = "chat",
                                    .end = "complete",
                                    .status = 200};
    if (cost > 0) {
        row->closing.attempt_count = 2;
        row->closing.attempts[1] = (struct attempt){.upstream = STR("lab"), .failure = ""};
        row->closing.attempts[0] = (struct attempt){.upstream = STR("lab"),
                                                    .failure = "server",
                                                    .cost = cost,
                                                    .cost_currency = {"CNY"},
                                                    .cost_to = "cogs:failed_attempts"};
    }
    assert_true(ledger_submit(s->ledger, &row->op));
}

static void close_and_forget(struct station *s, uint8_t n)
{
    close_with(s, n, 0);
}

static void reopen(struct station *s)
{
    ledger_close(s->ledger);
    open_ledger(s);
}

static void test_a_closing_row_outlives_accounts_that_cannot_be_made(void **state)
{
    struct station *s = station_new("customer", 100000, 0);
    struct charge c;

    (void)state;
    hold(s, 100);
    assert_true(charge(s, &c, 1, 100, 100));
    sql(s, "CREATE TRIGGER full BEFORE INSERT ON account BEGIN SELECT RAISE(ABORT, 'full'); END");
    close_with(s, 1, 7);
    sql(s, "SELECT 1"); /* behind it */
    assert_true(ledger_admits(s->ledger));
    sql(s, "DROP TRIGGER full");
    reopen(s);
    expect(s, 100000 - 100, 0);
    assert_true(check(s));
    station_free(s);
}

/* As the relay tells of a request that is sent (1), or was not (-1). */
static void use_and_forget(struct station *s, const struct plan *p, int64_t requests)
{
    struct {
        struct ledger_op op;
        struct plan plan;
    } *use = calloc(1, sizeof *use);

    assert_non_null(use);
    use->plan = *p;
    use->op = (struct ledger_op){.kind = LEDGER_USE, .nano = requests, .plan = &use->plan};
    assert_true(ledger_submit(s->ledger, &use->op));
}

struct opening {
    struct plan plan;
    int64_t used;
    bool ok;
    struct err e;
};

static void do_open(struct ledger *l, void *ctx)
{
    struct opening *o = ctx;

    o->ok = ledger_plan_open(l, &o->plan, &o->used, &o->e);
}

static int64_t plan_used(struct station *s, const struct plan *p)
{
    struct opening want = {.plan = *p};
    struct op o = {.op = {.kind = LEDGER_CALL, .call = do_open, .ctx = &want}};

    run(s, &o);
    assert_true(want.ok);
    return want.used;
}

static void test_what_is_kept_stays_in_order(void **state)
{
    struct station *s = station_new("customer", 100000, 0);
    const struct plan p = {
        STR("lab"), {.unit = BUDGET_REQUESTS, .units = 5}, .from_us = 0, .until_us = INT64_MAX};

    (void)state;
    assert_int_equal(plan_used(s, &p), 0);
    sql(s, "CREATE TRIGGER full BEFORE UPDATE ON plan BEGIN SELECT RAISE(ABORT, 'full'); END");
    use_and_forget(s, &p, 1);
    use_and_forget(s, &p, -1);
    sql(s, "SELECT 1"); /* behind them */
    sql(s, "DROP TRIGGER full");
    reopen(s);
    assert_int_equal(plan_used(s, &p), 0);
    station_free(s);
}

static void test_closing_rows_outlive_a_full_disk(void **state)
{
    struct station *s = station_new("customer", 100000, 0);
    struct charge c;
    const uint8_t requests = 250;

    (void)state;
    for (uint8_t n = 1; n <= requests; n++) {
        hold(s, 100);
        assert_true(charge(s, &c, n, 100, 100));
    }
    sql(s, "PRAGMA max_page_count=1");
    for (uint8_t n = 1; n <= requests; n++)
        close_and_forget(s, n);
    sql(s, "SELECT 1"); /* behind them */
    assert_false(ledger_admits(s->ledger));
    sql(s, "PRAGMA max_page_count=100000");
    for (int i = 0; i < 600 && !ledger_admits(s->ledger); i++)
        usleep(100000);
    assert_true(ledger_admits(s->ledger));
    /* The next start would reverse every charge without its row. */
    ledger_close(s->ledger);
    open_ledger(s);
    expect(s, 100000 - 100 * requests, 0);
    assert_true(check(s));
    station_free(s);
}

static void test_second_process_is_refused(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    char pid[24];
    struct err e;

    (void)state;
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_null(ledger_open(s->path, false, &e));
    assert_non_null(strstr(e.text, pid));
    station_free(s);
}

static void test_what_people_type(void **state)
{
    struct station *s = station_new("customer", 0, 0);
    struct currency usd = {"USD"};
    struct buf out;
    struct err e;

    (void)state;
    ledger_close(s->ledger);
    s->ledger = ledger_open(s->path, false, &e);
    assert_non_null(s->ledger);
    struct ledger *l = s->ledger;
    buf_init(&out, 1 << 16);
    assert_false(ledger_account_create(l, STR(""), STR("house"), usd, 0, 0, &out, &e));
    assert_false(ledger_account_create(l, STR("a\nb"), STR("house"), usd, 0, 0, &out, &e));
    assert_false(ledger_account_create(l, STR("rev:usage:USD"), STR("house"), usd, 0, 0, &out, &e));
    assert_false(ledger_account_create(l, STR("alice"), STR("customer"), usd, 0, 0, &out, &e));
    assert_false(ledger_account_create(l, STR("bob"), STR("system"), usd, 0, 0, &out, &e));
    assert_false(ledger_credit(l, STR("alice"), usd, false, 0, STR(""), STR(""), &out, &e));
    assert_false(ledger_credit(l, STR("alice"), usd, false, -5, STR(""), STR(""), &out, &e));
    assert_false(ledger_credit(l, STR("nobody"), usd, false, 5, STR(""), STR(""), &out, &e));
    assert_non_null(strstr(e.text, "nobody"));
    assert_int_equal(out.n, 0);
    assert_true(ledger_credit(l, STR("alice"), usd, false, 1500000000, STR(""), STR(""), &out, &e));
    assert_true(str_find(buf_str(&out), STR("\"balance\":\"1.5\"")) != SIZE_MAX);
    assert_true(ledger_key_revoke(l, STR("1"), &out, &e));
    assert_true(atomic_load(&ledger_key(l, str_from(s->raw))->revoked));
    assert_null(ledger_key(l, STR("ek_unknown")));
    assert_false(ledger_has_house(l));
    buf_release(&out);
    station_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold_and_charge),
        cmocka_unit_test(test_no_funds),
        cmocka_unit_test(test_overrun),
        cmocka_unit_test(test_one_request_is_charged_once),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_house_is_never_refused),
        cmocka_unit_test(test_an_old_store_opens),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_threads_never_hold_too_much),
        cmocka_unit_test(test_a_debit_takes_what_nobody_holds),
        cmocka_unit_test(test_a_debit_that_fails_changes_nothing),
        cmocka_unit_test(test_check_finds_one_nano),
        cmocka_unit_test(test_history_is_kept),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_closing_rows_outlive_a_full_disk),
        cmocka_unit_test(test_a_closing_row_outlives_accounts_that_cannot_be_made),
        cmocka_unit_test(test_what_is_kept_stays_in_order),
        cmocka_unit_test(test_second_process_is_refused),
        cmocka_unit_test(test_what_people_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
