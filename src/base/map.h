/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash map from a byte string to a pointer (open addressing, keyed SipHash so that outsiders
 * cannot choose collisions). Keys are copied. One thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map;

struct map *map_new(void);
void map_free(struct map *m);
void *map_get(const struct map *m, struct str key);
/* Returns the value that was there before, or NULL. value must not be NULL. */
void *map_put(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key);
size_t map_count(const struct map *m);
/* Walks all entries: start with *at = 0; false at the end. The map must not change meanwhile. */
bool map_next(const struct map *m, size_t *at, struct str *key, void **value);

#endif
