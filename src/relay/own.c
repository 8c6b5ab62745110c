/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints of our own: health, the models in the asker's shape, account, usage. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "relay/relay_int.h"

enum asker_shape { SHAPE_OPENAI, SHAPE_ANTHROPIC, SHAPE_GEMINI };

static enum asker_shape shape_of(const struct request *r)
{
    struct str path, query;

    url_split(head_target(r->head, r->head_base), &path, &query);
    if (r->target.endpoint->dialect == DIALECT_GEMINI || url_query(query, STR("key")).p != NULL ||
        head_get(r->head, r->head_base, STR("x-goog-api-key")).p != NULL) {
        return SHAPE_GEMINI;
    }
    return head_get(r->head, r->head_base, STR("anthropic-version")).p != NULL ? SHAPE_ANTHROPIC
                                                                               : SHAPE_OPENAI;
}

static void write_model(struct buf *b, enum asker_shape shape, struct str name)
{
    static const char *const before[] = {
        "{\"id\":", "{\"type\":\"model\",\"id\":", "{\"name\":\"models/"};

    buf_add(b, str_from(before[shape]));
    if (shape == SHAPE_GEMINI) {
        struct buf quoted;
        buf_init(&quoted, 8 * LIMIT_NAME);
        json_write_str(&quoted, name);
        buf_add(b, str_skip(buf_str(&quoted), 1));
        buf_add(b, STR(",\"displayName\":"));
        buf_add(b, buf_str(&quoted));
        buf_add(b, STR(",\"supportedGenerationMethods\":[\"generateContent\",\"countTokens\"]}"));
        buf_release(&quoted);
        return;
    }
    json_write_str(b, name);
    if (shape == SHAPE_ANTHROPIC) {
        buf_add(b, STR(",\"display_name\":"));
        json_write_str(b, name);
        buf_add(b, STR(",\"created_at\":\"1970-01-01T00:00:00Z\"}"));
    } else {
        buf_add(b, STR(",\"object\":\"model\",\"created\":0,\"owned_by\":\"entrepot\"}"));
    }
}

static void one_model(struct request *r, enum asker_shape shape)
{
    struct buf name;

    buf_init(&name, LIMIT_NAME);
    bool ok = url_decode(&name, r->target.model);
    const struct model *m = ok ? config_model(r->config, buf_str(&name)) : NULL;
    if (m != NULL) {
        write_model(&r->reply, shape, m->name);
        answer_own(r, 200, STR("application/json"), STR(""));
    } else {
        request_failf(r, END_NO_MODEL, "model", "The model '%.*s' does not exist here.",
                      STR_ARG(buf_str(&name)));
    }
    buf_release(&name);
}

static void models(struct request *r)
{
    static const char *const before[] = {"{\"object\":\"list\",\"data\":[", "{\"data\":[",
                                         "{\"models\":["};
    static const char *const after[] = {
        "]}", "],\"has_more\":false,\"first_id\":null,\"last_id\":null}", "]}"};
    enum asker_shape shape = shape_of(r);
    bool first = true;

    if (r->target.model.n > 0) {
        one_model(r, shape);
        return;
    }
    buf_add(&r->reply, str_from(before[shape]));
    for (unsigned i = 0; i < r->config->model_count; i++) {
        const struct model *m = &r->config->models[i];
        if (m->prices == NULL || !request_may_use(r, m)) {
            continue;
        }
        if (!first) {
            buf_add_byte(&r->reply, ',');
        }
        first = false;
        write_model(&r->reply, shape, m->name);
    }
    buf_add(&r->reply, str_from(after[shape]));
    answer_own(r, 200, STR("application/json"), STR(""));
}

static void write_money(struct request *r, const char *name, int64_t nano)
{
    buf_addf(&r->reply, ",\"%s\":\"", name);
    decimal_write(&r->reply, nano, 9);
    buf_add_byte(&r->reply, '"');
}

