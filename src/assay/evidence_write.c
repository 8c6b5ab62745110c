/* SPDX-License-Identifier: Apache-2.0 */
/* Writing evidence, without the keys. */
#include "assay/evidence.h"
#include "assay/signature.h"
#include "base/base64.h"
#include "base/limits.h"

#define SECRET_LEAST 6 /* a shorter key protects nothing, and would be found in any text */

static const struct str removed = STR_INIT("[key removed]");
const struct str evidence_hidden = STR_INIT("[removed: it held the key]");

/* s without any of the keys: where one begins the other, without the longer. */
static void clean(struct buf *out, struct str s, const struct str keys[2])
{
    while (s.n > 0) {
        size_t at = s.n, skip = 0;
        for (size_t i = 0; i < 2; i++) {
            size_t found = keys[i].n >= SECRET_LEAST ? str_find(s, keys[i]) : SIZE_MAX;
            if (found < at || (found == at && skip > 0 && keys[i].n > skip)) {
                at = found;
                skip = keys[i].n;
            }
        }
        buf_add(out, str_slice(s.p, at));
        if (skip > 0) {
            buf_add(out, removed);
        }
        s = str_skip(s, at + skip);
    }
}

/* Of "0041...": 0x41; -1: it is no ASCII character. */
static int escaped_ascii(struct str digits)
{
    static const char hex[] = "0123456789abcdef";
    int code = 0;

    for (size_t i = 0; i < 4; i++) {
        const char *at = i < digits.n ? memchr(hex, digits.p[i] | 0x20, 16) : NULL;
        if (at == NULL) {
            return -1;
        }
        code = code << 4 | (int)(at - hex);
    }
    return code < 0x80 ? code : -1;
}

/* s as it reads: escapes of JSON that stand for ASCII are undone. */
static void unescape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        int code = -1;
        if (s.p[i] != '\\' || i + 1 == s.n) {
            buf_add_byte(out, s.p[i]);
        } else if (s.p[i + 1] == 'u' && (code = escaped_ascii(str_skip(s, i + 2))) >= 0) {
            buf_add_byte(out, (char)code);
            i += 5;
        } else {
            buf_add_byte(out, s.p[++i]);
        }
    }
}

static bool holds_key(struct str s, const struct str keys[2])
{
    struct buf plain;
    bool found = false;

    buf_init(&plain, 2 * LIMIT_ASSAY_BODY);
    unescape(&plain, s);
    for (size_t i = 0; i < 2; i++) {
        found = found || plain.overflow ||
                (keys[i].n >= SECRET_LEAST && str_find(buf_str(&plain), keys[i]) != SIZE_MAX);
    }
    buf_release(&plain);
    return found;
}

/* Removes keys, and all of a text that holds one in disguise; nor does it say whose account signed
 * thoughts were made for. */
void evidence_clean(struct buf *out, struct str s, const struct str keys[2])
{
    struct buf keyless;

    buf_init(&keyless, 4 * LIMIT_ASSAY_BODY);
    clean(&keyless, s, keys);
    if (holds_key(buf_str(&keyless), keys)) {
        buf_add(out, evidence_hidden);
    } else {
        signature_redact(out, buf_str(&keyless));
    }
    buf_release(&keyless);
}

/* A member with text that may be anything. */
static void put_text(struct json_out *o, const char *name, struct str s, const struct str keys[2])
{
    struct buf text, quoted;

    buf_init(&text, 4 * LIMIT_ASSAY_BODY);
    buf_init(&quoted, 8 * LIMIT_ASSAY_BODY);
    evidence_clean(&text, s, keys);
    json_write_str(&quoted, buf_str(&text));
    struct json_doc *doc = json_parse(buf_str(&quoted), NULL);
    if (doc == NULL) { /* no UTF-8 */
        buf_clear(&quoted);
        buf_add_byte(&quoted, '"');
        base64_write(&quoted, BASE64_STANDARD, buf_str(&text));
        buf_add_byte(&quoted, '"');
        buf_clear(&text);
        buf_addf(&text, "%s_base64", name);
        json_put_key(o, buf_str(&text));
    } else {
        json_put_key(o, str_from(name));
    }
    json_put_raw(o, buf_str(&quoted));
    json_free(doc);
    buf_release(&text);
    buf_release(&quoted);
}

