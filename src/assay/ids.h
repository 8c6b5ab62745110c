/* SPDX-License-Identifier: Apache-2.0 */
/* Vendors' ids that hold the time at which they were made. Pure. */
#ifndef ASSAY_IDS_H
#define ASSAY_IDS_H

#include "base/str.h"

/* The vendor whose shape an id has, and the time in it (seconds since the epoch); NULL: it is of
 * no shape that holds one. Whoever makes ids at random in such a shape gives any time at all. */
const char *id_time(struct str id, int64_t *seconds);

#endif
