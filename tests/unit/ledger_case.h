/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger for tests: a real store in a temporary folder, its real thread, and one account with one
 * key. Each helper fails the test where it cannot do its work.
 */
#ifndef TESTS_LEDGER_CASE_H
#define TESTS_LEDGER_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/ledger_int.h"

/* Price of the tests: 1 nano per token, so that costs are token counts. */
static const struct price test_price = {.currency = {"USD"},
                                        .margin = {1, 1},
                                        .tier_count = 1,
                                        .tiers = {{.rate = {
#define LEAF(field, name, side, fallback) [LEAF_##field] = SIDE_##side == SIDE_COUNTER ? 0 : 1000,
#include "price/leaves.def"
                                                   }}}};

struct station {
    char folder[64], path[96];
    struct ledger *ledger;
    struct loop *loop;
    struct account *account;
    struct key *key;
    char raw[64]; /* the key as its holder has it */
    int64_t price;
    unsigned answers;
};

struct op {
    struct ledger_op op;
    struct station *s;
};

static inline void answered(struct task *t)
{
    struct op *o = (struct op *)(void *)t;

    o->s->answers++;
}

static inline void submit(struct station *s, struct op *o)
{
    o->s = s;
    o->op.task.run = answered;
    o->op.loop = s->loop;
    assert_true(ledger_submit(s->ledger, &o->op));
}

static inline void await(struct station *s, unsigned answers)
{
    for (int i = 0; i < 1000 && s->answers < answers; i++)
        loop_step(s->loop, 100);
    assert_int_equal(s->answers, answers);
    s->answers = 0;
}

static inline bool run(struct station *s, struct op *o)
{
    submit(s, o);
    await(s, 1);
    return o->op.ok;
}

static inline void open_ledger(struct station *s)
{
    struct err e;

    s->ledger = ledger_open(s->path, true, &e);
    if (s->ledger == NULL)
        fail_msg("%s", e.text);
    s->account = directory_account(s->ledger->directory, STR("alice"));
    s->key = s->raw[0] == '\0' ? NULL : ledger_key(s->ledger, str_from(s->raw));
}

/* What administration does for a test, on the ledger thread. */
struct admin {
    struct station *s;
    int64_t credit, budget;
    const char *kind, *sql;
    bool ok;
    struct buf out;
    struct err e;
};

static inline void do_create(struct ledger *l, void *ctx)
{
    struct admin *a = ctx;
    const struct currency usd = {"USD"};
    struct str alice = STR("alice");

    a->ok = ledger_account_create(l, alice, str_from(a->kind), usd, 0, 0, &a->out, &a->e) &&
            (a->credit == 0 || ledger_credit(l, alice, usd, false, a->credit, STR("tést"), STR(""),
                                             &a->out, &a->e)) &&
            ledger_price_row(l, STR("m"), &test_price, &a->s->price, &a->e);
    buf_clear(&a->out);
    a->ok = a->ok && ledger_key_create(l, alice, STR("laptop"), STR(""), 0, 0, 0, a->budget, 'd',
                                       &a->out, &a->e);
}

static inline void do_sql(struct ledger *l, void *ctx)
{
    struct admin *a = ctx;

    a->ok = store_exec(l->store, a->sql, &a->e);
}

static inline void do_check(struct ledger_view *v, void *ctx)
{
    struct admin *a = ctx;

    a->ok = ledger_check(v, &a->out, &a->e);
}

static inline bool call(struct station *s, struct admin *a, void (*fn)(struct ledger *, void *))
{
    struct op o = {.op = {.kind = LEDGER_CALL, .call = fn, .ctx = a}};

    a->s = s;
    buf_init(&a->out, 1 << 20);
    run(s, &o);
    return a->ok;
}

static inline bool check(struct station *s)
{
    struct admin a = {0};
    struct op o = {.op = {.kind = LEDGER_REPORT, .read = do_check, .ctx = &a}};

    buf_init(&a.out, 1 << 20);
    run(s, &o);
    bool ok = a.ok;
    assert_true(ok == (str_find(buf_str(&a.out), STR("\"ok\":true")) != SIZE_MAX));
    if (!ok)
        fprintf(stderr, "%.*s\n", STR_ARG(buf_str(&a.out)));
    buf_release(&a.out);
    return ok;
}

