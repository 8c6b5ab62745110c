/* SPDX-License-Identifier: Apache-2.0 */
/* One short function a state of the request's diagram, each calling one room. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "dialect/vendor.h"
#include "ledger/text.h"
#include "relay/edit.h"
#include "relay/relay_int.h"

/* Cut to what a name may have, between two characters; NULL for none. */
static char *name_copy(struct str from)
{
    size_t n = from.n < LIMIT_NAME ? from.n : LIMIT_NAME;
    while (n > 0 && n < from.n && ((unsigned char)from.p[n] & 0xC0) == 0x80) {
        n--;
    }
    char *copy = n > 0 ? malloc(n + 1) : NULL;

    assert(n == 0 || copy != NULL);
    if (n > 0) {
        memcpy(copy, from.p, n);
        copy[n] = '\0';
    }
    return copy;
}

/* The key as any SDK sends it. */
static struct str raw_key(const struct request *r, struct str query)
{
    struct str v = head_get(r->head, r->head_base, STR("authorization"));

    if (v.n > 7 && str_eq_nocase(str_slice(v.p, 7), STR("bearer "))) {
        return str_trim(str_skip(v, 7));
    }
    v = head_get(r->head, r->head_base, STR("x-api-key"));
    if (v.p == NULL) {
        v = head_get(r->head, r->head_base, STR("x-goog-api-key"));
    }
    return v.p != NULL ? v : url_query(query, STR("key"));
}

static void note_bad_key(struct request *r)
{
    char client[IP_TEXT];

    if (guesses_note(r->lane->guesses, &r->client, loop_now_ms(r->lane->loop))) {
        /* The only line about it: those that are refused from now on have none. */
        log_event(LOG_WARN, "bad_keys", "client=%s keys=%d", ip_text(client, &r->client),
                  LIMIT_BAD_KEYS);
    }
    request_fail(r, END_BAD_KEY);
}

bool step_authenticate(struct request *r)
{
    struct str path, query, raw;

    url_split(head_target(r->head, r->head_base), &path, &query);
    if (r->target.endpoint->op == OP_PUBLIC) {
        return true;
    }
    raw = raw_key(r, query);
    if (raw.n == 0) {
        request_fail(r, END_NO_KEY);
        return false;
    }
    r->retry_after_s = guesses_wait_s(r->lane->guesses, &r->client, loop_now_ms(r->lane->loop));
    if (r->retry_after_s > 0) {
        request_fail(r, END_BAD_KEYS);
        return false;
    }
    r->key = ledger_key(r->lane->station->ledger, raw);
    if (r->key == NULL || !key_valid(r->key, r->ts_us)) {
        note_bad_key(r);
        return false;
    }
    struct str tag = head_get(r->head, r->head_base, STR("relay-tag"));
    if (!text_is_printable(tag)) { /* it stands in lists and statements */
        request_failf(r, END_BAD_FIELD, "Relay-Tag", "Relay-Tag must be printable UTF-8.");
        return false;
    }
    r->tag = name_copy(tag);
    return true;
}

static bool media_ok(const struct request *r)
{
    struct str type = head_get(r->head, r->head_base, STR("content-type"));
    struct str rest = type;
    struct str media = str_trim(str_cut(&rest, ';'));

    return r->coding_kind != CODING_OTHER &&
           (type.n == 0 || str_eq_nocase(media, STR("application/json")));
}

bool request_may_use(const struct request *r, const struct model *m)
{
    struct str rest = str_from(r->key->models);

    if (rest.n == 0) {
        return true;
    }
    while (rest.n > 0) {
        struct str name = str_trim(str_cut(&rest, ','));
        if (config_model(r->config, name) == m) { /* by whichever of its names */
            return true;
        }
    }
    return false;
}

/* The name in the body, or the one in the path, decoded. */
static bool name_model(struct request *r)
{
    struct buf decoded;

    if (!r->target.endpoint->model_in_path) {
        r->asked = name_copy(r->ask.model);
        return true;
    }
    buf_init(&decoded, LIMIT_NAME);
    bool ok = url_decode(&decoded, r->target.model);
    r->asked = name_copy(buf_str(&decoded));
    buf_release(&decoded);
    return ok;
}