static void write_budget(struct request *r, const struct budget *budget)
{
    int64_t limit = atomic_load(&budget->limit);

    if (limit == 0) {
        return;
    }
    buf_addf(&r->reply, ",\"budget_period\":\"%s\"",
             atomic_load(&budget->period) == 'm' ? "month" : "day");
    write_money(r, "budget", limit);
    write_money(r, "budget_left", budget_left(budget, r->ts_us));
}

/* All balances, each with its promo. */
static void write_balances(struct request *r, const struct account *a)
{
    buf_add(&r->reply, STR(",\"balances\":["));
    for (const char *before = "{"; a != NULL; a = atomic_load(&a->next), before = ",{") {
        const struct account *promo = atomic_load(&a->promo);
        buf_addf(&r->reply, "%s\"currency\":\"%s\"", before, a->currency.code);
        write_money(r, "balance", ledger_balance(a));
        write_money(r, "promo", promo != NULL ? ledger_balance(promo) : 0);
        buf_add_byte(&r->reply, '}');
    }
    buf_add_byte(&r->reply, ']');
}

/* What the rates of /v1/prices are multiplied with for this customer, beside their margin. */
static void write_factor(struct request *r, const struct account *a)
{
    const struct factor *f = atomic_load(&a->factor);

    if (f != NULL) {
        buf_addf(&r->reply, ",\"factor_num\":%lld,\"factor_den\":%lld", (long long)f->ratio.num,
                 (long long)f->ratio.den);
    }
}

/* The key that asks. */
static void write_key(struct request *r)
{
    int64_t expires = atomic_load(&r->key->expires_us);

    buf_addf(&r->reply, ",\"key\":{\"id\":\"%lld\",\"label\":", (long long)r->key->id);
    json_write_str(&r->reply, str_from(r->key->label));
    buf_add(&r->reply, STR(",\"expires\":"));
    if (expires == 0) {
        buf_add(&r->reply, STR("null"));
    } else {
        buf_add_byte(&r->reply, '"');
        clock_write_utc(&r->reply, expires);
        buf_add_byte(&r->reply, '"');
    }
    write_budget(r, key_budget(r->key));
    buf_add_byte(&r->reply, '}');
}

static void account(struct request *r)
{
    const struct account *a = r->key->account;

    buf_add(&r->reply, STR("{\"account\":"));
    json_write_str(&r->reply, str_from(a->name));
    buf_addf(&r->reply, ",\"currency\":\"%s\",\"balance_nano\":\"%lld\"", a->currency.code,
             (long long)ledger_balance(a));
    write_money(r, "balance", ledger_balance(a));
    write_balances(r, a);
    write_budget(r, &a->budget);
    write_factor(r, a);
    write_key(r);
    buf_add_byte(&r->reply, '}');
    answer_own(r, 200, STR("application/json"), STR(""));
}

/* What a counted request has to hold, or NULL where it does. */
static const char *lacks(const struct request *r, const char **field)
{
    static const char *const needed[][2] = {
        [DIALECT_RESPONSES] = {"input", NULL},
        [DIALECT_MESSAGES] = {"messages", NULL},
        [DIALECT_GEMINI] = {"contents", "generateContentRequest.contents"}};
    enum dialect d = (enum dialect)r->target.endpoint->dialect;
    struct json_doc *doc = json_parse(buf_str(&r->body), NULL);
    const struct json *root = doc != NULL ? json_root(doc) : NULL;
    const struct json *v = json_get(root, needed[d][0]);

    v = v == NULL && needed[d][1] != NULL ? json_get(root, needed[d][1]) : v;
    bool text = d == DIALECT_RESPONSES && (v == NULL || json_is_null(v) || json_is_string(v));
    bool ok = text || (json_is_array(v) && json_count(v) > 0);
    json_free(doc);
    *field = needed[d][0];
    return ok ? NULL : d == DIALECT_RESPONSES ? "a string or an array" : "an array, and not empty";
}

