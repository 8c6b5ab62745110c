/* SPDX-License-Identifier: Apache-2.0 */
/* Embeddings of the chat dialect's kind and of Gemini's, into each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dialect/convert.h"
#include "dialect/vendor.h"

#define MAX (1U << 20)

static struct conversion *begin(enum dialect from, const char *body, const uint64_t *allowed,
                                struct buf *out)
{
    bool openai = from == DIALECT_EMBEDDINGS;
    struct conversion_ask ask = {
        .from = from,
        .to = openai ? DIALECT_GEMINI : DIALECT_EMBEDDINGS,
        .vendor = vendor_find(openai ? STR("gemini") : STR("openai")),
        .model = STR("e-1"),
        .body = str_from(body),
        .reply_id = STR("R1"),
        .framing = FRAMING_SSE,
        .allowed = allowed,
    };

    buf_init(out, MAX);
    return conversion_new(&ask, out);
}

static void check(struct str got, const char *want)
{
    if (!str_eq(got, str_from(want))) {
        fail_msg("\n got %.*s\nwant %s", STR_ARG(got), want);
    }
}

/* What the upstream is asked; then its reply (or NULL) as the client gets it. */
static void converts(enum dialect from, const char *body, const char *asked, const char *lossy,
                     const char *reply, const char *want)
{
    struct buf out, got;
    struct str where, why;
    struct usage used = {.state = USAGE_OK, .in = 9};
    struct conversion *c = begin(from, body, NULL, &out);

    if (conversion_refused(c, &where, &why)) {
        fail_msg("refused at '%.*s': %.*s", STR_ARG(where), STR_ARG(why));
    }
    check(buf_str(&out), asked);
    check(conversion_lossy(c), lossy);
    buf_init(&got, MAX);
    if (reply != NULL) {
        assert_int_equal(conversion_whole(c, str_from(reply), &used, &got), want != NULL);
    }
    if (want != NULL) {
        check(buf_str(&got), want);
    }
    conversion_free(c);
    buf_release(&out);
    buf_release(&got);
}

static void refuses(enum dialect from, const char *body, const char *at)
{
    struct buf out;
    struct str where, why;
    struct conversion *c = begin(from, body, NULL, &out);

    if (!conversion_refused(c, &where, &why)) {
        fail_msg("not refused: %s", body);
    }
    check(where, at);
    conversion_free(c);
    buf_release(&out);
}

#define ONE "{\"requests\":[{\"model\":\"models/e-1\",\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}"
#define LIST(vectors)                                        \
    "{\"object\":\"list\",\"data\":[" vectors "],\"model\":" \
    "\"e-1\",\"usage\":{\"prompt_tokens\":9,\"total_tokens\":9}}"
#define VECTOR(index, value) \
    "{\"object\":\"embedding\",\"index\":" index ",\"embedding\":" value "}"

static void openai_clients_get_numbers_as_written(void **state)
{
    (void)state;
    converts(DIALECT_EMBEDDINGS,
             "{\"model\":\"x\",\"input\":[\"a\",\"b\"],\"dimensions\":2,\"user\":\"u\"}",
             "{\"requests\":[{\"model\":\"models/e-1\",\"content\":{\"parts\":[{\"text\":\"a\"}]},"
             "\"outputDimensionality\":2},{\"model\":\"models/e-1\",\"content\":{\"parts\":["
             "{\"text\":\"b\"}]},\"outputDimensionality\":2}]}",
             "user",
             "{\"embeddings\":[{\"values\":[0.10,-2.5e-3]},{\"values\":[3,4]}],"
             "\"usageMetadata\":{\"promptTokenCount\":9}}",
             LIST(VECTOR("0", "[0.10,-2.5e-3]") "," VECTOR("1", "[3,4]")));
}

/* Of 1, -2 and 0.1 as 32-bit floats, the least byte first; SDKs ask for it by default. */
static void base64_is_of_little_floats(void **state)
{
    (void)state;
    converts(DIALECT_EMBEDDINGS, "{\"model\":\"x\",\"input\":\"a\",\"encoding_format\":\"base64\"}",
             ONE, "", "{\"embeddings\":[{\"values\":[1,-2.0,0.1]}]}",
             LIST(VECTOR("0", "\"AACAPwAAAMDNzMw9\"")));
    converts(DIALECT_EMBEDDINGS, "{\"model\":\"x\",\"input\":\"a\",\"encoding_format\":\"float\"}",
             ONE, "", "{\"embedding\":{\"values\":[1]}}", LIST(VECTOR("0", "[1]")));
}

static void what_is_no_vector_is_a_bad_reply(void **state)
{
    (void)state;
#define B64 "{\"model\":\"x\",\"input\":\"a\",\"encoding_format\":\"base64\"}"
    static const char *const replies[] = {
        "{}",
        "{\"embeddings\":[]}",
        "{\"embeddings\":[{\"values\":[1]},{\"values\":[2]}]}",
        "{\"embeddings\":[{\"values\":[\"1\"]}]}",
        "{\"embeddings\":[{\"values\":null}]}",
        "{\"embeddings\":[7]}",
        "[]",
    };
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        converts(DIALECT_EMBEDDINGS, B64, ONE, "", replies[i], NULL);
    }
    converts(DIALECT_GEMINI, "{\"content\":{\"parts\":[{\"text\":\"a\"}]}}",
             "{\"model\":\"e-1\",\"input\":[\"a\"]}", "",
             "{\"data\":[{\"index\":0,\"embedding\":\"AACAfw==\"}]}", NULL); /* infinite */
}

