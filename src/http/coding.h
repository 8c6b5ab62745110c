/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content codings, undone piece by piece: bytes in, bytes out. Pure. What is decoded is appended to
 * the caller's buffer, never more than max bytes and one, so that a bomb costs no more than an
 * honest body. Members of gzip and frames of zstd may follow one another, as their formats say;
 * nothing else may. What a decoder remembers of a body is wiped when it is freed.
 */
#ifndef HTTP_CODING_H
#define HTTP_CODING_H

#include "base/buf.h"

enum coding_kind { CODING_NONE, CODING_GZIP, CODING_DEFLATE, CODING_ZSTD, CODING_OTHER };
/* Of a Content-Encoding; a list of several is OTHER. */
enum coding_kind coding_find(struct str value);

struct coding;
/* out, given to every feed, must have room for max + 1 bytes. NULL: no memory. */
struct coding *coding_new(enum coding_kind kind, size_t max);
void coding_free(struct coding *c); /* NULL is fine */

/* After anything but CODING_OK nothing more may be fed. */
enum coding_result { CODING_OK, CODING_TOO_LARGE, CODING_BROKEN };
enum coding_result coding_feed(struct coding *c, struct str bytes, struct buf *out);
/* The bytes so far may be all there are: the last member or frame has ended. */
bool coding_complete(const struct coding *c);
/* What is wrong, after CODING_BROKEN or when it is not complete; static text. */
const char *coding_why(const struct coding *c);
/* Bytes that the decoder itself holds. */
size_t coding_memory(const struct coding *c);

#endif
