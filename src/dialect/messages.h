/* SPDX-License-Identifier: Apache-2.0 */
/* Of the messages dialect alone: what its files share. */
#ifndef DIALECT_MESSAGES_H
#define DIALECT_MESSAGES_H

#include "dialect/neutral.h"

void messages_read_system(struct conversion *c, const struct json *v, const struct place *at,
                          void *into);
void messages_read_turns(struct conversion *c, const struct json *v, const struct place *at,
                         void *into);
/* A level of effort, of the request or of one of its turns. */
void messages_read_level(struct conversion *c, const struct json *v, const struct place *at);
/* System text, then the turns, which are merged first. */
void messages_write_turns(struct conversion *c, struct json_out *o);
/* A mark to cache; NULL: none. */
void messages_put_cache(struct json_out *o, const struct json *cache);

#endif
