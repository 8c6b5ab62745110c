/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648, by libsodium. Pure. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

enum base64 { BASE64_STANDARD, BASE64_URL /* no padding */ };
/* Appends; false when the buffer is full. */
bool base64_write(struct buf *out, enum base64 kind, struct str bytes);
/* Appends what it stands for; false unless it is that form, or the buffer is full. */
bool base64_read(struct buf *out, enum base64 kind, struct str text);

#endif
