/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose answers and refusals these look like (shapes.def, errors.def, makers.def). All of it is
 * cheap to imitate, and honest gateways that convert lose it. Pure.
 */
#ifndef ASSAY_SHAPE_H
#define ASSAY_SHAPE_H

#include "assay/evidence.h"

enum maker {
#define MAKER(ID, name, kind) MAKER_##ID,
#include "assay/makers.def"
    MAKERS, /* nobody that is known */
    MAKER_NONE = MAKERS
};
const char *maker_name(enum maker m);
/* Software or a service that sells on what others make. */
bool maker_is_gateway(enum maker m);
/* Who makes a model of that name, where only its vendor and clouds serve it; else MAKERS. */
enum maker maker_of(struct str model);
/* Whether that one may serve such a name honestly and as it is. */
bool maker_fits(enum maker m, struct str model);

#define SHAPE_ROWS 96 /* more than shapes.def has */
struct shape {
    enum maker maker;     /* whose marks it has; MAKERS: nobody's */
    const char *lacks;    /* what its own have and this has not; NULL: nothing */
    bool hit[SHAPE_ROWS]; /* rows of that maker that hold */
};
void shape_read(const struct record *r, struct shape *out);
const char *shape_row(size_t i); /* what it is called; NULL behind the last */
/* The software of a relay, by headers and kinds of ids; NULL: none that is known. */
const char *shape_software(const struct record *r);
/* Whose words a refusal is in. */
enum maker shape_refusal(struct str body);
/* The value of a header of a record; empty: it has none. */
struct str shape_header(const struct record *r, const char *name);

#endif
