/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading price lists that others publish, for review: nothing that is read here is asked of
 * anybody until an operator has put it into the configuration.
 */
#ifndef PRICE_IMPORT_H
#define PRICE_IMPORT_H

#include "price/price.h"
#include "json/json.h"

#define IMPORT_ROWS 4 /* dated prices of one model */

/* A model's prices in force and to come. Text and match live as long as the call it is given to. */
struct import_model {
    const char *vendor; /* ours */
    struct str model;   /* theirs */
    const struct json *match;
    unsigned count;
    struct {
        int64_t from_us;
        struct price price;
    } rows[IMPORT_ROWS];
};

struct import {
    int64_t wall_us; /* prices in force then, and later */
    void (*each)(void *ctx, const struct import_model *m);
    void *ctx;
    const char *vendor;      /* this one alone; NULL: all */
    unsigned read, left_out; /* models of vendors that are known here */
    bool known;              /* a model of one of these vendors is in it */
};

/* Calls each model of the list; false when it is none. */
bool import_read(struct str text, struct import *i, struct err *e) MUST_CHECK;
/* Whether the list means this model, too; its own name first. */
bool import_names(const struct import_model *m, struct str model);

#endif
