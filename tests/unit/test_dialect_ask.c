/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "dialect/dialect.h"
#include "http/http.h"

static struct target target_of(unsigned method, const char *path, const char *query)
{
    struct target t;
    endpoint_find(method, str_from(path), str_from(query), &t);
    return t;
}

static const struct endpoint *post(const char *path)
{
    struct target t = target_of(HTTP_POST, path, "");
    assert_non_null(t.endpoint);
    assert_false(t.wrong_method);
    return t.endpoint;
}

static void finds_paths_with_any_prefix(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"", "/v1", "/v1/v1"};
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/chat/completions", prefixes[i]);
        assert_string_equal(post(path)->name, "chat.completions");
        snprintf(path, sizeof(path), "%s/messages/count_tokens", prefixes[i]);
        assert_int_equal(post(path)->op, OP_COUNT);
        assert_false(post(path)->metered);
        snprintf(path, sizeof(path), "%s/responses/input_tokens", prefixes[i]);
        assert_int_equal(post(path)->dialect, DIALECT_RESPONSES);
    }
    assert_true(post("/v1/embeddings")->metered);
    assert_null(target_of(HTTP_POST, "/v1/v1/v1/messages", "").endpoint);
    assert_null(target_of(HTTP_POST, "/v12/messages", "").endpoint);
    assert_null(target_of(HTTP_POST, "/v1/messages/", "").endpoint);
    assert_null(target_of(HTTP_POST, "/v1", "").endpoint);
    assert_null(target_of(HTTP_POST, "", "").endpoint);
    assert_true(target_of(HTTP_GET, "/v1/messages", "").wrong_method);
}

static void finds_gemini_methods(void **state)
{
    (void)state;
    struct target t = target_of(HTTP_POST, "/v1beta/models/gemini-3:generateContent", "");
    assert_int_equal(t.endpoint->dialect, DIALECT_GEMINI);
    assert_true(str_eq(t.model, STR("gemini-3")));
    assert_false(t.stream);
    t = target_of(HTTP_POST, "/v1/models/g:streamGenerateContent", "key=a&alt=sse");
    assert_true(t.stream);
    assert_int_equal(t.framing, FRAMING_SSE);
    t = target_of(HTTP_POST, "/v1beta/models/g:streamGenerateContent", "");
    assert_int_equal(t.framing, FRAMING_ARRAY);
    t = target_of(HTTP_POST, "/v1beta/models/publishers/google/models/x:countTokens", "");
    assert_true(str_eq(t.model, STR("publishers/google/models/x")));
    assert_int_equal(t.endpoint->op, OP_COUNT);
    t = target_of(HTTP_POST, "/v1beta/tunedModels/x:generateContent", "");
    assert_true(str_eq(t.model, STR("tunedModels/x")));
    t = target_of(HTTP_POST, "/v1beta/models/:generateContent", "");
    assert_int_equal(t.endpoint->op, OP_MODELS);
    assert_true(t.wrong_method);
    assert_true(target_of(HTTP_GET, "/v1beta/models/x:embedContent", "").wrong_method);
}

static void finds_models_and_own(void **state)
{
    (void)state;
    struct target t = target_of(HTTP_GET, "/v1/models", "");
    assert_int_equal(t.endpoint->op, OP_MODELS);
    assert_int_equal(t.endpoint->dialect, DIALECT_CHAT);
    t = target_of(HTTP_GET, "/v1beta/models", "");
    assert_int_equal(t.endpoint->dialect, DIALECT_GEMINI);
    t = target_of(HTTP_GET, "/v1/models/ft:gpt/x", "");
    assert_int_equal(t.endpoint->op, OP_MODELS);
    assert_true(str_eq(t.model, STR("ft:gpt/x")));
    static const char *const own[] = {"/",           "/healthz",  "/readyz",
                                      "/v1/account", "/v1/usage", "/v1/prices"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        t = target_of(HTTP_GET, own[i], "");
        assert_int_equal(t.endpoint->op, i < 3 ? OP_PUBLIC : OP_OWN);
        assert_int_equal(t.endpoint->dialect, DIALECT_OWN);
    }
    assert_null(target_of(HTTP_GET, "/account", "").endpoint);
}

static void check_path(const char *path, const char *query, const char *model, const char *want)
{
    struct target t = target_of(HTTP_POST, path, query);
    struct buf b;
    buf_init(&b, 256);
    assert_true(upstream_path(t.endpoint, &t, str_from(model), &b));
    assert_int_equal(b.n, strlen(want));
    assert_memory_equal(b.p, want, b.n);
    buf_release(&b);
}

