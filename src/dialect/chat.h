/* SPDX-License-Identifier: Apache-2.0 */
/* Of the chat dialect alone: what its files share. */
#ifndef DIALECT_CHAT_H
#define DIALECT_CHAT_H

#include "dialect/neutral.h"

/* The messages, into the turns. */
void chat_read_messages(struct conversion *c, const struct json *v, const struct place *at,
                        void *into);
/* Everything of a request but the model and the messages. */
void chat_write_settings(struct conversion *c, struct json_out *o);
/* A mark to cache, where the vendor takes it; else it is lost. cache may be NULL. */
void chat_write_cache(struct conversion *c, struct json_out *o, const struct json *cache,
                      const struct place *from);

#endif
