/* SPDX-License-Identifier: Apache-2.0 */
/* Which path is which endpoint, and the path of the same endpoint at a vendor. */
#include "dialect/dialect.h"
#include "http/http.h"

enum shape {
    SHAPE_EXACT,  /* the whole path */
    SHAPE_API,    /* after the version prefixes */
    SHAPE_METHOD, /* Gemini: {model}:{path} */
};

struct row {
    struct endpoint endpoint;
    enum shape shape;
    struct str path;
};

#define POST HTTP_POST
#define GET HTTP_GET

static const struct row rows[] = {
    {{"chat.completions", DIALECT_CHAT, OP_GENERATE, POST, false, true},
     SHAPE_API,
     STR_INIT("/chat/completions")},
    {{"responses", DIALECT_RESPONSES, OP_GENERATE, POST, false, true},
     SHAPE_API,
     STR_INIT("/responses")},
    {{"responses.input_tokens", DIALECT_RESPONSES, OP_COUNT, POST, false, false},
     SHAPE_API,
     STR_INIT("/responses/input_tokens")},
    {{"messages", DIALECT_MESSAGES, OP_GENERATE, POST, false, true},
     SHAPE_API,
     STR_INIT("/messages")},
    {{"messages.count_tokens", DIALECT_MESSAGES, OP_COUNT, POST, false, false},
     SHAPE_API,
     STR_INIT("/messages/count_tokens")},
    {{"embeddings", DIALECT_EMBEDDINGS, OP_EMBED, POST, false, true},
     SHAPE_API,
     STR_INIT("/embeddings")},
    {{"gemini.generate", DIALECT_GEMINI, OP_GENERATE, POST, true, true},
     SHAPE_METHOD,
     STR_INIT("generateContent")},
    {{"gemini.stream", DIALECT_GEMINI, OP_GENERATE, POST, true, true},
     SHAPE_METHOD,
     STR_INIT("streamGenerateContent")},
    {{"gemini.count_tokens", DIALECT_GEMINI, OP_COUNT, POST, true, false},
     SHAPE_METHOD,
     STR_INIT("countTokens")},
    {{"gemini.embed", DIALECT_GEMINI, OP_EMBED, POST, true, true},
     SHAPE_METHOD,
     STR_INIT("embedContent")},
    {{"gemini.batch_embed", DIALECT_GEMINI, OP_EMBED, POST, true, true},
     SHAPE_METHOD,
     STR_INIT("batchEmbedContents")},
    {{"page", DIALECT_OWN, OP_PUBLIC, GET, false, false}, SHAPE_EXACT, STR_INIT("/")},
    {{"healthz", DIALECT_OWN, OP_PUBLIC, GET, false, false}, SHAPE_EXACT, STR_INIT("/healthz")},
    {{"readyz", DIALECT_OWN, OP_PUBLIC, GET, false, false}, SHAPE_EXACT, STR_INIT("/readyz")},
    {{"metrics", DIALECT_OWN, OP_PUBLIC, GET, false, false}, SHAPE_EXACT, STR_INIT("/metrics")},
    {{"policy", DIALECT_OWN, OP_PUBLIC, GET, false, false}, SHAPE_EXACT, STR_INIT("/v1/policy")},
    {{"account", DIALECT_OWN, OP_OWN, GET, false, false}, SHAPE_EXACT, STR_INIT("/v1/account")},
    {{"usage", DIALECT_OWN, OP_OWN, GET, false, false}, SHAPE_EXACT, STR_INIT("/v1/usage")},
    {{"statement", DIALECT_OWN, OP_OWN, GET, false, false}, SHAPE_EXACT, STR_INIT("/v1/statement")},
    {{"prices", DIALECT_OWN, OP_OWN, GET, false, false}, SHAPE_EXACT, STR_INIT("/v1/prices")},
    {{"redeem", DIALECT_OWN, OP_OWN, POST, false, false}, SHAPE_EXACT, STR_INIT("/v1/redeem")},
    {{"keys.rotate", DIALECT_OWN, OP_OWN, POST, false, false},
     SHAPE_EXACT,
     STR_INIT("/v1/keys/rotate")},
    {{"margin", DIALECT_OWN, OP_OWN, GET, false, false}, SHAPE_EXACT, STR_INIT("/v1/margin")},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const struct endpoint models = {"models", DIALECT_CHAT, OP_MODELS, GET, false, false};
static const struct endpoint model = {"models.get", DIALECT_CHAT, OP_MODELS, GET, true, false};
static const struct endpoint gemini_models = {"gemini.models", DIALECT_GEMINI, OP_MODELS, GET,
                                              false,           false};
static const struct endpoint gemini_model = {
    "gemini.models.get", DIALECT_GEMINI, OP_MODELS, GET, true, false};

/* Drops one path segment when it stands there whole. */
static bool drop_segment(struct str *path, struct str segment)
{
    if (!str_starts(*path, segment) || path->n == segment.n || path->p[segment.n] != '/') {
        return false;
    }
    *path = str_skip(*path, segment.n);
    return true;
}

/* Base URLs with and without /v1 are both common in clients' settings, hence up to two prefixes. */
static struct str without_version(struct str path, bool *beta)
{
    *beta = false;
    for (int i = 0; i < 2; i++) {
        if (drop_segment(&path, STR("/v1beta"))) {
            *beta = true;
        } else if (!drop_segment(&path, STR("/v1"))) {
            break;
        }
    }
    return path;
}

/* The model of a Gemini path: bare under /models/, with its collection elsewhere. */
static struct str path_model(struct str path)
{
    struct str bare = STR("/models/");
    if (str_starts(path, bare)) {
        return str_skip(path, bare.n);
    }
    if (str_starts(path, STR("/tunedModels/")) || str_starts(path, STR("/publishers/"))) {
        return str_skip(path, 1);
    }
    return (struct str){NULL, 0};
}

static bool find_plain(struct str whole, struct str api, struct target *out)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct row *r = &rows[i];
        if ((r->shape == SHAPE_EXACT && str_eq(whole, r->path)) ||
            (r->shape == SHAPE_API && str_eq(api, r->path))) {
            out->endpoint = &r->endpoint;
            return true;
        }
    }
    return false;
}

