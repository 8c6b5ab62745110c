/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <sodium.h>

static int variant(enum base64 kind)
{
    return kind == BASE64_URL ? sodium_base64_VARIANT_URLSAFE_NO_PADDING
                              : sodium_base64_VARIANT_ORIGINAL;
}

bool base64_write(struct buf *out, enum base64 kind, struct str bytes)
{
    size_t room = sodium_base64_encoded_len(bytes.n, variant(kind)); /* with a NUL */
    char *to = buf_reserve(out, room);

    if (to == NULL) {
        return false;
    }
    sodium_bin2base64(to, room, (const unsigned char *)bytes.p, bytes.n, variant(kind));
    out->n += room - 1;
    return true;
}

bool base64_read(struct buf *out, enum base64 kind, struct str text)
{
    char *to = buf_reserve(out, text.n + 1);
    size_t n;

    if (to == NULL || sodium_base642bin((unsigned char *)to, text.n + 1, text.p, text.n, NULL, &n,
                                        NULL, variant(kind)) != 0) {
        return false;
    }
    out->n += n;
    return true;
}