void own_estimate(struct request *r)
{
    static const char *const before[] = {
        [DIALECT_RESPONSES] = "{\"object\":\"response.input_tokens\",\"input_tokens\":",
        [DIALECT_MESSAGES] = "{\"input_tokens\":",
        [DIALECT_GEMINI] = "{\"totalTokens\":",
    };
    uint64_t tokens;

    if (!estimate_input(buf_str(&r->body), r->model->routes[0].model, &tokens)) {
        request_fail(r, END_BAD_JSON);
        return;
    }
    const char *field, *wanted = lacks(r, &field);
    if (wanted != NULL) {
        request_failf(r, END_BAD_FIELD, field, "%s must be %s", field, wanted);
        return;
    }
    buf_add(&r->reply, str_from(before[r->target.endpoint->dialect]));
    buf_add_u64(&r->reply, tokens);
    buf_add_byte(&r->reply, '}');
    answer_own(r, 200, STR("application/json"), STR("relay-estimated: input_tokens\r\n"));
}

/* Ready for new requests: not while it drains (but where another serves on), nor while charges
 * cannot be recorded. */
static void ready(struct request *r)
{
    struct station *st = r->lane->station;
    bool drains = atomic_load(&st->draining) && !atomic_load(&st->yielded);
    bool ok = !drains && ledger_admits(st->ledger);

    buf_add(&r->reply, ok ? STR("{\"status\":\"ok\"}") : STR("{\"status\":\"not ready\"}"));
    answer_own(r, ok ? 200 : 503, STR("application/json"), STR(""));
}

static void health(struct request *r)
{
    buf_add(&r->reply, STR("{\"status\":\"ok\"}"));
    answer_own(r, 200, STR("application/json"), STR(""));
}

/* A fraction of 1 in ten-thousandths. */
static void write_budgets(struct request *r, struct buf *b)
{
    bool first = true;
    unsigned warned;

    for (unsigned i = 0; i < r->config->upstream_count; i++) {
        const struct upstream *u = &r->config->upstreams[i];
        if (u->spend == NULL) {
            continue;
        }
        if (first) {
            buf_add(b,
                    STR("# HELP entrepot_upstream_budget_used_ratio Used of an upstream's budget "
                        "in its period.\n"
                        "# TYPE entrepot_upstream_budget_used_ratio gauge\n"
                        "# HELP entrepot_upstream_budget_warned_percent The last warning of the "
                        "period.\n"
                        "# TYPE entrepot_upstream_budget_warned_percent gauge\n"));
        }
        first = false;
        unsigned used = spend_used(u, r->ts_us, &warned);
        buf_add(b, STR("entrepot_upstream_budget_used_ratio{upstream="));
        json_write_str(b, u->name);
        buf_addf(b, "} %u.%04u\nentrepot_upstream_budget_warned_percent{upstream=", used / 10000,
                 used % 10000);
        json_write_str(b, u->name);
        buf_addf(b, "} %u\n", warned);
    }
}

/* For the operator alone: only over the admin listener. */
static void metrics(struct request *r)
{
    struct station *st = r->lane->station;
    struct buf *b = &r->reply;

    if (r->session == NULL || !r->session->admin) {
        request_fail(r, END_NO_ROUTE);
        return;
    }
    buf_add(b, STR("# HELP entrepot_requests_total Requests by how they ended.\n"
                   "# TYPE entrepot_requests_total counter\n"));
    for (enum end e = 0; e < END_COUNT; e++) {
        buf_addf(b, "entrepot_requests_total{end=\"%s\"} %llu\n", end_row(e)->name,
                 atomic_load(&st->ends[e]));
    }
    buf_addf(b,
             "# HELP entrepot_charges_total Durable charges.\n"
             "# TYPE entrepot_charges_total counter\nentrepot_charges_total %llu\n"
             "# HELP entrepot_model_mismatches_total Replies that name another model.\n"
             "# TYPE entrepot_model_mismatches_total counter\n"
             "entrepot_model_mismatches_total %llu\n"
             "# HELP entrepot_request_bytes Bodies and replies in memory.\n"
             "# TYPE entrepot_request_bytes gauge\nentrepot_request_bytes %ld\n",
             atomic_load(&st->charges), atomic_load(&st->mismatches),
             atomic_load(&st->request_bytes));
    write_budgets(r, b);
    answer_own(r, 200, STR("text/plain; version=0.0.4"), STR(""));
}