static void writes_upstream_paths(void **state)
{
    (void)state;
    check_path("/v1/v1/chat/completions", "", "m", "/chat/completions");
    check_path("/responses/input_tokens", "", "m", "/responses/input_tokens");
    check_path("/v1/models/x:generateContent", "", "a b?c", "/models/a%20b%3Fc:generateContent");
    check_path("/v1/models/x:streamGenerateContent", "alt=sse", "g",
               "/models/g:streamGenerateContent?alt=sse");
    check_path("/v1/models/x:streamGenerateContent", "", "tunedModels/g",
               "/tunedModels/g:streamGenerateContent");
    struct target t = target_of(HTTP_GET, "/healthz", "");
    struct buf b;
    buf_init(&b, 64);
    assert_false(upstream_path(t.endpoint, &t, STR("m"), &b));
    buf_release(&b);
}

static bool reads(const char *path, const char *body, struct ask *a, const char **field)
{
    struct err e = {""};
    bool ok = ask_read(post(path), str_from(body), a, field, &e);
    assert_int_equal(ok, e.text[0] == '\0');
    return ok;
}

static void reads_a_chat(void **state)
{
    (void)state;
    struct ask a;
    const char *field;
    const char *body = "{ \"messages\":[{\"model\":\"no\",\"stream\":1}], \"model\" : \"gpt\","
                       "\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                       "\"max_tokens\":5,\"max_completion_tokens\":70}";
    assert_true(reads("/v1/chat/completions", body, &a, &field));
    assert_true(str_eq(a.model, STR("gpt")));
    assert_true(a.stream);
    assert_true(a.include_usage);
    assert_true(str_eq(a.stream_options, STR("{\"include_usage\":true}")));
    assert_int_equal(a.max_output, 70);
    assert_true(reads("/v1/chat/completions",
                      "{\"model\":\"m\",\"stream\":null,\"stream_options\":null}", &a, &field));
    assert_false(a.stream);
    assert_false(a.include_usage);
    assert_true(str_eq(a.stream_options, STR("null")));
    assert_int_equal(a.max_output, 0);
}

static void expect_refers(const char *path, const char *rest, bool elsewhere, unsigned images)
{
    struct ask a;
    const char *field;
    char body[1024];
    (void)snprintf(body, sizeof(body), "{\"model\":\"m\",%s}", rest);
    assert_true(reads(path, body, &a, &field));
    if (a.elsewhere != elsewhere || a.images != images) {
        fail_msg("%s: elsewhere %d, images %u", body, a.elsewhere, a.images);
    }
}

static void knows_what_lies_elsewhere(void **state)
{
    (void)state;
    static const char *const elsewhere[][2] = {
        {"/v1/responses", "\"previous_response_id\":\"resp_1\""},
        {"/v1/responses", "\"previous_response\\u005fid\" : \"resp_1\""},
        {"/v1/responses", "\"conversation\":{\"id\":\"c\",\"x\":1}"},
        {"/v1/responses", "\"prompt\":{\"version\":\"2\",\"id\":\"p\"}"},
        {"/v1/responses", "\"input\":[{\"type\":\"input_file\",\"file_id\":\"f\"}]"},
        {"/v1/responses", "\"input\":[{\"type\":\"input_file\",\"file_url\" : \"https://x\"}]"},
        {"/v1/responses", "\"input\":[{\"id\":\"i\",\"type\":\"item_ref\\u0065rence\"}]"},
        {"/v1/responses", "\"input\":[{\"id\":\"i\",\"type\":null}]"},
        {"/v1/responses", "\"input\":[ { \"id\" : \"i\" } ]"},
        {"/v1/chat/completions", "\"messages\":[{\"content\":[{\"file\":{\"file_id\":\"f\"}}]}]"},
        {"/v1/chat/completions", "\"messages\":[{\"audio\":{\"id\":\"audio_7\"}}]"},
        {"/v1/chat/completions", "\"messages\":[{\"content\":[{\"type\":\"video_url\"}]}]"},
        {"/v1/messages", "\"messages\":[{\"type\":\"document\",\"source\":{\"type\":\"url\"}}]"},
        {"/v1/messages", "\"messages\":[{\"source\":{\"type\":\"file\",\"file_id\":\"f\"}}]"},
        {"/v1beta/models/g:generateContent", "\"cachedContent\":\"c/1\""},
        {"/v1beta/models/g:generateContent",
         "\"contents\":[{\"parts\":[{\"file_data\":{\"file_uri\":\"x\"}}]}]"},
    };
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        expect_refers(elsewhere[i][0], elsewhere[i][1], true, 0);
    }
    /* What only looks so: text, schemas, what is not given, other dialects' words. */
    expect_refers("/v1/responses", "\"previous_response_id\":null,\"conversation\":null", false, 0);
    expect_refers("/v1/responses", "\"input\":\"\\\"file_id\\\": \\\"f\\\"\"", false, 0);
    expect_refers("/v1/responses", "\"tools\":[{\"prompt\":{\"file_id\":{\"type\":\"string\"}}}]",
                  false, 0);
    expect_refers("/v1/responses", "\"input\":[{\"id\":\"i\",\"type\":\"message\"}]", false, 0);
    expect_refers("/v1/messages", "\"messages\":[{\"input\":{\"file_id\":\"f\"}}]", false, 0);
    expect_refers("/v1/chat/completions", "\"previous_response_id\":\"r\"", false, 0);
    expect_refers(
        "/v1/chat/completions",
        "\"messages\":[{\"content\":[{\"type\":\"image_url\"},{\"type\":\"image_url\"}]}]", false,
        2);
    expect_refers("/v1/messages",
                  "\"messages\":[{\"type\":\"image\",\"source\":{\"type\":\"url\"}}]", false, 1);
}

