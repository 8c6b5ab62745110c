/* SPDX-License-Identifier: Apache-2.0 */
/* The table of failed attempts: whose fault, what follows, what the client is told. */
#include "upstream/upstream.h"

#define S 1000
static const struct failure_row rows[FAILURE_COUNT] = {
    [FAILURE_NONE] = {"none", "client", false, 0, 0, "", ""},
    [FAILURE_REQUEST] = {"request", "client", false, 0, 0, "", ""},
    [FAILURE_KEY] = {"key", "key", true, 60 * S, 502, "upstream_key_refused",
                     "The upstream refused the station's own key; the operator has to mend it."},
    [FAILURE_QUOTA] = {"quota", "quota", true, 60 * S, 503, "upstream_quota",
                       "The station's quota at the upstream is used up."},
    [FAILURE_RATE] = {"rate", "quota", true, 5 * S, 0, "", ""},
    [FAILURE_MODEL] = {"model", "model", true, 0, 0, "", ""},
    [FAILURE_OVERLOAD] = {"overload", "vendor", true, 5 * S, 0, "", ""},
    [FAILURE_VENDOR] = {"vendor", "vendor", true, 2 * S, 0, "", ""},
    [FAILURE_DIAL] = {"dial", "network", true, 5 * S, 502, "upstream_unreachable",
                      "The upstream could not be reached."},
    [FAILURE_CUT] = {"cut", "network", true, 1 * S, 502, "upstream_cut",
                     "The upstream closed the connection before its answer was complete."},
    [FAILURE_SILENT] = {"silent", "network", true, 5 * S, 504, "upstream_timeout",
                        "The upstream did not answer in time."},
    [FAILURE_BAD_REPLY] = {"bad_reply", "channel", true, 5 * S, 502, "bad_upstream",
                           "The upstream's answer could not be read."},
};

const struct failure_row *failure_row(enum failure f)
{
    return &rows[f];
}

static bool says(struct str body, const char *words)
{
    return str_find(body, str_from(words)) != SIZE_MAX;
}

enum failure failure_of_reply(unsigned status, struct str body)
{
    switch (status) {
    case 401:
    case 403: return FAILURE_KEY;
    case 402: return FAILURE_QUOTA;
    case 404: return FAILURE_MODEL;
    case 429:
        return says(body, "insufficient_quota") || says(body, "billing") ? FAILURE_QUOTA
                                                                         : FAILURE_RATE;
    case 503:
    case 529: return FAILURE_OVERLOAD;
    default: break;
    }
    /* Gemini answers a bad key with 400. */
    if (status == 400 && says(body, "API_KEY_INVALID")) {
        return FAILURE_KEY;
    }
    return status >= 500 ? FAILURE_VENDOR : FAILURE_REQUEST;
}

int64_t failure_retry_after_ms(const struct head *h, const char *base)
{
    uint64_t v;

    if (str_to_u64(str_trim(head_get(h, base, STR("retry-after-ms"))), &v)) {
        return v < LIMIT_COOLDOWN_MS ? (int64_t)v : LIMIT_COOLDOWN_MS;
    }
    if (str_to_u64(str_trim(head_get(h, base, STR("retry-after"))), &v)) {
        return v < LIMIT_COOLDOWN_MS / S ? (int64_t)v * S : LIMIT_COOLDOWN_MS;
    }
    return -1;
}
