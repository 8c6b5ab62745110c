/* SPDX-License-Identifier: Apache-2.0 */
/* A request's body as it arrives: in place, or undone from its coding. */
#include <assert.h>

#include "relay/relay_int.h"

void body_begin(struct request *r)
{
    struct str value = head_get(r->head, r->head_base, STR("content-encoding"));
    bool several = head_count(r->head, r->head_base, STR("content-encoding")) > 1;

    r->coding_kind = (uint8_t)(several ? CODING_OTHER : coding_find(value));
    if (r->coding_kind != CODING_NONE && r->coding_kind != CODING_OTHER) {
        r->coding = coding_new((enum coding_kind)r->coding_kind, r->body_most);
        assert(r->coding != NULL);
    }
}

static void decode(struct request *r, struct str bytes)
{
    if (r->coding_result == CODING_OK) {
        r->coding_result = (uint8_t)coding_feed(r->coding, bytes, &r->body);
    }
    if (r->wire_bytes > r->body_most) {
        r->coding_result = CODING_TOO_LARGE; /* of pieces that come to nothing */
    }
}

void body_take(void *ctx, const char *p, size_t n)
{
    struct request *r = ctx;

    r->wire_bytes += n;
    if (r->coding != NULL) {
        decode(r, str_slice(p, n));
    } else if (r->body.p != NULL && p == r->body.p + r->body.n) {
        r->body.n += n; /* read in place */
    } else {
        char *to = buf_reserve(&r->body, n);
        if (to != NULL) {
            memmove(to, p, n);
            r->body.n += n;
        }
    }
}

static void fail_coding(struct request *r)
{
    request_failf(r, END_BAD_FIELD, "content-encoding",
                  "The body is not what its content-encoding says: %s.", coding_why(r->coding));
}

void body_too_large(struct request *r)
{
    if (r->body_most == LIMIT_BODY_BYTES) {
        request_fail(r, END_BODY_TOO_LARGE);
    } else if (r->body_most == 0) {
        request_failf(r, END_BODY_TOO_LARGE, NULL, "This endpoint takes no body.");
    } else {
        request_failf(r, END_BODY_TOO_LARGE, NULL, "The request body is larger than %zu KB.",
                      r->body_most / 1024);
    }
}

bool body_sound(struct request *r)
{
    if (!request_count_memory(r)) {
        request_fail(r, END_BODY_MEMORY);
    } else if (r->coding_result == CODING_TOO_LARGE ||
               (r->coding == NULL && r->wire_bytes > r->body_most)) {
        body_too_large(r);
    } else if (r->coding_result == CODING_BROKEN) {
        fail_coding(r);
    } else {
        return true;
    }
    return false;
}

bool body_end(struct request *r)
{
    if (r->coding != NULL && !coding_complete(r->coding)) {
        fail_coding(r);
        return false;
    }
    coding_free(r->coding);
    r->coding = NULL;
    (void)request_count_memory(r); /* it has only become less */
    return true;
}