static void reads_other_dialects(void **state)
{
    (void)state;
    struct ask a;
    const char *field;
    assert_true(reads("/v1/responses", "{\"model\":\"m\",\"max_output_tokens\":9}", &a, &field));
    assert_int_equal(a.max_output, 9);
    assert_null(a.stream_options.p);
    assert_true(reads("/v1/messages", "{\"model\":\"m\",\"max_tokens\":8}", &a, &field));
    assert_int_equal(a.max_output, 8);
    assert_true(reads("/v1beta/models/g:generateContent",
                      "{\"contents\":[],\"generationConfig\":{\"maxOutputTokens\":7}}", &a,
                      &field));
    assert_int_equal(a.max_output, 7);
    assert_null(a.model.p);
    assert_true(reads("/v1beta/models/g:generateContent",
                      "{\"generation_config\":{\"max_output_tokens\":6}}", &a, &field));
    assert_int_equal(a.max_output, 6);
}

static void refuses(const char *path, const char *body, const char *want)
{
    struct ask a;
    const char *field;
    if (reads(path, body, &a, &field)) {
        fail_msg("accepted: %s", body);
    }
    if (want == NULL) {
        assert_null(field);
    } else {
        assert_string_equal(field, want);
    }
}

static void refuses_two_readings(void **state)
{
    (void)state;
    const char *chat = "/v1/chat/completions";
    refuses(chat, "{\"model\":\"a\",\"model\":\"b\"}", "model");
    refuses(chat, "{\"mod\\u0065l\":\"b\"}", "model");
    refuses(chat, "{\"model\":\"a\",\"mod\\u0065l\":\"b\"}", "model");
    refuses(chat, "{\"model\":\"a\\u0062\"}", "model");
    refuses(chat, "{\"model\":\"\"}", "model");
    refuses(chat, "{\"model\":null}", "model");
    refuses(chat, "{\"model\":[\"a\"]}", "model");
    refuses(chat, "{}", "model");
    refuses(chat, "{\"model\":\"a\",\"stream\":\"true\"}", "stream");
    refuses(chat, "{\"model\":\"a\",\"stream\":1}", "stream");
    refuses(chat, "{\"model\":\"a\",\"stream\":true,\"stream\":false}", "stream");
    refuses(chat, "{\"model\":\"a\",\"messages\":[],\"messages\":[]}", "messages");
    refuses(chat, "{\"model\":\"a\",\"stream_options\":[]}", "stream_options");
    refuses(chat, "{\"model\":\"a\",\"stream_options\":{\"include_usage\":\"x\"}}",
            "stream_options");
    refuses(chat,
            "{\"model\":\"a\",\"stream_options\":{\"include_usage\":true,\"include_usage\":false}}",
            "stream_options");
    refuses(chat, "{\"model\":\"a\",\"max_tokens\":1.5}", "max_tokens");
    refuses(chat, "{\"model\":\"a\",\"max_tokens\":-1}", "max_tokens");
    refuses(chat, "[]", NULL);
    refuses(chat, "", NULL);
    refuses("/v1/embeddings", "{\"model\":\"a\",\"stream\":true}", "stream");
    refuses("/v1beta/models/g:generateContent", "{\"generationConfig\":5}", "generationConfig");
}

static void limits_the_name(void **state)
{
    (void)state;
    char body[LIMIT_NAME + 32] = "{\"model\":\"";
    size_t n = strlen(body);
    memset(body + n, 'm', LIMIT_NAME);
    memcpy(body + n + LIMIT_NAME, "\"}", 3);
    struct ask a;
    const char *field;
    assert_true(reads("/v1/messages", body, &a, &field));
    assert_int_equal(a.model.n, LIMIT_NAME);
    memcpy(body + n + LIMIT_NAME, "m\"}", 4);
    refuses("/v1/messages", body, "model");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_paths_with_any_prefix),
        cmocka_unit_test(finds_gemini_methods),
        cmocka_unit_test(finds_models_and_own),
        cmocka_unit_test(writes_upstream_paths),
        cmocka_unit_test(reads_a_chat),
        cmocka_unit_test(knows_what_lies_elsewhere),
        cmocka_unit_test(reads_other_dialects),
        cmocka_unit_test(refuses_two_readings),
        cmocka_unit_test(limits_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
