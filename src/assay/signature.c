/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/signature.h"

#include "base/base64.h"

#define BYTES_MAX (1 << 20)
#define NONCE 12
#define TAG 48
#define PROOF 64
#define GEMINI_LEAST 48 /* characters; shorter ones may be anything */

/* A field of protobuf: a number, or bytes. */
struct field {
    uint64_t number, value;
    struct str bytes; /* p NULL: it is a number */
};

/* Where the pieces are that may be changed. */
struct parts {
    struct str cipher;
};

static bool read_varint(struct str *s, uint64_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < 10 && i < s->n; i++) {
        unsigned char c = (unsigned char)s->p[i];
        if (i == 9 && c > 1) {
            return false;
        }
        *out |= (uint64_t)(c & 0x7F) << (7 * i);
        if (c < 0x80) {
            *s = str_skip(*s, i + 1);
            return true;
        }
    }
    return false;
}

static bool read_field(struct str *s, struct field *f)
{
    uint64_t key;

    *f = (struct field){0};
    if (!read_varint(s, &key) || !read_varint(s, &f->value)) {
        return false;
    }
    f->number = key >> 3;
    if ((key & 7) == 0) {
        return f->number > 0;
    }
    if ((key & 7) != 2 || f->number == 0 || f->value > s->n) {
        return false;
    }
    f->bytes = str_slice(s->p, (size_t)f->value);
    *s = str_skip(*s, (size_t)f->value);
    return true;
}

/* Letters that names of models have; else it is none. */
static void copy_name(char *out, size_t room, struct str s)
{
    bool fits = s.n < room;

    for (size_t i = 0; i < s.n && fits; i++) {
        char c = s.p[i];
        fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_' || c == '@' || c == ':' || c == '/';
    }
    for (size_t i = 0; i < s.n && fits; i++) {
        out[i] = s.p[i];
    }
    out[fits ? s.n : 0] = '\0';
}

static bool read_channel(struct signature *s, struct str text)
{
    struct field f;
    bool channel = false, proof = false;

    while (text.n > 0) {
        if (!read_field(&text, &f)) {
            return false;
        }
        if (f.number == 1 && f.bytes.p == NULL) {
            s->channel = f.value;
            channel = true;
        } else if (f.number == 2 && f.bytes.p == NULL) {
            s->infra = f.value == 1 ? INFRA_AWS : f.value == 2 ? INFRA_VERTEX : INFRA_OTHER;
        } else if (f.number == 5) {
            proof = f.bytes.n == PROOF;
        } else if (f.number == 6) {
            copy_name(s->model, sizeof(s->model), f.bytes);
        } else if (f.number == 8) {
            copy_name(s->use, sizeof(s->use), f.bytes);
        } else if (f.number == 11 && f.bytes.p != NULL) {
            s->account = true;
        }
    }
    return channel && proof;
}

static bool read_container(struct signature *s, struct parts *parts, struct str text)
{
    static const size_t sizes[] = {0, 0, NONCE, NONCE, TAG};
    struct field f;
    unsigned seen = 0;

    while (text.n > 0) {
        if (!read_field(&text, &f)) {
            return false;
        }
        bool right = f.number >= 2 && f.number <= 4 && f.bytes.n == sizes[f.number];
        if (f.number == 1 && f.bytes.p != NULL) {
            right = read_channel(s, f.bytes);
        } else if (f.number == 5 && f.bytes.n > 0) {
            parts->cipher = f.bytes;
            right = true;
        }
        if (f.number <= 5) {
            seen |= right ? 1U << f.number : 0;
        }
    }
    return seen == (1U << 1 | 1U << 2 | 1U << 3 | 1U << 4 | 1U << 5);
}

/* The bytes of one layer. */
static bool read_claude(struct signature *s, struct parts *parts, struct str bytes)
{
    struct field f;
    bool whole = false;

    s->kind = SIGNATURE_CLAUDE;
    for (unsigned i = 0; bytes.n > 0; i++) {
        if (!read_field(&bytes, &f)) {
            return false;
        }
        if (i == 0 && f.number == 1 && f.bytes.p == NULL) {
            s->kind = SIGNATURE_CLAUDE_C;
        } else if (f.number == 2 && f.bytes.p != NULL) {
            whole = read_container(s, parts, f.bytes);
        }
    }
    return whole;
}

/* All of it one field of bytes, or several with the same number: Gemini's way. */
static bool is_gemini(struct str bytes)
{
    struct field f, inner;
    unsigned n = 0;

    if (str_starts(bytes, STR("\x01\x8f\x3d\x6b\x5f"))) {
        return true; /* of Vertex, without fields around it */
    }
    while (bytes.n > 0) {
        if (!read_field(&bytes, &f) || f.bytes.p == NULL || (f.number != 1 && f.number != 2)) {
            return false;
        }
        struct str own = f.bytes;
        if (f.number == 2 && (!read_field(&own, &inner) || inner.number != 1 || own.n > 0)) {
            return false;
        }
        n++;
    }
    return n > 0;
}

static bool decode(struct buf *out, struct str text)
{
    return text.n > 0 && text.n < BYTES_MAX && base64_read(out, BASE64_STANDARD, text);
}

