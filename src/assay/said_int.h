/* SPDX-License-Identifier: Apache-2.0 */
/* Of this room alone: what whole answers and streams share. */
#ifndef ASSAY_SAID_INT_H
#define ASSAY_SAID_INT_H

#include "assay/speak.h"

/* One more call of a tool; arguments may be a text that holds them. */
void said_add_call(struct said *s, const struct json *name, const struct json *arguments);

#endif
