/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of the files gemini_*.c alone: what the reader of a request is made of. As all readers, they walk
 * by read.c and stop at c->refused; the API's JSON is that of protocol buffers, so a name may be in
 * either spelling (key_is) and one item may stand where a list is wanted.
 */
#ifndef DIALECT_GEMINI_H
#define DIALECT_GEMINI_H

#include "dialect/neutral.h"

/* Calls read for each item, or for the one that stands alone. */
void gemini_read_list(struct conversion *c, const struct json *v, const struct place *at,
                      void (*read)(struct conversion *c, const struct json *v,
                                   const struct place *at, void *into),
                      void *into);
/* The parts of one content, whatever its role. */
void gemini_read_parts(struct conversion *c, const struct json *v, const struct place *at,
                       struct parts *list);
/* Of rows: contents, systemInstruction. */
void gemini_read_contents(struct conversion *c, const struct json *v, const struct place *at,
                          void *into);
void gemini_read_system(struct conversion *c, const struct json *v, const struct place *at,
                        void *into);
/* A schema of OpenAPI's kind as JSON Schema; it lives as long as the request. */
const struct json *gemini_schema(struct conversion *c, const struct json *schema);

#endif