/* The innermost bytes in out, and in how many layers they were. */
static bool open_claude(struct signature *s, struct parts *parts, struct buf *out, struct str text,
                        bool *twice)
{
    struct buf outer;

    *s = (struct signature){0};
    *parts = (struct parts){0};
    *twice = text.n > 0 && text.p[0] == 'R';
    if (!*twice) {
        return decode(out, text) && read_claude(s, parts, buf_str(out));
    }
    buf_init(&outer, BYTES_MAX);
    bool ok =
        decode(&outer, text) && decode(out, buf_str(&outer)) && read_claude(s, parts, buf_str(out));
    buf_release(&outer);
    s->kind = SIGNATURE_CLAUDE_R;
    return ok;
}

/* Base64, of either alphabet, that lacks the '=' at its end. */
static bool is_unpadded(struct str text)
{
    bool letters = text.n >= 40 && text.n % 4 != 0;

    for (size_t i = 0; i < text.n && letters; i++) {
        char c = text.p[i], low = (char)(c | 0x20);
        letters = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
                  c == '-' || c == '_';
    }
    return letters;
}

static enum signature_kind other_kind(struct str text)
{
    struct buf letters, bytes;

    if (text.n == 0) {
        return SIGNATURE_NONE;
    }
    if (text.n == 12946 || text.n == 4340) {
        return SIGNATURE_KIMI;
    }
    if (str_starts(text, STR("gAAAA"))) {
        return SIGNATURE_FERNET;
    }
    buf_init(&letters, BYTES_MAX);
    buf_init(&bytes, BYTES_MAX);
    for (size_t i = 0; i < text.n; i++) { /* either alphabet */
        char c = text.p[i];
        buf_add_byte(&letters, (char)(c == '-' ? '+' : c == '_' ? '/' : c));
    }
    bool gemini =
        text.n >= GEMINI_LEAST && decode(&bytes, buf_str(&letters)) && is_gemini(buf_str(&bytes));
    buf_release(&letters);
    buf_release(&bytes);
    return gemini ? SIGNATURE_GEMINI : is_unpadded(text) ? SIGNATURE_UNPADDED : SIGNATURE_UNKNOWN;
}

void signature_read(struct signature *s, struct str text)
{
    struct parts parts;
    struct buf bytes;
    bool twice;

    buf_init(&bytes, BYTES_MAX);
    if (!open_claude(s, &parts, &bytes, text, &twice)) {
        *s = (struct signature){.kind = other_kind(text)};
    }
    buf_release(&bytes);
}

bool signature_is_claude(const struct signature *s)
{
    return s->kind >= SIGNATURE_CLAUDE && s->kind <= SIGNATURE_CLAUDE_C;
}

static void encode(struct buf *out, struct str bytes, bool twice)
{
    struct buf inner;

    if (!twice) {
        base64_write(out, BASE64_STANDARD, bytes);
        return;
    }
    buf_init(&inner, 2 * BYTES_MAX);
    base64_write(&inner, BASE64_STANDARD, bytes);
    base64_write(out, BASE64_STANDARD, buf_str(&inner));
    buf_release(&inner);
}

bool signature_alter(struct buf *out, struct str text)
{
    struct signature s;
    struct parts parts;
    struct buf bytes;
    bool twice;

    buf_init(&bytes, BYTES_MAX);
    bool ok = open_claude(&s, &parts, &bytes, text, &twice);
    if (ok) {
        bytes.p[(size_t)(parts.cipher.p - bytes.p) + parts.cipher.n / 2] ^= 1;
        encode(out, buf_str(&bytes), twice);
    }
    buf_release(&bytes);
    return ok;
}

#define UUID_BYTES 36

static bool is_uuid(const char *p)
{
    for (int i = 0; i < UUID_BYTES; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char low = (char)(p[i] | 0x20);
        bool digit = (p[i] >= '0' && p[i] <= '9') || (low >= 'a' && low <= 'f');
        if (dash ? p[i] != '-' : !digit) {
            return false;
        }
    }
    return true;
}

static bool zero_uuids(struct buf *b)
{
    bool found = false;

    for (size_t i = 0; i + UUID_BYTES <= b->n; i++) {
        if (is_uuid(b->p + i)) {
            found = true;
            for (size_t k = i; k < i + UUID_BYTES; k++) {
                b->p[k] = b->p[k] == '-' ? '-' : '0';
            }
        }
    }
    return found;
}

/* Whatever stands around them: the form of signatures is not published, and changes. */
bool signature_anonymous(struct buf *out, struct str text)
{
    struct buf bytes, inner;

    buf_init(&bytes, BYTES_MAX);
    buf_init(&inner, BYTES_MAX);
    bool once = decode(&bytes, text) && zero_uuids(&bytes);
    bool twice = !once && bytes.n > 0 && decode(&inner, buf_str(&bytes)) && zero_uuids(&inner);
    if (once || twice) {
        encode(out, buf_str(once ? &bytes : &inner), twice);
    }
    buf_release(&bytes);
    buf_release(&inner);
    return once || twice;
}
