/* SPDX-License-Identifier: Apache-2.0 */
/* Of the files responses_*.c alone: what the reader of a request is made of. */
#ifndef DIALECT_RESPONSES_H
#define DIALECT_RESPONSES_H

#include "dialect/neutral.h"

#define RESPONSES_SEARCH "tool_search" /* the client's own, where it stands as a function */

/* Of rows: tools, tool_choice. */
void responses_read_tools(struct conversion *c, const struct json *v, const struct place *at,
                          void *into);
void responses_read_choice(struct conversion *c, const struct json *v, const struct place *at,
                           void *into);
/* Tools that came with the conversation are offered from its start; after the others. */
void responses_read_later_tools(struct conversion *c, const struct json *input);
bool responses_brings_tools(struct str type);
/* What each response says of the request, as members of its object, a comma first. */
struct str responses_settings(struct conversion *c, const struct json *root);

#endif
