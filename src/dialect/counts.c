/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A usage object's counters, a table a dialect, and the leaves made of them. A leaf is a total less
 * what is more particular; one below zero makes the usage inconsistent, and then the cheaper
 * reading of that side stands, with nothing particular but what costs less.
 */
#include "dialect/usage.h"

enum found { FOUND_NONE, FOUND_COUNT, FOUND_BAD };

/* Where a counter stands: in the usage object, or in an object of it, whose rows follow each other.
 * Several spellings of one: the first that is not zero. */
struct count_row {
    const char *object, *key;
    uint8_t count;
    bool by_modality; /* an array of {modality, tokenCount}; text has no count of its own */
};

static const struct count_row chat_rows[] = {
    {NULL, "prompt_tokens", COUNT_IN, false},
    {NULL, "completion_tokens", COUNT_OUT, false},
    {NULL, "total_tokens", COUNT_TOTAL, false},
    {"prompt_tokens_details", "cached_tokens", COUNT_CACHED, false},
    {"prompt_tokens_details", "cache_write_tokens", COUNT_WRITE, false},
    {"prompt_tokens_details", "cache_creation_input_tokens", COUNT_WRITE, false},
    {"prompt_tokens_details", "audio_tokens", COUNT_IN_OF + OF_AUDIO, false},
    {"prompt_tokens_details", "image_tokens", COUNT_IN_OF + OF_IMAGE, false},
    {"prompt_tokens_details", "video_tokens", COUNT_IN_OF + OF_VIDEO, false},
    {"prompt_token_details", "cached_tokens", COUNT_CACHED, false},
    {"completion_tokens_details", "reasoning_tokens", COUNT_REASONING, false},
    {"completion_tokens_details", "audio_tokens", COUNT_OUT_OF + OF_AUDIO, false},
    {"completion_tokens_details", "image_tokens", COUNT_OUT_OF + OF_IMAGE, false},
    {"completion_tokens_details", "video_tokens", COUNT_OUT_OF + OF_VIDEO, false},
    {"server_tool_use", "web_search_requests", COUNT_WEB_SEARCH, false},
    {NULL, "cached_tokens", COUNT_CACHED, false},
    {NULL, "prompt_cache_hit_tokens", COUNT_CACHED, false},
    {NULL, "num_cached_tokens", COUNT_CACHED, false},
    {NULL, "prompt_cache_miss_tokens", COUNT_MISSED, false},
    {NULL, "cache_creation_input_tokens", COUNT_WRITE, false},
    {NULL, NULL, 0, false},
};

/* What a host that speaks chat hands on from Bedrock behind it, */
static const struct count_row converse_rows[] = {
    {NULL, "inputTokens", COUNT_IN, false},
    {NULL, "cacheReadInputTokens", COUNT_CACHED, false},
    {NULL, "cacheWriteInputTokens", COUNT_WRITE, false},
    {NULL, "outputTokens", COUNT_OUT, false},
    {NULL, "totalTokens", COUNT_TOTAL, false},
    {NULL, NULL, 0, false},
};

/* or from Cohere, which counts differently what it bills. */
static const struct count_row cohere_rows[] = {
    {"billed_units", "input_tokens", COUNT_IN, false},
    {"billed_units", "output_tokens", COUNT_OUT, false},
    {NULL, NULL, 0, false},
};

static const struct count_row responses_rows[] = {
    {NULL, "input_tokens", COUNT_IN, false},
    {NULL, "output_tokens", COUNT_OUT, false},
    {NULL, "total_tokens", COUNT_TOTAL, false},
    {"input_tokens_details", "cached_tokens", COUNT_CACHED, false},
    {"input_tokens_details", "cache_write_tokens", COUNT_WRITE, false},
    {"output_tokens_details", "reasoning_tokens", COUNT_REASONING, false},
    {NULL, NULL, 0, false},
};

static const struct count_row messages_rows[] = {
    {NULL, "input_tokens", COUNT_IN, false},
    {NULL, "output_tokens", COUNT_OUT, false},
    {NULL, "cache_read_input_tokens", COUNT_CACHED, false},
    {NULL, "cache_creation_input_tokens", COUNT_WRITE, false},
    {"cache_creation", "ephemeral_5m_input_tokens", COUNT_WRITE_5M, false},
    {"cache_creation", "ephemeral_1h_input_tokens", COUNT_WRITE_1H, false},
    {"output_tokens_details", "thinking_tokens", COUNT_REASONING, false},
    {"server_tool_use", "web_search_requests", COUNT_WEB_SEARCH, false},
    {"server_tool_use", "web_fetch_requests", COUNT_WEB_FETCH, false},
    {NULL, NULL, 0, false},
};

