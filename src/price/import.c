/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Price lists of others: genai-prices (an array of providers) and models.dev (an object of them).
 * Numbers are read as they are written, digit by digit. A model with anything that a price here
 * cannot say (hours of the day, an unknown unit, too many digits) is left out and counted.
 */
#include "price/import.h"

#include "base/clock.h"

/* Their names of vendors, and ours. */
static const struct {
    const char *theirs, *ours;
} vendors[] = {
    {"openai", "openai"},
    {"anthropic", "anthropic"},
    {"google", "gemini"},
    {"deepseek", "deepseek"},
    {"alibaba", "dashscope"},
    {"zai", "zai"},
    {"moonshotai", "moonshot"},
    {"minimax", "minimax"},
    {"mistral", "mistral"},
    {"x-ai", "xai"},
    {"xai", "xai"},
    {"openrouter", "openrouter"},
};

#define REQUEST LEAF_COUNT /* not a leaf: the fee of a request */

/* digits: of the decimal as it stands there, so that the result is pico. */
struct field {
    const char *name;
    enum leaf_number leaf;
    unsigned digits;
};

static const struct field genai_fields[] = {
    {"input_mtok", LEAF_in, 6},
    {"output_mtok", LEAF_out, 6},
    {"cache_read_mtok", LEAF_cache_read, 6},
    {"cache_write_mtok", LEAF_cache_write_5m, 6},
    {"cache_write_1h_mtok", LEAF_cache_write_1h, 6},
    {"input_audio_mtok", LEAF_in_audio, 6},
    {"input_image_mtok", LEAF_in_image, 6},
    {"input_video_mtok", LEAF_in_video, 6},
    {"cache_audio_read_mtok", LEAF_cache_read_audio, 6},
    {"cache_image_read_mtok", LEAF_cache_read_image, 6},
    {"output_audio_mtok", LEAF_out_audio, 6},
    {"output_image_mtok", LEAF_out_image, 6},
    {"output_video_mtok", LEAF_out_video, 6},
    {"output_reasoning_mtok", LEAF_reasoning, 6},
    {"web_searches_kcount", LEAF_web_search, 9}, /* of a thousand */
    {"requests_kcount", (enum leaf_number)REQUEST, 9},
    {NULL, LEAF_in, 0},
};
static const struct field modelsdev_fields[] = {
    {"input", LEAF_in, 6},
    {"output", LEAF_out, 6},
    {"cache_read", LEAF_cache_read, 6},
    {"cache_write", LEAF_cache_write_5m, 6},
    {"input_audio", LEAF_in_audio, 6},
    {"output_audio", LEAF_out_audio, 6},
    {"reasoning", LEAF_reasoning, 6},
    {NULL, LEAF_in, 0},
};

/* A price as it comes together. */
struct draft {
    struct price *price;
    bool stated[PRICE_TIERS][LEAF_COUNT];
};

static bool set_rate(struct draft *d, unsigned tier, const struct field *f, const struct json *v)
{
    int64_t pico;

    if (!decimal_parse(json_number(v), f->digits, &pico)) {
        return false;
    }
    if (f->leaf == (enum leaf_number)REQUEST) {
        d->price->request = pico;
        return tier == 0;
    }
    d->price->tiers[tier].rate[f->leaf] = pico;
    d->stated[tier][f->leaf] = true;
    return true;
}

/* The tier that begins there, made where it is new; tiers come in rising order. */
static bool tier_at(struct draft *d, int64_t min_input, unsigned *tier)
{
    struct price *p = d->price;

    for (unsigned i = 0; i < p->tier_count; i++) {
        if (p->tiers[i].min_input == min_input) {
            *tier = i;
            return true;
        }
    }
    if (p->tier_count == PRICE_TIERS || p->tiers[p->tier_count - 1].min_input > min_input) {
        return false;
    }
    *tier = p->tier_count++;
    p->tiers[*tier].min_input = min_input;
    return true;
}

static const struct field *field_of(const struct field *fields, struct str name)
{
    for (; fields->name != NULL; fields++) {
        if (str_eq(name, str_from(fields->name))) {
            return fields;
        }
    }
    return NULL;
}

/* {"base": 3, "tiers": [{"start": 200000, "price": 6}]}: above the start, so from one more on. */
static bool read_tiered(struct draft *d, const struct field *f, const struct json *v)
{
    struct json_each it = json_each(json_get(v, "tiers"));
    bool ok = set_rate(d, 0, f, json_get(v, "base"));

    while (ok && json_next(&it)) {
        int64_t start;
        unsigned tier;
        ok = decimal_parse(json_number(json_get(it.value, "start")), 0, &start) &&
             tier_at(d, start + 1, &tier) && set_rate(d, tier, f, json_get(it.value, "price"));
    }
    return ok;
}

/* What a tier does not say is as in the tier before. */
static bool finish(struct draft *d)
{
    struct price *p = d->price;

    if (!d->stated[0][LEAF_in]) {
        return false;
    }
    d->stated[0][LEAF_out] = true; /* embeddings have none */
    for (unsigned i = 0; i < p->tier_count; i++) {
        for (enum leaf_number k = 0; i > 0 && k < LEAF_COUNT; k++) {
            if (!d->stated[i][k] && d->stated[i - 1][k]) {
                p->tiers[i].rate[k] = p->tiers[i - 1].rate[k];
                d->stated[i][k] = true;
            }
        }
        price_fill(&p->tiers[i], d->stated[i]);
    }
    return price_valid(p);
}

static void begin(struct draft *d, struct price *p)
{
    *d = (struct draft){.price = p};
    *p = (struct price){.currency = {"USD"}, .margin = {1, 1}, .tier_count = 1};
}

