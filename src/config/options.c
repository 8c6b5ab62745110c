/* SPDX-License-Identifier: Apache-2.0 */
/* The option table: every setting there is, and the readers of those that are not a plain value. */

#include "config/options.h"

#include <errno.h>
#include <unistd.h>

#include "io/io.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SET(what, table) {what, table, COUNT(table)}
#define DAY_MS (24 * 60 * 60 * 1000)

#define TEXT(type, name, field, needed, max) \
    {name, OPTION_TEXT, needed, offsetof(type, field), 1, max, NULL, NULL}
#define NUMBER(type, name, field, min, max) \
    {name, OPTION_NUMBER, false, offsetof(type, field), min, max, NULL, NULL}
#define DURATION(type, name, field, min, max) \
    {name, OPTION_DURATION, false, offsetof(type, field), min, max, NULL, NULL}
#define SUBSET(name, set) {name, OPTION_SET, false, 0, 0, 0, set, NULL}
#define OTHER(name, needed, read) {name, OPTION_OTHER, needed, 0, 0, 0, NULL, read}

#define PATH_MAX_BYTES 1024

/* A base URL into host, port, path; false when it is none. */
static bool base_parse(struct str s, struct upstream *u)
{
    if (str_starts(s, STR("https://"))) {
        u->tls = true;
        s = str_skip(s, 8);
    } else if (str_starts(s, STR("http://"))) {
        u->tls = false;
        s = str_skip(s, 7);
    } else {
        return false;
    }
    size_t slash = str_find_byte(s, '/');
    struct str authority = str_slice(s.p, slash);
    struct str path = str_skip(s, slash);
    while (str_ends(path, STR("/"))) {
        path.n--;
    }
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] <= ' ' || strchr("?#@\\\"", s.p[i]) != NULL) {
            return false;
        }
    }
    struct str host = authority, port = {NULL, 0};
    if (str_starts(authority, STR("["))) {
        size_t end = str_find_byte(authority, ']');
        if (end == authority.n) {
            return false;
        }
        host = str_slice(authority.p + 1, end - 1);
        port = str_skip(authority, end + 1);
    } else {
        size_t colon = str_find_byte(authority, ':');
        host = str_slice(authority.p, colon);
        port = str_skip(authority, colon);
    }
    uint64_t number = u->tls ? 443 : 80;
    if (port.n > 0 && (port.p[0] != ':' || !str_to_u64(str_skip(port, 1), &number))) {
        return false;
    }
    if (host.n == 0 || host.n > 253 || number == 0 || number > 65535) {
        return false;
    }
    u->host = host;
    u->port = (unsigned)number;
    u->base_path = path;
    return true;
}

static void read_base(struct loader *l, yaml_node_t *node, void *target)
{
    struct str text;
    if (loader_text(l, "base", node, &text) && !base_parse(text, target)) {
        loader_report(l, node->start_mark,
                      "base must be a URL such as https://api.example.com/v1, not '%.*s'",
                      STR_ARG(text));
    }
}

static void read_source(struct loader *l, yaml_node_t *node, void *target)
{
    static const char *const sources[] = {"official", "cloud", "plan", "partner"};
    struct upstream *u = target;
    int i = loader_word(l, node, "source", sources, COUNT(sources));
    if (i >= 0) {
        u->source = str_from(sources[i]);
    }
}

/* In the order of the bits. */
static const char *const dialects[] = {"chat", "responses", "messages", "gemini", "embeddings"};

static void read_dialects(struct loader *l, yaml_node_t *node, void *target)
{
    struct upstream *u = target;
    size_t n = loader_count(l, "dialects", node, COUNT(dialects));
    for (size_t i = 0; i < n; i++) {
        int bit = loader_word(l, loader_item(l, node, i), "dialect", dialects, COUNT(dialects));
        if (bit >= 0) {
            u->dialects |= 1U << bit;
        }
    }
}

static void read_key_value(struct loader *l, yaml_node_t *node, void *target)
{
    struct upstream_key *k = target;
    struct str text;
    if (!loader_text(l, "a key", node, &text)) {
        return;
    }
    if (key_is_session(text)) {
        loader_report(l, node->start_mark,
                      "session token of a consumer product, entrepot takes API keys only");
        return;
    }
    /* It becomes a header's value. */
    bool plain = text.n > 0 && text.n <= 4096;
    for (size_t i = 0; i < text.n; i++) {
        plain = plain && text.p[i] > ' ' && text.p[i] < 0x7f;
    }
    if (!plain) {
        loader_report(l, node->start_mark, "a key must be printable characters without blanks");
        return;
    }
    k->value = text;
}

