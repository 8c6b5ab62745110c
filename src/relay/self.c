/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What customers change by themselves: they redeem a voucher, they replace their key. The body is a
 * small object of texts; the ledger's thread does the work, and the request waits for it.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "relay/relay_int.h"
#include "json/json.h"

/* Answers with a code or a key in them are nobody's to keep. */
#define NO_STORE STR("cache-control: no-store\r\n")
#define OVERLAP_US INT64_C(86400000000) /* where none is asked for */

struct self {
    struct voucher_code code;
    int64_t overlap_us;
    uint8_t result; /* enum redeem_result or rotate_result */
    struct err e;
};

/* The only member that the body has, a text; false: the request has failed. An empty body is an
 * empty object where the member may be left out. */
static bool read_text(struct request *r, const char *name, bool needed, struct buf *out)
{
    struct err e;
    struct json_doc *doc = json_parse(r->body.n > 0 || needed ? buf_str(&r->body) : STR("{}"), &e);

    if (doc == NULL) {
        request_failf(r, END_BAD_JSON, NULL, "The body is not valid JSON: %s", e.text);
        return false;
    }
    const struct json *root = json_root(doc);
    struct json_each it = json_each(root);
    const char *wrong = json_is_object(root) ? NULL : "The body must be an object.";
    bool seen = false;
    while (wrong == NULL && json_next(&it)) {
        if (!str_eq(it.key, str_from(name)) || seen) {
            wrong = "The body has another field than this one, or has it twice.";
        } else if (!json_is_string(it.value) || json_str(it.value).n == 0 ||
                   json_str(it.value).n > LIMIT_NAME) {
            wrong = "This must be a short text.";
        } else {
            buf_add(out, json_str(it.value));
        }
        seen = true;
    }
    if (wrong == NULL && needed && !seen) {
        wrong = "This field is missing.";
    }
    json_free(doc);
    if (wrong != NULL) {
        request_failf(r, END_BAD_FIELD, name, "%s: %s", name, wrong);
    }
    return wrong == NULL;
}

static void ask_ledger(struct request *r, void (*call)(struct ledger *l, void *ctx))
{
    r->op.call = call;
    r->op.ctx = r;
    if (!ledger_admits(r->lane->station->ledger)) {
        r->retry_after_s = 1;
        request_fail(r, END_STORE_FAILED);
    } else if (step_ledger_ask(r, LEDGER_CALL)) {
        request_move(r, REQ_WAIT_LEDGER);
    } else {
        request_fail(r, END_LEDGER_FULL);
    }
}

static struct self *self_new(struct request *r)
{
    r->self = calloc(1, sizeof(*r->self));
    assert(r->self != NULL);
    return r->self;
}

/* On the ledger's thread; the request waits for it and is not touched by its lane meanwhile. */
static void redeem(struct ledger *l, void *ctx)
{
    struct request *r = ctx;
    struct self *s = r->self;

    s->result = (uint8_t)ledger_redeem(l, r->key->account, &s->code, &r->reply, &s->e);
}

/* Of the address and of the account: neither may try codes at random. */
static bool may_try(struct request *r)
{
    unsigned of_site =
        guesses_wait_s(r->lane->code_guesses, &r->client, loop_now_ms(r->lane->loop));
    unsigned of_account = account_codes_wait_s(r->key->account, clock_wall_us());

    r->retry_after_s = of_site > of_account ? of_site : of_account;
    return r->retry_after_s == 0;
}

void self_redeem(struct request *r)
{
    struct buf text;
    struct voucher_code code;

    if (!may_try(r)) {
        request_fail(r, END_VOUCHER_GUESSES);
        return;
    }
    buf_init(&text, LIMIT_NAME);
    bool read = read_text(r, "code", true, &text);
    enum code_fault fault = read ? code_parse(buf_str(&text), &code) : CODE_SHAPE;
    buf_release(&text);
    if (!read) {
        return;
    }
    if (fault != CODE_GOOD) {
        request_failf(r, END_BAD_FIELD, "code", "%s",
                      fault == CODE_TYPO
                          ? "This code has a letter or digit wrong; look at it again."
                          : "A voucher's code has 30 letters and digits, in six groups of five.");
        return;
    }
    self_new(r)->code = code;
    explicit_bzero(&code, sizeof(code));
    ask_ledger(r, redeem);
}

static void rotate(struct ledger *l, void *ctx)
{
    struct request *r = ctx;
    struct self *s = r->self;

    s->result = (uint8_t)ledger_key_rotate(l, r->key, s->overlap_us, &r->reply, &s->e);
}

void self_rotate(struct request *r)
{
    struct buf text;
    int64_t overlap_us = OVERLAP_US;

    buf_init(&text, LIMIT_NAME);
    bool read = read_text(r, "overlap", false, &text);
    bool valid = read && (text.n == 0 || (clock_span_parse(buf_str(&text), &overlap_us) &&
                                          overlap_us <= LIMIT_OVERLAP_DAYS * OVERLAP_US));
    buf_release(&text);
    if (read && !valid) {
        request_failf(r, END_BAD_FIELD, "overlap", "overlap is from 0s to %dd, such as 24h or 7d.",
                      LIMIT_OVERLAP_DAYS);
    }
    if (valid) {
        self_new(r)->overlap_us = overlap_us;
        ask_ledger(r, rotate);
    }
}

static void note_unknown(struct request *r)
{
    (void)guesses_note(r->lane->code_guesses, &r->client, loop_now_ms(r->lane->loop));
    account_bad_code(r->key->account, clock_wall_us());
    request_fail(r, END_VOUCHER_UNKNOWN);
}

static void redeemed(struct request *r, const struct self *s)
{
    static const uint8_t ends[] = {[REDEEM_USED] = END_VOUCHER_USED,
                                   [REDEEM_EXPIRED] = END_VOUCHER_EXPIRED,
                                   [REDEEM_VOID] = END_VOUCHER_VOID,
                                   [REDEEM_FAILED] = END_STORE_FAILED};

    if (s->result == REDEEM_UNKNOWN) {
        note_unknown(r);
    } else if (s->result == REDEEM_REFUSED) {
        request_failf(r, END_VOUCHER_REFUSED, NULL, "This account cannot take this voucher: %s.",
                      s->e.text);
    } else {
        request_fail(r, (enum end)ends[s->result]);
    }
}

static void rotated(struct request *r, const struct self *s)
{
    if (s->result == ROTATE_FAILED) {
        request_fail(r, END_STORE_FAILED);
    } else {
        request_failf(r, s->result == ROTATE_OFTEN ? END_ROTATE_OFTEN : END_ROTATE_REFUSED, NULL,
                      "%s.", s->e.text);
    }
}

void self_free(struct request *r)
{
    if (r->self != NULL) {
        explicit_bzero(r->self, sizeof(*r->self));
    }
    free(r->self);
}

void self_done(struct request *r)
{
    _Static_assert(REDEEM_DONE == 0 && ROTATE_DONE == 0, "one word for both");

    if (r->self->result != 0 && r->op.call == redeem) {
        redeemed(r, r->self);
    } else if (r->self->result != 0) {
        rotated(r, r->self);
    } else {
        answer_own(r, 200, STR("application/json"), NO_STORE);
        request_run(r);
    }
}
