/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/edit.h"

#include <stdlib.h>

#include "dialect/convert.h"

#include "dialect/vendor.h"

#define HEAD_ROOM 1000 /* what most heads fit in */

/* Client headers that mean something to a vendor and carry no credential of the client. */
static const struct str passed[] = {
    STR_INIT("content-type"),   STR_INIT("accept"),
    STR_INIT("user-agent"),     STR_INIT("anthropic-"),
    STR_INIT("openai-"),        STR_INIT("x-goog-api-client"),
    STR_INIT("x-stainless-"),   STR_INIT("x-client-request-id"),
    STR_INIT("session-id"),     STR_INIT("thread-id"),
    STR_INIT("x-claude-code-"), STR_INIT("originator"),
};
/* They name the account behind the client's own vendor key, which is not the one used. */
static const struct str held_back[] = {STR_INIT("openai-organization"), STR_INIT("openai-project")};

static bool starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && ((s.p[0] ^ prefix.p[0]) & ~0x20) == 0 &&
           str_eq_nocase(str_slice(s.p, prefix.n), prefix);
}

static bool passes(struct str name)
{
    for (size_t i = 0; i < sizeof(held_back) / sizeof(held_back[0]); i++) {
        if (str_eq_nocase(name, held_back[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        bool family = passed[i].p[passed[i].n - 1] == '-';
        if ((family || name.n == passed[i].n) && starts_nocase(name, passed[i])) {
            return true;
        }
    }
    return false;
}

/* Of the client's query only what SDKs send and what changes no answer's shape: a vendor's own
 * parameters (fields=, $alt=) could leave the usage out or make a reply unreadable. */
static void add_query(struct buf *b, struct str query)
{
    char sep = str_find_byte(buf_str(b), '?') < b->n ? '&' : '?';

    while (query.n > 0) {
        struct str pair = str_cut(&query, '&');
        if (!str_starts(pair, STR("beta="))) {
            continue;
        }
        buf_add_byte(b, sep);
        buf_add(b, pair);
        sep = '&';
    }
}

static void add_auth(struct buf *b, const struct channel *c, const struct vendor *v)
{
    if (c->upstream->key_count == 0) {
        return;
    }
    static const char *const names[] = {
        [AUTH_BEARER] = "authorization: Bearer ",
        [AUTH_X_API_KEY] = "x-api-key: ",
        [AUTH_X_GOOG_API_KEY] = "x-goog-api-key: ",
    };
    buf_cat(b, str_from(names[v != NULL ? v->auth : AUTH_BEARER]), c->upstream->keys[c->key].value,
            STR("\r\n"));
}

/* The endpoint as the client called it, or its like in the dialect that it is converted to. */
static struct target upstream_target(const struct request *r)
{
    if (r->conversion == NULL) {
        return r->target;
    }
    enum op op = (enum op)r->target.endpoint->op;
    return (struct target){.endpoint = endpoint_of(op, (enum dialect)r->spoken, r->stream),
                           .stream = r->stream,
                           .framing = FRAMING_SSE};
}

static bool edit_head(struct request *r, const struct vendor *v, size_t body_n)
{
    struct buf *b = &r->upstream_head;
    const struct upstream *u = r->channel.upstream;
    struct str path, query;

    buf_clear(b);
    (void)buf_reserve(b, HEAD_ROOM);
    struct target target = upstream_target(r);
    url_split(head_target(r->head, r->head_base), &path, &query);
    buf_add(b, STR("POST "));
    buf_add(b, vendor_path(v, (enum dialect)r->spoken, u->base_path));
    if (!upstream_path(target.endpoint, &target, r->channel.model, b)) {
        return false;
    }
    if (r->conversion == NULL) {
        add_query(b, query);
    }
    buf_cat(b, STR(" HTTP/1.1\r\nhost: "), u->host);
    if (u->port != (u->tls ? 443U : 80U)) {
        buf_add_byte(b, ':');
        buf_add_u64(b, u->port);
    }
    buf_add(b, STR("\r\naccept-encoding: identity\r\ncontent-length: "));
    buf_add_u64(b, body_n);
    buf_add(b, STR("\r\n"));
    add_auth(b, &r->channel, v);
    for (uint32_t i = 0; i < r->head->count; i++) {
        const struct header *h = &r->head->h[i];
        struct str name = str_slice(r->head_base + h->name, h->name_n);
        if (r->conversion == NULL ? passes(name) : str_eq_nocase(name, STR("user-agent"))) {
            buf_cat(b, name, STR(": "), str_slice(r->head_base + h->value, h->value_n),
                    STR("\r\n"));
        }
    }
    if (r->conversion != NULL) {
        buf_add(b, STR("content-type: application/json\r\n"));
    }
    if (r->spoken == DIALECT_MESSAGES &&
        head_get(r->head, r->head_base, STR("anthropic-version")).p == NULL) {
        buf_add(b, STR("anthropic-version: 2023-06-01\r\n"));
    }
    return buf_add(b, STR("\r\n")) && !b->overflow;
}

/* include_usage: true, spliced into whatever stream_options there is. */
static bool ask_for_usage(struct buf *out, struct str body, struct str options)
{
    struct json_member m = {.key = STR("include_usage")};

    if (options.p == NULL) {
        size_t at =
            str_trim(body).n; /* the object has a model, so a comma goes before what is added */
        at += (size_t)(str_trim(body).p - body.p) - 1;
        return buf_add(out, str_slice(body.p, at)) &&
               buf_add(out, STR(",\"stream_options\":{\"include_usage\":true}")) &&
               buf_add(out, str_skip(body, at));
    }
    if (options.p[0] != '{') {
        return json_splice(out, body, options, STR("{\"include_usage\":true}"));
    }
    if (json_scan_found(json_scan_members(options, &m, 1)) && m.value.p != NULL) {
        return json_splice(out, body, m.value, STR("true"));
    }
    bool empty = str_trim(str_slice(options.p + 1, options.n - 2)).n == 0;
    return json_splice(out, body, str_slice(options.p, 1),
                       empty ? STR("{\"include_usage\":true") : STR("{\"include_usage\":true,"));
}

void edit_names(unsigned edits, struct buf *out)
{
    static const struct {
        enum edit edit;
        struct str name;
    } names[] = {{EDIT_AUTH, STR_INIT("auth")},
                 {EDIT_ENCODING, STR_INIT("accept-encoding")},
                 {EDIT_CODING, STR_INIT("content-encoding")},
                 {EDIT_USAGE, STR_INIT("stream_options.include_usage")},
                 {EDIT_MODEL, STR_INIT("model")},
                 {EDIT_DIALECT, STR_INIT("dialect")}};
    struct str comma = STR("");

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((edits & names[i].edit) != 0) {
            buf_cat(out, comma, names[i].name);
            comma = STR(", ");
        }
    }
}

static bool edit_body(struct request *r, const struct vendor *v)
{
    struct str body = buf_str(&r->body);
    struct buf next;
    bool ok = true;

    buf_clear(&r->upstream_body);
    r->own_usage_frame = r->target.endpoint->dialect == DIALECT_CHAT && r->stream &&
                         !r->ask.include_usage && (v == NULL || v->stream_options);
    if (r->own_usage_frame) {
        r->edits |= EDIT_USAGE;
        ok = ask_for_usage(&r->upstream_body, body, r->ask.stream_options);
    }
    if (!ok || r->ask.model.p == NULL || str_eq(r->ask.model, r->channel.model)) {
        return ok;
    }
    r->edits |= EDIT_MODEL;
    struct json_member m = {.key = STR("model")};
    struct buf quoted;
    body = r->upstream_body.n > 0 ? buf_str(&r->upstream_body) : body;
    buf_init(&next, LIMIT_BODY_BYTES + 4096);
    buf_init(&quoted, 8 * LIMIT_NAME);
    ok = json_scan_found(json_scan_members(body, &m, 1)) && m.value.p != NULL &&
         json_write_str(&quoted, r->channel.model) &&
         json_splice(&next, body, m.value, buf_str(&quoted));
    buf_release(&quoted);
    buf_release(&r->upstream_body);
    r->upstream_body = next;
    return ok;
}

bool edit_request(struct request *r)
{
    const struct vendor *v = vendor_find(r->channel.upstream->vendor);

    r->head_base = r->session->in.p; /* it may have grown since the head was read */
    free(r->lossy);
    r->lossy = NULL;
    r->own_usage_frame = false;
    r->edits = EDIT_AUTH | EDIT_ENCODING | (r->coding_kind != CODING_NONE ? EDIT_CODING : 0);
    if (r->conversion != NULL) {
        struct str lossy = conversion_lossy(r->conversion);
        r->lossy = lossy.n > 0 ? strndup(lossy.p, lossy.n) : NULL;
        r->edits |= EDIT_DIALECT;
        return edit_head(r, v, r->upstream_body.n);
    }
    if (r->target.endpoint->model_in_path && !str_eq(str_from(r->asked), r->channel.model)) {
        r->edits |= EDIT_MODEL;
    }
    return edit_body(r, v) &&
           edit_head(r, v, r->upstream_body.n > 0 ? r->upstream_body.n : r->body.n);
}
