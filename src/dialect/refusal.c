/* SPDX-License-Identifier: Apache-2.0 */
#include "dialect/refusal.h"

#define UNKNOWN 502

struct code {
    uint64_t first, last;
    unsigned status;
};

/* MiniMax: base_resp.status_code. */
static const struct code base_resp_codes[] = {
    {1001, 1001, 504}, /* timeout */
    {1002, 1002, 429}, /* rate */
    {1004, 1004, 401}, /* not authorized */
    {1008, 1008, 402}, /* balance */
    {1026, 1027, 400}, /* sensitive input, output */
    {1028, 1030, 402}, /* quota of the plan */
    {1039, 1039, 429}, /* tokens per minute */
    {1041, 1041, 429}, /* connections */
    {1042, 1043, 400}, /* characters */
    {2013, 2013, 400}, /* parameters */
    {2045, 2045, 429}, /* growth of the rate */
    {2049, 2049, 401}, /* key */
    {2056, 2056, 402}, /* limit of the plan */
    {2061, 2061, 404}, /* model not in the plan */
};

/* Zhipu and Z.ai; other hosts that send {"code": number} send the HTTP status, mostly. */
static const struct code plain_codes[] = {
    {400, 599, 0},     /* the status itself */
    {1000, 1004, 401}, /* authentication */
    {1110, 1112, 403}, /* account */
    {1113, 1113, 402}, /* balance */
    {1120, 1121, 403}, /* account */
    {1210, 1210, 400}, /* parameters */
    {1211, 1212, 404}, /* model */
    {1213, 1215, 400}, /* parameters */
    {1220, 1220, 403}, /* permission */
    {1221, 1222, 404}, /* API */
    {1261, 1261, 400}, /* prompt too long */
    {1300, 1301, 400}, /* content */
    {1302, 1305, 429}, /* concurrency, rate, day, load */
    {1308, 1310, 429}, /* quota of the plan */
};

/* What codes and types that are words begin with, in the order in which they are looked for. */
static const struct {
    struct str word;
    unsigned status;
} words[] = {
    {STR_INIT("invalid_api_key"), 401},
    {STR_INIT("InvalidApiKey"), 401},
    {STR_INIT("authentication"), 401},
    {STR_INIT("permission"), 403},
    {STR_INIT("insufficient_quota"), 429},
    {STR_INIT("insufficient"), 402},
    {STR_INIT("Arrearage"), 402},
    {STR_INIT("rate_limit"), 429},
    {STR_INIT("Throttling"), 429},
    {STR_INIT("overloaded"), 503},
    {STR_INIT("model_not_found"), 404},
    {STR_INIT("not_found"), 404},
    {STR_INIT("ModelNotFound"), 404},
    {STR_INIT("context_length"), 400},
    {STR_INIT("invalid"), 400},
    {STR_INIT("Invalid"), 400},
    {STR_INIT("timeout"), 504},
    {STR_INIT("server_error"), 500},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned status_of_number(uint64_t code, const struct code *codes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (code >= codes[i].first && code <= codes[i].last) {
            return codes[i].status != 0 ? codes[i].status : (unsigned)code;
        }
    }
    return UNKNOWN;
}

static unsigned status_of_word(struct str word)
{
    for (size_t i = 0; i < COUNT(words); i++) {
        if (str_starts(word, words[i].word)) {
            return words[i].status;
        }
    }
    return UNKNOWN;
}

/* A code: a number, a number in quotes, or a word; NULL is fine. */
static unsigned status_of(const struct json *code)
{
    uint64_t number;

    if (json_u64(code, &number) || str_to_u64(json_str(code), &number)) {
        return status_of_number(number, plain_codes, COUNT(plain_codes));
    }
    return status_of_word(json_str(code));
}

/* {"error": {"message", "code", "type"}}, or its text alone with a code beside it; in a stream of
 * responses also in the response that failed, or as the event itself. */
static bool read_error(const struct json *root, struct refusal *out)
{
    const struct json *error = json_get(root, "error");

    if (!json_is_object(error) && json_str(error).n == 0) {
        const struct json *failed = json_get(root, "response.error");
        bool event = str_eq(json_str(json_get(root, "type")), STR("error"));
        error = json_is_object(failed) ? failed : event ? root : error;
    }
    if (!json_is_object(error)) {
        out->text = json_str(error);
        out->status = status_of(json_get(root, "code"));
        return out->text.n > 0;
    }
    out->text = json_str(json_get(error, "message"));
    out->sure = str_eq(json_str(json_get(root, "status")), STR("failed")); /* a response */
    out->status = status_of(json_get(error, "code"));
    if (out->status == UNKNOWN) {
        out->status = status_of(json_get(error, "type"));
    }
    return true;
}

static bool read_base_resp(const struct json *root, struct refusal *out)
{
    uint64_t code;

    if (!json_u64(json_get(root, "base_resp.status_code"), &code) || code == 0) {
        return false;
    }
    out->text = json_str(json_get(root, "base_resp.status_msg"));
    out->status = status_of_number(code, base_resp_codes, COUNT(base_resp_codes));
    out->sure = true;
    return true;
}

/* No success says such things: a code that is neither absent, nor zero, nor HTTP's own OK. */
static bool is_failure_code(const struct json *code)
{
    uint64_t number;

    if (json_u64(code, &number) || str_to_u64(json_str(code), &number)) {
        return number != 0 && number != 200;
    }
    return json_str(code).n > 0;
}

static bool read_code(const struct json *root, struct refusal *out)
{
    static const char *const answers[] = {"choices", "output", "content", "candidates", "data"};
    const struct json *code = json_get(root, "code");
    const struct json *msg = json_get(root, "msg");

    for (size_t i = 0; i < COUNT(answers); i++) {
        if (json_count(json_get(root, answers[i])) > 0) {
            return false;
        }
    }
    out->text = json_str(msg != NULL ? msg : json_get(root, "message"));
    out->status = status_of(code);
    return is_failure_code(code) && out->text.p != NULL;
}

bool refusal_read(const struct vendor *v, const struct json *root, struct refusal *out)
{
    unsigned shapes = v != NULL ? v->errors : 0;

    *out = (struct refusal){.status = UNKNOWN};
    if (json_is_array(root)) { /* Gemini's stream as an array */
        root = json_get(root, "0");
    }
    return ((shapes & REPLY_BASE_RESP) != 0 && read_base_resp(root, out)) ||
           read_error(root, out) || ((shapes & REPLY_CODE) != 0 && read_code(root, out));
}
