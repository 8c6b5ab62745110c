/* SPDX-License-Identifier: Apache-2.0 */
/* Characters of UTF-8, of texts that a stranger wrote. Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

/* Bytes of the character that s begins with; 0: it is broken, or s is empty. */
size_t utf8_next(struct str s, uint32_t *code);
/* What a terminal or a browser would obey instead of showing: control characters, and what is not
 * seen but turns the direction of what follows, or hides in it. */
bool utf8_obeyed(uint32_t code);

#endif
