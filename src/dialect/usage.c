/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage out of a vendor's JSON, at the dialect's exact place and nowhere else: tool arguments can
 * spell "usage" too. Counts are made disjoint by subtraction and checked against the vendor's own
 * total; where they disagree the cheaper reading stands and the state says so.
 */
#include "dialect/usage.h"

#include "dialect/vendor.h"

enum found { FOUND_NONE, FOUND_COUNT, FOUND_BAD };

/* The vendor's counters before they are made disjoint. */
struct tally {
    uint64_t in, cached, write, out, reasoning, total;
    bool has_in, has_out, has_total, bad;
};

#define SPELLINGS 4

/* Where the counters stand; several spellings of one count: the first that is not zero. */
struct places {
    const char *in, *in_extra; /* in_extra is outside of in */
    const char *cached[SPELLINGS];
    const char *write[SPELLINGS];
    const char *out, *out_extra; /* out_extra is outside of out, and is reasoning */
    const char *reasoning, *total;
    bool zero_is_absent; /* counters of zero are left out of the JSON */
    bool total_is_in;    /* there is no output; some vendors name the total alone */
};

static const struct places chat_places = {
    .in = "prompt_tokens",
    .cached = {"prompt_tokens_details.cached_tokens", "cached_tokens", "prompt_cache_hit_tokens",
               "num_cached_tokens"},
    .write = {"prompt_tokens_details.cache_write_tokens",
              "prompt_tokens_details.cache_creation_input_tokens", "cache_creation_input_tokens"},
    .out = "completion_tokens",
    .reasoning = "completion_tokens_details.reasoning_tokens",
    .total = "total_tokens",
};

static const struct places responses_places = {
    .in = "input_tokens",
    .cached = {"input_tokens_details.cached_tokens"},
    .write = {"input_tokens_details.cache_write_tokens"},
    .out = "output_tokens",
    .reasoning = "output_tokens_details.reasoning_tokens",
    .total = "total_tokens",
};

static const struct places gemini_places = {
    .in = "promptTokenCount",
    .in_extra = "toolUsePromptTokenCount",
    .cached = {"cachedContentTokenCount"},
    .out = "candidatesTokenCount",
    .out_extra = "thoughtsTokenCount",
    .total = "totalTokenCount",
    .zero_is_absent = true,
};

static const struct places embeddings_places = {
    .in = "prompt_tokens",
    .total = "total_tokens",
    .zero_is_absent = true,
    .total_is_in = true,
};

static enum found count(const struct json *usage, const char *path, uint64_t *out)
{
    *out = 0;
    const struct json *v = path == NULL ? NULL : json_get(usage, path);
    if (v == NULL || json_is_null(v)) {
        return FOUND_NONE;
    }
    if (!json_u64(v, out) || *out > USAGE_MAX) {
        *out = 0;
        return FOUND_BAD;
    }
    return FOUND_COUNT;
}

static uint64_t add_count(struct tally *t, const struct json *usage, const char *path, bool *has)
{
    uint64_t n;
    enum found f = count(usage, path, &n);
    if (f == FOUND_BAD) {
        t->bad = true;
    }
    if (has != NULL) {
        *has = *has || f != FOUND_NONE;
    }
    return n;
}

