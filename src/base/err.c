/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

bool err_set(struct err *e, const char *format, ...)
{
    va_list args;

    if (e != NULL) {
        va_start(args, format);
        (void)vsnprintf(e->text, sizeof(e->text), format, args);
        va_end(args);
    }
    return false;
}