/* A file that must be there and readable; whoever only administers need not be able to read it. */
static void read_file(struct loader *l, const char *name, yaml_node_t *node, struct str *out)
{
    if (!loader_text(l, name, node, out) || l->vendors->variables_optional) {
        return;
    }
    if (out->n == 0 || out->n > PATH_MAX_BYTES || access(out->p, R_OK) != 0) {
        loader_report(l, node->start_mark, "the file '%.*s' cannot be read: %s", STR_ARG(*out),
                      strerror(errno));
    }
}

static void read_ca(struct loader *l, yaml_node_t *node, void *target)
{
    struct upstream *u = target;
    read_file(l, "ca", node, &u->ca);
}

static void read_cert(struct loader *l, yaml_node_t *node, void *target)
{
    struct config *c = target;
    read_file(l, "cert", node, &c->tls_cert);
}

static void read_tls_key(struct loader *l, yaml_node_t *node, void *target)
{
    struct config *c = target;
    read_file(l, "key", node, &c->tls_key);
}

static void read_address(struct loader *l, const char *name, yaml_node_t *node, struct str *out)
{
    if (loader_text(l, name, node, out) && !listener_valid(*out)) {
        loader_report(l, node->start_mark,
                      "'%.*s' is no address to listen on; write 127.0.0.1:8080, [::]:8080, :8080 "
                      "or unix:/path",
                      STR_ARG(*out));
    }
}

static void read_listen(struct loader *l, yaml_node_t *node, void *target)
{
    struct config *c = target;
    read_address(l, "listen", node, &c->listen);
}

static void read_admin(struct loader *l, yaml_node_t *node, void *target)
{
    struct config *c = target;
    read_address(l, "admin", node, &c->admin);
}

static void read_trusted(struct loader *l, yaml_node_t *node, void *target)
{
    struct config *c = target;
    size_t n = loader_count(l, "trusted_proxies", node, LIMIT_TRUSTED);
    c->trusted = loader_alloc(l, node->start_mark, (n + 1) * sizeof(struct ip_network));
    for (size_t i = 0; c->trusted != NULL && i < n; i++) {
        yaml_node_t *item = loader_item(l, node, i);
        struct str text;
        if (!loader_text(l, "a network", item, &text)) {
            continue;
        }
        if (!ip_network_parse(text, &c->trusted[c->trusted_count++])) {
            loader_report(l, item->start_mark,
                          "'%.*s' is no network; write 10.0.0.0/8, 2001:db8::/32 or one address",
                          STR_ARG(text));
        }
    }
}

static const struct option key_table[] = {
    OTHER("value", true, read_key_value),
    NUMBER(struct upstream_key, "rpm", rpm, 1, 10000000),
};
static const struct option_set key_options = SET("a key", key_table);

static void read_keys(struct loader *l, yaml_node_t *node, void *target)
{
    struct upstream *u = target;
    size_t n = loader_count(l, "keys", node, LIMIT_KEYS_PER_UPSTREAM);
    for (size_t i = 0; i < n; i++) {
        yaml_node_t *item = loader_item(l, node, i);
        struct upstream_key *k = &u->keys[u->key_count++];
        if (item->type == YAML_MAPPING_NODE) {
            loader_read_set(l, &key_options, item, k);
        } else {
            read_key_value(l, item, k);
        }
    }
}

static const struct option upstream_table[] = {
    TEXT(struct upstream, "name", name, true, LIMIT_UPSTREAM),
    TEXT(struct upstream, "vendor", vendor, true, LIMIT_NAME - 1),
    OTHER("base", false, read_base),
    OTHER("keys", false, read_keys),
    OTHER("source", false, read_source),
    OTHER("dialects", false, read_dialects),
    DURATION(struct upstream, "cooldown", cooldown_ms, 0, DAY_MS),
    OTHER("ca", false, read_ca),
    OTHER("cost", false, loader_read_upstream_cost),
    OTHER("budget", false, loader_read_budget),
};
static const struct option_set upstream_options = SET("an upstream", upstream_table);

/* What the vendor's row and the upstream do not settle between them. */
static void check_place(struct loader *l, yaml_node_t *node, struct upstream *u,
                        const struct config_vendor *v)
{
    bool own_base = u->host.n > 0;
    if (!own_base && !base_parse(str_from(v->base), u)) {
        loader_report(l, node->start_mark,
                      "the vendor '%s' needs a base, such as base: https://host%s", v->name,
                      v->base);
    } else if (!own_base && u->key_count == 0 && !v->keyless) {
        loader_report(l, node->start_mark, "the vendor '%s' needs a key, such as keys: ['${%s}']",
                      v->name, v->env);
    }
}

