/* SPDX-License-Identifier: Apache-2.0 */
/* Our own errors, in the words of the dialect that asked. */
#include "dialect/dialect.h"

struct words {
    unsigned status;
    const char *openai, *messages, *gemini;
};

/* The first row is for any other 4xx, the last for any other 5xx. */
static const struct words table[] = {
    {400, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
    {401, "authentication_error", "authentication_error", "UNAUTHENTICATED"},
    {402, "insufficient_quota", "billing_error", "FAILED_PRECONDITION"},
    {403, "permission_error", "permission_error", "PERMISSION_DENIED"},
    {404, "invalid_request_error", "not_found_error", "NOT_FOUND"},
    {405, "invalid_request_error", "invalid_request_error", "UNIMPLEMENTED"},
    {408, "timeout", "timeout_error", "DEADLINE_EXCEEDED"},
    {409, "invalid_request_error", "invalid_request_error", "ABORTED"},
    {413, "request_too_large", "request_too_large", "INVALID_ARGUMENT"},
    {429, "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"},
    {502, "server_error", "api_error", "UNAVAILABLE"},
    {503, "server_error", "api_error", "UNAVAILABLE"},
    {504, "timeout", "timeout_error", "DEADLINE_EXCEEDED"},
    {529, "server_error", "overloaded_error", "UNAVAILABLE"},
    {500, "server_error", "api_error", "INTERNAL"},
};
#define WORDS_COUNT (sizeof(table) / sizeof(table[0]))

static const struct words *words_of(unsigned status)
{
    for (size_t i = 0; i < WORDS_COUNT; i++) {
        if (table[i].status == status) {
            return &table[i];
        }
    }
    return status < 500 ? &table[0] : &table[WORDS_COUNT - 1];
}

static void add_str_or_null(struct buf *b, const char *s)
{
    if (s == NULL) {
        buf_add(b, STR("null"));
    } else {
        json_write_str(b, str_from(s));
    }
}

static void write_openai(const struct problem *p, struct buf *b)
{
    buf_add(b, STR("{\"error\":{\"message\":"));
    json_write_str(b, p->text);
    buf_addf(b, ",\"type\":\"%s\",\"param\":", words_of(p->status)->openai);
    add_str_or_null(b, p->param);
    buf_add(b, STR(",\"code\":"));
    add_str_or_null(b, p->code);
    buf_add(b, STR("}}"));
}

static void write_messages(const struct problem *p, struct str request_id, struct buf *b)
{
    buf_addf(b, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":",
             words_of(p->status)->messages);
    json_write_str(b, p->text);
    buf_add_byte(b, '}');
    if (request_id.n > 0) {
        buf_add(b, STR(",\"request_id\":"));
        json_write_str(b, request_id);
    }
    buf_add_byte(b, '}');
}

static void write_gemini(const struct problem *p, struct buf *b)
{
    buf_addf(b, "{\"error\":{\"code\":%u,\"message\":", p->status);
    json_write_str(b, p->text);
    buf_addf(b, ",\"status\":\"%s\"}}", words_of(p->status)->gemini);
}

void problem_write(enum dialect d, const struct problem *p, struct str request_id, struct buf *body)
{
    switch (d) {
    case DIALECT_MESSAGES: write_messages(p, request_id, body); break;
    case DIALECT_GEMINI: write_gemini(p, body); break;
    case DIALECT_CHAT:
    case DIALECT_RESPONSES:
    case DIALECT_EMBEDDINGS:
    case DIALECT_OWN: write_openai(p, body); break;
    }
}

/*
 * Clients of this dialect look at response.error alone; the id and the sequence number of the
 * broken stream are not known here, and neutral values keep strict schemas content.
 */
static void write_response_failed(const struct problem *p, struct buf *b)
{
    buf_add(b, STR("event: response.failed\ndata: {\"type\":\"response.failed\","
                   "\"sequence_number\":0,\"response\":{\"id\":\"resp_failed\","
                   "\"object\":\"response\",\"created_at\":0,\"status\":\"failed\",\"error\":"
                   "{\"code\":"));
    json_write_str(b, p->code != NULL ? str_from(p->code) : STR("server_error"));
    buf_add(b, STR(",\"message\":"));
    json_write_str(b, p->text);
    buf_add(b, STR("},\"incomplete_details\":null,\"model\":\"\",\"output\":[]}}\n\n"));
}

struct str gemini_before(enum framing f)
{
    return f == FRAMING_SSE ? STR("data: ") : f == FRAMING_ARRAY ? STR(",\r\n") : STR("[");
}

struct str gemini_after(enum framing f)
{
    return f == FRAMING_SSE ? STR("\r\n\r\n") : STR("\r\n]");
}

static void write_gemini_event(enum framing f, const struct problem *p, struct buf *b)
{
    buf_add(b, gemini_before(f));
    write_gemini(p, b);
    buf_add(b, gemini_after(f));
}

void problem_write_event(enum dialect d, enum framing f, const struct problem *p, struct buf *out)
{
    switch (d) {
    case DIALECT_RESPONSES: write_response_failed(p, out); break;
    case DIALECT_MESSAGES:
        buf_add(out, STR("event: error\ndata: "));
        write_messages(p, (struct str){NULL, 0}, out);
        buf_add(out, STR("\n\n"));
        break;
    case DIALECT_GEMINI: write_gemini_event(f, p, out); break;
    case DIALECT_CHAT:
    case DIALECT_EMBEDDINGS:
    case DIALECT_OWN:
        buf_add(out, STR("data: "));
        write_openai(p, out);
        buf_add(out, STR("\n\n"));
        break;
    }
}