static bool find_model(struct request *r)
{
    if (!name_model(r)) {
        request_failf(r, END_BAD_FIELD, "model", "The model's name in the path is not valid.");
        return false;
    }
    r->model = config_model(r->config, str_from(r->asked));
    if (r->model == NULL) {
        request_failf(r, END_NO_MODEL, "model", "The model '%s' does not exist here.", r->asked);
        return false;
    }
    const struct model *m = r->model;
    if (!request_may_use(r, m)) {
        request_fail(r, END_FORBIDDEN);
        return false;
    }
    r->price = prices_at(m->prices, r->ts_us);
    if (r->price == NULL && r->target.endpoint->metered) {
        request_failf(
            r, END_NO_PRICE, "model",
            "The model '%s' is not sold here: it has no price. Its operator writes in its entry "
            "price: {currency: USD, input: \"2.50\", output: \"10.00\"}",
            r->asked);
        return false;
    }
    return true;
}

/* The key's own limits: requests a minute, requests at once. */
static bool enter(struct request *r)
{
    /* Not by the time at which it began: its body may have come minutes later. */
    enum key_verdict v = key_enter(r->key, clock_wall_us(), &r->retry_after_s);

    r->entered = v == KEY_OK;
    switch (v) {
    case KEY_OK: break;
    case KEY_RPM: request_fail(r, END_RATE); break;
    case KEY_CONCURRENCY: request_fail(r, END_CONCURRENCY); break;
    case KEY_REVOKED:
    case KEY_EXPIRED: request_fail(r, END_BAD_KEY); break;
    }
    return r->entered;
}

void step_parse(struct request *r)
{
    const struct endpoint *ep = r->target.endpoint;
    struct err e = {""};

    if (ep->method == HTTP_POST && !media_ok(r)) {
        request_fail(r, END_MEDIA);
        return;
    }
    if (ep->op >= OP_MODELS) {
        if (r->key == NULL || enter(r)) {
            own_answer(r);
        }
        return;
    }
    const char *field = NULL;
    if (!ask_read(ep, buf_str(&r->body), &r->ask, &field, &e)) {
        if (r->ask.broken) {
            request_failf(r, END_BAD_JSON, NULL, "The body is not valid JSON: %s", e.text);
        } else {
            request_failf(r, END_BAD_FIELD, field, "%s", e.text);
        }
        return;
    }
    r->stream = r->target.stream || r->ask.stream;
    if (find_model(r)) {
        request_move(r, REQ_ADMIT);
    }
}

int64_t request_cost(const struct request *r, uint64_t in, uint64_t out)
{
    int64_t nano;
    const struct price_most most = {.in = in,
                                    .out = out,
                                    .reach = r->reach,
                                    .any_service = r->ask.service,
                                    .any_medium = r->ask.elsewhere};
    bool ok = price_hold(r->price->price, &most, r->ratios, r->ratio_count, &nano);
    return ok ? nano : INT64_MAX;
}

int64_t request_cost_more(const struct request *r, uint64_t out)
{
    int64_t all = request_cost(r, 0, out);
    return all == INT64_MAX ? all : all - request_cost(r, 0, 0);
}

static uint64_t output_ceiling(const struct request *r)
{
    uint64_t ceiling = r->model->max_output > 0 ? r->model->max_output : 32768;
    uint64_t asked = r->ask.max_output;

    if (r->target.endpoint->op == OP_EMBED) {
        return 0;
    }
    return (asked > 0 && asked < ceiling ? asked : ceiling) * r->ask.choices;
}

uint64_t request_context(const struct request *r)
{
    return r->model->context > 0 ? r->model->context : LIMIT_CONTEXT;
}

/* By the bytes of the body; but what it refers to may be all that the model takes. */
static void size_input(struct request *r)
{
    uint64_t images = (uint64_t)r->ask.images * LIMIT_IMAGE_TOKENS;
    uint64_t estimate = r->body.n / 3 + 16 + images;
    uint64_t least = r->ask.elsewhere ? request_context(r) : 0;

    r->reach = r->body.n + images; /* a token is a byte at least */
    r->reach = r->reach > least ? r->reach : least;
    r->estimate_in = (int64_t)(estimate > least ? estimate : least);
}

