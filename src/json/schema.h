/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Schema, as far as arguments of tools need it: the keywords in schema.c and no other, so that
 * nothing is passed over in silence. Pure. Documents of json_parse_exact: numbers of any size are
 * compared as they are written.
 */
#ifndef JSON_SCHEMA_H
#define JSON_SCHEMA_H

#include "json/json.h"

/* Once, before it is used. Why names the keyword that is not known here, or says nothing good. */
bool schema_usable(const struct json *schema, struct err *why) MUST_CHECK;
/* The keyword of a usable schema that the value does not keep; NULL: it is valid. An object of more
 * than 256 members keeps none. */
const char *schema_broken(const struct json *schema, const struct json *value);

#endif