static const struct count_row gemini_rows[] = {
    {NULL, "promptTokenCount", COUNT_IN, false},
    {NULL, "promptTokensDetails", COUNT_IN_OF, true},
    {NULL, "promptTokenDetails", COUNT_IN_OF, true}, /* of embeddings */
    {NULL, "toolUsePromptTokenCount", COUNT_TOOL, false},
    {NULL, "toolUsePromptTokensDetails", COUNT_TOOL_OF, true},
    {NULL, "cachedContentTokenCount", COUNT_CACHED, false},
    {NULL, "cacheTokensDetails", COUNT_CACHED_OF, true},
    {NULL, "candidatesTokenCount", COUNT_OUT, false},
    {NULL, "candidatesTokensDetails", COUNT_OUT_OF, true},
    {NULL, "thoughtsTokenCount", COUNT_REASONING, false},
    {NULL, "totalTokenCount", COUNT_TOTAL, false},
    {NULL, NULL, 0, false},
};

static const struct count_row embeddings_rows[] = {
    {NULL, "prompt_tokens", COUNT_IN, false},
    {NULL, "total_tokens", COUNT_TOTAL, false},
    {NULL, NULL, 0, false},
};

static const struct count_row cohere_embeddings_rows[] = {
    {NULL, "input_tokens", COUNT_IN, false},
    {NULL, NULL, 0, false},
};

/* One way of counting. */
struct family {
    const struct count_row *rows;
    bool zero_is_absent;    /* counters of zero are left out of the JSON */
    bool total_is_in;       /* there is no output; some vendors name the total alone */
    bool cache_outside;     /* what a cache had or took is not in IN */
    bool reasoning_outside; /* nor reasoning in OUT */
};

#define FAMILIES 3

/* Of a dialect's families the first that the object knows. */
static const struct family families[][FAMILIES] = {
    [DIALECT_CHAT] = {{.rows = chat_rows},
                      {.rows = converse_rows, .cache_outside = true},
                      {.rows = cohere_rows}},
    [DIALECT_RESPONSES] = {{.rows = responses_rows}},
    [DIALECT_MESSAGES] = {{.rows = messages_rows, .zero_is_absent = true, .cache_outside = true}},
    [DIALECT_GEMINI] = {{.rows = gemini_rows, .zero_is_absent = true, .reasoning_outside = true}},
    [DIALECT_EMBEDDINGS] = {{.rows = embeddings_rows, .zero_is_absent = true, .total_is_in = true},
                            {.rows = cohere_embeddings_rows, .zero_is_absent = true}},
    [DIALECT_OWN] = {{.rows = NULL}},
};

/* ---- reading ---- */

static enum found count(const struct json *v, uint64_t *out)
{
    *out = 0;
    if (v == NULL || json_is_null(v)) {
        return FOUND_NONE;
    }
    if (!json_u64(v, out) || *out > USAGE_MAX) {
        *out = 0;
        return FOUND_BAD;
    }
    return FOUND_COUNT;
}

#define BITS_MORE ((UINT64_C(2) << COUNT_MORE_REASONING) - (UINT64_C(1) << COUNT_MORE_IN))

static bool named(const struct counts *c, unsigned at)
{
    return (c->named >> at & 1) != 0;
}

static void sum_up(struct counts *c, unsigned at, uint64_t n)
{
    uint64_t sum = c->n[at] + n;
    c->bad = c->bad || sum > USAGE_MAX;
    c->n[at] = (uint32_t)(sum > USAGE_MAX ? USAGE_MAX : sum);
}

static void add(struct counts *c, unsigned at, enum found f, uint64_t n)
{
    if (f == FOUND_BAD) {
        c->bad = true;
        c->wrong |= UINT64_C(1) << at;
    }
    if (f != FOUND_NONE) {
        c->named |= UINT64_C(1) << at;
        sum_up(c, at, n);
    }
}

/* A page of a document is seen as an image, and costs as one. */
static bool find_modality(struct str word, enum modality *out)
{
    static const struct {
        struct str word;
        enum modality is;
    } words[] = {{STR_INIT("AUDIO"), OF_AUDIO},
                 {STR_INIT("IMAGE"), OF_IMAGE},
                 {STR_INIT("DOCUMENT"), OF_IMAGE},
                 {STR_INIT("VIDEO"), OF_VIDEO}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_eq(word, words[i].word)) {
            *out = words[i].is;
            return true;
        }
    }
    return false;
}