static void gemini_clients_get_vectors_by_their_index(void **state)
{
    (void)state;
    converts(DIALECT_GEMINI,
             "{\"requests\":[{\"model\":\"models/x\",\"content\":{\"parts\":[{\"text\":\"a\"},"
             "{\"text\":\"b\"}]},\"output_dimensionality\":2},{\"content\":{\"role\":\"user\","
             "\"parts\":{\"text\":\"c\"}},\"embedContentConfig\":{\"outputDimensionality\":2,"
             "\"autoTruncate\":true},\"taskType\":\"TASK_TYPE_UNSPECIFIED\"}]}",
             "{\"model\":\"e-1\",\"input\":[\"a\\nb\",\"c\"],\"dimensions\":2}",
             "requests[1].embedContentConfig.autoTruncate",
             "{\"object\":\"list\",\"data\":[" VECTOR("1", "[3]") "," VECTOR(
                 "0", "\"AACAPw==\"") "],\"usage\":{\"prompt_tokens\":9}}",
             "{\"embeddings\":[{\"values\":[1]},{\"values\":[3]}],\"usageMetadata\":"
             "{\"promptTokenCount\":9}}");
    converts(DIALECT_GEMINI, "{\"model\":\"models/x\",\"content\":{\"parts\":[{\"text\":\"a\"}]}}",
             "{\"model\":\"e-1\",\"input\":[\"a\"]}", "", "{\"data\":[{\"embedding\":[0.50]}]}",
             "{\"embedding\":{\"values\":[0.50]},\"usageMetadata\":{\"promptTokenCount\":9}}");
}

static void what_cannot_be_carried_is_refused(void **state)
{
    (void)state;
    char many[1024];
    size_t n = (size_t)snprintf(many, sizeof(many), "{\"model\":\"x\",\"input\":[\"0\"");
    for (unsigned i = 1; i <= 100; i++) {
        n += (size_t)snprintf(many + n, sizeof(many) - n, ",\"%u\"", i);
    }
    (void)snprintf(many + n, sizeof(many) - n, "]}");
    refuses(DIALECT_EMBEDDINGS, many, "input[100]");
    refuses(DIALECT_EMBEDDINGS, "{\"model\":\"x\",\"input\":[1,2]}", "input[0]");
    refuses(DIALECT_EMBEDDINGS, "{\"model\":\"x\",\"input\":[]}", "input");
    refuses(DIALECT_EMBEDDINGS, "{\"model\":\"x\",\"input\":\"a\",\"input_type\":\"query\"}",
            "input_type");
    refuses(DIALECT_EMBEDDINGS, "{\"model\":\"x\",\"input\":\"a\",\"encoding_format\":\"int8\"}",
            "encoding_format");
#define TEXT "\"content\":{\"parts\":[{\"text\":\"a\"}]}"
    refuses(DIALECT_GEMINI, "{" TEXT ",\"taskType\":\"RETRIEVAL_QUERY\"}", "taskType");
    refuses(DIALECT_GEMINI, "{\"requests\":[{" TEXT ",\"title\":\"t\"}]}", "requests[0].title");
    refuses(DIALECT_GEMINI, "{\"requests\":[{" TEXT "},{\"model\":\"m\"}]}", "requests[1].content");
    refuses(DIALECT_GEMINI,
            "{\"requests\":[{" TEXT ",\"outputDimensionality\":1},{" TEXT
            ",\"outputDimensionality\":2}]}",
            "requests[1].outputDimensionality");
    refuses(DIALECT_GEMINI,
            "{\"content\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
            "\"AAAA\"}}]}}",
            "content.parts[0].inlineData");
}

/* A route may say that what the vectors are for does not matter. */
static void a_route_may_allow_the_loss_of_the_task(void **state)
{
    (void)state;
    const char *names[CONVERSION_FIELDS];
    uint64_t allowed[CONVERSION_FIELDS / 64] = {0};
    size_t count = conversion_fields(names);
    struct buf out;
    struct str where, why;

    for (size_t f = 0; f < count; f++) {
        if (strcmp(names[f], "taskType") == 0) {
            allowed[f / 64] |= (uint64_t)1 << (f % 64);
        }
    }
    struct conversion *c =
        begin(DIALECT_GEMINI, "{" TEXT ",\"task_type\":\"CLUSTERING\"}", allowed, &out);
    assert_false(conversion_refused(c, &where, &why));
    check(buf_str(&out), "{\"model\":\"e-1\",\"input\":[\"a\"]}");
    check(conversion_lossy(c), "task_type");
    conversion_free(c);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openai_clients_get_numbers_as_written),
        cmocka_unit_test(base64_is_of_little_floats),
        cmocka_unit_test(what_is_no_vector_is_a_bad_reply),
        cmocka_unit_test(gemini_clients_get_vectors_by_their_index),
        cmocka_unit_test(what_cannot_be_carried_is_refused),
        cmocka_unit_test(a_route_may_allow_the_loss_of_the_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
