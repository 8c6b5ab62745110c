/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: what a good file becomes, and what is said about bad ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/config.h"

static const struct config_vendor rows[] = {
    {"openai", "TEST_OPENAI_KEY", "https://api.openai.com/v1", false, 0},
    {"anthropic", "TEST_ANTHROPIC_KEY", "https://api.anthropic.com/v1", false, 1U << 2},
    {"sim", NULL, "http://127.0.0.1:8089/v1", true, 0},
    {"broker", "TEST_BROKER_KEY", "https://broker.example/v1", false, 0},
    {"broker-plan", "TEST_BROKER_KEY", "https://broker.example/plan/v1", false, 0},
    {"own", NULL, "/v1", true, 0},
};
static const struct config_known_model known[] = {
    {"openai", "gpt-5.2"}, {"anthropic", "claude-sonnet-4-5"}, {"anthropic", "gpt-5.2"}};
static const char *const losses[] = {"stop", "top_k"};
enum { RATE_CACHE, RATE_INPUT, RATE_OUTPUT, RATE_SEARCH };
static const struct config_rate rates[] = {
    {"cache_read", false}, {"input", false}, {"output", false}, {"search", true}};
static const char *const services[] = {"batch", "priority"};
static const struct config_vendors vendors = {.rows = rows,
                                              .count = 6,
                                              .models = known,
                                              .model_count = 3,
                                              .rates = rates,
                                              .rate_count = 4,
                                              .input = RATE_INPUT,
                                              .output = RATE_OUTPUT,
                                              .services = services,
                                              .service_count = 2,
                                              .losses = losses,
                                              .loss_count = 2};

static struct config *parse(const char *text, struct buf *errors)
{
    buf_init(errors, 64 * 1024);
    return config_parse("f.yaml", str_from(text), &vendors, errors);
}

static void expect_text(struct str got, const char *wanted)
{
    if (!str_eq(got, str_from(wanted))) {
        fail_msg("got '%.*s', wanted '%s'", STR_ARG(got), wanted);
    }
}

static void expect_errors(const char *text, const char *wanted)
{
    struct buf errors;
    struct config *c = parse(text, &errors);
    assert_null(c);
    expect_text(buf_str(&errors), wanted);
    buf_release(&errors);
}

static void expect_models(const struct config *c, const struct upstream *a,
                          const struct upstream *b)
{
    const struct model *m = config_model(c, STR("small"));
    assert_ptr_equal(m, config_model(c, STR("gpt")));
    assert_ptr_equal(m->routes[0].upstream, a);
    assert_ptr_equal(m->routes[1].upstream, b);
    expect_text(m->routes[1].model, "gpt");
    assert_true(m->routes[0].priority == 2 && m->routes[0].weight == 3);
    assert_true(m->routes[1].priority == 0 && m->routes[1].weight == 1);
    expect_text(m->price->tiers[0].rates[RATE_INPUT], "2.5");
    expect_text(m->price->factor, "1.05");
    expect_text(m->price->at, "f.yaml:5:12");
    assert_int_equal(m->max_output, 4096);
    assert_int_equal(m->context, 200000);
    assert_true(config_model(c, STR("booked"))->price->from_book);
    assert_null(m->routes[0].cost);
    assert_null(config_model(c, STR("other")));
}

