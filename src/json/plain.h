/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of bytes that mean nothing but themselves inside a JSON string. */
#ifndef JSON_PLAIN_H
#define JSON_PLAIN_H

#include <stddef.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* How many bytes at p are printable ASCII other than the quote and the backslash. */
static inline size_t json_plain_run(const char *p, size_t n)
{
    size_t i = 0;

#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i blank = _mm_set1_epi8(0x20); /* signed: bytes above 0x7f are below it, too */
    for (; n - i >= 32; i += 32) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i w = _mm_loadu_si128((const __m128i *)(const void *)(p + i + 16));
        v = _mm_or_si128(_mm_cmplt_epi8(v, blank),
                         _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        w = _mm_or_si128(_mm_cmplt_epi8(w, blank),
                         _mm_or_si128(_mm_cmpeq_epi8(w, quote), _mm_cmpeq_epi8(w, slash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(v) | (unsigned)_mm_movemask_epi8(w) << 16;
        if (mask != 0) {
            return i + (size_t)__builtin_ctz(mask);
        }
    }
    for (; n - i >= 16; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(stop, _mm_cmplt_epi8(v, blank)));
        if (mask != 0) {
            return i + (size_t)__builtin_ctz(mask);
        }
    }
#endif
    while (i < n && p[i] >= 0x20 && (unsigned char)p[i] < 0x80 && p[i] != '"' && p[i] != '\\') {
        i++;
    }
    return i;
}

#endif