static void put_u64(struct json_out *o, const char *name, uint64_t v)
{
    json_key(o, name);
    json_put_u64(o, v);
}

static void put_str(struct json_out *o, const char *name, struct str v)
{
    json_key(o, name);
    json_put_str(o, v);
}

static void put_side(struct json_out *o, const char *name, const struct evidence_side *s)
{
    json_key(o, name);
    json_open(o, '{');
    put_str(o, "url", s->url);
    put_str(o, "model", s->model);
    json_close(o, '}');
}

void evidence_write_head(struct buf *out, const struct evidence_head *h)
{
    struct json_out o = {out, false};

    json_open(&o, '{');
    put_u64(&o, "assay", 1);
    put_str(&o, "version", h->version);
    put_side(&o, "target", &h->target);
    if (h->reference.url.n > 0) {
        put_side(&o, "reference", &h->reference);
    }
    put_str(&o, "profile", h->profile);
    if (h->only.n > 0) {
        put_str(&o, "only", h->only);
    }
    put_u64(&o, "seed", h->seed);
    put_u64(&o, "started_us", h->started_us);
    put_u64(&o, "planned", h->planned);
    if (h->currency.n > 0) {
        json_key(&o, "price");
        json_open(&o, '{');
        put_str(&o, "currency", h->currency);
        put_u64(&o, "input_pico", h->input_pico);
        put_u64(&o, "output_pico", h->output_pico);
        put_str(&o, "source", h->price_source);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    buf_add_byte(out, '\n');
}

/* What follows an answer holds what the endpoint said. */
static void put_request(struct json_out *o, const struct evidence_call *c)
{
    struct buf text;

    buf_init(&text, 2 * LIMIT_ASSAY_BODY);
    evidence_clean(&text, c->request, c->keys);
    if (str_eq(buf_str(&text), evidence_hidden)) {
        put_str(o, "request_text", evidence_hidden);
    } else {
        json_key(o, "request");
        json_put_raw(o, buf_str(&text));
    }
    buf_release(&text);
}

void evidence_write_call(struct buf *out, const struct evidence_call *c)
{
    const struct client_answer *a = c->answer;
    struct json_out o = {out, false};

    json_open(&o, '{');
    put_u64(&o, "seq", c->seq);
    put_str(&o, "side", c->reference ? STR("reference") : STR("target"));
    put_str(&o, "probe", str_from(c->probe));
    put_str(&o, "cell", str_from(c->cell));
    put_u64(&o, "k", c->k);
    put_u64(&o, "max_tokens", c->max_tokens);
    put_str(&o, "dialect", str_from(speak_dialect_name(c->dialect)));
    put_str(&o, "url", c->url);
    if (c->ask != ASK_ANSWER) {
        put_str(&o, "ask", str_from(speak_ask_name(c->ask)));
    }
    if (c->ask == ASK_RAW) {
        put_text(&o, "request_text", c->request, c->keys);
    } else {
        put_request(&o, c);
    }
    if (c->expect.n > 0) {
        put_str(&o, "expect", c->expect);
    }
    put_u64(&o, "status", a->status);
    put_str(&o, "failure", str_from(a->failure));
    put_u64(&o, "tries", a->tries);
    put_u64(&o, "sent_us", (uint64_t)a->sent_us);
    put_u64(&o, "first_us", (uint64_t)a->first_us);
    put_u64(&o, "done_us", (uint64_t)a->done_us);
    if (c->stream) {
        json_key(&o, "arrivals");
        json_open(&o, '[');
        json_put_members(&o, buf_str(&a->arrivals));
        json_close(&o, ']');
    }
    put_text(&o, "headers", buf_str(&a->head), c->keys);
    /* In a stream the key may come in pieces. */
    put_text(&o, "body", holds_key(c->said, c->keys) ? evidence_hidden : buf_str(&a->body),
             c->keys);
    json_close(&o, '}');
    buf_add_byte(out, '\n');
}

void evidence_write_end(struct buf *out, struct str end)
{
    struct json_out o = {out, false};

    json_open(&o, '{');
    put_str(&o, "end", end);
    json_close(&o, '}');
    buf_add_byte(out, '\n');
}