static void reads_a_whole_file(void **state)
{
    (void)state;
    struct buf errors;
    setenv("TEST_KEY", "sk-one", 1);
    unsetenv("TEST_NONE");
    struct config *c = parse(
        "models:\n"
        "  - name: gpt\n"
        "    aliases: [fast, small]\n"
        "    routes: [{upstream: a, model: gpt-5.2, priority: 2, weight: 3}, {upstream: b}]\n"
        "    price: {currency: USD, input: '2.5', output: 10, margin: '1.05'}\n"
        "    max_output: 4096\n"
        "    context: 200000\n"
        "  - {name: booked, routes: [{upstream: a}], price: {from: book}}\n"
        "listen: 0.0.0.0:${TEST_NONE:-9090}\n"
        "store: sqlite:/var/lib/x/station.db\n"
        "lanes: 3\n"
        "timeouts: {head: 1500ms, body: 2m, idle: 15s, total: 1h}\n"
        "upstreams:\n"
        "  - {name: a, vendor: openai, keys: ['${TEST_KEY}', {value: sk-two, rpm: 600}]}\n"
        "  - {name: b, vendor: openai, base: 'http://[::1]:8000/v1/', dialects: [chat, gemini],\n"
        "     cooldown: 0s, source: plan}\n",
        &errors);
    expect_text(buf_str(&errors), "");
    assert_non_null(c);
    expect_text(c->listen, "0.0.0.0:9090");
    expect_text(c->store_path, "/var/lib/x/station.db");
    expect_text(c->data_dir, "/var/lib/x");
    assert_int_equal(c->lanes, 3);
    assert_int_equal(c->head_ms, 1500);
    assert_int_equal(c->body_ms, 120000);
    assert_int_equal(c->total_ms, 3600000);
    assert_int_equal(c->upstream_count, 2);
    const struct upstream *a = &c->upstreams[0], *b = &c->upstreams[1];
    expect_text(a->host, "api.openai.com");
    expect_text(a->base_path, "/v1");
    expect_text(a->source, "official");
    assert_true(a->tls && a->port == 443 && a->cooldown_ms == -1 && a->key_count == 2);
    expect_text(a->keys[0].value, "sk-one");
    expect_text(a->keys[1].value, "sk-two");
    assert_int_equal(a->keys[1].rpm, 600);
    expect_text(b->host, "::1");
    expect_text(b->base_path, "/v1");
    assert_true(!b->tls && b->port == 8000 && b->cooldown_ms == 0 && b->dialects == 9);
    expect_models(c, a, b);
    config_unref(config_ref(c));
    expect_text(c->listen, "0.0.0.0:9090");
    config_unref(c);
    buf_release(&errors);
}

static void reads_networks(void **state)
{
    (void)state;
    struct buf errors;
    struct config *c = parse("trusted_proxies: [10.0.0.0/8, '2001:db8::1']\n", &errors);
    struct ip in, out;
    assert_non_null(c);
    assert_int_equal(c->trusted_count, 2);
    assert_true(ip_parse(STR("10.9.8.7"), &in) && ip_parse(STR("2001:db8::2"), &out));
    assert_true(ip_in(&in, c->trusted, c->trusted_count));
    assert_false(ip_in(&out, c->trusted, c->trusted_count));
    config_unref(c);
    buf_release(&errors);
    expect_errors("trusted_proxies: [10.0.0.1/8, proxy.local]\n",
                  "f.yaml:1:19: '10.0.0.1/8' is no network; write 10.0.0.0/8, 2001:db8::/32 or one "
                  "address\n"
                  "f.yaml:1:31: 'proxy.local' is no network; write 10.0.0.0/8, 2001:db8::/32 or "
                  "one address\n");
    expect_errors("trusted_proxies: 10.0.0.0/8\n", "f.yaml:1:18: trusted_proxies must be a list\n");
}

static void names_all_mistakes_of_one_run(void **state)
{
    (void)state;
    unsetenv("TEST_NONE");
    expect_errors("lisen: 1\n"
                  "lanes: 1.5x\n"
                  "lanes: 2\n"
                  "upstreams:\n"
                  "  - {name: openai, vendor: opnai, keys: ['${TEST_NONE}']}\n"
                  "  - {name: openai, vendor: sim}\n"
                  "models:\n"
                  "  - {name: m, aliases: [m], routes: [{upstream: openia}]}\n",
                  "f.yaml:1:1: 'lisen' is no setting of the configuration, did you mean 'listen'?\n"
                  "f.yaml:2:8: lanes must be a whole number from 0 to 64, not '1.5x'\n"
                  "f.yaml:3:1: 'lanes' is given twice\n"
                  "f.yaml:5:42: the environment variable TEST_NONE is not set\n"
                  "f.yaml:5:5: there is no vendor 'opnai', did you mean 'openai'?\n"
                  "f.yaml:6:5: two upstreams have the name 'openai'\n"
                  "f.yaml:8:25: two models have the name or alias 'm'\n"
                  "f.yaml:8:49: there is no upstream 'openia', did you mean 'openai'?\n");
}

static void refuses_session_tokens(void **state)
{
    (void)state;
    static const char *const tokens[] = {
        "sk-ant-oat01-x", "sk-ant-ort01-x", "sk-ant-sid01-x", "ya29.x",
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..iv.text.tag",
        /* {"iss":"https://auth.openai.com"}, {"sub":"u","iss":"accounts.google.com/"} */
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2F1dGgub3BlbmFpLmNvbSJ9.c2ln",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1IiwiaXNzIjoiYWNjb3VudHMuZ29vZ2xlLmNvbS8ifQ.c2ln"};
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "upstreams: [{name: a, vendor: sim, keys: [%s]}]\n",
                 tokens[i]);
        expect_errors(text, "f.yaml:1:43: session token of a consumer product, entrepot takes API "
                            "keys only\n");
    }
}

