/* SPDX-License-Identifier: Apache-2.0 */
/* What a vendor's error says, in whichever of the shapes that vendors have. */
#include "dialect/refusal.h"

#define WORDS_MAX 8192 /* bytes of a message; hosts that repeat the request in it send megabytes */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Clients make their history shorter when they see that it was too long, whoever says so. */
static const char *const too_long[] = {"context_length_exceeded", "prompt is too long",
                                       "input token count",       "maximum context length",
                                       "prompt too long",         "exceeded max context length",
                                       "input tokens exceeded",   "too_many_prompt_tokens",
                                       "too_many_tokens",         "context window"};
/* Where an error says what it is. Nothing else is looked at: an event of a failed response repeats
 * the client's own text. Codes are of machines, and count under every status; words may be about
 * anything. */
static const char *const codes[] = {"code", "type", "status"};
static const char *const tell[] = {"message", "metadata.raw", "msg"};

static bool contains_nocase(struct str s, const char *words)
{
    size_t n = strlen(words);

    for (size_t i = 0; i + n <= s.n; i++) {
        if (str_eq_nocase(str_slice(s.p + i, n), str_slice(words, n))) {
            return true;
        }
    }
    return false;
}

static bool says_too_long(struct str text)
{
    text = str_first(text, WORDS_MAX);
    for (size_t i = 0; i < COUNT(too_long); i++) {
        if (contains_nocase(text, too_long[i])) {
            return true;
        }
    }
    return false;
}

/* The object that says what is wrong: in the error, in the response that failed, or the whole. */
static const struct json *error_of(const struct json *root)
{
    static const char *const places[] = {"error", "0.error", "response.error"};

    for (size_t i = 0; i < COUNT(places); i++) {
        const struct json *v = json_get(root, places[i]);
        if (json_is_object(v)) {
            return v;
        }
    }
    return root;
}

static struct str message_of(const struct json *root)
{
    /* Of the object that says it, then of the whole; the likelier first. */
    static const char *const places[] = {"message",      "msg",   "base_resp.status_msg", "detail",
                                         "detail.0.msg", "error", "response.error"};
    const struct json *error = error_of(root);

    for (size_t i = 0; i < 2 * COUNT(places); i++) {
        struct str s = json_str(json_get(i % 2 == 0 ? error : root, places[i / 2]));
        if (s.n > 0) {
            return s;
        }
    }
    return (struct str){NULL, 0};
}

/* Under the status of such a refusal, or where none is told (under 200): a rate limit "of models
 * with a 1M context window" is none. */
static bool may_be_too_long(unsigned status, bool told)
{
    return status == 400 || status == 413 || status == 422 || !told;
}

static bool is_too_long(const struct json *root, bool by_words)
{
    const struct json *error = error_of(root);
    bool found = false;
    uint64_t code;

    for (size_t i = 0; i < COUNT(codes) && !found; i++) {
        found = says_too_long(json_str(json_get(error, codes[i])));
    }
    for (size_t i = 0; i < COUNT(tell) && by_words && !found; i++) {
        found = says_too_long(json_str(json_get(error, tell[i])));
    }
    /* Zhipu's number for it. */
    return found || (by_words && says_too_long(message_of(root))) ||
           (json_u64(json_get(error, "code"), &code) && code == 1261) ||
           str_eq(json_str(json_get(error, "code")), STR("1261"));
}

/* Gemini's RetryInfo: "12s" or "12.5s" in one of the details. */
static int64_t retry_of(const struct json *root)
{
    struct json_each it = json_each(json_get(error_of(root), "details"));
    uint64_t seconds;

    while (json_next(&it)) {
        struct str delay = json_str(json_get(it.value, "retryDelay"));
        if (delay.n < 2 || delay.p[delay.n - 1] != 's') {
            continue;
        }
        size_t point = str_find_byte(delay, '.');
        struct str whole = str_slice(delay.p, point < delay.n ? point : delay.n - 1);
        if (str_to_u64(whole, &seconds) && seconds < LIMIT_COOLDOWN_MS / 1000) {
            return (int64_t)(seconds + (point < delay.n)) * 1000;
        }
    }
    return -1;
}

static const char *code_of(enum dialect d, unsigned status)
{
    if (d == DIALECT_RESPONSES && (status == 400 || status == 413 || status == 422)) {
        return "invalid_prompt"; /* without a code Codex tries again and again */
    }
    return status == 404   ? "model_not_found"
           : status == 429 ? "rate_limit_exceeded"
           : status >= 500 ? "server_error"
                           : NULL;
}

/* As the clients of a dialect know it. */
static struct str too_long_before(enum dialect d, struct str text)
{
    if (d == DIALECT_MESSAGES && !contains_nocase(text, "prompt is too long")) {
        return STR("prompt is too long: ");
    }
    if (d == DIALECT_GEMINI && !contains_nocase(text, "input token count")) {
        return STR("The input token count exceeds the maximum number of tokens allowed: ");
    }
    return STR("");
}

/* What the client's dialect has for a status of another's. */
static unsigned status_in(enum dialect d, unsigned status)
{
    return status == 529 && d != DIALECT_MESSAGES ? 503 : status;
}

void vendor_words_read(const struct vendor *v, unsigned status, struct str body,
                       enum dialect client, struct vendor_words *out)
{
    struct json_doc *doc = json_parse(body, NULL);
    const struct json *root = doc != NULL ? json_root(doc) : NULL;
    struct str text = message_of(root);
    struct refusal why;
    bool told = status >= 400;

    if (!told) {
        (void)refusal_read(v, root, &why);
        told = why.status != 502;
        status = why.status == 503 && client == DIALECT_MESSAGES ? 529 : why.status;
    }
    text = text.n > 0 ? str_first(text, WORDS_MAX) : STR("The vendor refused the request.");
    buf_init(&out->memory, LIMIT_SMALL_BODY_BYTES);
    out->too_long = is_too_long(root, may_be_too_long(status, told));
    if (out->too_long) {
        buf_add(&out->memory, too_long_before(client, text));
        status = 400;
    }
    buf_add(&out->memory, text);
    size_t n = out->memory.n;
    buf_cat(&out->memory, STR(" "), json_str(json_get(error_of(root), "code")), STR(" "),
            json_str(json_get(error_of(root), "type")));
    out->said = buf_str(&out->memory);
    out->text = str_slice(out->said.p, n);
    out->status = status_in(client, status);
    out->code = out->too_long ? "context_length_exceeded" : code_of(client, out->status);
    out->retry_ms = retry_of(root);
    json_free(doc);
}