static bool read_genai_prices(const struct json *v, struct price *p)
{
    struct json_each it = json_each(v);
    struct draft d;
    bool ok = json_is_object(v);

    begin(&d, p);
    while (ok && json_next(&it)) {
        const struct field *f = field_of(genai_fields, it.key);
        ok = f != NULL && (json_is_object(it.value) ? read_tiered(&d, f, it.value)
                                                    : set_rate(&d, 0, f, it.value));
    }
    return ok && finish(&d);
}

/* Rows of which the last that has begun counts. */
static bool add_genai_row(const struct json *row, struct import_model *m)
{
    const struct json *when = json_get(row, "constraint");
    struct json_each it = json_each(when);
    int64_t from_us = 0;
    bool ok = m->count < IMPORT_ROWS;

    while (ok && json_next(&it)) {
        ok = str_eq(it.key, STR("start_date")) && clock_parse_day(json_str(it.value), &from_us);
    }
    if (!ok || !read_genai_prices(json_get(row, "prices"), &m->rows[m->count].price)) {
        return false;
    }
    m->rows[m->count++].from_us = from_us;
    return true;
}

static bool read_genai_model(const struct json *v, struct import_model *m)
{
    const struct json *prices = json_get(v, "prices");

    m->model = json_str(json_get(v, "id"));
    m->match = json_get(v, "match");
    if (!json_is_array(prices)) {
        m->count = 1;
        return read_genai_prices(prices, &m->rows[0].price);
    }
    struct json_each it = json_each(prices);
    bool ok = true;
    while (ok && json_next(&it)) {
        ok = add_genai_row(it.value, m);
    }
    return ok && m->count > 0;
}

static bool read_modelsdev_tier(struct draft *d, const struct json *v, unsigned tier)
{
    struct json_each it = json_each(v);
    bool ok = json_is_object(v);

    while (ok && json_next(&it)) {
        const struct field *f = field_of(modelsdev_fields, it.key);
        if (tier == 0 && str_eq(it.key, STR("context_over_200k"))) {
            unsigned above;
            ok = tier_at(d, 200001, &above) && read_modelsdev_tier(d, it.value, above);
        } else {
            ok = f != NULL && set_rate(d, tier, f, it.value);
        }
    }
    return ok;
}

static bool read_modelsdev_model(const struct json *v, struct import_model *m)
{
    struct draft d;

    m->model = json_str(json_get(v, "id"));
    m->count = 1;
    begin(&d, &m->rows[0].price);
    return read_modelsdev_tier(&d, json_get(v, "cost"), 0) && finish(&d);
}

/* Rows whose time has gone by, because another has begun, are dropped. */
static void drop_past(struct import_model *m, int64_t wall_us)
{
    while (m->count > 1 && m->rows[1].from_us <= wall_us) {
        m->count--;
        memmove(&m->rows[0], &m->rows[1], m->count * sizeof(m->rows[0]));
    }
}

static const char *vendor_of(struct str theirs)
{
    for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
        if (str_eq(theirs, str_from(vendors[i].theirs))) {
            return vendors[i].ours;
        }
    }
    return NULL;
}

static void read_provider(const struct json *provider, bool genai, struct import *i)
{
    const char *vendor = vendor_of(json_str(json_get(provider, "id")));
    struct json_each it = json_each(json_get(provider, "models"));

    while (vendor != NULL && json_next(&it)) {
        i->known = true;
        if (i->vendor != NULL && strcmp(vendor, i->vendor) != 0) {
            return;
        }
        struct import_model m = {.vendor = vendor};
        bool ok = genai ? read_genai_model(it.value, &m) : read_modelsdev_model(it.value, &m);
        if (ok && m.model.n > 0) {
            drop_past(&m, i->wall_us);
            i->read++;
            i->each(i->ctx, &m);
        } else {
            i->left_out++;
        }
    }
}

bool import_read(struct str text, struct import *i, struct err *e)
{
    struct json_doc *doc = json_parse_exact(text, e);
    if (doc == NULL) {
        return false;
    }
    struct json_each it = json_each(json_root(doc));
    bool genai = json_is_array(json_root(doc));

    i->read = i->left_out = 0;
    i->known = false;
    while (json_next(&it)) {
        read_provider(it.value, genai, i);
    }
    json_free(doc);
    return i->known ||
           err_set(e, "this is neither a price list of genai-prices nor one of models.dev");
}

/* The same name, or that with a date behind it: another version is another model. */
static bool begins(struct str name, struct str text)
{
    if (text.n == 0 || !str_starts(name, text)) {
        return false;
    }
    struct str rest = str_skip(name, text.n);
    bool date = rest.n > 4;
    for (size_t i = 1; date && i <= 4; i++) {
        date = rest.p[i] >= '0' && rest.p[i] <= '9';
    }
    return rest.n == 0 || date;
}

static bool matches(const struct json *match, struct str name, unsigned depth)
{
    struct json_each it = json_each(match);
    bool any = false;

    while (depth < 4 && !any && json_next(&it)) {
        struct str text = json_str(it.value);
        if (str_eq(it.key, STR("or"))) {
            struct json_each each = json_each(it.value);
            while (!any && json_next(&each)) {
                any = matches(each.value, name, depth + 1);
            }
        } else if (str_eq(it.key, STR("equals"))) {
            any = str_eq(text, name);
        } else if (str_eq(it.key, STR("starts_with"))) {
            any = begins(name, text);
        }
    }
    return any;
}

bool import_names(const struct import_model *m, struct str model)
{
    return str_eq(m->model, model) || matches(m->match, model, 0);
}
