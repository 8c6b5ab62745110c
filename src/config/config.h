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

struct price; /* in price/ */

/* A price as written: decimals, empty where nothing is said. */
struct price_tier_text {
    uint32_t min_input;
    struct str rates[LIMIT_RATES]; /* by config_vendors.rates */
};
struct price_text {
    struct str at; /* file:line:column */
    bool from_book;
    struct str currency, request, factor;            /* factor: a price's margin */
    struct price_tier_text tiers[LIMIT_PRICE_TIERS]; /* the first: of short inputs */
    unsigned tier_count;
    struct str services[LIMIT_SERVICES]; /* by config_vendors.services */
};

/* Prices one after the other: each from its time on. Made by the station of what is written. */
struct dated_price {
    int64_t from_us, id; /* id: of its row in the store; 0: none */
    const struct price *price;
};
struct prices {
    unsigned count; /* at least one */
    struct dated_price rows[LIMIT_PRICE_DATES];
};

/* A row of the operator's own price book, which stands before the built-in one. */
struct book_entry {
    struct str vendor, model, source;
    int64_t from_us;
    const struct price_text *price;
};

/* What an upstream may be used in a period, and what the period costs, used or not. */
enum budget_unit { BUDGET_NONE, BUDGET_REQUESTS, BUDGET_TOKENS, BUDGET_AMOUNT };
struct upstream_budget {
    uint8_t unit;             /* enum budget_unit */
    char period;              /* 'd', 'w' (from Monday on), 'm', of UTC; 0: once for all */
    int64_t units;            /* requests, tokens, or nano of the currency */
    int64_t cost;             /* nano of a whole period; 0: each answer has its own */
    struct currency currency; /* of the amount, or of the cost */
    int64_t expires_us;       /* 0: never */
};

struct spend; /* how much of it is used: in upstream/ */

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
    const struct price_text *cost; /* what it takes for all models; or NULL */
    struct upstream_budget budget;
    struct spend *spend;  /* of the budget; set by the station */
    unsigned host_number; /* of its host, port and trust in this process; set by the station */
};

struct health; /* of a channel: in upstream/ */

struct route {
    const struct upstream *upstream;
    struct str model; /* the vendor's name */
    int priority;     /* lower first */
    unsigned weight;
    uint64_t lossy[3];      /* bits of config_vendors.losses that conversion may leave out here */
    struct health **health; /* one a key, at least one; part of config.healths */
    const struct price_text *cost; /* what the vendor takes here; or NULL */
    const struct prices *costs;    /* the same as prices; NULL: it is not known */
};

struct model {
    struct str name;
    struct route routes[LIMIT_ROUTES];
    unsigned route_count;
    const struct price_text *price; /* NULL: it is not sold */
    const struct prices *prices;    /* the same as prices */
    uint32_t max_output;            /* ceiling of output tokens; 0: 32768 */
    uint32_t context;               /* ceiling of input tokens; 0: LIMIT_CONTEXT */
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
    struct book_entry *book;
    unsigned book_count;
    bool priced;             /* what is written has become prices */
    struct health **healths; /* malloc'ed by the station before the lanes see this; or NULL */
    struct map *by_name;     /* names and aliases -> struct model */
};

/*
 * What this room must know of the vendors; the caller has the tables (they live in a higher tier).
 */
struct config_vendor {
    const char *name, *env, *base; /* env may be NULL; base may lack its host ("/v1") */
    bool keyless;                  /* works without a key */
    uint32_t dialects;             /* that it speaks: bits as of an upstream's; 0: unknown */
};
struct config_rate {
    const char *name;
    bool each; /* for one of them, not for a million */
};
struct config_known_model {
    const char *vendor, *name;
};
struct config_vendors {
    const struct config_vendor *rows;
    size_t count;
    const struct config_known_model *models; /* of the price book, for config_default */
    size_t model_count;
    const struct config_rate *rates; /* what a price may name, at most LIMIT_RATES */
    size_t rate_count;
    size_t input, output;        /* those of them that no price is without */
    const char *const *services; /* tiers of service, at most LIMIT_SERVICES */
    size_t service_count;
    const char *const *losses; /* what a route may allow to be lost, at most 192 */
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
/* The one of that time; NULL of NULL. */
const struct dated_price *prices_at(const struct prices *p, int64_t wall_us);

#endif
