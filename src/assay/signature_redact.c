/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures in a text that is kept: JSON, or events with JSON in them. */
#include "assay/signature.h"

#define LEAST 200 /* none with an account is shorter */
#define TEXT_MAX (1 << 20)

/* Letters of base64 that writers of JSON escape. */
static const struct {
    struct str written;
    char means;
} escapes[] = {
    {STR_INIT("\\/"), '/'},     {STR_INIT("\\u002b"), '+'}, {STR_INIT("\\u002B"), '+'},
    {STR_INIT("\\u002f"), '/'}, {STR_INIT("\\u002F"), '/'}, {STR_INIT("\\u003d"), '='},
    {STR_INIT("\\u003D"), '='},
};

/* One letter of base64 at the beginning of s: how many bytes it takes there, or 0. */
static size_t letter(struct str s, char *out)
{
    char c = s.n > 0 ? s.p[0] : ' ', low = (char)(c | 0x20);

    *out = c;
    if ((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=') {
        return 1;
    }
    for (size_t i = 0; c == '\\' && i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        if (str_starts(s, escapes[i].written)) {
            *out = escapes[i].means;
            return escapes[i].written.n;
        }
    }
    return 0;
}

/* The letters that s begins with, into run: how many bytes they take there. */
static size_t take_run(struct buf *run, struct str s)
{
    size_t at = 0;
    char c;

    buf_clear(run);
    for (size_t n; (n = letter(str_skip(s, at), &c)) > 0; at += n) {
        buf_add_byte(run, c);
    }
    return at;
}

void signature_redact(struct buf *out, struct str text)
{
    struct buf run;

    buf_init(&run, TEXT_MAX);
    while (text.n > 0) {
        size_t n = take_run(&run, text);
        if (run.overflow || run.n < LEAST || !signature_anonymous(out, buf_str(&run))) {
            n += n == 0;
            buf_add(out, str_slice(text.p, n));
        }
        text = str_skip(text, n);
    }
    buf_release(&run);
}
