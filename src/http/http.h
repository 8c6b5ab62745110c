/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 without sockets: bytes in, events out (over llhttp, strict). Pure; no clock, no globals.
 * The caller keeps the head's bytes in ONE growing region and says where it starts at each feed:
 * names and values are offsets into it, so the region may move between feeds.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <llhttp.h>

#include "base/buf.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/str.h"

struct header {
    uint32_t name, value; /* offsets from the head's first byte */
    uint32_t name_n, value_n;
};

struct head {
    uint16_t status; /* replies */
    uint8_t method;  /* requests: HTTP_GET, HTTP_POST, ... of llhttp */
    uint8_t minor;   /* HTTP/1.minor */
    bool chunked, keep_alive, expect_continue, upgrade, has_length;
    uint64_t length; /* Content-Length, when has_length */
    uint32_t target, target_n;
    uint32_t count;
    struct header h[LIMIT_HEADERS];
};

enum h1_state { H1_HEAD, H1_BODY, H1_DONE, H1_ERROR };

/* Called for body bytes, in order; p points into what was fed. */
typedef void h1_body_fn(void *ctx, const char *p, size_t n);

struct h1 {
    llhttp_t ll;
    struct head *head; /* filled while H1_HEAD; may be dropped (set to NULL) once H1_BODY */
    const char *base;
    h1_body_fn *body;
    void *ctx;
    uint8_t state;
    uint8_t error; /* enum h1_error when H1_ERROR */
    uint8_t field;
    size_t skipped; /* bytes of trailers, or of extensions of this chunk */
};

enum h1_error { H1_OK, H1_MALFORMED, H1_HEAD_TOO_LARGE, H1_VERSION, H1_AMBIGUOUS_LENGTH };

void h1_init(struct h1 *p, bool request, struct head *head, h1_body_fn *body, void *ctx);
/*
 * Feeds n bytes at data; while in H1_HEAD data must lie in the head's region that starts at base.
 * Stops right after the head (state H1_BODY, or H1_DONE when no body follows) so that the caller
 * can look at it, and at the end of the message (H1_DONE): bytes of a following message stay
 * unread. Interim replies (1xx) are skipped. Returns the bytes consumed.
 */
size_t h1_feed(struct h1 *p, const char *base, const char *data, size_t n);
/* The peer closed: true when the message is complete by that (a reply framed by close). */
bool h1_eof(struct h1 *p);

struct str head_target(const struct head *h, const char *base);
/* First header of that name, or {NULL,0}; and how many there are. */
struct str head_get(const struct head *h, const char *base, struct str name);
unsigned head_count(const struct head *h, const char *base, struct str name);
const char *http_reason(unsigned status);
/*
 * The client: peer, or while that is in a trusted network, the address before it in the
 * X-Forwarded-For headers. An entry that is no address ends the walk.
 */
struct ip forwarded_client(const struct head *h, const char *base, struct ip peer,
                           const struct ip_network *trusted, size_t count);

/* path and query of a target; query value of a name still percent-encoded; decoding into out. */
void url_split(struct str target, struct str *path, struct str *query);
struct str url_query(struct str query, struct str name);
bool url_decode(struct buf *out, struct str s);

/*
 * Splits a stream into events at any byte. Feed bytes; for each complete event fn gets the raw
 * bytes (with the blank line that ends it), the event's name and its data (joined by LF when in
 * several lines; points into raw when in one). Incomplete events wait in `pending`, at most
 * LIMIT_EVENT_BYTES.
 */
struct sse_event {
    struct str raw, name,
        data; /* name empty when there is no event: line; data.p NULL when no data: line */
};
/* False stops the feed (backpressure is the caller's business, not the parser's). */
typedef bool sse_fn(void *ctx, const struct sse_event *ev);
struct sse {
    struct buf pending;
    struct buf joined;
    size_t scanned;
    bool started; /* past the first event: a byte order mark is one only at the very start */
};
void sse_init(struct sse *s);
void sse_release(struct sse *s);
bool sse_feed(struct sse *s, struct str bytes, sse_fn *fn,
              void *ctx); /* false: stopped or event too large */
/* What is left at the end of the stream without its blank line (an incomplete event). */
struct str sse_rest(const struct sse *s);

/*
 * The same for a stream that is one JSON array: an element, which must be an object, is an event at
 * its last byte. Its data is the element; its raw bytes also hold what stands between it and the
 * one before. What follows the last element is the rest.
 */
struct array {
    struct buf pending;
    size_t lead; /* bytes in front of the element */
    unsigned depth;
    uint8_t state;
    bool quoted, escaped;
};
void array_init(struct array *a);
void array_release(struct array *a);
bool array_feed(struct array *a, struct str bytes, sse_fn *fn,
                void *ctx); /* false: stopped, element too large, or no such array */
struct str array_rest(const struct array *a);
bool array_closed(const struct array *a); /* its "]" has come */

#endif
