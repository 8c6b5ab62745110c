/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints of our own that read the books: usage, statement, margin. Each is read on a reader's
 * thread while its request waits, and its lane does not touch it. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "relay/relay_int.h"

#define MARGIN_DAY_US INT64_C(86400000000)

void own_ask_reader(struct request *r, enum ledger_op_kind kind)
{
    r->reading = account_read(r->key->account);
    if (!r->reading) {
        r->retry_after_s = 1;
        request_failf(r, END_CONCURRENCY, NULL,
                      "This account waits for %d reads of its books already; ask again when they "
                      "are answered.",
                      LIMIT_ACCOUNT_READS);
    } else if (step_ledger_ask(r, kind)) {
        request_move(r, REQ_WAIT_LEDGER);
    } else {
        request_fail(r, END_LEDGER_FULL);
    }
}

void own_read_ended(struct request *r)
{
    if (r->reading) {
        account_read_done(r->key->account);
    }
    r->reading = false;
}

/* On a reader's thread; the request waits for it and is not touched by its lane meanwhile. */
static void read_usage(struct ledger_view *v, void *ctx)
{
    struct request *r = ctx;
    struct err e;
    if (!ledger_usage(v, str_from(r->key->account->name), 50, &r->reply, &e)) {
        buf_clear(&r->reply);
    }
}

void own_usage(struct request *r)
{
    r->op.read = read_usage;
    r->op.ctx = r;
    own_ask_reader(r, LEDGER_READ);
}

/* A value of the query, decoded behind what is in the buffer. */
static bool query_word(struct buf *room, struct str query, const char *name, struct str *out)
{
    size_t before = room->n;

    bool ok = url_decode(room, url_query(query, str_from(name)));
    *out = str_skip(buf_str(room), before);
    return ok;
}

static bool statement_words(struct buf *room, struct str query, struct statement_words *w,
                            const char **field)
{
    const struct {
        const char *name;
        struct str *to;
    } words[] = {{"from", &w->from},     {"to", &w->to},       {"currency", &w->currency},
                 {"format", &w->format}, {"limit", &w->limit}, {"cursor", &w->cursor}};

    if (buf_reserve(room, query.n + 1) == NULL) { /* so that it does not move */
        return false;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        *field = words[i].name;
        if (!query_word(room, query, words[i].name, words[i].to)) {
            return false;
        }
    }
    return true;
}

/* On a reader's thread, as read_usage. */
static void read_statement(struct ledger_view *v, void *ctx)
{
    struct request *r = ctx;
    struct err e;
    if (!ledger_statement(v, str_from(r->key->account->name), r->statement, &r->reply, &e)) {
        buf_clear(&r->reply);
    }
}

void own_statement(struct request *r)
{
    struct str path, query;
    struct statement_words words = {.from = STR_INIT("")};
    struct err e = {"this parameter is not readable"};
    const char *field = "query";
    struct buf room;

    url_split(head_target(r->head, r->head_base), &path, &query);
    r->statement = malloc(sizeof(*r->statement));
    assert(r->statement != NULL);
    buf_init(&room, LIMIT_HEAD_BYTES);
    bool ok = statement_words(&room, query, &words, &field) &&
              statement_parse(&words, r->statement, &field, &e);
    buf_release(&room);
    if (!ok) {
        request_failf(r, END_BAD_FIELD, field, "%s.", e.text);
        return;
    }
    r->op.read = read_statement;
    r->op.ctx = r;
    own_ask_reader(r, LEDGER_READ);
}

/* Where a page of CSV goes on stands in a header, so that the pages are one table. */
static void answer_csv(struct request *r)
{
    char room[STATEMENT_CURSOR + 128];
    struct buf extra = {.p = room, .cap = sizeof(room), .max = sizeof(room)};

    buf_add(&extra, STR("content-disposition: attachment; filename=\"statement.csv\"\r\n"));
    if (r->statement->next[0] != '\0') {
        buf_cat(&extra, STR("relay-next: "), str_from(r->statement->next), STR("\r\n"));
    }
    answer_own(r, 200, STR("text/csv; charset=utf-8; header=present"), buf_str(&extra));
}

/* by, from, to (days) and currency, as the command has them. The one that is wrong, or NULL. */
static const char *margin_query(const struct request *r, struct margin_query *q, struct err *e)
{
    struct str path, query;

    url_split(head_target(r->head, r->head_base), &path, &query);
    struct str from = url_query(query, STR("from")), to = url_query(query, STR("to"));
    struct str code = url_query(query, STR("currency"));
    *q = (struct margin_query){.to_us = INT64_MAX};
    if (!margin_by_parse(url_query(query, STR("by")), &q->by, e)) {
        return "by";
    }
    (void)err_set(e, "Days are written as 2026-11-30, currencies as USD.");
    if (from.n > 0 && !clock_parse_day(from, &q->from_us)) {
        return "from";
    }
    if (to.n > 0 && !clock_parse_day(to, &q->to_us)) {
        return "to";
    }
    q->to_us += to.n > 0 ? MARGIN_DAY_US : 0;
    if (q->from_us >= q->to_us) {
        (void)err_set(e, "to is the last day, and not before from.");
        return "to";
    }
    return code.n > 0 && !currency_parse(code, &q->currency) ? "currency" : NULL;
}

static void read_margin(struct ledger_view *v, void *ctx)
{
    struct request *r = ctx;
    struct err e;

    if (!ledger_margin(v, r->margin, &r->reply, &e)) {
        buf_clear(&r->reply);
    }
}

/* What the operator earns is nobody else's to see. */
void own_margin(struct request *r)
{
    const struct account *a = r->key->account;
    struct err e;

    if (a->kind != ACCOUNT_HOUSE || strcmp(a->name, "owner") != 0) {
        request_failf(r, END_FORBIDDEN, NULL, "Only the owner's key may see the margin.");
        return;
    }
    /* Read here: the head's bytes are the lane's, and may go while a reader works. */
    r->margin = malloc(sizeof(*r->margin));
    assert(r->margin != NULL);
    const char *wrong = margin_query(r, r->margin, &e);
    if (wrong != NULL) {
        request_failf(r, END_BAD_FIELD, wrong, "%s", e.text);
        return;
    }
    r->op.read = read_margin;
    r->op.ctx = r;
    own_ask_reader(r, LEDGER_REPORT);
}

void own_ledger_done(struct request *r)
{
    own_read_ended(r); /* before its client can send another */
    if (r->self != NULL) {
        self_done(r);
        return;
    }
    if (r->reply.n == 0 && r->statement != NULL && r->statement->stale) {
        request_failf(r, END_BAD_FIELD, "cursor",
                      "cursor does not fit the books; begin again without it.");
        return;
    }
    if (r->reply.n == 0) {
        request_fail(r, END_LEDGER_LATE);
        return;
    }
    if (r->statement != NULL && r->statement->csv) {
        answer_csv(r);
    } else {
        answer_own(r, 200, STR("application/json"), STR(""));
    }
    request_run(r);
}