static bool find_gemini(struct str api, struct str query, struct target *out)
{
    struct str named = path_model(api);
    size_t colon = named.n;
    while (colon > 0 && named.p[colon - 1] != ':') {
        colon--;
    }
    if (colon < 2) {
        return false;
    }
    struct str method = str_skip(named, colon);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].shape == SHAPE_METHOD && str_eq(method, rows[i].path)) {
            out->endpoint = &rows[i].endpoint;
            out->model = str_slice(named.p, colon - 1);
            out->stream = str_eq(method, STR("streamGenerateContent"));
            if (out->stream) {
                bool sse = str_eq(url_query(query, STR("alt")), STR("sse"));
                out->framing = sse ? FRAMING_SSE : FRAMING_ARRAY;
            }
            return true;
        }
    }
    return false;
}

static void find_models(struct str api, bool beta, struct target *out)
{
    if (str_eq(api, STR("/models"))) {
        out->endpoint = beta ? &gemini_models : &models;
        return;
    }
    struct str named = path_model(api);
    if (named.n > 0) {
        out->endpoint = beta ? &gemini_model : &model;
        out->model = named;
    }
}

void endpoint_find(unsigned method, struct str path, struct str query, struct target *out)
{
    *out = (struct target){.framing = FRAMING_WHOLE};
    bool beta;
    struct str api = without_version(path, &beta);
    if (!find_plain(path, api, out) && !find_gemini(api, query, out)) {
        find_models(api, beta, out);
    }
    unsigned like = method == HTTP_HEAD ? GET : method;
    out->wrong_method = out->endpoint != NULL && out->endpoint->method != like;
}

/* A path segment list as it may stand in a URL; model names bring '/', ':' and '@' of their own. */
static void add_encoded(struct buf *out, struct str s)
{
    static const char safe[] = "-._~/:@";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || (c != '\0' && strchr(safe, c) != NULL)) {
            buf_add_byte(out, c);
        } else {
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
        }
    }
}

/* Of Gemini's methods the one that streams or does not; of those that embed the batch's. */
static bool is_method(const struct row *row, enum op op, bool stream)
{
    return op == OP_EMBED ? str_eq(row->path, STR("batchEmbedContents"))
                          : str_eq(row->path, STR("streamGenerateContent")) == stream;
}

const struct endpoint *endpoint_of(enum op op, enum dialect d, bool stream)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct endpoint *ep = &rows[i].endpoint;
        if (ep->dialect == d && ep->op == op &&
            (rows[i].shape != SHAPE_METHOD || is_method(&rows[i], op, stream))) {
            return ep;
        }
    }
    return NULL;
}

bool upstream_path(const struct endpoint *ep, const struct target *t, struct str vendor_model,
                   struct buf *out)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct row *r = &rows[i];
        if (&r->endpoint != ep || r->shape == SHAPE_EXACT) {
            continue;
        }
        if (r->shape == SHAPE_API) {
            return buf_add(out, r->path);
        }
        bool collection = str_starts(vendor_model, STR("tunedModels/")) ||
                          str_starts(vendor_model, STR("publishers/")) ||
                          str_starts(vendor_model, STR("models/"));
        buf_add(out, collection ? STR("/") : STR("/models/"));
        add_encoded(out, vendor_model);
        buf_add_byte(out, ':');
        buf_add(out, r->path);
        if (t->stream && t->framing == FRAMING_SSE) {
            buf_add(out, STR("?alt=sse"));
        }
        return !out->overflow;
    }
    return false;
}
