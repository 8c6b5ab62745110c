/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong, for a person: one sentence, complete enough to be printed as it stands.
 * Passed last; filled only by the function that fails; no allocation.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

struct err {
    char text[256];
};

/* Always returns false, so that a failing function can end in `return err_set(e, ...)`. e may be
 * NULL. */
bool err_set(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