/* On a reader's thread, as read_usage. */
static void read_prices(struct ledger_view *v, void *ctx)
{
    struct request *r = ctx;
    struct err e;
    enum ledger_prices which = r->wanted_row != 0 ? PRICES_ROW : PRICES_EVER;
    if (!ledger_prices(v, which, STR(""), r->wanted_row, &r->reply, &e)) {
        buf_clear(&r->reply);
    }
}

/* ?row=7 or ?history=1: rows of the store, of which charges name those that are no longer asked. */
static bool asks_store(struct request *r)
{
    struct str path, query;
    uint64_t row = 0;

    url_split(head_target(r->head, r->head_base), &path, &query);
    struct str wanted = url_query(query, STR("row"));
    if (wanted.p != NULL && (!str_to_u64(wanted, &row) || row == 0 || row > INT64_MAX)) {
        request_failf(r, END_BAD_FIELD, "row", "row must be the number of a price row.");
        return true;
    }
    if (wanted.p == NULL && url_query(query, STR("history")).p == NULL) {
        return false;
    }
    r->wanted_row = (int64_t)row;
    r->op.read = read_prices;
    r->op.ctx = r;
    own_ask_reader(r, LEDGER_READ);
    return true;
}

/* What is sold now, with all that is needed to compute a bill again. The margin is a factor of its
 * own. */
static void prices(struct request *r)
{
    struct buf *b = &r->reply;
    bool first = true;

    if (asks_store(r)) {
        return;
    }
    buf_add(b, STR("{\"per\":1000000,\"prices\":["));
    for (unsigned i = 0; i < r->config->model_count; i++) {
        const struct model *m = &r->config->models[i];
        const struct dated_price *now = prices_at(m->prices, r->ts_us);
        if (now == NULL) {
            continue;
        }
        buf_add(b, first ? STR("{\"model\":") : STR(",{\"model\":"));
        first = false;
        json_write_str(b, m->name);
        buf_addf(b, ",\"price_row\":%lld,", (long long)now->id);
        price_write(b, now->price);
        buf_add_byte(b, '}');
    }
    buf_add(b, STR("]}"));
    answer_own(r, 200, STR("application/json"), STR(""));
}

static void policy(struct request *r)
{
    policy_write(&r->reply);
    answer_own(r, 200, STR("application/json"), STR(""));
}

/* Its one script and style are in it: nothing else is loaded, nor does anybody frame it. */
#define PAGE_POLICY                                                                        \
    "content-security-policy: default-src 'none'; script-src 'unsafe-inline'; "            \
    "style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; " \
    "frame-ancestors 'none'\r\nreferrer-policy: no-referrer\r\n"

static void page(struct request *r)
{
    struct str html = r->lane->station->page();
    buf_add(&r->reply, html);
    answer_own(r, 200, STR("text/html; charset=utf-8"), STR(PAGE_POLICY));
}

static const struct {
    const char *name;
    void (*answer)(struct request *r);
} own[] = {
    {"healthz", health},          {"readyz", ready},       {"page", page},
    {"account", account},         {"usage", own_usage},    {"prices", prices},
    {"metrics", metrics},         {"redeem", self_redeem}, {"keys.rotate", self_rotate},
    {"statement", own_statement}, {"margin", own_margin},  {"policy", policy},
};

void own_answer(struct request *r)
{
    if (r->target.endpoint->op == OP_MODELS) {
        models(r);
        return;
    }
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (str_eq(str_from(own[i].name), str_from(r->target.endpoint->name))) {
            own[i].answer(r);
            return;
        }
    }
    request_fail(r, END_NO_ROUTE);
}
