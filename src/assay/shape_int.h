/* SPDX-License-Identifier: Apache-2.0 */
/* Of the shapes alone: an answer as its events; a whole one is a single event. */
#ifndef ASSAY_SHAPE_INT_H
#define ASSAY_SHAPE_INT_H

#include "assay/evidence.h"

/* What shapes.def says of them. */
enum shape_test {
    SHAPE_HERE,
    SHAPE_EVERY,
    SHAPE_GONE,
    SHAPE_ID,
    SHAPE_DATED,
    SHAPE_UUID,
    SHAPE_HEX32,
    SHAPE_DIGITS,
    SHAPE_NAMED,
    SHAPE_NAMES,
    SHAPE_FIRST,
    SHAPE_COUNTED,
    SHAPE_STEADY,
    SHAPE_DONE,
    SHAPE_HEADER, /* of the record, not of its events */
};

struct shape_event {
    struct json_doc *doc;
    const struct json *root;
};
struct shape_pieces {
    struct shape_event *events;
    size_t count, room;
    bool done; /* [DONE] came, and nothing behind it */
    struct str id;
};
void shape_open(struct shape_pieces *p, const struct record *r);
void shape_close(struct shape_pieces *p);
bool shape_holds(const struct shape_pieces *p, enum shape_test test, const char *where);
bool shape_is_hex(struct str s, size_t n);

#endif