/* At a base of its own an upstream may speak what its vendor does not. */
static void check_dialects(struct loader *l, yaml_node_t *node, const struct upstream *u,
                           const struct config_vendor *v)
{
    for (unsigned bit = 0; bit < COUNT(dialects); bit++) {
        uint32_t wanted = u->dialects & ~v->dialects & (1U << bit);
        if (u->host.n == 0 && v->dialects != 0 && wanted != 0) {
            loader_report(l, node->start_mark,
                          "the vendor '%s' does not speak %s; only at a base of its own may an "
                          "upstream",
                          v->name, dialects[bit]);
        }
    }
}

static void check_vendor(struct loader *l, yaml_node_t *node, struct upstream *u)
{
    struct nearest near = {.wanted = u->vendor};
    for (size_t i = 0; i < l->vendors->count; i++) {
        const struct config_vendor *v = &l->vendors->rows[i];
        if (str_eq(u->vendor, str_from(v->name))) {
            check_dialects(l, node, u, v);
            check_place(l, node, u, v);
            return;
        }
        nearest_offer(&near, str_from(v->name));
    }
    char text[160];
    loader_report(l, node->start_mark, "there is no vendor '%.*s'%s", STR_ARG(u->vendor),
                  nearest_text(&near, text));
}

static void read_upstreams(struct loader *l, yaml_node_t *node, void *target)
{
    struct config *c = target;
    size_t n = loader_count(l, "upstreams", node, LIMIT_UPSTREAMS);
    c->upstreams = loader_alloc(l, node->start_mark, (n + 1) * sizeof(struct upstream));
    for (size_t i = 0; c->upstreams != NULL && i < n; i++) {
        yaml_node_t *item = loader_item(l, node, i);
        struct upstream *u = &c->upstreams[c->upstream_count];
        *u = (struct upstream){.cooldown_ms = -1, .source = STR("official")};
        loader_read_set(l, &upstream_options, item, u);
        if (u->vendor.n > 0) {
            check_vendor(l, item, u);
        }
        for (unsigned j = 0; j < c->upstream_count; j++) {
            if (u->name.n > 0 && str_eq(c->upstreams[j].name, u->name)) {
                loader_report(l, item->start_mark, "two upstreams have the name '%.*s'",
                              STR_ARG(u->name));
            }
        }
        c->upstream_count++;
    }
}

static void read_route_upstream(struct loader *l, yaml_node_t *node, void *target)
{
    struct str name;
    if (!loader_text(l, "upstream", node, &name)) {
        return;
    }
    struct config_pending *p = loader_alloc(l, node->start_mark, sizeof(*p));
    if (p != NULL) {
        *p = (struct config_pending){l->pending, target, name, node->start_mark};
        l->pending = p;
    }
}

/* What conversion to another dialect may leave out here, though it would be refused otherwise. */
static void read_lossy(struct loader *l, yaml_node_t *node, void *target)
{
    struct route *r = target;
    size_t n = loader_count(l, "lossy", node, l->vendors->loss_count);

    for (size_t i = 0; i < n; i++) {
        int bit = loader_word(l, loader_item(l, node, i), "field to lose", l->vendors->losses,
                              l->vendors->loss_count);
        if (bit >= 0) {
            r->lossy[bit / 64] |= UINT64_C(1) << (bit % 64);
        }
    }
}

static const struct option route_table[] = {
    OTHER("upstream", true, read_route_upstream),
    TEXT(struct route, "model", model, false, LIMIT_NAME - 1),
    NUMBER(struct route, "priority", priority, 0, 1000),
    NUMBER(struct route, "weight", weight, 1, 1000),
    OTHER("lossy", false, read_lossy),
    OTHER("cost", false, loader_read_route_cost),
};
static const struct option_set route_options = SET("a route", route_table);

static void read_routes(struct loader *l, yaml_node_t *node, void *target)
{
    struct model *m = target;
    size_t n = loader_count(l, "routes", node, LIMIT_ROUTES);
    if (n == 0 && node->type == YAML_SEQUENCE_NODE) {
        loader_report(l, node->start_mark, "routes needs one at least: nobody could serve it");
    }
    for (size_t i = 0; i < n; i++) {
        struct route *r = &m->routes[m->route_count++];
        r->weight = 1;
        loader_read_set(l, &route_options, loader_item(l, node, i), r);
    }
}

static void add_name(struct loader *l, yaml_node_t *node, struct model *m, struct str name)
{
    if (map_get(l->config->by_name, name) != NULL) {
        loader_report(l, node->start_mark, "two models have the name or alias '%.*s'",
                      STR_ARG(name));
        return;
    }
    map_put(l->config->by_name, name, m);
}