static inline void sql(struct station *s, const char *text)
{
    struct admin a = {.sql = text};

    if (!call(s, &a, do_sql))
        fail_msg("%s", a.e.text);
    buf_release(&a.out);
}

static inline struct station *station_new(const char *kind, int64_t credit, int64_t budget)
{
    struct station *s = calloc(1, sizeof *s);
    struct admin a = {.kind = kind, .credit = credit, .budget = budget};
    struct err e;

    assert_non_null(s);
    snprintf(s->folder, sizeof s->folder, "/tmp/ledger-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof s->path, "%s/station.db", s->folder);
    s->loop = loop_new(&e);
    assert_non_null(s->loop);
    open_ledger(s);
    if (!call(s, &a, do_create))
        fail_msg("%s", a.e.text);
    size_t at = str_find(buf_str(&a.out), STR("ek_"));
    assert_true(at != SIZE_MAX);
    memcpy(s->raw, a.out.p + at, 46);
    buf_release(&a.out);
    s->account = directory_account(s->ledger->directory, STR("alice"));
    s->key = ledger_key(s->ledger, str_from(s->raw));
    assert_non_null(s->key);
    return s;
}

static inline void station_free(struct station *s)
{
    static const char *const ends[] = {"", ".lock", "-wal", "-shm"};
    char name[128];

    ledger_close(s->ledger);
    loop_free(s->loop);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", s->path, ends[i]);
        unlink(name);
    }
    assert_int_equal(rmdir(s->folder), 0);
    free(s);
}

static inline bool allot(struct station *s, int64_t nano)
{
    struct op o = {.op = {.kind = LEDGER_ALLOT, .account = s->account, .nano = nano}};

    return run(s, &o);
}

/* What one call may hold of the account's first balance. */
static inline enum hold_result try_hold(struct station *s, int64_t nano)
{
    struct hold h = {.from = s->account};

    return ledger_hold(&h, s->key, nano);
}

static inline void release(struct station *s, int64_t nano)
{
    struct hold h = {.from = s->account, .paid = nano};

    ledger_release(&h, s->key);
}

static inline void hold(struct station *s, int64_t nano)
{
    if (try_hold(s, nano) == HOLD_WAIT) {
        assert_true(allot(s, nano));
        assert_int_equal(try_hold(s, nano), HOLD_HELD);
    }
}

static inline struct rid rid_of(uint8_t n)
{
    return (struct rid){{n}};
}

static inline void fill(struct station *s, struct charge *c, uint8_t n, int64_t held, int64_t cost)
{
    *c = (struct charge){.rid = rid_of(n),
                         .key = s->key,
                         .asked = STR("m"),
                         .sent = STR("m"),
                         .seen = STR("m"),
                         .upstream = STR("lab"),
                         .price_id = s->price,
                         .usage = {.in = (uint64_t)cost},
                         .cost_currency = {"CNY"},
                         .cost = cost / 2,
                         .computed = cost,
                         .hold = {.from = s->account, .paid = held},
                         .ts_us = clock_wall_us()};
}

static inline bool charge(struct station *s, struct charge *c, uint8_t n, int64_t held,
                          int64_t cost)
{
    struct op o = {.op = {.kind = LEDGER_CHARGE, .charge = c}};

    fill(s, c, n, held, cost);
    return run(s, &o);
}

static inline bool reverse(struct station *s, uint8_t n)
{
    struct charge c = {.rid = rid_of(n)};
    struct op o = {.op = {.kind = LEDGER_REVERSE, .charge = &c}};

    return run(s, &o);
}

static inline bool close_request(struct station *s, uint8_t n)
{
    struct closing c = {.rid = rid_of(n),
                        .account = s->account,
                        .key = s->key,
                        .asked = STR("m"),
                        .endpoint = "chat",
                        .end = "complete",
                        .status = 200,
                        .attempt_count = 1,
                        .attempts = {{.upstream = STR("lab"), .failure = "connect"}}};
    struct op o = {.op = {.kind = LEDGER_CLOSE, .closing = &c}};

    return run(s, &o);
}

static inline void expect(struct station *s, int64_t balance, int64_t held)
{
    struct account *a = s->account;

    assert_int_equal(ledger_balance(a), balance);
    assert_int_equal(atomic_load(&a->held), held);
    if (a->kind == ACCOUNT_CUSTOMER)
        assert_int_equal(
            atomic_load(&a->free) + atomic_load(&a->held) + atomic_load(&a->unallotted), balance);
}

#endif
