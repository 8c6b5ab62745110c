/* SPDX-License-Identifier: Apache-2.0 */
/* The table of vendors: every row is whole, and its bases are where requests go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/vendors.h"
#include "dialect/vendor.h"

static void expect_text(struct str got, const char *wanted)
{
    if (!str_eq(got, str_from(wanted))) {
        fail_msg("got '%.*s', wanted '%s'", STR_ARG(got), wanted);
    }
}

static bool made_of(const char *text, const char *letters)
{
    return text[0] != '\0' && strspn(text, letters) == strlen(text);
}

/* Up to the path. */
static struct str place(const char *base)
{
    struct str s = str_from(base);
    size_t scheme = str_find(s, STR("://"));
    size_t from = scheme == SIZE_MAX ? 0 : scheme + 3;
    return str_slice(s.p, from + str_find_byte(str_skip(s, from), '/'));
}

static bool has_book(const struct vendor *v)
{
    for (size_t i = 0; i < price_book_count; i++) {
        if (str_eq(str_from(price_book[i].vendor), str_from(v->name))) {
            return true;
        }
    }
    return false;
}

static void names_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < vendor_count; i++) {
        const struct vendor *v = &vendors[i];
        assert_true(made_of(v->name, "abcdefghijklmnopqrstuvwxyz-"));
        assert_ptr_equal(vendor_find(str_from(v->name)), v); /* no name twice */
        assert_true(v->env != NULL || v->keyless);
        assert_true(v->env == NULL || made_of(v->env, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"));
        assert_true(v->note == NULL || v->note[strlen(v->note) - 1] == '.');
        /* Without a file a variable stands for one vendor. */
        for (size_t k = 0; k < i; k++) {
            bool same = v->env != NULL && vendors[k].env != NULL &&
                        str_eq(str_from(v->env), str_from(vendors[k].env));
            assert_false(same && has_book(v) && has_book(&vendors[k]));
        }
    }
    assert_null(vendor_find(STR("nobody")));
    for (size_t i = 0; i < price_book_count; i++) {
        assert_non_null(vendor_find(str_from(price_book[i].vendor)));
    }
}

static void bases_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < vendor_count; i++) {
        const struct vendor *v = &vendors[i];
        struct str host = place(vendor_base(v));
        unsigned spoken = 0;
        for (unsigned d = 0; d < DIALECT_OWN; d++) {
            assert_int_equal((vendor_dialects(v) & DIALECT_BIT(d)) != 0, v->bases[d] != NULL);
            if (v->bases[d] == NULL) {
                continue;
            }
            struct str base = str_from(v->bases[d]);
            spoken++;
            assert_true(str_eq(place(v->bases[d]), host));
            assert_false(str_ends(base, STR("/")));
            expect_text(vendor_path(v, (enum dialect)d, str_skip(str_from(vendor_base(v)), host.n)),
                        base.p + host.n);
        }
        assert_true(spoken > 0);
        assert_int_equal(vendor_dialects(v) >> DIALECT_OWN, 0);
    }
}

