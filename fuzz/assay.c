/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence from anybody: judged and told without harm, and so are signatures, within it or alone.
 * The report in JSON is JSON, those for people hold nothing that a terminal or a browser obeys.
 */
#include <assert.h>

#include "assay/probe.h"
#include "assay/report.h"
#include "assay/signature.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str s)
{
    while (s.n > 0) {
        uint32_t code = 0;
        size_t n = utf8_next(s, &code);
        assert(n > 0 && (code == '\n' || !utf8_obeyed(code)));
        s = str_skip(s, n);
    }
}

static void tell(const struct evidence *e, const struct verdicts *v)
{
    struct buf text;
    buf_init(&text, 16 << 20);
    report_json(&text, e, v);
    struct json_doc *doc = json_parse(buf_str(&text), NULL);
    assert(doc != NULL && !text.overflow);
    json_free(doc);
    for (enum lang lang = LANG_EN; lang <= LANG_ZH; lang++) {
        buf_clear(&text);
        report_text(&text, e, v, lang, false);
        check_text(buf_str(&text));
        buf_clear(&text);
        report_html(&text, e, v, lang);
        check_text(buf_str(&text));
    }
    buf_release(&text);
}

/* What is altered twice is as it was; what is redacted names nobody, and is left alone then. */
static void sign(struct str text)
{
    struct signature s;
    struct buf once, twice;

    buf_init(&once, 16 << 20);
    buf_init(&twice, 16 << 20);
    signature_read(&s, text);
    bool altered = signature_alter(&once, text);
    assert(altered == signature_is_claude(&s));
    assert(!altered || (signature_alter(&twice, buf_str(&once)) && once.n == twice.n));
    buf_clear(&once);
    buf_clear(&twice);
    signature_redact(&once, text);
    signature_redact(&twice, buf_str(&once));
    assert(str_eq(buf_str(&once), buf_str(&twice)));
    buf_release(&once);
    buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sign((struct str){(const char *)data, size});
    struct evidence e;
    struct verdicts v;
    evidence_init(&e);
    verdicts_init(&v);
    if (evidence_read(&e, (struct str){(const char *)data, size}, NULL)) {
        probes_judge(&e, &v);
        int status = verdicts_status(&v);
        assert(status == 0 || status == 2 || status == 3);
        tell(&e, &v);
    }
    verdicts_release(&v);
    evidence_release(&e);
    return 0;
}
