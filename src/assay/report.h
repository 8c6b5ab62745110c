/* SPDX-License-Identifier: Apache-2.0 */
/* What was found, for people and for programs. Functions of the evidence alone. */
#ifndef ASSAY_REPORT_H
#define ASSAY_REPORT_H

#include "assay/claim.h"
#include "assay/evidence.h"
#include "assay/words.h"

/* 80 columns; colour: escape sequences of a terminal. */
void report_text(struct buf *out, const struct evidence *e, const struct verdicts *v,
                 enum lang lang, bool colour);
/* docs/assay.schema.json describes it. English, whatever a person reads. */
void report_json(struct buf *out, const struct evidence *e, const struct verdicts *v);
/* One file without a load from elsewhere, for a browser. */
void report_html(struct buf *out, const struct evidence *e, const struct verdicts *v,
                 enum lang lang);
/* What a status says to a person. */
const char *report_verdict(int status);
/* Whether a claim has findings that weigh something; the others stand by themselves. */
bool report_has(const struct verdicts *v, enum claim c);
extern const char report_folk_title[], report_folk_words[];
/* How many calls there were, and how they ended; for words_say. */
void report_calls(struct buf *out, const struct evidence *e);
/* What they were billed, on both sides; for words_say. */
void report_bill(struct buf *out, const struct evidence *e);

#endif
