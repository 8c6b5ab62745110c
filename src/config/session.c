/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session tokens of consumer products, told by their prefix or, where they are JSON Web Tokens, by
 * who issued them. Some vendors' API keys are such tokens, too: an issuer that is not in the list
 * passes.
 */
#include "config/config.h"
#include "json/json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The last is the head of an encrypted token, which is what a web page's session cookie holds. */
static const struct str prefixes[] = {STR_INIT("sk-ant-oat"), STR_INIT("sk-ant-ort"),
                                      STR_INIT("sk-ant-sid"), STR_INIT("ya29."),
                                      STR_INIT("eyJhbGciOiJkaXIi")};

static const struct str issuers[] = {
    STR_INIT("auth.openai.com"), STR_INIT("auth0.openai.com"),    STR_INIT("chatgpt.com"),
    STR_INIT("claude.ai"),       STR_INIT("accounts.google.com"), STR_INIT("accounts.x.ai"),
    STR_INIT("login.live.com"),
};

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

/* Base64url without padding, as tokens are written. */
static bool decode(struct str text, struct buf *out)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < text.n; i++) {
        int digit = digit_of(text.p[i]);
        if (digit < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            buf_add_byte(out, (char)(uint8_t)(bits >> count));
        }
    }
    return !out->overflow;
}

/* "https://auth.openai.com/": the host alone. */
static struct str host_of(struct str issuer)
{
    size_t scheme = str_find(issuer, STR("://"));
    struct str rest = scheme != SIZE_MAX ? str_skip(issuer, scheme + 3) : issuer;

    return str_slice(rest.p, str_find_byte(rest, '/'));
}

static bool issued_by_consumer_product(struct str payload)
{
    struct err e;
    struct json_doc *doc = json_parse(payload, &e);
    bool found = false;

    if (doc == NULL) {
        return false;
    }
    struct str issuer = json_str(json_get(json_root(doc), "iss"));
    struct str host = issuer.p != NULL ? host_of(issuer) : issuer;
    for (size_t i = 0; i < COUNT(issuers); i++) {
        found = found || str_eq_nocase(host, issuers[i]);
    }
    json_free(doc);
    return found;
}

bool key_is_session(struct str key)
{
    struct str rest = key;
    struct buf payload;

    for (size_t i = 0; i < COUNT(prefixes); i++) {
        if (str_starts(key, prefixes[i])) {
            return true;
        }
    }
    if (!str_starts(key, STR("eyJ"))) { /* {" of a token's head */
        return false;
    }
    (void)str_cut(&rest, '.');
    buf_init(&payload, 4096);
    bool found =
        decode(str_cut(&rest, '.'), &payload) && issued_by_consumer_product(buf_str(&payload));
    buf_release(&payload);
    return found;
}
