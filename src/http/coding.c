/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zlib and zstd behind one step: it takes what it can of the input, fills what it can of the
 * output, and says whether it stands at an end. Their memory comes from here, so that it is
 * counted, and wiped when it goes: their windows hold the body's text.
 */
#include "http/coding.h"

#include <stdalign.h>
#include <stdlib.h>

#define ZSTD_STATIC_LINKING_ONLY /* for its memory functions, the same since 1.0 */
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define STEP_BYTES (64 * 1024)
#define WINDOW_LOG 23 /* 8 MB: what RFC 9659 allows a client to need */
#define ZSTD_MAGIC "\x28\xb5\x2f\xfd"
#define MAGIC_BYTES (sizeof(ZSTD_MAGIC) - 1)
#define WRAP_GZIP 16 /* added to zlib's window bits */

struct coding {
    enum coding_kind kind;
    size_t max, memory;
    bool at_end;
    const char *why;
    z_stream z;
    ZSTD_DCtx *zstd;
    char magic[MAGIC_BYTES]; /* of the frame that begins */
    size_t magic_n;
};

union block {
    size_t n;
    max_align_t align;
};

static void *take(void *owner, size_t n)
{
    struct coding *c = owner;
    union block *b = n < SIZE_MAX - sizeof(*b) ? malloc(sizeof(*b) + n) : NULL;

    if (b == NULL) {
        return NULL;
    }
    b->n = n;
    c->memory += n;
    return b + 1;
}

static void give(void *owner, void *p)
{
    struct coding *c = owner;
    union block *b = p;

    if (b != NULL) {
        b--;
        c->memory -= b->n;
        explicit_bzero(p, b->n);
        free(b);
    }
}

static void *take_items(void *owner, unsigned items, unsigned size)
{
    return take(owner, (size_t)items * size);
}

enum coding_kind coding_find(struct str value)
{
    static const struct {
        struct str name;
        enum coding_kind kind;
    } names[] = {
        {STR_INIT(""), CODING_NONE},           {STR_INIT("identity"), CODING_NONE},
        {STR_INIT("gzip"), CODING_GZIP},       {STR_INIT("x-gzip"), CODING_GZIP},
        {STR_INIT("deflate"), CODING_DEFLATE}, {STR_INIT("zstd"), CODING_ZSTD},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eq_nocase(value, names[i].name)) {
            return names[i].kind;
        }
    }
    return CODING_OTHER;
}

static bool begin(struct coding *c)
{
    if (c->kind == CODING_ZSTD) {
        c->zstd = ZSTD_createDCtx_advanced((ZSTD_customMem){take, give, c});
        return c->zstd != NULL &&
               !ZSTD_isError(ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_windowLogMax, WINDOW_LOG));
    }
    c->z = (z_stream){.zalloc = take_items, .zfree = give, .opaque = c};
    return inflateInit2(&c->z, MAX_WBITS + (c->kind == CODING_GZIP ? WRAP_GZIP : 0)) == Z_OK;
}

struct coding *coding_new(enum coding_kind kind, size_t max)
{
    struct coding *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        return NULL;
    }
    c->kind = kind;
    c->max = max;
    c->why = "it ends too early";
    if (!begin(c)) {
        coding_free(c);
        return NULL;
    }
    return c;
}

void coding_free(struct coding *c)
{
    if (c == NULL) {
        return;
    }
    ZSTD_freeDCtx(c->zstd);
    (void)inflateEnd(&c->z); /* one that was never begun is refused */
    explicit_bzero(c, sizeof(*c));
    free(c);
}

static bool broken(struct coding *c, const char *why)
{
    c->why = why;
    return false;
}

static bool step_zlib(struct coding *c, struct str *in, char *to, size_t room, size_t *made)
{
    unsigned n = in->n < UINT32_MAX ? (unsigned)in->n : UINT32_MAX;

    if (c->at_end && n > 0) {
        if (c->kind == CODING_DEFLATE) {
            return broken(c, "something follows its end");
        }
        (void)inflateReset(&c->z);
        c->at_end = false;
    }
    c->z.next_in = (const Bytef *)in->p;
    c->z.avail_in = n;
    c->z.next_out = (Bytef *)to;
    c->z.avail_out = (unsigned)room;
    int rc = inflate(&c->z, Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
        return broken(c, c->kind == CODING_GZIP ? "the gzip data is damaged"
                                                : "the deflate data is damaged");
    }
    c->at_end = rc == Z_STREAM_END;
    *in = str_skip(*in, n - c->z.avail_in);
    *made = room - c->z.avail_out;
    return true;
}

/* Collects a frame's first bytes: libzstd would also read its own old formats, and dictionaries. */
static bool step_magic(struct coding *c, struct str *in)
{
    c->at_end = false;
    c->magic[c->magic_n++] = in->p[0];
    *in = str_skip(*in, 1);
    if (c->magic_n < MAGIC_BYTES) {
        return true;
    }
    if (memcmp(c->magic, ZSTD_MAGIC, MAGIC_BYTES) != 0) {
        return broken(c, "the zstd data is damaged");
    }
    ZSTD_inBuffer from = {c->magic, MAGIC_BYTES, 0};
    ZSTD_outBuffer none = {NULL, 0, 0};
    return !ZSTD_isError(ZSTD_decompressStream(c->zstd, &none, &from)) ||
           broken(c, "the zstd data is damaged");
}

static bool step_zstd(struct coding *c, struct str *in, char *to, size_t room, size_t *made)
{
    ZSTD_inBuffer from = {in->p, in->n, 0};
    ZSTD_outBuffer out = {to, room, 0};

    if (c->magic_n < MAGIC_BYTES) {
        return step_magic(c, in);
    }
    size_t rc = ZSTD_decompressStream(c->zstd, &out, &from);
    if (ZSTD_isError(rc)) {
        return broken(c, ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge
                             ? "its zstd window is larger than 8 MB"
                             : "the zstd data is damaged");
    }
    c->at_end = rc == 0;
    c->magic_n = c->at_end ? 0 : c->magic_n;
    *in = str_skip(*in, from.pos);
    *made = out.pos;
    return true;
}

static enum coding_result feed(struct coding *c, struct str bytes, struct buf *out)
{
    bool more = bytes.n > 0;

    while (more) {
        size_t room = out->cap > out->n ? out->cap - out->n : STEP_BYTES;
        size_t made = 0;

        room = room < c->max + 1 - out->n ? room : c->max + 1 - out->n;
        room = room < STEP_BYTES ? room : STEP_BYTES;
        char *to = buf_reserve(out, room);
        if (to == NULL) {
            return CODING_TOO_LARGE;
        }
        if (!(c->kind == CODING_ZSTD ? step_zstd : step_zlib)(c, &bytes, to, room, &made)) {
            return CODING_BROKEN;
        }
        out->n += made;
        if (out->n > c->max) {
            return CODING_TOO_LARGE;
        }
        more = bytes.n > 0 || (made == room && !c->at_end);
    }
    return CODING_OK;
}

enum coding_result coding_feed(struct coding *c, struct str bytes, struct buf *out)
{
    enum coding_result result = feed(c, bytes, out);
    size_t left = out->cap - out->n;

    /* A decoder may have used all the room it was given; a buffer wipes only what it holds. */
    if (left > 0) {
        explicit_bzero(out->p + out->n, left < STEP_BYTES ? left : STEP_BYTES);
    }
    return result;
}

bool coding_complete(const struct coding *c)
{
    return c->at_end;
}

const char *coding_why(const struct coding *c)
{
    return c->why;
}

size_t coding_memory(const struct coding *c)
{
    return sizeof(*c) + c->memory;
}
