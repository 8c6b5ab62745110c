/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints of our own: health, the models in the asker's shape, account, usage. */
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
        answer_own(r, 200, STR("application/json"));
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

    if (r->target.model.n > 0) {
        one_model(r, shape);
        return;
    }
    buf_add(&r->reply, str_from(before[shape]));
    for (unsigned i = 0; i < r->config->model_count; i++) {
        if (i > 0) {
            buf_add_byte(&r->reply, ',');
        }
        write_model(&r->reply, shape, r->config->models[i].name);
    }
    buf_add(&r->reply, str_from(after[shape]));
    answer_own(r, 200, STR("application/json"));
}

static void account(struct request *r)
{
    const struct account *a = r->key->account;

    buf_add(&r->reply, STR("{\"account\":"));
    json_write_str(&r->reply, str_from(a->name));
    buf_addf(&r->reply, ",\"currency\":\"%s\",\"balance_nano\":\"%lld\",\"balance\":\"",
             a->currency.code, (long long)ledger_balance(a));
    decimal_write(&r->reply, ledger_balance(a), 9);
    buf_add(&r->reply, STR("\"}"));
    answer_own(r, 200, STR("application/json"));
}

/* On the ledger thread; the request waits for it and is not touched by its lane meanwhile. */
static void read_usage(struct ledger *l, void *ctx)
{
    struct request *r = ctx;
    struct err e;
    if (!ledger_usage(l, str_from(r->key->account->name), 50, &r->reply, &e)) {
        buf_clear(&r->reply);
    }
}

static void usage(struct request *r)
{
    r->op.call = read_usage;
    r->op.ctx = r;
    if (step_ledger_ask(r, LEDGER_CALL)) {
        request_move(r, REQ_WAIT_ALLOT);
    } else {
        request_fail(r, END_LEDGER_FULL);
    }
}

void own_ledger_done(struct request *r)
{
    if (r->reply.n == 0) {
        request_fail(r, END_LEDGER_LATE);
        return;
    }
    answer_own(r, 200, STR("application/json"));
    request_run(r);
}

static void health(struct request *r)
{
    buf_add(&r->reply, STR("{\"status\":\"ok\"}"));
    answer_own(r, 200, STR("application/json"));
}

static void page(struct request *r)
{
    struct str html = r->lane->station->page();
    buf_add(&r->reply, html);
    answer_own(r, 200, STR("text/html; charset=utf-8"));
}

static const struct {
    const char *name;
    void (*answer)(struct request *r);
} own[] = {
    {"healthz", health}, {"readyz", health}, {"page", page}, {"account", account}, {"usage", usage},
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
