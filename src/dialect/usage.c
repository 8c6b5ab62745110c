/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage out of a vendor's JSON, at the dialect's exact place and nowhere else: tool arguments can
 * spell "usage" too. What the object says is in counts.c; what stands beside it is here: how fast
 * it was served, and the calls of the vendor's own tools.
 */
#include "dialect/usage.h"

#include "dialect/vendor.h"

static const struct json *object_at(const struct json *root, const char *path)
{
    const struct json *v = json_get(root, path);
    return v != NULL && json_is_object(v) ? v : NULL;
}

static bool in_choice(struct str vendor)
{
    const struct vendor *v = vendor_find(vendor);
    return v != NULL && v->usage_in_choice;
}

/* The usage object at the dialect's exact place, or NULL. */
static const struct json *usage_find(enum dialect d, struct str vendor, const struct json *root)
{
    const struct json *v = NULL;
    switch (d) {
    case DIALECT_EMBEDDINGS:
        v = object_at(root, "usage");
        return v != NULL ? v : object_at(root, "meta.billed_units"); /* Cohere's own */
    case DIALECT_CHAT:
        v = object_at(root, "usage");
        v = v != NULL ? v : object_at(root, "x_groq.usage");
        if (v == NULL && in_choice(vendor)) {
            v = object_at(root, "choices.0.usage");
        }
        return v;
    case DIALECT_RESPONSES:
        v = object_at(root, "response.usage");
        return v != NULL ? v : object_at(root, "usage");
    case DIALECT_MESSAGES:
        v = object_at(root, "message.usage");
        return v != NULL ? v : object_at(root, "usage");
    case DIALECT_GEMINI: return object_at(root, "usageMetadata");
    case DIALECT_OWN: break;
    }
    return NULL;
}

/* What a vendor's word for a service tier means; what means nothing yet is not here. */
static enum tier tier_of(struct str word)
{
    static const struct {
        struct str word;
        enum tier tier;
    } words[] = {
        {STR_INIT("default"), TIER_STANDARD},
        {STR_INIT("on_demand"), TIER_STANDARD},
        {STR_INIT("on_demand_batch"), TIER_BATCH},
        {STR_INIT("on_demand_flex"), TIER_FLEX},
        {STR_INIT("on_demand_priority"), TIER_PRIORITY},
        {STR_INIT("on_demand_offpeak"), TIER_OFFPEAK},
        {STR_INIT("provisioned_throughput"), TIER_PROVISIONED},
        {STR_INIT("auto"), TIER_NONE},
        {STR_INIT("unspecified"), TIER_NONE},
        {STR_INIT("traffic_type_unspecified"), TIER_NONE},
    };
    if (word.n == 0) {
        return TIER_NONE;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_eq_nocase(word, words[i].word)) {
            return words[i].tier;
        }
    }
    for (unsigned t = TIER_NONE + 1; t < TIER_COUNT; t++) {
        if (str_eq_nocase(word, str_from(tier_name((enum tier)t)))) {
            return (enum tier)t;
        }
    }
    return TIER_OTHER;
}

/* Of several words the one that says more than "standard". */
static void take_tier(const struct json *at, const char *const *paths, enum tier *t)
{
    for (; at != NULL && *paths != NULL; paths++) {
        const struct json *v = json_get(at, *paths);
        enum tier said = v == NULL ? TIER_NONE : tier_of(json_str(v));
        if (said != TIER_NONE && (*t == TIER_NONE || *t == TIER_STANDARD)) {
            *t = said;
        }
    }
}

static enum tier read_tier(enum dialect d, const struct json *root, const struct json *usage)
{
    static const char *const beside[] = {"service_tier", "response.service_tier", NULL};
    static const char *const inside[] = {"service_tier", "speed", "trafficType", "serviceTier",
                                         NULL};
    enum tier t = TIER_NONE;
    if (d == DIALECT_CHAT || d == DIALECT_RESPONSES) {
        take_tier(root, beside, &t);
    }
    take_tier(usage, inside, &t);
    return t;
}

