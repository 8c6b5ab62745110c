/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of vouchers: what is written is read again, however it was typed, and typos are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "ledger/code.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static struct voucher_code random_code(struct rand_weak *r)
{
    struct voucher_code code;

    for (int i = 0; i < CODE_BYTES; i++)
        code.b[i] = (uint8_t)(rand_weak_next(r) >> 24);
    return code;
}

static void expect(const char *text, enum code_fault fault, const struct voucher_code *code)
{
    struct voucher_code read = {{0}};

    assert_int_equal(code_parse(str_from(text), &read), fault);
    if (fault == CODE_GOOD)
        assert_memory_equal(read.b, code->b, CODE_BYTES);
}

static void what_is_written_is_read_again(void **state)
{
    struct rand_weak r = {7};
    char text[CODE_TEXT + 1];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct voucher_code code = random_code(&r);
        code_write(text, &code);
        assert_int_equal(strlen(text), CODE_TEXT);
        for (int k = 5; k < CODE_TEXT; k += 6)
            assert_int_equal(text[k], '-');
        expect(text, CODE_GOOD, &code);
    }
}

/* Vectors of a second implementation (tests/peer/voucher.py has the same). */
static void codes_are_these(void **state)
{
    static const struct {
        struct voucher_code code;
        const char *text;
    } rows[] = {
        {{{0}}, "00000-00000-00000-00000-00000-00000"},
        {{{[15] = 1}}, "00000-00000-00000-00000-00000-1Y69H"},
    };
    char text[CODE_TEXT + 1];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        code_write(text, &rows[i].code);
        assert_string_equal(text, rows[i].text);
    }
}

static void however_it_was_typed(void **state)
{
    const struct voucher_code code = {{0x08, 0x42, 0x10, 0x84, 0x21, 0, 0, 0x42, 0, 1, 0, 9}};
    char text[CODE_TEXT + 1], typed[3 * CODE_TEXT];

    (void)state;
    code_write(text, &code);
    for (int style = 0; style < 4; style++) {
        size_t n = 0;
        for (const char *c = text; *c != '\0'; c++) {
            char as = *c;
            if (as == '-')
                continue;
            if (style == 1)
                typed[n++] = ' ';
            if (as == '0')
                as = style == 2 ? 'o' : 'O';
            if (as == '1')
                as = style == 3 ? 'l' : 'I';
            typed[n++] = style == 2 && as >= 'A' && as <= 'Z' ? (char)(as + 32) : as;
        }
        typed[n] = '\0';
        expect(typed, CODE_GOOD, &code);
    }
}

static void other_shapes_are_none(void **state)
{
    struct rand_weak r = {9};
    struct voucher_code code = random_code(&r);
    char text[CODE_TEXT + 2], changed[CODE_TEXT + 2];

    (void)state;
    code_write(text, &code);
    expect("", CODE_SHAPE, NULL);
    for (size_t n = 0; n < CODE_TEXT; n++) {
        memcpy(changed, text, n);
        changed[n] = '\0';
        expect(changed, CODE_SHAPE, NULL);
    }
    memcpy(changed, text, CODE_TEXT);
    memcpy(changed + CODE_TEXT, "0", 2);
    expect(changed, CODE_SHAPE, NULL);
    for (int c = 1; c < 256; c++) {
        memcpy(changed, text, CODE_TEXT + 1);
        changed[2] = (char)c;
        bool known = strchr("OILoil", c) != NULL || (c < 128 && strchr(alphabet, c) != NULL) ||
                     (c >= 'a' && c <= 'z' && strchr(alphabet, c - 32) != NULL);
        struct voucher_code read;
        assert_int_equal(code_parse(str_from(changed), &read) == CODE_SHAPE, !known);
    }
}

static void flip(char text[CODE_TEXT], struct rand_weak *r, int count)
{
    bool done[CODE_TEXT] = {false};

    while (count > 0) {
        size_t at = rand_weak_next(r) % CODE_TEXT;
        char to = alphabet[rand_weak_next(r) >> 8 & 31];
        if (text[at] == '-' || done[at] || text[at] == to)
            continue;
        text[at] = to;
        done[at] = true;
        count--;
    }
}

static void up_to_four_wrong_symbols_are_told(void **state)
{
    struct rand_weak r = {11};
    char text[CODE_TEXT + 1];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct voucher_code code = random_code(&r);
        code_write(text, &code);
        flip(text, &r, 1 + i % 4);
        expect(text, CODE_TYPO, NULL);
    }
}

static void two_that_changed_places_are_told(void **state)
{
    struct rand_weak r = {13};
    struct voucher_code code = random_code(&r);
    char text[CODE_TEXT + 1], changed[CODE_TEXT + 1];

    (void)state;
    code_write(text, &code);
    for (int i = 0; i < CODE_TEXT; i++)
        for (int k = 0; k < i; k++) {
            if (text[i] == text[k] || text[i] == '-' || text[k] == '-')
                continue;
            memcpy(changed, text, sizeof changed);
            changed[i] = text[k];
            changed[k] = text[i];
            expect(changed, CODE_TYPO, NULL);
        }
}

/* A codeword whose first symbol says more than 128 bits hold is no code of ours. */
static void two_bits_are_always_zero(void **state)
{
    (void)state;
    expect("80000-00000-00000-00000-00000-0EVJZ", CODE_TYPO, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(codes_are_these),
        cmocka_unit_test(however_it_was_typed),
        cmocka_unit_test(other_shapes_are_none),
        cmocka_unit_test(up_to_four_wrong_symbols_are_told),
        cmocka_unit_test(two_that_changed_places_are_told),
        cmocka_unit_test(two_bits_are_always_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
