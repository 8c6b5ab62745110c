/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that nobody can guess, of the kinds that a dishonest seller replaces in arguments of tools.
 * Each holds eight digits of its own among plain words. Pure.
 */
#ifndef ASSAY_CANARY_H
#define ASSAY_CANARY_H

#include "base/buf.h"

enum canary { CANARY_INSTALL, CANARY_PAGE, CANARY_MAIL, CANARY_WALLET, CANARY_FILE };

void canary_write(struct buf *out, enum canary kind, struct str digits);
/* One that follows from it. */
void canary_next(struct buf *out, enum canary kind, struct str canary);

enum copy {
    COPY_NONE,    /* there is nothing */
    COPY_RIGHT,   /* to the byte */
    COPY_AROUND,  /* more stands around it, or less of it */
    COPY_BLURRED, /* miscopied, as a weak model does */
    COPY_MASKED,  /* a placeholder stands for it: "[EMAIL]", "<url>" */
    COPY_OTHER,   /* something else */
};
enum copy canary_compare(enum canary kind, struct str canary, struct str got);
/* Stands somewhere in a text, as a whole. */
bool canary_in(enum canary kind, struct str canary, struct str text);
bool canary_digits_in(struct str canary, struct str text);

#endif