/* A search that opened or searched a page it had found is not billed, nor is a call that failed. */
static bool is_billed(const struct json *item)
{
    const struct json *status = json_get(item, "status");
    const struct json *action = json_get(item, "action.type");
    return (status == NULL || !str_eq(json_str(status), STR("failed"))) &&
           (action == NULL || !(str_eq(json_str(action), STR("open_page")) ||
                                str_eq(json_str(action), STR("find_in_page"))));
}

static void count_item(const struct json *item, struct counts *c)
{
    static const struct {
        struct str type;
        enum count count;
    } tools[] = {{STR_INIT("web_search_call"), COUNT_WEB_SEARCH},
                 {STR_INIT("file_search_call"), COUNT_FILE_SEARCH},
                 {STR_INIT("code_interpreter_call"), COUNT_CODE},
                 {STR_INIT("image_generation_call"), COUNT_IMAGES}};
    const struct json *type = json_get(item, "type");
    for (size_t i = 0; type != NULL && i < sizeof(tools) / sizeof(tools[0]); i++) {
        if (str_eq(json_str(type), tools[i].type) && is_billed(item)) {
            c->n[tools[i].count]++;
        }
    }
}

/* No counter of a response tells how often its own tools were called: its items do. Of a stream
 * each comes by itself, and most hosts repeat them all at the end. */
static void count_tools(const struct json *root, struct counts *c)
{
    const struct json *type = json_get(root, "type");
    if (type != NULL && str_eq(json_str(type), STR("response.output_item.done"))) {
        count_item(json_get(root, "item"), c);
        return;
    }
    const struct json *output = json_get(root, "response.output");
    struct json_each it = json_each(output != NULL ? output : json_get(root, "output"));
    struct counts all = {.bad = false};
    while (json_next(&it)) {
        count_item(it.value, &all);
    }
    for (unsigned i = COUNT_WEB_SEARCH; i < COUNTS; i++) {
        c->n[i] = all.n[i] > c->n[i] ? all.n[i] : c->n[i];
    }
}

/* What a stream's last usage says stands alone, but for what stands beside it. */
static void start_again(struct counts *c)
{
    struct counts before = *c;
    *c = (struct counts){.tier = before.tier};
    for (unsigned i = COUNT_WEB_SEARCH; i < COUNTS; i++) {
        c->n[i] = before.n[i];
    }
}

void usage_take(enum dialect d, struct str vendor, const struct json *root, struct counts *c,
                struct usage *u)
{
    const struct json *usage = usage_find(d, vendor, root);
    enum tier tier = read_tier(d, root, usage);
    if (tier != TIER_NONE) {
        c->tier = (uint8_t)tier;
        u->tier = (uint8_t)tier;
    }
    if (d == DIALECT_RESPONSES) {
        count_tools(root, c);
    }
    if (usage == NULL) {
        return;
    }
    if (d != DIALECT_MESSAGES) { /* whose streams say only what has changed */
        start_again(c);
    }
    counts_read(d, usage, c);
    struct usage now;
    counts_settle(d, c, &now);
    if (now.state != USAGE_MISSING) {
        *u = now;
    }
}

void usage_read(enum dialect d, struct str vendor, const struct json *root, struct usage *out)
{
    struct counts c = {.tier = TIER_NONE};
    *out = (struct usage){.state = USAGE_MISSING};
    usage_take(d, vendor, root, &c, out);
}

bool seen_model(enum dialect d, const struct json *root, struct buf *out)
{
    static const char *const paths[][2] = {
        [DIALECT_CHAT] = {"model", NULL},
        [DIALECT_RESPONSES] = {"response.model", "model"},
        [DIALECT_MESSAGES] = {"message.model", "model"},
        [DIALECT_GEMINI] = {"modelVersion", NULL},
        [DIALECT_EMBEDDINGS] = {"model", NULL},
        [DIALECT_OWN] = {NULL, NULL},
    };
    for (size_t i = 0; i < 2 && paths[d][i] != NULL; i++) {
        const struct json *v = json_get(root, paths[d][i]);
        struct str name = v == NULL ? (struct str){NULL, 0} : json_str(v);
        if (name.n > 0) {
            return buf_add(out, str_slice(name.p, name.n < LIMIT_NAME ? name.n : LIMIT_NAME));
        }
    }
    return false;
}