static void quirks_are_whole(void **state)
{
    (void)state;
    static const char *const words[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
    for (size_t i = 0; i < vendor_count; i++) {
        const struct vendor *v = &vendors[i];
        bool chat = v->bases[DIALECT_CHAT] != NULL;
        assert_int_equal(chat, v->max_tokens != NULL && v->seed != NULL);
        assert_int_equal(chat, (v->tool_choice & TAKES_AUTO) != 0);
        assert_true(v->reasoning_back != BACK_REPLAY || v->reasoning_field != NULL);
        assert_true(v->reasoning_in != REASONING_EFFORT || v->efforts != NULL);
        size_t at = 0;
        for (struct str rest = str_from(v->efforts); rest.n > 0; at++) {
            struct str word = str_cut(&rest, ' ');
            while (at < 7 && !str_eq(word, str_from(words[at]))) {
                at++;
            }
            assert_true(at < 7); /* a known word, and they rise */
        }
        if (v->extra != NULL) {
            char text[256];
            snprintf(text, sizeof(text), "{%s}", v->extra);
            struct json_doc *doc = json_parse(str_from(text), NULL);
            assert_true(doc != NULL && json_is_object(json_root(doc)));
            json_free(doc);
        }
    }
}

/* The configuration that names each, as somebody would write it. */
static void all_can_be_configured(void **state)
{
    (void)state;
    struct buf text, errors;
    buf_init(&text, 64 * 1024);
    buf_init(&errors, 64 * 1024);
    buf_add(&text, STR("upstreams:\n"));
    for (size_t i = 0; i < vendor_count; i++) {
        const struct vendor *v = &vendors[i];
        bool hosted = vendor_base(v)[0] != '/';
        buf_addf(&text, "  - {name: u%zu, vendor: %s, keys: [k]%s%s}\n", i, v->name,
                 hosted ? "" : ", base: 'http://lab", hosted ? "" : vendor_base(v));
        if (!hosted) { /* the quote's end */
            text.n -= 2;
            buf_add(&text, STR("'}\n"));
        }
    }
    struct config *c = config_parse("f", buf_str(&text), cli_vendors(), &errors);
    expect_text(buf_str(&errors), "");
    assert_non_null(c);
    assert_int_equal(c->upstream_count, vendor_count);
    for (size_t i = 0; i < vendor_count; i++) {
        const struct upstream *u = &c->upstreams[i];
        expect_text(u->base_path, vendor_base(&vendors[i]) + place(vendor_base(&vendors[i])).n);
    }
    config_unref(c);
    buf_release(&errors);
    buf_release(&text);
}

static void an_own_base_moves_a_vendor(void **state)
{
    (void)state;
    const struct vendor *v = vendor_find(STR("dashscope"));
    expect_text(vendor_path(v, DIALECT_MESSAGES, STR("/compatible-mode/v1")), "/apps/anthropic/v1");
    expect_text(vendor_path(v, DIALECT_RESPONSES, STR("/apps/anthropic/v1")),
                "/compatible-mode/v1");
    /* Another path stands for all dialects, and so does one for what the vendor does not speak. */
    expect_text(vendor_path(v, DIALECT_MESSAGES, STR("/proxy/v1")), "/proxy/v1");
    expect_text(vendor_path(v, DIALECT_MESSAGES, STR("")), "");
    expect_text(vendor_path(v, DIALECT_MESSAGES, STR("/v1")), "/v1");
    expect_text(vendor_path(v, DIALECT_GEMINI, STR("/compatible-mode/v1")), "/compatible-mode/v1");
    expect_text(vendor_path(NULL, DIALECT_CHAT, STR("/v1")), "/v1");
    v = vendor_find(STR("deepseek")); /* whose first base has no path */
    expect_text(vendor_path(v, DIALECT_CHAT, STR("")), "");
    expect_text(vendor_path(v, DIALECT_MESSAGES, STR("")), "/anthropic/v1");
    expect_text(vendor_path(v, DIALECT_MESSAGES, STR("/v1")), "/v1");
    v = vendor_find(STR("entrepot")); /* without a host */
    expect_text(vendor_path(v, DIALECT_GEMINI, STR("/v1")), "/v1beta");
    expect_text(vendor_path(v, DIALECT_CHAT, STR("/v1beta")), "/v1");
}

static void finds_words(void **state)
{
    (void)state;
    assert_true(vendor_word("low high max", STR("low")));
    assert_true(vendor_word("low high max", STR("max")));
    assert_false(vendor_word("low high max", STR("hig")));
    assert_false(vendor_word("low high max", STR("low high")));
    assert_false(vendor_word("low", STR("")));
    assert_false(vendor_word(NULL, STR("low")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_whole),
        cmocka_unit_test(bases_are_whole),
        cmocka_unit_test(quirks_are_whole),
        cmocka_unit_test(all_can_be_configured),
        cmocka_unit_test(an_own_base_moves_a_vendor),
        cmocka_unit_test(finds_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