static void read_aliases(struct loader *l, yaml_node_t *node, void *target)
{
    size_t n = loader_count(l, "aliases", node, LIMIT_ALIASES);
    for (size_t i = 0; i < n; i++) {
        yaml_node_t *item = loader_item(l, node, i);
        struct str name;
        if (!loader_text(l, "an alias", item, &name)) {
            continue;
        }
        if (name.n == 0 || name.n >= LIMIT_NAME) {
            loader_report(l, item->start_mark, "an alias must have from 1 to %d characters",
                          LIMIT_NAME - 1);
            continue;
        }
        add_name(l, item, target, name);
    }
}

static void read_model_name(struct loader *l, yaml_node_t *node, void *target)
{
    struct model *m = target;
    struct str name;
    if (!loader_text(l, "name", node, &name)) {
        return;
    }
    if (name.n == 0 || name.n >= LIMIT_NAME) {
        loader_report(l, node->start_mark, "name must have from 1 to %d characters",
                      LIMIT_NAME - 1);
        return;
    }
    m->name = name;
    add_name(l, node, m, name);
}

static const struct option model_table[] = {
    OTHER("name", true, read_model_name),
    OTHER("aliases", false, read_aliases),
    OTHER("routes", true, read_routes),
    OTHER("price", false, loader_read_price),
    NUMBER(struct model, "max_output", max_output, 1, 7500000),
    NUMBER(struct model, "context", context, 1, 100000000),
};
static const struct option_set model_options = SET("a model", model_table);

static void read_models(struct loader *l, yaml_node_t *node, void *target)
{
    struct config *c = target;
    size_t n = loader_count(l, "models", node, LIMIT_MODELS);
    c->models = loader_alloc(l, node->start_mark, (n + 1) * sizeof(struct model));
    for (size_t i = 0; c->models != NULL && i < n; i++) {
        yaml_node_t *item = loader_item(l, node, i);
        struct model *m = &c->models[c->model_count++];
        loader_read_set(l, &model_options, item, m);
        for (unsigned r = 0; r < m->route_count; r++) {
            if (m->routes[r].model.n == 0) {
                m->routes[r].model = m->name;
            }
        }
    }
}

/* The folder of the store holds everything else that the station keeps. */
static void set_store(struct loader *l, yaml_mark_t mark, struct str path)
{
    struct config *c = l->config;
    if (path.n == 0 || path.n > PATH_MAX_BYTES) {
        loader_report(l, mark, "store needs the path of a file");
        return;
    }
    size_t slash = path.n;
    while (slash > 0 && path.p[slash - 1] != '/') {
        slash--;
    }
    struct str folder = slash == 0 ? STR(".") : str_slice(path.p, slash > 1 ? slash - 1 : 1);
    c->store_path = path;
    c->data_dir = arena_str(&c->memory, folder);
}

static void read_store_path(struct loader *l, yaml_node_t *node, void *target)
{
    (void)target;
    struct str path;
    if (loader_text(l, "sqlite", node, &path)) {
        set_store(l, node->start_mark, path);
    }
}

static const struct option store_table[] = {
    OTHER("sqlite", true, read_store_path),
};
static const struct option_set store_options = SET("store", store_table);

static void read_store(struct loader *l, yaml_node_t *node, void *target)
{
    struct str text;
    if (node->type == YAML_MAPPING_NODE) {
        loader_read_set(l, &store_options, node, target);
    } else if (loader_text(l, "store", node, &text)) {
        if (str_starts(text, STR("sqlite:"))) {
            set_store(l, node->start_mark, str_skip(text, 7));
        } else {
            loader_report(l, node->start_mark, "store must be sqlite:PATH, not '%.*s'",
                          STR_ARG(text));
        }
    }
}

static const struct option tls_table[] = {
    OTHER("cert", true, read_cert),
    OTHER("key", true, read_tls_key),
};
static const struct option_set tls_options = SET("tls", tls_table);

static const struct option timeout_table[] = {
    DURATION(struct config, "head", head_ms, 1, DAY_MS),
    DURATION(struct config, "body", body_ms, 1, DAY_MS),
    DURATION(struct config, "idle", idle_ms, 1, DAY_MS),
    DURATION(struct config, "total", total_ms, 1, DAY_MS),
};
static const struct option_set timeout_options = SET("timeouts", timeout_table);

static const struct option station_table[] = {
    OTHER("listen", false, read_listen),
    OTHER("admin", false, read_admin),
    OTHER("store", false, read_store),
    NUMBER(struct config, "lanes", lanes, 0, LIMIT_LANES),
    OTHER("trusted_proxies", false, read_trusted),
    SUBSET("tls", &tls_options),
    SUBSET("timeouts", &timeout_options),
    OTHER("upstreams", false, read_upstreams),
    OTHER("models", false, read_models),
    OTHER("price_book", false, loader_read_book),
};
const struct option_set station_options = SET("the configuration", station_table);
