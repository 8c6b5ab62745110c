/* SPDX-License-Identifier: Apache-2.0 */
/* What a vendor's error reply says, in whichever of the shapes that vendors have. */
#include "dialect/dialect.h"

/* Where the message stands, the likelier first. */
static const char *const places[] = {
    "error.message", "response.error.message", "0.error.message", "message",
    "msg",           "base_resp.status_msg",   "detail",          "error"};

/* Clients make their history shorter when they see that it was too long, whoever says so. */
static const char *const too_long[] = {"context_length_exceeded", "prompt is too long",
                                       "input token count",       "maximum context length",
                                       "prompt too long",         "exceeded max context length",
                                       "input tokens exceeded",   "too_many_prompt_tokens",
                                       "too_many_tokens",         "context window"};

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

void vendor_words_read(struct str body, struct vendor_words *out)
{
    struct json_doc *doc = json_parse(body, NULL);
    struct str text = {NULL, 0};

    for (size_t i = 0; doc != NULL && text.n == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
        const struct json *v = json_get(json_root(doc), places[i]);
        text = v != NULL ? json_str(v) : text;
    }
    buf_init(&out->memory, LIMIT_SMALL_BODY_BYTES);
    buf_add(&out->memory, text.n > 0 ? text : STR("The vendor refused the request."));
    out->text = buf_str(&out->memory);
    out->code = NULL;
    for (size_t i = 0; i < sizeof(too_long) / sizeof(too_long[0]); i++) {
        if (contains_nocase(body, too_long[i])) {
            out->code = "context_length_exceeded";
        }
    }
    json_free(doc);
}