/* Vendors whose API keys are tokens of this form, and what only looks like one. */
static void takes_tokens_of_other_issuers(void **state)
{
    (void)state;
    static const char *const tokens[] = {
        /* {"GroupName":"x","iss":"minimax"}, {"sub":"u"}, {"iss":"https://auth.openai.com.x.y"} */
        "eyJhbGciOiJSUzI1NiJ9.eyJHcm91cE5hbWUiOiJ4IiwiaXNzIjoibWluaW1heCJ9.c2ln",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2F1dGgub3BlbmFpLmNvbS54LnkifQ.c2ln",
        "eyJhbGciOi.x.y",
        "eyJ",
        "eyJ.",
        "eyJ..",
        "eyJ.bnVsbA"};
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        assert_false(key_is_session(str_from(tokens[i])));
    }
}

static void refuses_bad_values(void **state)
{
    (void)state;
    expect_errors("timeouts: {head: 15}\n",
                  "f.yaml:1:18: head must be a time such as 500ms, 15s, 2m or 1h, not '15'\n");
    expect_errors("store: postgresql://x\n",
                  "f.yaml:1:8: store must be sqlite:PATH, not 'postgresql://x'\n");
    expect_errors("tls: {cert: a}\n",
                  "f.yaml:1:13: the file 'a' cannot be read: No such file or directory\n"
                  "f.yaml:1:6: tls needs 'key'\n");
    expect_errors("models: [{name: m,             price: {currency: USD, input: '-1', output: '1'}"
                  ", routes: [{upstream: s}]}]\nupstreams: [{name: s, vendor: sim}]",
                  "f.yaml:1:62: input must be a decimal number with at most six digits after the "
                  "point, not '-1'\n");
    expect_errors("models: [{name: m,             price: {input: '1'}"
                  ", routes: [{upstream: s}]}]\nupstreams: [{name: s, vendor: sim}]",
                  "f.yaml:1:39: a price needs 'from: book', or 'currency', 'input' and 'output'\n");
    expect_errors("upstreams: [{name: a, vendor: sim, base: 'ftp://x'}]",
                  "f.yaml:1:42: base must be a URL such as https://api.example.com/v1, not "
                  "'ftp://x'\n");
    expect_errors("", "f.yaml:1:1: the file is empty\n");
}

/* A name of an account holds it: 34 of these characters are 102 bytes. */
static void bounds_names_of_upstreams(void **state)
{
    char name[3 * 34 + 1] = "", text[200];
    struct buf errors;

    (void)state;
    for (int i = 0; i < 34; i++)
        memcpy(name + 3 * (size_t)i, "上", 4);
    snprintf(text, sizeof text, "upstreams: [{name: %s, vendor: sim}]", name);
    expect_errors(text, "f.yaml:1:20: name must have from 1 to 100 bytes\n");
    snprintf(text, sizeof text, "upstreams: [{name: %s, vendor: sim}]", name + 3);
    struct config *c = parse(text, &errors);
    assert_non_null(c);
    config_unref(c);
    buf_release(&errors);
}

static void knows_what_vendors_need(void **state)
{
    (void)state;
    struct buf errors;
    expect_errors("upstreams: [{name: a, vendor: own}, {name: b, vendor: openai}]",
                  "f.yaml:1:13: the vendor 'own' needs a base, such as base: https://host/v1\n"
                  "f.yaml:1:37: the vendor 'openai' needs a key, such as keys: "
                  "['${TEST_OPENAI_KEY}']\n");
    struct config *c = parse("upstreams: [{name: a, vendor: own, base: 'http://lab:8000/v1'},\n"
                             "{name: b, vendor: openai, base: 'http://lab'}, {name: c, vendor: "
                             "sim}]\n",
                             &errors);
    expect_text(buf_str(&errors), "");
    assert_non_null(c);
    expect_text(c->upstreams[0].host, "lab");
    expect_text(c->upstreams[1].base_path, "");
    config_unref(c);
    buf_release(&errors);
}