static uint64_t first_count(struct tally *t, const struct json *usage,
                            const char *const paths[SPELLINGS])
{
    uint64_t n = 0;
    for (size_t i = 0; i < SPELLINGS && n == 0; i++) {
        n = add_count(t, usage, paths[i], NULL);
    }
    return n;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A total below its parts: the tokens above it are not charged, the dearer side first. */
static void fit_total(struct tally *t)
{
    if (t->total == 0 || t->total >= t->in + t->out) {
        return;
    }
    t->in = min_u64(t->in, t->total);
    t->out = t->total - t->in;
}

/* Reasoning beside the output instead of inside it (xAI): the vendor's total decides. */
static bool reasoning_outside(const struct tally *t)
{
    return t->has_total && t->reasoning > 0 && t->total == t->in + t->out + t->reasoning;
}

static void settle(struct tally *t, struct usage *out)
{
    *out = (struct usage){.state = t->bad ? USAGE_INCONSISTENT : USAGE_OK};
    if (reasoning_outside(t)) {
        t->out += t->reasoning;
    }
    if (t->has_total && t->total != t->in + t->out) {
        out->state = USAGE_INCONSISTENT;
        fit_total(t);
    }
    if (t->cached + t->write > t->in) {
        out->state = USAGE_INCONSISTENT;
        t->cached = min_u64(t->cached, t->in);
        t->write = 0;
    }
    if (t->reasoning > t->out) {
        out->state = USAGE_INCONSISTENT;
        t->reasoning = t->out;
    }
    out->in = t->in - t->cached - t->write;
    out->cache_read = t->cached;
    out->cache_write_5m = t->write;
    out->out = t->out - t->reasoning;
    out->reasoning = t->reasoning;
}

static void read_places(const struct places *p, const struct json *usage, struct usage *out)
{
    struct tally t = {0};
    t.in = add_count(&t, usage, p->in, &t.has_in);
    t.in += add_count(&t, usage, p->in_extra, &t.has_in);
    t.cached = first_count(&t, usage, p->cached);
    t.write = first_count(&t, usage, p->write);
    t.out = add_count(&t, usage, p->out, &t.has_out);
    t.reasoning = add_count(&t, usage, p->reasoning, NULL);
    if (p->out_extra != NULL) {
        t.reasoning = add_count(&t, usage, p->out_extra, &t.has_out);
        t.out += t.reasoning;
    }
    t.total = add_count(&t, usage, p->total, &t.has_total);
    if (p->total_is_in && !t.has_in) {
        t.in = t.total;
        t.has_in = t.has_total;
    }
    if (!t.has_in && !t.has_out) {
        *out = (struct usage){.state = USAGE_MISSING};
        return;
    }
    if (!p->zero_is_absent && !(t.has_in && t.has_out)) {
        t.bad = true;
    }
    settle(&t, out);
}

/* One counter that keeps its value when this object does not name it. */
static bool update(const struct json *usage, const char *path, uint64_t *value, bool *bad)
{
    uint64_t n;
    enum found f = count(usage, path, &n);
    if (f == FOUND_BAD) {
        *bad = true;
    }
    if (f != FOUND_COUNT) {
        return false;
    }
    *value = n;
    return true;
}

/* Writes: a total and its split by age; what the split leaves open is of the cheaper kind. */
static void update_writes(const struct json *usage, struct usage *u, bool *bad)
{
    uint64_t five = 0;
    uint64_t total = u->cache_write_5m + u->cache_write_1h;
    uint64_t hour = u->cache_write_1h;
    bool has_hour = update(usage, "cache_creation.ephemeral_1h_input_tokens", &hour, bad);
    bool has_five = update(usage, "cache_creation.ephemeral_5m_input_tokens", &five, bad);
    bool has_total = update(usage, "cache_creation_input_tokens", &total, bad);
    if (!has_total && (has_hour || has_five)) {
        total = five + hour;
    }
    if (hour + five > total) {
        *bad = true;
        hour = min_u64(hour, total);
        hour = total < five ? 0 : min_u64(hour, total - five);
    }
    u->cache_write_1h = hour;
    u->cache_write_5m = total - hour;
}

void usage_update_messages(const struct json *usage, struct usage *u)
{
    bool bad = u->state == USAGE_INCONSISTENT;
    uint64_t out = u->out + u->reasoning;
    bool any = update(usage, "input_tokens", &u->in, &bad);
    any = update(usage, "output_tokens", &out, &bad) || any;
    update(usage, "cache_read_input_tokens", &u->cache_read, &bad);
    update_writes(usage, u, &bad);
    update(usage, "output_tokens_details.thinking_tokens", &u->reasoning, &bad);
    if (u->reasoning > out) {
        bad = true;
        u->reasoning = out;
    }
    u->out = out - u->reasoning;
    if (bad) {
        u->state = USAGE_INCONSISTENT;
    } else if (any) {
        u->state = USAGE_OK;
    }
}

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

const struct json *usage_find(enum dialect d, struct str vendor, const struct json *root)
{
    const struct json *v = NULL;
    switch (d) {
    case DIALECT_CHAT:
    case DIALECT_EMBEDDINGS:
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

void usage_read(enum dialect d, struct str vendor, const struct json *root, struct usage *out)
{
    *out = (struct usage){.state = USAGE_MISSING};
    const struct json *usage = usage_find(d, vendor, root);
    if (usage == NULL) {
        return;
    }
    switch (d) {
    case DIALECT_CHAT: read_places(&chat_places, usage, out); break;
    case DIALECT_RESPONSES: read_places(&responses_places, usage, out); break;
    case DIALECT_GEMINI: read_places(&gemini_places, usage, out); break;
    case DIALECT_EMBEDDINGS: read_places(&embeddings_places, usage, out); break;
    case DIALECT_MESSAGES: usage_update_messages(usage, out); break;
    case DIALECT_OWN: break;
    }
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
            return buf_add(out, str_slice(name.p, min_u64(name.n, LIMIT_NAME)));
        }
    }
    return false;
}
