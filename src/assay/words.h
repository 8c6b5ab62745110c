/* SPDX-License-Identifier: Apache-2.0 */
/* Our words in the reader's language (words.def). Pure. */
#ifndef ASSAY_WORDS_H
#define ASSAY_WORDS_H

#include "base/buf.h"

enum lang { LANG_EN, LANG_ZH };
bool words_lang(struct str name, enum lang *out);
/* As it is written in HTML. */
const char *words_tag(enum lang lang);
/* What is in no table stays as it is. */
void words_say(struct buf *out, enum lang lang, struct str english);

#endif