static void stands_in_for_a_file(void **state)
{
    (void)state;
    struct buf errors;
    buf_init(&errors, 64 * 1024);
    unsetenv("TEST_OPENAI_KEY");
    unsetenv("TEST_ANTHROPIC_KEY");
    assert_false(config_env_has_vendor(&vendors));
    struct config *c = config_default(4321, &vendors, &errors);
    assert_non_null(c);
    assert_int_equal(c->upstreams[0].port, 4321);
    assert_non_null(config_model(c, STR("sim-small")));
    config_unref(c);
    setenv("TEST_ANTHROPIC_KEY", "sk-ant-api03-x", 1);
    assert_true(config_env_has_vendor(&vendors));
    c = config_default(4321, &vendors, &errors);
    assert_non_null(c);
    assert_int_equal(c->upstream_count, 1);
    assert_int_equal(c->model_count, 2);
    expect_text(c->upstreams[0].keys[0].value, "sk-ant-api03-x");
    assert_null(config_model(c, STR("sim-small")));
    expect_text(buf_str(&errors), "");
    config_unref(c);
    buf_release(&errors);
}

/* A key alone sells nothing where the book has no models of its vendor. */
static void passes_over_vendors_without_models(void **state)
{
    (void)state;
    struct buf errors;
    buf_init(&errors, 64 * 1024);
    unsetenv("TEST_ANTHROPIC_KEY");
    setenv("TEST_BROKER_KEY", "sk-x", 1);
    assert_false(config_env_has_vendor(&vendors));
    struct config *c = config_default(4321, &vendors, &errors);
    assert_non_null(c);
    assert_non_null(config_model(c, STR("sim-small")));
    expect_text(buf_str(&errors),
                "note: TEST_BROKER_KEY is set, but the price book has no models of broker; name "
                "them in a file (serve -c FILE)\n");
    config_unref(c);
    buf_clear(&errors);
    setenv("TEST_ANTHROPIC_KEY", "sk-ant-api03-x", 1);
    c = config_default(4321, &vendors, &errors);
    assert_non_null(c);
    assert_int_equal(c->upstream_count, 1);
    config_unref(c);
    struct config_vendors quiet = vendors;
    quiet.variables_optional = true;
    buf_clear(&errors);
    config_unref(config_default(4321, &quiet, &errors));
    expect_text(buf_str(&errors), "");
    unsetenv("TEST_BROKER_KEY");
    buf_release(&errors);
}

static void prices_have_tiers_and_units(void **state)
{
    (void)state;
    struct buf errors;
    struct config *c = parse(
        "upstreams:\n"
        "  - {name: a, vendor: sim, cost: {from: book, currency: CNY, factor: '0.8'}}\n"
        "models:\n"
        "  - name: m\n"
        "    routes:\n"
        "      - {upstream: a, cost: {currency: EUR, input: 1, output: 2}}\n"
        "      - {upstream: a}\n"
        "    price: {currency: USD, input: '2.5', output: 10, request: '0.000000000001',\n"
        "            search: '0.01', service_tiers: {priority: 2, batch: '0.5'},\n"
        "            tiers: [{min_input: 1, input: 3}, {min_input: 2, cache_read: 4, search: 5}]}\n"
        "  - {name: n, routes: [{upstream: a}], price: {from: book, currency: CNY, margin: 2,\n"
        "     service_tiers: {batch: 1}}}\n",
        &errors);
    expect_text(buf_str(&errors), "");
    const struct price_text *p = config_model(c, STR("m"))->price;
    assert_false(p->from_book);
    assert_int_equal(p->tier_count, 3);
    expect_text(p->tiers[0].rates[RATE_SEARCH], "0.01");
    assert_int_equal(p->tiers[0].rates[RATE_CACHE].n, 0);
    assert_int_equal(p->tiers[1].min_input, 1);
    expect_text(p->tiers[1].rates[RATE_INPUT], "3");
    assert_int_equal(p->tiers[2].min_input, 2);
    expect_text(p->tiers[2].rates[RATE_CACHE], "4");
    expect_text(p->tiers[2].rates[RATE_SEARCH], "5");
    expect_text(p->request, "0.000000000001");
    expect_text(p->services[0], "0.5");
    expect_text(p->services[1], "2");
    const struct route *routes = config_model(c, STR("m"))->routes;
    expect_text(routes[0].cost->currency, "EUR");
    assert_null(routes[1].cost);
    expect_text(routes[1].upstream->cost->factor, "0.8");
    expect_text(config_model(c, STR("n"))->price->currency, "CNY");
    config_unref(c);
    buf_release(&errors);
}

