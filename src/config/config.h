/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators decide: one YAML file over one option table, loaded into an immutable snapshot. A
 * snapshot is counted by reference (any thread); it dies with its last user. Errors name
 * file:line:column, what, and the nearest valid name; all of one run are reported together.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/money.h"

struct upstream_key {
    struct str value; /* secret */
    uint32_t rpm;     /* 0: no limit */
};

struct upstream {
    struct str name, vendor;
    struct str host, base_path; /* of base: "api.openai.com", "/v1" (no slash at the end) */
    unsigned port;
    bool tls;
    struct str ca;       /* file, or empty */
    uint32_t dialects;   /* bit mask; 0: the vendor's own */
    int64_t cooldown_ms; /* -1: by the failure table; 0: never rests */
    struct str source;   /* official, cloud, plan, partner */
    struct upstream_key keys[LIMIT_KEYS_PER_UPSTREAM];
    unsigned key_count;
    unsigned host_number; /* of its host, port and trust in this process; set by the station */
};

struct health; /* of a channel: in upstream/ */

struct route {
    const struct upstream *upstream;
    struct str model; /* the vendor's name */
    int priority;     /* lower first */
    unsigned weight;
    uint64_t lossy[2];      /* bits of config_vendors.losses that conversion may leave out here */
    struct health **health; /* one a key, at least one; part of config.healths */
    /* What the vendor takes, by the price book; set by the station like the rates of a model. */
    bool costed;
    struct currency cost_in_currency;
    int64_t cost_in, cost_out, cost_cache_read, cost_cache_write_5m, cost_cache_write_1h;
};

struct model {
    struct str name;
    struct route routes[LIMIT_ROUTES];
    unsigned route_count;
    bool priced;
    struct str currency, in, out, cache_read, cache_write,
        margin; /* decimals as written; from book: filled from it by the caller */
    bool from_book;
    uint32_t max_output; /* ceiling of output tokens; 0: the book's or 32768 */
    int64_t price_id; /* this and the rates are set by the station once the row is in the store */
    struct currency sold_in;
    int64_t rate_in, rate_out, rate_cache_read, rate_cache_write_5m,
        rate_cache_write_1h; /* pico per token */
    int64_t margin_num, margin_den;
};

struct config {
    atomic_int refs;
    struct arena memory; /* all text and rows below */
    struct str listen, admin, store_path, data_dir;
    struct str tls_cert, tls_key;
    struct ip_network *trusted; /* proxies whose X-Forwarded-For is believed */
    unsigned trusted_count;
    unsigned lanes; /* 0: cores - 1 */
    int64_t head_ms, body_ms, idle_ms, total_ms;
    struct upstream *upstreams;
    unsigned upstream_count;
    struct model *models;
    unsigned model_count;
    struct health **healths; /* malloc'ed by the station before the lanes see this; or NULL */
    struct map *by_name;     /* names and aliases -> struct model */
};

/*
 * What this room must know of the vendors; the caller has the tables (they live in a higher tier).
 */
struct config_vendor {
    const char *name, *env, *base; /* env may be NULL; base may lack its host ("/v1") */
    bool keyless;                  /* works without a key */
};
struct config_known_model {
    const char *vendor, *name;
};
struct config_vendors {
    const struct config_vendor *rows;
    size_t count;
    const struct config_known_model *models; /* of the price book, for config_default */
    size_t model_count;
    const char *const *losses; /* what a route may allow to be lost, at most 128 */
    size_t loss_count;
    bool variables_optional; /* an unset ${VAR} reads as "unset": the secrets do not matter */
};

/* The file; on failure NULL and every mistake, a line each, in errors. */
struct config *config_load(const char *path, const struct config_vendors *v, struct buf *errors);
/* The same from memory; name stands in front of the errors. */
struct config *config_parse(const char *name, struct str text, const struct config_vendors *v,
                            struct buf *errors);
/*
 * Without a file: vendors whose key is in the environment and of whose models the book knows the
 * price; none: an upstream "sim" at sim_port. Keys of other vendors are named in errors.
 */
struct config *config_default(unsigned sim_port, const struct config_vendors *v,
                              struct buf *errors);
/* True when the key of a vendor with known models is in the environment. */
bool config_env_has_vendor(const struct config_vendors *v);
struct config *config_ref(struct config *c);
void config_unref(struct config *c); /* NULL is fine */
/* An OAuth or web session of a consumer product, not an API key. */
bool key_is_session(struct str key);
const struct model *config_model(const struct config *c, struct str name);

#endif
