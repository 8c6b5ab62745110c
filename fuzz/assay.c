/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence from anybody: judged and told without harm. The report in JSON is JSON, that for people
 * holds no sequence that a terminal would obey.
 */
#include <assert.h>

#include "assay/probe.h"
#include "assay/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(const struct evidence *e, const struct verdicts *v)
{
    struct buf text;
    buf_init(&text, 16 << 20);
    report_json(&text, e, v);
    struct json_doc *doc = json_parse(buf_str(&text), NULL);
    assert(doc != NULL && !text.overflow);
    json_free(doc);
    buf_clear(&text);
    report_text(&text, e, v, LANG_ZH, false);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        assert(c == '\n' || (c >= 0x20 && c != 0x7F));
        assert(c != 0xC2 || (unsigned char)text.p[i + 1] >= 0xA0);
    }
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
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