static void a_price_counts_from_its_time(void **state)
{
    (void)state;
    const struct prices p = {.count = 2,
                             .rows = {{.from_us = 100, .id = 1}, {.from_us = 200, .id = 2}}};
    assert_null(prices_at(NULL, 150));
    assert_int_equal(prices_at(&p, 150)->id, 1);
    assert_int_equal(prices_at(&p, 199)->id, 1);
    assert_int_equal(prices_at(&p, 200)->id, 2);
    assert_int_equal(prices_at(&p, 50)->id, 1); /* the first stands for all time before */
}

static void what_nobody_could_serve_is_a_mistake(void **state)
{
    (void)state;
    expect_errors("models: [{name: m, routes: []}]",
                  "f.yaml:1:28: routes needs one at least: nobody could serve it\n");
    expect_errors(
        "upstreams: [{name: a, vendor: anthropic, keys: [k], dialects: [messages, chat]}]",
        "f.yaml:1:13: the vendor 'anthropic' does not speak chat; only at a base of its "
        "own may an upstream\n");
    struct buf errors;
    struct config *c =
        parse("upstreams: [{name: a, vendor: anthropic, keys: [k], dialects: [chat], "
              "base: 'http://127.0.0.1/v1'}]",
              &errors);
    assert_non_null(c);
    config_unref(c);
    buf_release(&errors);
}

