/* SPDX-License-Identifier: Apache-2.0 */
/* Business events: which transfers each makes is the table's word alone. */
#include "ledger/ledger_int.h"

#include <assert.h>
#include <stdio.h>

static const struct leg {
    uint8_t event, amount;
    const char *kind, *debit, *credit;
} legs[] = {
#define X(event, kind, debit, credit, amount, what) \
    {EVENT_##event, AMOUNT_##amount, kind, debit, credit},
#include "ledger/events.def"
};
#define LEGS (sizeof legs / sizeof legs[0])

static struct str word(const struct event_facts *f, struct str name)
{
    if (str_eq(name, STR("cur")))
        return str_from(f->payer != NULL ? f->payer->currency.code : f->cur.code);
    if (str_eq(name, STR("cost_cur")))
        return str_from(f->cost_cur.code);
    return str_eq(name, STR("upstream")) ? f->upstream : f->bearer;
}

struct str event_bearer(const char *cost_to, struct str upstream, char *room)
{
    if (cost_to != NULL)
        return str_from(cost_to);
    snprintf(room, LIMIT_NAME, "cogs:%.*s", STR_ARG(upstream));
    return str_from(room);
}

/* The account's name, and its currency, which is always the name's last word. */
static struct currency spell(const char *pattern, const struct event_facts *f, char out[LIMIT_NAME])
{
    struct buf b = {.p = out, .cap = LIMIT_NAME - 1, .max = LIMIT_NAME - 1};
    struct str rest = str_from(pattern);
    struct currency cur = {""};
    struct str s = {NULL, 0};

    while (rest.n > 0) {
        buf_add(&b, str_cut(&rest, '{'));
        if (rest.n == 0)
            break;
        s = word(f, str_cut(&rest, '}'));
        buf_add(&b, s);
    }
    out[b.n] = '\0';
    bool valid = currency_parse(s, &cur);
    assert(valid && !b.overflow);
    return cur;
}

static bool find(struct ledger *l, const char *pattern, const struct event_facts *f,
                 struct purse **out, struct err *e)
{
    char name[LIMIT_NAME];

    if (strcmp(pattern, "{payer}") == 0) {
        *out = (struct purse *)(void *)f->payer;
    } else if (strcmp(pattern, "{promo}") == 0) {
        *out = (struct purse *)(void *)atomic_load(&f->payer->promo);
    } else {
        struct currency cur = spell(pattern, f, name);
        *out = system_account(l, name, cur, e);
    }
    return *out != NULL;
}

/* Rows that this event cannot come to: what is not known cannot be named. */
static bool applies(const struct leg *leg, enum event event, const struct event_facts *f)
{
    if (leg->event != event)
        return false;
    if (leg->amount == AMOUNT_PROMO)
        return atomic_load(&f->payer->promo) != NULL;
    bool may_be_none =
        leg->amount == AMOUNT_COST || leg->amount == AMOUNT_SPREAD || leg->amount == AMOUNT_BEYOND;
    return !may_be_none || f->amount[leg->amount] > 0;
}

bool event_prepare(struct ledger *l, enum event event, const struct event_facts *f,
                   struct event_purses *out, struct err *e)
{
    unsigned n = 0;

    for (size_t i = 0; i < LEGS; i++) {
        if (legs[i].event != event)
            continue;
        assert(n < EVENT_LEGS);
        if (applies(&legs[i], event, f) && (!find(l, legs[i].debit, f, &out->debit[n], e) ||
                                            !find(l, legs[i].credit, f, &out->credit[n], e)))
            return false;
        n++;
    }
    return true;
}

bool event_post(struct ledger *l, struct batch *b, enum event event, const struct event_facts *f,
                const struct event_purses *purses, int64_t cause, struct str note)
{
    unsigned n = 0;

    for (size_t i = 0; i < LEGS; i++) {
        if (legs[i].event != event)
            continue;
        int64_t nano = f->amount[legs[i].amount];
        if (nano > 0 && !batch_transfer(l, b, purses->debit[n], purses->credit[n], nano,
                                        legs[i].kind, cause, note))
            return false;
        n++;
    }
    return true;
}