void step_admit(struct request *r)
{
    if (!enter(r)) {
        return;
    }
    if (!ledger_admits(r->lane->station->ledger)) {
        r->retry_after_s = 1;
        request_fail(r, END_LEDGER_DOWN);
        return;
    }
    if (!r->target.endpoint->metered) {
        request_move(r, REQ_SEND);
        return;
    }
    size_input(r);
    r->ceiling = output_ceiling(r);
    request_move(r, REQ_HOLD);
}

bool step_ledger_ask(struct request *r, enum ledger_op_kind kind)
{
    assert(!r->op_in_flight);
    r->op.kind = (uint8_t)kind;
    r->op.loop = r->lane->loop;
    r->op_in_flight = lane_submit(r->lane, &r->op);
    return r->op_in_flight;
}

/* Masks of what each route speaks; those that no conversion reaches speak nothing. */
static bool any_route_speaks(const struct request *r, uint32_t wanted,
                             uint32_t dialects[LIMIT_ROUTES])
{
    uint32_t all = 0;

    for (unsigned i = 0; i < r->model->route_count; i++) {
        const struct upstream *u = r->model->routes[i].upstream;
        const struct vendor *v = vendor_find(u->vendor);
        dialects[i] = u->dialects != 0 ? u->dialects : v != NULL ? vendor_dialects(v) : 0;
        all |= dialects[i];
        if ((r->refused_routes >> i & 1) != 0) {
            dialects[i] = 0;
        }
    }
    return (all & wanted) != 0;
}

void step_give_up(struct request *r)
{
    const struct failure_row *last = failure_row((enum failure)r->failure);
    bool own_words = r->reply.n > 0 && r->status >= 400;

    if (r->attempt_count == 0 && r->spent_ms != 0 && r->rest_ms <= 0) {
        r->retry_after_s = r->spent_ms > 0 ? (unsigned)((r->spent_ms + 999) / 1000) : 0;
        request_fail(r, END_UPSTREAM_SPENT);
    } else if (r->attempt_count == 0) {
        r->retry_after_s = (unsigned)((r->rest_ms + 999) / 1000);
        request_fail(r, END_NO_CHANNEL);
    } else if (last->status == 0 && own_words && !r->bad_reply) {
        r->end = END_VENDOR_ERROR; /* its own status and body */
        if (r->conversion != NULL) {
            convert_problem(r);
        }
        stream_release_tail(r);
    } else {
        r->problem_status = last->status;
        request_failf(r, END_UPSTREAM_FAILED, NULL, "%s",
                      last->status != 0 ? last->text : "The upstream failed.");
    }
}

/* The next channel, and the request as its upstream wants it; false: there is none. */
static bool prepare(struct request *r)
{
    uint32_t own = DIALECT_BIT(r->target.endpoint->dialect);
    uint32_t others = convert_dialects(r->target.endpoint);
    uint32_t dialects[LIMIT_ROUTES];
    int64_t spent_ms[LIMIT_ROUTES];

    while (any_route_speaks(r, own | others, dialects)) {
        budget_waits(r, dialects, own | others, spent_ms);
        struct choice by = {.model = r->model,
                            .dialects = dialects,
                            .own = own,
                            .others = others,
                            .spent_ms = spent_ms,
                            .tried = r->tried,
                            .tried_count = r->tried_count,
                            .now_ms = loop_now_ms(r->lane->loop),
                            .random = rand_weak_next(&r->lane->random)};
        if (!channel_choose(&by, &r->channel, &r->rest_ms)) {
            return false;
        }
        if (!budget_take(r)) {
            continue; /* another request was faster: it is spent now */
        }
        size_t route = (size_t)(r->channel.route - r->model->routes);
        r->spoken = r->target.endpoint->dialect;
        if ((dialects[route] & own) != 0 ||
            convert_request(r, vendor_find(r->channel.upstream->vendor), dialects[route])) {
            return true;
        }
        budget_give_back(r);
        r->refused_routes |= 1U << route;
    }
    return false;
}