static void mistakes_in_prices_are_named(void **state)
{
    (void)state;
#define PRICED(price)                                                              \
    "models: [{name: m,             price: " price ", routes: [{upstream: s}]}]\n" \
    "upstreams: [{name: s, vendor: sim}]"
    static const struct {
        const char *text, *error;
    } cases[] = {
        {PRICED("{from: book, input: 1}"), "39: a price is either from the book or written out"},
        {PRICED("{from: book, request: 1}"), "39: a price is either from the book or written out"},
        {PRICED("{from: book, tiers: [{min_input: 1}]}"),
         "39: a price is either from the book or written out"},
        {PRICED("{currency: USD, input: 1, output: 1, outptu: 1}"),
         "76: 'outptu' is no setting of a price, did you mean 'output'?"},
        {PRICED("{currency: USD, input: 1, output: 1, factor: 1}"),
         "76: 'factor' is no setting of a price"},
        {PRICED("{currency: USD, input: 1, output: '1.0000001'}"),
         "73: output must be a decimal number with at most six digits after the point, not "
         "'1.0000001'"},
        {PRICED("{currency: USD, input: 1, output: 1, search: '1e3'}"),
         "84: search must be a decimal number with at most twelve digits after the point, not "
         "'1e3'"},
        {PRICED("{currency: USD, input: 1, output: 1, request: 1000001}"),
         "85: request must be from 0 to 1000000, not '1000001'"},
        {PRICED("{currency: USD, input: 1, output: 1, margin: 0}"),
         "84: margin must be from 0.000001 to 1000, not '0'"},
        {PRICED("{currency: USD, input: 1, output: 1, tiers: [{input: 1}]}"),
         "84: a tier needs 'min_input'"},
        {PRICED("{currency: USD, input: 1, output: 1, tiers: [{min_input: 5}, {min_input: 5}]}"),
         "100: tiers stand in the order of their min_input"},
        {PRICED("{currency: USD, input: 1, output: 1, tiers: [{min_input: 0}]}"),
         "96: min_input must be a whole number from 1 to 2147483647, not '0'"},
        {PRICED("{currency: USD, input: 1, output: 1, tiers: [{min_input: 5, margin: 1}]}"),
         "99: 'margin' is no setting of a tier"},
        {PRICED("{currency: USD, input: 1, output: 1, service_tiers: {batsh: 1}}"),
         "92: 'batsh' is no setting of service_tiers, did you mean 'batch'?"},
        {PRICED("{currency: USD, input: 1, output: 1, service_tiers: {batch: 0}}"),
         "99: batch must be from 0.000001 to 1000, not '0'"},
        {PRICED("7"), "39: a price must be a mapping of names to values"},
        {"upstreams: [{name: a, vendor: sim, cost: {input: 1}}]",
         "42: a cost needs 'from: book', or 'currency', 'input' and 'output'"},
        {"upstreams: [{name: a, vendor: sim, cost: {from: book, margin: 2}}]",
         "55: 'margin' is no setting of a cost"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char wanted[256];
        snprintf(wanted, sizeof(wanted), "f.yaml:1:%s\n", cases[i].error);
        expect_errors(cases[i].text, wanted);
    }
}

#define WITH_BUDGET(budget) \
    "upstreams:\n  - {name: a, vendor: sim, budget: " budget "}\nmodels: []\n"

static void reads_budgets(void **state)
{
    struct buf errors;
    struct config *c;

    (void)state;
    c = parse(WITH_BUDGET("{requests: 18000, period: month, expires: 2024-02-29,"
                          " cost: {amount: \"7.90\", currency: CNY}}"),
              &errors);
    assert_non_null(c);
    const struct upstream_budget *b = &c->upstreams[0].budget;
    assert_int_equal(b->unit, BUDGET_REQUESTS);
    assert_int_equal(b->units, 18000);
    assert_int_equal(b->period, 'm');
    assert_int_equal(b->cost, INT64_C(7900000000));
    assert_string_equal(b->currency.code, "CNY");
    assert_int_equal(b->expires_us, INT64_C(1709251200000000)); /* the end of that day */
    config_unref(c);
    c = parse(WITH_BUDGET("{amount: \"100\", currency: USD, period: none}"), &errors);
    assert_non_null(c);
    assert_int_equal(c->upstreams[0].budget.units, INT64_C(100000000000));
    assert_int_equal(c->upstreams[0].budget.period, 0);
    config_unref(c);
    buf_release(&errors);
}

static void refuses_wrong_budgets(void **state)
{
    (void)state;
    expect_errors(WITH_BUDGET("{period: month}"),
                  "f.yaml:2:36: a budget needs one of requests, tokens and amount\n");
    expect_errors(WITH_BUDGET("{requests: 5, tokens: 5, period: day}"),
                  "f.yaml:2:36: a budget needs one of requests, tokens and amount\n");
    expect_errors(WITH_BUDGET("{requests: 5}"), "f.yaml:2:36: a budget needs 'period'\n");
    expect_errors(WITH_BUDGET("{tokens: 0, period: day}"),
                  "f.yaml:2:45: tokens must be a whole number above 0, not '0'\n");
    expect_errors(WITH_BUDGET("{amount: \"5\", period: day}"),
                  "f.yaml:2:36: a budget's amount needs its currency\n");
    expect_errors(WITH_BUDGET("{tokens: 5, currency: USD, period: day}"),
                  "f.yaml:2:36: only a budget's amount has a currency\n");
    expect_errors(WITH_BUDGET("{requests: 5, period: days}"),
                  "f.yaml:2:58: there is no period 'days', did you mean 'day'?\n");
    expect_errors(WITH_BUDGET("{requests: 5, period: day, expires: 2026-02-30}"),
                  "f.yaml:2:72: expires must be a day such as 2026-12-31, not '2026-02-30'\n");
    expect_errors(WITH_BUDGET("{requests: 5, period: day, cost: {amount: \"0\", currency: USD}}"),
                  "f.yaml:2:78: amount must be above 0, with nine digits after the point at most,"
                  " such as \"7.90\", not '0'\n");
    expect_errors(WITH_BUDGET("{requests: 5, period: day,"
                              " cost: {amount: \"1.0000000001\", currency: USD}}"),
                  "f.yaml:2:78: amount must be above 0, with nine digits after the point at most,"
                  " such as \"7.90\", not '1.0000000001'\n");
    expect_errors(WITH_BUDGET("{amount: \"5\", currency: USD, period: day,"
                              " cost: {amount: \"1\", currency: USD}}"),
                  "f.yaml:2:36: an amount is a cost already: cost is for requests and tokens\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_file),
        cmocka_unit_test(prices_have_tiers_and_units),
        cmocka_unit_test(a_price_counts_from_its_time),
        cmocka_unit_test(what_nobody_could_serve_is_a_mistake),
        cmocka_unit_test(mistakes_in_prices_are_named),
        cmocka_unit_test(reads_networks),
        cmocka_unit_test(names_all_mistakes_of_one_run),
        cmocka_unit_test(refuses_session_tokens),
        cmocka_unit_test(takes_tokens_of_other_issuers),
        cmocka_unit_test(refuses_bad_values),
        cmocka_unit_test(bounds_names_of_upstreams),
        cmocka_unit_test(knows_what_vendors_need),
        cmocka_unit_test(stands_in_for_a_file),
        cmocka_unit_test(passes_over_vendors_without_models),
        cmocka_unit_test(reads_budgets),
        cmocka_unit_test(refuses_wrong_budgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
