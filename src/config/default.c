/* SPDX-License-Identifier: Apache-2.0 */
/* The station without a file: the configuration that somebody would write, read like any other. */
#include <stdlib.h>

#include "config/config.h"

static bool in_environment(const struct config_vendor *v)
{
    const char *value = v->env == NULL ? NULL : getenv(v->env);
    return value != NULL && value[0] != '\0';
}

static bool has_models(const struct config_vendors *all, const struct config_vendor *v)
{
    for (size_t i = 0; i < all->model_count; i++) {
        if (str_eq(str_from(all->models[i].vendor), str_from(v->name))) {
            return true;
        }
    }
    return false;
}

/* Its key is at hand, and there is something to sell with it. */
static bool usable(const struct config_vendors *all, const struct config_vendor *v)
{
    return in_environment(v) && has_models(all, v);
}

bool config_env_has_vendor(const struct config_vendors *v)
{
    for (size_t i = 0; i < v->count; i++) {
        if (usable(v, &v->rows[i])) {
            return true;
        }
    }
    return false;
}

static bool vendor_in_environment(const struct config_vendors *v, const char *name)
{
    for (size_t i = 0; i < v->count; i++) {
        if (str_eq(str_from(v->rows[i].name), str_from(name))) {
            return in_environment(&v->rows[i]);
        }
    }
    return false;
}

/* The only vendor of its variable, or the first. */
static bool names_variable(const struct config_vendors *all, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        const char *env = all->rows[i].env;
        if (env != NULL && str_eq(str_from(env), str_from(all->rows[at].env))) {
            return false;
        }
    }
    return true;
}

/* Keys that are at hand but of no use without a file are not passed over in silence. */
static void note_unused(const struct config_vendors *v, struct buf *notes)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct config_vendor *row = &v->rows[i];
        if (in_environment(row) && !has_models(v, row) && names_variable(v, i)) {
            buf_addf(notes,
                     "note: %s is set, but the price book has no models of %s; name them in a "
                     "file (serve -c FILE)\n",
                     row->env, row->name);
        }
    }
}

static void write_vendors(struct buf *b, const struct config_vendors *v)
{
    struct map *seen = map_new();
    buf_add(b, STR("upstreams:\n"));
    for (size_t i = 0; i < v->count; i++) {
        if (usable(v, &v->rows[i])) {
            buf_addf(b, "  - {name: '%s', vendor: '%s', keys: ['${%s}']}\n", v->rows[i].name,
                     v->rows[i].name, v->rows[i].env);
        }
    }
    buf_add(b, STR("models:\n"));
    for (size_t i = 0; i < v->model_count; i++) {
        const struct config_known_model *m = &v->models[i];
        /* Where two vendors have a model of one name, the first of the book is taken. */
        if (!vendor_in_environment(v, m->vendor) || map_get(seen, str_from(m->name)) != NULL) {
            continue;
        }
        map_put(seen, str_from(m->name), b);
        buf_addf(b, "  - {name: '%s', routes: [{upstream: '%s'}], price: {from: book}}\n", m->name,
                 m->vendor);
    }
    map_free(seen);
}

static void write_simulator(struct buf *b, unsigned port)
{
    static const char *const names[] = {"sim-small", "sim-large", "sim-reason"};
    buf_addf(b,
             "upstreams:\n"
             "  - {name: sim, vendor: sim, base: 'http://127.0.0.1:%u/v1', keys: []}\n"
             "models:\n",
             port);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        buf_addf(b,
                 "  - {name: %s, routes: [{upstream: sim}],\n"
                 "     price: {currency: USD, input: '1', output: '4', cache_read: '0.1'}}\n",
                 names[i]);
    }
}

struct config *config_default(unsigned sim_port, const struct config_vendors *v, struct buf *errors)
{
    struct buf text;
    buf_init(&text, LIMIT_CONFIG_BYTES);
    if (config_env_has_vendor(v)) {
        write_vendors(&text, v);
    } else {
        write_simulator(&text, sim_port);
    }
    struct config *c = config_parse("(built in)", buf_str(&text), v, errors);
    if (!v->variables_optional) {
        note_unused(v, errors);
    }
    buf_release(&text);
    return c;
}