static void read_modalities(const struct json *list, unsigned base, struct counts *c)
{
    struct json_each it = json_each(list);
    while (json_next(&it)) {
        enum modality m;
        uint64_t n;
        const struct json *word = json_get(it.value, "modality");
        enum found f = count(json_get(it.value, "tokenCount"), &n);
        if (f == FOUND_BAD) {
            c->bad = true;
        } else if (word != NULL && find_modality(json_str(word), &m)) {
            add(c, base + m, f, n);
        }
    }
}

static void read_row(const struct json *v, const struct count_row *row, struct counts *c)
{
    uint64_t n;
    if (c->n[row->count] > 0) {
        return;
    }
    if (row->by_modality) {
        if (v != NULL && json_is_array(v)) {
            read_modalities(v, row->count, c);
        }
        return;
    }
    enum found f = count(v, &n);
    add(c, row->count, f, n);
}

static bool same_object(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Most objects have few of the members that rows ask for: once each has been met nothing is left to
 * look up. */
static void read_rows(const struct json *usage, const struct count_row *rows, struct counts *c)
{
    const struct json *within = usage;
    const char *object = NULL;
    size_t unmet = json_count(usage);
    for (const struct count_row *row = rows; row->key != NULL; row++) {
        if (!same_object(row->object, object)) {
            object = row->object;
            within = object == NULL ? usage : unmet == 0 ? NULL : json_get(usage, object);
            unmet -= object != NULL && within != NULL;
        }
        bool look = within != NULL && (object != NULL || unmet > 0);
        const struct json *v = look ? json_get(within, row->key) : NULL;
        unmet -= object == NULL && v != NULL;
        read_row(v, row, c);
    }
}

/* Bedrock's writes by age. */
static void read_ages(const struct json *usage, struct counts *c)
{
    struct json_each it = json_each(json_get(usage, "cacheDetails"));
    while (json_next(&it)) {
        const struct json *ttl = json_get(it.value, "ttl");
        struct str age = ttl == NULL ? STR("") : json_str(ttl);
        uint64_t n;
        enum found f = count(json_get(it.value, "inputTokens"), &n);
        bool hour = str_eq(age, STR("1h"));
        if (hour || str_eq(age, STR("5m"))) {
            add(c, hour ? COUNT_WRITE_1H : COUNT_WRITE_5M, f, n);
        }
    }
}

static void add_compaction(const struct counts *entry, struct counts *c)
{
    static const uint8_t pairs[][2] = {
        {COUNT_IN, COUNT_MORE_IN},
        {COUNT_CACHED, COUNT_MORE_CACHED},
        {COUNT_WRITE, COUNT_MORE_WRITE},
        {COUNT_WRITE_5M, COUNT_MORE_WRITE_5M},
        {COUNT_WRITE_1H, COUNT_MORE_WRITE_1H},
        {COUNT_OUT, COUNT_MORE_OUT},
        {COUNT_REASONING, COUNT_MORE_REASONING},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        sum_up(c, pairs[i][1], entry->n[pairs[i][0]]);
    }
}

/*
 * The rounds of one answer. Those of compaction are billed and are in no total: they are added.
 * Those of the model asked add up to the totals. Any other was another model's (an advisor, a
 * fallback): what its tokens cost is not known here, so they are left out, and the usage says that
 * not all is in it.
 */
static void read_iterations(const struct json *usage, struct counts *c)
{
    const struct json *list = json_get(usage, "iterations");
    struct json_each it = json_each(list);
    struct counts own = {.bad = false};
    bool rounds = false;
    while (json_next(&it)) {
        const struct json *v = json_get(it.value, "type");
        struct str type = v == NULL ? STR("") : json_str(v);
        struct counts entry = {.bad = false};
        read_rows(it.value, messages_rows, &entry);
        c->bad = c->bad || entry.bad;
        if (str_eq(type, STR("compaction"))) {
            add_compaction(&entry, c);
        } else if (str_eq(type, STR("message"))) {
            sum_up(&own, COUNT_IN, entry.n[COUNT_IN]);
            sum_up(&own, COUNT_OUT, entry.n[COUNT_OUT]);
            rounds = true;
        } else {
            c->bad = true;
        }
    }
    if (list != NULL && json_is_array(list)) {
        c->named |= BITS_MORE;
    }
    c->bad = c->bad || (rounds && ((named(c, COUNT_IN) && own.n[COUNT_IN] != c->n[COUNT_IN]) ||
                                   (named(c, COUNT_OUT) && own.n[COUNT_OUT] != c->n[COUNT_OUT])));
}

static bool tells(const struct family *f, const struct counts *c)
{
    return named(c, COUNT_IN) || named(c, COUNT_OUT) || named(c, COUNT_TOOL) ||
           (f->reasoning_outside && named(c, COUNT_REASONING)) ||
           (f->total_is_in && named(c, COUNT_TOTAL));
}

static void merge(struct counts *c, const struct counts *now)
{
    for (unsigned i = 0; i < COUNTS; i++) {
        c->n[i] = ((now->named & ~now->wrong) >> i & 1) != 0 ? now->n[i] : c->n[i];
    }
    c->named |= now->named;
    c->bad = c->bad || now->bad;
    c->family = now->family;
}

void counts_read(enum dialect d, const struct json *usage, struct counts *c)
{
    struct counts now = {.bad = false};
    for (uint8_t i = 0; i < FAMILIES && families[d][i].rows != NULL; i++) {
        now = (struct counts){.family = i};
        read_rows(usage, families[d][i].rows, &now);
        if (families[d][i].rows == messages_rows) {
            read_iterations(usage, &now);
        } else if (families[d][i].rows == converse_rows) {
            read_ages(usage, &now);
        }
        if (tells(&families[d][i], &now)) {
            break;
        }
    }
    merge(c, &now);
}

/* ---- leaves ---- */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A total below its parts: the tokens above it are not charged, the dearer side first. */
static void fit_total(uint64_t n[COUNTS])
{
    if (n[COUNT_TOTAL] == 0 || n[COUNT_TOTAL] >= n[COUNT_IN] + n[COUNT_OUT]) {
        return;
    }
    n[COUNT_IN] = min_u64(n[COUNT_IN], n[COUNT_TOTAL]);
    n[COUNT_OUT] = n[COUNT_TOTAL] - n[COUNT_IN];
}

/* Reasoning beside the output instead of inside it (xAI): the vendor's total decides. */
static bool reasoning_outside(const struct family *f, const struct counts *c,
                              const uint64_t n[COUNTS])
{
    return f->reasoning_outside ||
           (named(c, COUNT_TOTAL) && n[COUNT_REASONING] > 0 &&
            n[COUNT_TOTAL] == n[COUNT_IN] + n[COUNT_OUT] + n[COUNT_REASONING]);
}

/* Writes: a total and its split by age; without a total the split is one. */
static bool settle_writes(const struct counts *c, uint64_t n[COUNTS], unsigned at, struct usage *u)
{
    uint64_t total = n[at], five = n[at + 1], hour = n[at + 2];
    bool fits = true;
    if (total == 0 && !named(c, at)) {
        total = five + hour;
    }
    if (five + hour > total) {
        fits = false;
        five = hour = 0;
    }
    u->cache_write_5m += five;
    u->cache_write_1h += hour;
    u->cache_write_other += total - five - hour;
    n[at] = total;
    return fits;
}

/* Of each modality what no cache had; false: a cache had more than there was. */
static bool fresh(const uint64_t n[COUNTS], enum modality m, uint64_t *out)
{
    *out = n[COUNT_IN_OF + m] + n[COUNT_TOOL_OF + m] - n[COUNT_CACHED_OF + m];
    return n[COUNT_IN_OF + m] >= n[COUNT_CACHED_OF + m];
}

static uint64_t three(const uint64_t n[COUNTS], unsigned at)
{
    return n[at + OF_AUDIO] + n[at + OF_IMAGE] + n[at + OF_VIDEO];
}

/* The particular leaves of the input, and the rest; false: they are more than all of it. */
static bool split_input(const uint64_t n[COUNTS], struct usage *u)
{
    uint64_t writes = u->cache_write_5m + u->cache_write_1h + u->cache_write_other;
    bool fits = fresh(n, OF_AUDIO, &u->in_audio) && fresh(n, OF_IMAGE, &u->in_image) &&
                fresh(n, OF_VIDEO, &u->in_video) && three(n, COUNT_TOOL_OF) <= n[COUNT_TOOL] &&
                three(n, COUNT_CACHED_OF) <= n[COUNT_CACHED];
    if (!fits) {
        return false;
    }
    u->in_tool = n[COUNT_TOOL] - three(n, COUNT_TOOL_OF);
    uint64_t parts =
        u->in_audio + u->in_image + u->in_video + u->in_tool + n[COUNT_CACHED] + writes;
    if (parts > n[COUNT_IN]) {
        return false;
    }
    u->cache_read_audio = n[COUNT_CACHED_OF + OF_AUDIO];
    u->cache_read_image = n[COUNT_CACHED_OF + OF_IMAGE];
    u->cache_read_video = n[COUNT_CACHED_OF + OF_VIDEO];
    u->cache_read = n[COUNT_CACHED] - three(n, COUNT_CACHED_OF);
    u->in = n[COUNT_IN] - parts;
    return true;
}

static bool split_output(const uint64_t n[COUNTS], struct usage *u)
{
    uint64_t parts = n[COUNT_REASONING] + three(n, COUNT_OUT_OF);
    if (parts > n[COUNT_OUT]) {
        return false;
    }
    u->out_audio = n[COUNT_OUT_OF + OF_AUDIO];
    u->out_image = n[COUNT_OUT_OF + OF_IMAGE];
    u->out_video = n[COUNT_OUT_OF + OF_VIDEO];
    u->reasoning = n[COUNT_REASONING];
    u->out = n[COUNT_OUT] - parts;
    return true;
}

static void plain_input(const uint64_t n[COUNTS], struct usage *u)
{
    u->in_audio = u->in_image = u->in_video = u->in_tool = 0;
    u->cache_write_5m = u->cache_write_1h = u->cache_write_other = 0;
    u->cache_read = min_u64(n[COUNT_CACHED], n[COUNT_IN]);
    u->in = n[COUNT_IN] - u->cache_read;
}

static void plain_output(const uint64_t n[COUNTS], struct usage *u)
{
    u->reasoning = min_u64(n[COUNT_REASONING], n[COUNT_OUT]);
    u->out = n[COUNT_OUT] - u->reasoning;
}

/* What is in the totals; false: it contradicts itself. */
static bool settle_totals(const struct family *f, const struct counts *c, uint64_t n[COUNTS],
                          struct usage *u)
{
    bool good = settle_writes(c, n, COUNT_WRITE, u);
    n[COUNT_IN] += n[COUNT_TOOL];
    if (f->cache_outside) {
        n[COUNT_IN] += n[COUNT_CACHED] + n[COUNT_WRITE];
    }
    if (f->total_is_in && !named(c, COUNT_IN)) {
        n[COUNT_IN] = n[COUNT_TOTAL];
    }
    if (reasoning_outside(f, c, n)) {
        n[COUNT_OUT] += n[COUNT_REASONING];
    }
    if (named(c, COUNT_TOTAL) && n[COUNT_TOTAL] != n[COUNT_IN] + n[COUNT_OUT]) {
        good = false;
        fit_total(n);
    }
    if (named(c, COUNT_MISSED) && n[COUNT_MISSED] + n[COUNT_CACHED] != n[COUNT_IN]) {
        good = false;
    }
    if (!split_input(n, u)) {
        good = false;
        plain_input(n, u);
    }
    if (!split_output(n, u)) {
        good = false;
        plain_output(n, u);
    }
    return good;
}

static bool settle_compaction(const struct counts *c, uint64_t n[COUNTS], struct usage *u)
{
    uint64_t thought = min_u64(n[COUNT_MORE_REASONING], n[COUNT_MORE_OUT]);
    u->in += n[COUNT_MORE_IN];
    u->cache_read += n[COUNT_MORE_CACHED];
    u->reasoning += thought;
    u->out += n[COUNT_MORE_OUT] - thought;
    return settle_writes(c, n, COUNT_MORE_WRITE, u) && thought == n[COUNT_MORE_REASONING];
}

/* No leaf is more than a price can be put on. */
static bool cap(struct usage *u)
{
    bool fits = true;
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        if (leaf_get(u, &leaves[i]) > USAGE_MAX) {
            leaf_set(u, &leaves[i], USAGE_MAX);
            fits = false;
        }
    }
    return fits;
}

void counts_settle(enum dialect d, const struct counts *c, struct usage *out)
{
    const struct family *f = &families[d][c->family];
    uint64_t n[COUNTS];
    *out = (struct usage){.tier = c->tier, .state = USAGE_MISSING};
    if (!tells(f, c)) {
        return;
    }
    for (unsigned i = 0; i < COUNTS; i++) {
        n[i] = c->n[i];
    }
    bool whole = f->zero_is_absent || (named(c, COUNT_IN) && named(c, COUNT_OUT));
    bool good = settle_totals(f, c, n, out) && whole && !c->bad;
    good = settle_compaction(c, n, out) && good;
    out->web_search = n[COUNT_WEB_SEARCH];
    out->web_fetch = n[COUNT_WEB_FETCH];
    out->file_search = n[COUNT_FILE_SEARCH];
    out->code = n[COUNT_CODE];
    out->images = n[COUNT_IMAGES];
    good = cap(out) && good;
    out->state = good ? USAGE_OK : USAGE_INCONSISTENT;
}
