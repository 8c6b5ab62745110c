/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages over llhttp, with none of its lenient flags. llhttp stops after the head and after the
 * message (both callbacks answer HPE_PAUSED); everything that is judged about a head is judged
 * between the two, when all of its bytes lie in the caller's region.
 */
#include "http/http.h"

enum field { FIELD_NONE, FIELD_NAME, FIELD_VALUE };

static int fail(struct h1 *p, enum h1_error error)
{
    p->state = H1_ERROR;
    p->error = (uint8_t)error;
    return HPE_USER;
}

/* What llhttp reads and nobody keeps (trailers, extensions of a chunk) has its maximum too. */
static int skip(struct h1 *p, size_t n)
{
    p->skipped += n;
    return p->skipped > LIMIT_HEAD_BYTES ? fail(p, H1_HEAD_TOO_LARGE) : 0;
}

static int on_skipped(llhttp_t *ll, const char *at, size_t n)
{
    (void)at;
    return skip(ll->data, n);
}

static int on_url(llhttp_t *ll, const char *at, size_t n)
{
    struct h1 *p = ll->data;
    if (p->head->target_n == 0) {
        p->head->target = (uint32_t)(at - p->base);
    }
    p->head->target_n += (uint32_t)n;
    return 0;
}

static int on_name(llhttp_t *ll, const char *at, size_t n)
{
    struct h1 *p = ll->data;
    if (p->state != H1_HEAD) {
        return skip(p, n);
    }
    struct head *head = p->head;
    if (p->field != FIELD_NAME) {
        if (head->count == LIMIT_HEADERS) {
            return fail(p, H1_HEAD_TOO_LARGE);
        }
        head->h[head->count++] = (struct header){.name = (uint32_t)(at - p->base)};
        p->field = FIELD_NAME;
    }
    head->h[head->count - 1].name_n += (uint32_t)n;
    return 0;
}

static int on_value(llhttp_t *ll, const char *at, size_t n)
{
    struct h1 *p = ll->data;
    if (p->state != H1_HEAD) {
        return skip(p, n);
    }
    struct header *h = &p->head->h[p->head->count - 1];
    if (p->field == FIELD_NAME) {
        h->value = (uint32_t)(at - p->base);
        p->field = FIELD_VALUE;
    }
    h->value_n = (uint32_t)(at + n - p->base) - h->value;
    return 0;
}

static int on_value_complete(llhttp_t *ll)
{
    struct h1 *p = ll->data;
    p->field = FIELD_NONE;
    return 0;
}

static int on_chunk(llhttp_t *ll)
{
    struct h1 *p = ll->data;
    p->skipped = 0;
    return 0;
}

static int on_headers_complete(llhttp_t *ll)
{
    struct h1 *p = ll->data;
    return p->state == H1_HEAD ? HPE_PAUSED : 0;
}

static int on_body(llhttp_t *ll, const char *at, size_t n)
{
    struct h1 *p = ll->data;
    p->body(p->ctx, at, n);
    return 0;
}

static int on_message_complete(llhttp_t *ll)
{
    struct h1 *p = ll->data;
    p->state = H1_DONE;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_chunk_header = on_chunk,
    .on_chunk_extension_name = on_skipped,
    .on_chunk_extension_value = on_skipped,
};

static void start(struct h1 *p, bool request)
{
    llhttp_init(&p->ll, request ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    memset(p->head, 0, offsetof(struct head, h)); /* on_name fills the rest */
    p->field = FIELD_NONE;
}

void h1_init(struct h1 *p, bool request, struct head *head, h1_body_fn *body, void *ctx)
{
    *p = (struct h1){.head = head, .body = body, .ctx = ctx, .state = H1_HEAD};
    start(p, request);
}

static enum h1_error error_of(const llhttp_t *ll, llhttp_errno_t error)
{
    if (error == HPE_INVALID_VERSION || error == HPE_PAUSED_H2_UPGRADE) {
        /* llhttp also says so of a good version that no CR LF follows. */
        return ll->http_major == 1 && ll->http_minor == 1 ? H1_MALFORMED : H1_VERSION;
    }
    if (error == HPE_UNEXPECTED_CONTENT_LENGTH ||
        (error == HPE_INVALID_TRANSFER_ENCODING && (ll->flags & F_CONTENT_LENGTH) != 0) ||
        (error == HPE_INVALID_CONTENT_LENGTH && (ll->flags & F_TRANSFER_ENCODING) != 0)) {
        return H1_AMBIGUOUS_LENGTH;
    }
    return H1_MALFORMED;
}

/* Every line ends in CR LF, no CR stands alone, and no line continues the one before it. */
static bool lines_are_strict(const char *p, const char *end)
{
    const char *at = p;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (at == p || at[-1] != '\r') {
            return false;
        }
        at++;
        if (at < end && (*at == ' ' || *at == '\t')) {
            return false;
        }
    }
    for (at = p; (at = memchr(at, '\r', (size_t)(end - at))) != NULL; at++) {
        if (at + 1 == end || at[1] != '\n') {
            return false;
        }
    }
    return true;
}

static enum h1_error check_version(const struct h1 *p)
{
    const llhttp_t *ll = &p->ll;
    if (ll->type == HTTP_RESPONSE) {
        return ll->http_major == 1 && ll->http_minor <= 1 ? H1_OK : H1_VERSION;
    }
    if (ll->http_major != 1 || ll->http_minor != 1) {
        return H1_VERSION;
    }
    /* llhttp also knows RTSP and ICE. The blank line guarantees that nine bytes follow the target.
     */
    const char *after = p->base + p->head->target + p->head->target_n;
    return memcmp(after, " HTTP/1.1", 9) == 0 && ll->method != HTTP_CONNECT ? H1_OK : H1_MALFORMED;
}

