/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers, our own errors, and the small endpoints of our own. */
#include <stdio.h>

#include "base/clock.h"
#include "relay/edit.h"

void answer_head(struct request *r, unsigned status, struct str content_type, int64_t length,
                 struct str extra, struct buf *out)
{
    buf_add(out, STR("HTTP/1.1 "));
    buf_add_u64(out, status);
    buf_cat(out, STR(" "), str_from(http_reason(status)), STR("\r\n"));
    if (content_type.n > 0) {
        buf_cat(out, STR("content-type: "), content_type, STR("\r\n"));
    }
    buf_add(out, extra);
    /* Who is told comes back to the station that serves from now on. */
    r->keep = r->keep && !atomic_load(&r->lane->station->draining);
    if (!r->keep) {
        buf_add(out, STR("connection: close\r\n"));
    }
    if (length >= 0) {
        buf_add(out, STR("content-length: "));
        buf_add_u64(out, (uint64_t)length);
        buf_add(out, STR("\r\n"));
    } else {
        buf_add(out, STR("transfer-encoding: chunked\r\ncache-control: no-cache\r\n"));
    }
    buf_cat(out, STR("relay-request-id: "), str_from(r->rid_text), STR("\r\n"));
    if (r->edits != 0) {
        buf_add(out, STR("relay-edits: "));
        edit_names(r->edits, out);
        buf_add(out, STR("\r\n"));
    }
    if (r->lossy != NULL && r->conversion != NULL) {
        buf_cat(out, STR("relay-lossy: "), str_from(r->lossy), STR("\r\n"));
    }
    buf_add(out, STR("\r\n"));
}

/* Where there is no such endpoint: by the path it would stand under, and by the headers. */
static enum dialect asker(const struct request *r)
{
    struct str path, query;

    if (r->target.endpoint != NULL || r->head == NULL) {
        return r->target.endpoint != NULL ? (enum dialect)r->target.endpoint->dialect : DIALECT_OWN;
    }
    url_split(head_target(r->head, r->head_base), &path, &query);
    if (str_starts(path, STR("/v1beta/")) ||
        head_get(r->head, r->head_base, STR("x-goog-api-key")).p != NULL) {
        return DIALECT_GEMINI;
    }
    if (str_starts(path, STR("/v1/messages/")) ||
        head_get(r->head, r->head_base, STR("anthropic-version")).p != NULL) {
        return DIALECT_MESSAGES;
    }
    return DIALECT_OWN;
}

static void send_whole(struct request *r, struct str head, struct str body)
{
    r->bytes_out = r->head_only ? 0 : body.n;
    session_send(r->session, head, r->head_only ? STR("") : body, STR(""));
}

void answer_problem(struct request *r)
{
    const struct end_row *row = end_row((enum end)r->end);
    struct session *s = r->session;
    unsigned status = r->problem_status != 0 ? r->problem_status : row->status;
    struct problem p = {status, r->problem_code != NULL ? r->problem_code : row->code,
                        str_from(r->detail != NULL ? r->detail : row->text), r->field};
    struct buf body, head, extra;

    /* The rest of a message that nobody will parse must not be taken for a next request. */
    r->keep = r->keep && s->h1.state == H1_DONE;
    buf_init(&body, 8192);
    buf_init(&head, 8192);
    buf_init(&extra, 256);
    problem_write(asker(r), &p, str_from(r->rid_text), &body);
    if (r->retry_after_s > 0) {
        buf_addf(&extra, "retry-after: %u\r\n", r->retry_after_s);
    }
    if (r->end == END_MEDIA) {
        buf_add(&extra, STR("accept-encoding: gzip, deflate, zstd\r\n"));
    }
    if (r->end == END_METHOD) {
        buf_addf(&extra, "allow: %s\r\n",
                 r->target.endpoint->method == HTTP_GET ? "GET, HEAD" : "POST");
    }
    if (r->end == END_WEBSOCKET) { /* what to go on with; a 426 has to name it */
        buf_add(&extra, STR("upgrade: HTTP/1.1\r\nconnection: upgrade\r\n"));
    }
    if (r->end == END_UPSTREAM_SPENT || r->end == END_BUDGET || r->end == END_ACCOUNT_BUDGET ||
        r->end == END_BAD_KEY || r->end == END_NO_KEY) {
        buf_add(&extra, STR("x-should-retry: false\r\n"));
    }
    r->status = (uint16_t)status;
    answer_head(r, status, STR("application/json"), (int64_t)body.n, buf_str(&extra), &head);
    send_whole(r, buf_str(&head), buf_str(&body));
    buf_release(&extra);
    buf_release(&head);
    buf_release(&body);
    r->session = NULL;
    session_answered(s, r->keep);
}

void answer_own(struct request *r, unsigned status, struct str content_type, struct str extra)
{
    struct session *s = r->session;
    struct buf head;

    r->end = r->target.endpoint->op == OP_COUNT ? END_FREE : END_OWN;
    r->status = (uint16_t)status;
    if (s != NULL) {
        buf_init(&head, 8192);
        answer_head(r, status, content_type, (int64_t)r->reply.n, extra, &head);
        send_whole(r, buf_str(&head), buf_str(&r->reply));
        buf_release(&head);
        r->session = NULL;
        session_answered(s, r->keep);
    }
    request_move(r, REQ_CLOSE);
}