/* No route is left, or there never was one that could take this request. */
static void no_route(struct request *r)
{
    uint32_t wanted =
        DIALECT_BIT(r->target.endpoint->dialect) | convert_dialects(r->target.endpoint);
    uint32_t dialects[LIMIT_ROUTES];

    if (any_route_speaks(r, wanted, dialects)) {
        if (r->refused_why != NULL && r->attempt_count == 0) {
            request_failf(r, r->uncarried ? END_UNCARRIED : END_BAD_FIELD, r->refused_where, "%s",
                          r->refused_why);
        } else {
            step_give_up(r);
        }
    } else if (r->target.endpoint->op == OP_COUNT) {
        own_estimate(r);
    } else {
        request_fail(r, END_WRONG_DIALECT);
    }
}

/*
 * A failed attempt leaves what its vendor said of it in r->reply, in that vendor's dialect. Until a
 * further one begins, the channel and the conversion stay those of that attempt: the client may
 * have to be told through them.
 */
static bool next_attempt(struct request *r)
{
    struct channel channel = r->channel;
    struct conversion *conversion = r->conversion;
    uint8_t spoken = r->spoken;

    r->conversion = NULL;
    if (prepare(r)) {
        conversion_free(conversion);
        buf_release(&r->converted);
        buf_release(&r->reply);
        return true;
    }
    r->channel = channel;
    r->conversion = conversion;
    r->spoken = spoken;
    no_route(r);
    return false;
}

void step_send(struct request *r)
{
    stream_forget(r);
    if (!next_attempt(r)) {
        return;
    }
    meter_init(&r->meter, (enum dialect)r->spoken);
    if (!edit_request(r)) {
        budget_give_back(r);
        request_fail(r, END_BODY_TOO_LARGE);
        return;
    }
    attempt_begin(r);
    if (!budget_count(r)) {
        attempt_end(r, ATTEMPT_ABANDONED);
        request_fail(r, END_LEDGER_FULL);
        return;
    }
    request_move(r, REQ_WAIT_REPLY);
    channel_count(&r->channel, loop_now_ms(r->lane->loop));
    exchange_start(
        &r->exchange, r->lane->pool, r->channel.upstream, r->stale_pool, buf_str(&r->upstream_head),
        r->upstream_body.n > 0 ? buf_str(&r->upstream_body) : buf_str(&r->body), &reply_events, r);
}

/* The purse has been filled, or there is nothing left to fill it with: hold() will tell. */
static void allotted(struct request *r, bool ok)
{
    if (r->state == REQ_STREAM) {
        stream_allotted(r);
        return;
    }
    if (r->state != REQ_WAIT_LEDGER) {
        return;
    }
    if (r->session == NULL) {
        r->end = END_CLIENT_GONE;
        request_move(r, REQ_CLOSE);
    } else if (!ok) {
        request_fail(r, END_LEDGER_LATE);
        return;
    } else {
        request_move(r, REQ_HOLD);
    }
    request_run(r);
}

void step_ledger_done(struct task *t)
{
    struct ledger_op *op = CONTAINER(t, struct ledger_op, task);
    struct request *r = CONTAINER(op, struct request, op);

    r->op_in_flight = false;
    r->hold.asked = r->hold.asked || op->kind == LEDGER_ALLOT;
    if (r->state == REQ_CHARGE || r->state == REQ_CLOSE) {
        request_run(r); /* it waited only for this */
        return;
    }
    switch (op->kind) {
    case LEDGER_ALLOT: allotted(r, op->ok); return;
    case LEDGER_CALL:
    case LEDGER_READ:
    case LEDGER_REPORT: own_ledger_done(r); return;
    case LEDGER_CHARGE: charge_done(r); return;
    case LEDGER_REVERSE:
        r->unclosed = !op->ok; /* without a closing row the next start reverses it */
        r->charge.charged = op->ok ? 0 : r->charge.charged;
        break;
    case LEDGER_CLOSE: break;
    }
    request_move(r, REQ_CLOSE);
    request_run(r);
}

void step_answer(struct request *r)
{
    if (r->session != NULL) {
        answer_problem(r);
    }
    request_move(r, REQ_CLOSE);
}