static enum h1_error check_length(const struct h1 *p)
{
    const struct head *head = p->head;
    unsigned lengths = head_count(head, p->base, STR("content-length"));
    unsigned codings = head_count(head, p->base, STR("transfer-encoding"));
    if (lengths > 1 || (lengths > 0 && codings > 0)) {
        return H1_AMBIGUOUS_LENGTH;
    }
    uint64_t value;
    if (lengths == 1 && (!str_to_u64(head_get(head, p->base, STR("content-length")), &value) ||
                         value != p->ll.content_length)) {
        return H1_MALFORMED;
    }
    /* Other codings would have to be undone; nobody in this trade sends them. */
    if (codings > 0 &&
        (codings > 1 || p->ll.http_minor == 0 || (p->ll.flags & F_CHUNKED) == 0 ||
         !str_eq_nocase(head_get(head, p->base, STR("transfer-encoding")), STR("chunked")))) {
        return H1_MALFORMED;
    }
    return H1_OK;
}

static void fill_head(struct h1 *p)
{
    struct head *head = p->head;
    for (uint32_t i = 0; i < head->count; i++) {
        struct header *h = &head->h[i];
        const char *value = p->base + h->value;
        while (h->value_n > 0 && (value[h->value_n - 1] == ' ' || value[h->value_n - 1] == '\t')) {
            h->value_n--;
        }
    }
    head->status = p->ll.status_code;
    head->method = p->ll.method;
    head->minor = p->ll.http_minor;
    head->chunked = (p->ll.flags & F_CHUNKED) != 0;
    head->has_length = (p->ll.flags & F_CONTENT_LENGTH) != 0;
    head->length = head->has_length ? p->ll.content_length : 0;
    head->upgrade = p->ll.upgrade != 0;
    head->expect_continue =
        str_eq_nocase(head_get(head, p->base, STR("expect")), STR("100-continue"));
}

static enum h1_error check_head(struct h1 *p, const char *end)
{
    if (!lines_are_strict(p->base, end)) {
        return H1_MALFORMED;
    }
    enum h1_error error = check_version(p);
    if (error != H1_OK) {
        return error;
    }
    fill_head(p);
    return check_length(p);
}

/* The head ends at end: judges it and lets llhttp decide whether a body follows. */
static void finish_head(struct h1 *p, const char *end)
{
    enum h1_error error = check_head(p, end);
    unsigned status = p->ll.status_code;
    bool reply = p->ll.type == HTTP_RESPONSE;
    if (error == H1_OK && reply && (status < 100 || status == 101)) {
        error = H1_MALFORMED; /* nobody asked for another protocol */
    }
    if (error != H1_OK) {
        (void)fail(p, error);
        return;
    }
    if (reply && status < 200) {
        start(p, false);
        return;
    }
    p->ll.upgrade = 0;
    if (reply && (status == 204 || status == 304)) {
        p->ll.flags |= F_SKIPBODY;
    }
    p->head->keep_alive = llhttp_should_keep_alive(&p->ll) != 0;
    p->state = H1_BODY;
    if (llhttp_execute(&p->ll, end, 0) == HPE_PAUSED) {
        llhttp_resume(&p->ll);
    }
}

static size_t stop(struct h1 *p, llhttp_errno_t error, const char *data)
{
    if (p->state != H1_ERROR) {
        (void)fail(p, error_of(&p->ll, error));
    }
    const char *at = llhttp_get_error_pos(&p->ll);
    return at == NULL ? 0 : (size_t)(at - data);
}

static size_t feed_head(struct h1 *p, const char *data, size_t n)
{
    size_t before = (size_t)(data - p->base);
    size_t room = before < LIMIT_HEAD_BYTES ? LIMIT_HEAD_BYTES - before : 0;
    size_t take = n < room ? n : room;
    size_t used = 0;
    /* More than one turn only for interim replies, which are longer than nothing. */
    while (p->state == H1_HEAD) {
        llhttp_errno_t error = llhttp_execute(&p->ll, data + used, take - used);
        if (error == HPE_OK) {
            if (take == room) {
                (void)fail(p, H1_HEAD_TOO_LARGE);
            }
            return take;
        }
        if (error != HPE_PAUSED) {
            return stop(p, error, data);
        }
        const char *end = llhttp_get_error_pos(&p->ll);
        used = (size_t)(end - data);
        llhttp_resume(&p->ll);
        finish_head(p, end);
        p->ll.data = p;
    }
    return used;
}

size_t h1_feed(struct h1 *p, const char *base, const char *data, size_t n)
{
    p->base = base;
    p->ll.data = p; /* the owner may have moved it */
    if (p->state == H1_HEAD) {
        return feed_head(p, data, n);
    }
    if (p->state != H1_BODY) {
        return 0;
    }
    llhttp_errno_t error = llhttp_execute(&p->ll, data, n);
    if (error == HPE_OK) {
        return n;
    }
    if (error != HPE_PAUSED || p->state != H1_DONE) {
        return stop(p, error, data);
    }
    const char *end = llhttp_get_error_pos(&p->ll);
    llhttp_resume(&p->ll);
    return (size_t)(end - data);
}

bool h1_eof(struct h1 *p)
{
    p->ll.data = p;
    if (p->state == H1_BODY) {
        (void)llhttp_finish(&p->ll);
    }
    return p->state == H1_DONE;
}
