/* json_scan.h - the scanners inside json_parse.c: how far does a string, a number, a gap reach?
 *
 * Each takes [p, end), reads no byte outside it, and returns NULL when the text is not what
 * RFC 8259 allows; json_explain.c then looks again, slowly, for the words. With SSE2 (every
 * x86-64 has it) 16 bytes are looked at together; MED_JSON_PORTABLE, or another machine,
 * takes 8 in plain C. Both must accept the same texts: tests and the fuzz target compare. */
#ifndef MED_BASE_JSON_SCAN_H
#define MED_BASE_JSON_SCAN_H

#include "base/str.h"

#if defined(__SSE2__) && !defined(MED_JSON_PORTABLE)
#include <emmintrin.h>
#define MED_JSON_SSE2 1
#else
#define MED_JSON_SSE2 0
#endif

enum { MED_JSON_BLOCK = MED_JSON_SSE2 ? 16 : 8 }; /* bytes looked at together */

#define MED_JSON_HOT static inline __attribute__((always_inline))
#define MED_JSON_APART static __attribute__((noinline, unused))
#define MED_JSON_LIKELY(x) __builtin_expect(!!(x), 1)

/* The byte at p, or 0 at the end: no JSON token begins with a NUL. */
MED_JSON_HOT unsigned char json_peek(const char *p, const char *end)
{
    return p < end ? (unsigned char)*p : 0;
}

/* Past the white space at p. Nearly all of it are single spaces, and a line break with the
 * spaces of an indentation. */
static inline const char *json_skip_space(const char *p, const char *end)
{
    if (end - p >= 2 && *p == ' ' && (unsigned char)p[1] > ' ')
        return p + 1;
#if MED_JSON_SSE2
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i space = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')),
                                     _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
        unsigned other = (unsigned)_mm_movemask_epi8(space) ^ 0xffffu;
        if (other != 0) {
            p += __builtin_ctz(other);
            if (!med_is_space(*p))
                return p;
            p++; /* a tab or a carriage return */
        } else {
            p += 16;
        }
    }
#endif
    while (p < end && med_is_space(*p))
        p++;
    return p;
}

#if !MED_JSON_SSE2
#define MED_JSON_EACH(byte) (0x0101010101010101u * (uint64_t)(byte))
/* True if one of the 8 bytes is a quote, a backslash, below 0x20 or above 0x7f. Exact: a
 * subtraction borrows from the next byte only where the byte itself is one of these. */
static inline bool json_word_is_special(uint64_t w)
{
    uint64_t quote = w ^ MED_JSON_EACH('"');
    uint64_t slash = w ^ MED_JSON_EACH('\\');
    uint64_t found =
        (w - MED_JSON_EACH(0x20)) | (quote - MED_JSON_EACH(1)) | (slash - MED_JSON_EACH(1)) | w;
    return (found & MED_JSON_EACH(0x80)) != 0;
}
#endif

MED_JSON_HOT bool json_is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* The same as below, byte by byte. */
MED_JSON_APART const char *json_skip_plain_bytes(const char *p, const char *end)
{
    while (p < end && json_is_plain(*p))
        p++;
    return p;
}

/* Before this a whole block can be read. Nothing, if the text is too short for one. */
MED_JSON_HOT const char *json_blocks_end(const char *start, const char *end)
{
    return end - start < MED_JSON_BLOCK ? start : end - (MED_JSON_BLOCK - 1);
}

/* The first byte of [p, end) that is no plain text (a quote, a backslash, a control character,
 * or above 0x7f), or end. */
MED_JSON_HOT const char *json_skip_plain(const char *p, const char *end, const char *blocks_end)
{
#if MED_JSON_SSE2
    while (p < blocks_end) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* xor 2 swaps the quote with the space and moves '!' and '#' only above it; what is
         * below 0x21 then, or above 0x7f, is negative after a subtraction that saturates. */
        __m128i mark = _mm_subs_epi8(_mm_xor_si128(v, _mm_set1_epi8(2)), _mm_set1_epi8(0x21));
        __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
        int mask = _mm_movemask_epi8(_mm_or_si128(mark, slash));
        if (mask != 0)
            return p + __builtin_ctz((unsigned)mask);
        p += MED_JSON_BLOCK;
    }
#else
    while (p < blocks_end) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        if (json_word_is_special(w))
            break;
        p += MED_JSON_BLOCK;
    }
#endif
    return json_skip_plain_bytes(p, end);
}

MED_JSON_HOT bool json_is_continuation(const char *p)
{
    return ((unsigned char)*p & 0xc0) == 0x80;
}

/* Length of the well-formed UTF-8 character of two or more bytes at p, or 0. Refuses overlong
 * forms, surrogates and what lies above U+10FFFF (Unicode table 3-7). */
static inline size_t json_utf8_length(const char *p, const char *end)
{
    unsigned char c = (unsigned char)p[0];
    size_t left = (size_t)(end - p);
    if (c < 0xc2 || left < 2 || !json_is_continuation(p + 1))
        return 0;
    if (c < 0xe0)
        return 2;
    unsigned char d = (unsigned char)p[1];
    if (left < 3 || !json_is_continuation(p + 2))
        return 0;
    if (c < 0xf0)
        return (c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) ? 0 : 3;
    if (c > 0xf4 || left < 4 || !json_is_continuation(p + 3))
        return 0;
    return (c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f) ? 0 : 4;
}

/* Past the run of characters above U+007F at p, or NULL. */
static inline const char *json_scan_utf8(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p >= 0x80) {
        size_t n = json_utf8_length(p, end);
        if (n == 0)
            return NULL;
        p += n;
    }
    return p;
}

/* The value of four hexadecimal digits at p, or -1. */
static inline int json_hex4(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        if (!med_is_hex(p[i]))
            return -1;
        int digit = med_is_digit(p[i]) ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10;
        value = value * 16 + digit;
    }
    return value;
}

/* Past the escape at p (a backslash), or NULL: unknown escape, NUL, half a surrogate pair. */
static inline const char *json_scan_escape(const char *p, const char *end)
{
    switch (json_peek(p + 1, end)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        break;
    default:
        return NULL;
    }
    int unit = json_hex4(p + 2, end);
    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return NULL;
    if (unit < 0xd800 || unit > 0xdbff)
        return p + 6;
    if (json_peek(p + 6, end) != '\\' || json_peek(p + 7, end) != 'u')
        return NULL;
    int low = json_hex4(p + 8, end);
    return low >= 0xdc00 && low <= 0xdfff ? p + 12 : NULL;
}

struct json_string_end {
    const char *quote; /* the closing one, or NULL */
    bool escaped;
};

/* The rest of a string, from its first byte that is not plain: found by json_skip_plain, and
 * no quote. */
MED_JSON_APART struct json_string_end json_scan_special(const char *p, const char *end,
                                                        const char *blocks_end)
{
    bool escaped = false;
    while (p < end && *p != '"') {
        if (*p == '\\') {
            escaped = true;
            p = json_scan_escape(p, end);
        } else {
            p = (unsigned char)*p >= 0x80 ? json_scan_utf8(p, end) : NULL;
        }
        if (p == NULL)
            return (struct json_string_end){NULL, false};
        p = json_skip_plain(p, end, blocks_end);
    }
    return (struct json_string_end){p < end ? p : NULL, escaped};
}

MED_JSON_HOT const char *json_skip_digits(const char *p, const char *end)
{
    while (p < end && med_is_digit(*p))
        p++;
    return p;
}

MED_JSON_HOT bool json_is_word(const char *p, const char *end, const char *word, size_t n)
{
    return (size_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

/* Past the number at p (a digit or '-'), or NULL. "01" ends behind its 0: what follows then
 * is found wrong by the caller. */
MED_JSON_HOT const char *json_scan_number(const char *p, const char *end)
{
    p += *p == '-';
    unsigned char first = json_peek(p, end);
    if (!med_is_digit((char)first))
        return NULL;
    p = first == '0' ? p + 1 : json_skip_digits(p, end);
    if (json_peek(p, end) == '.') {
        const char *digits = p + 1;
        p = json_skip_digits(digits, end);
        if (p == digits)
            return NULL;
    }
    if ((json_peek(p, end) | 0x20) == 'e') {
        const char *digits = p + 1;
        digits += json_peek(digits, end) == '+' || json_peek(digits, end) == '-';
        p = json_skip_digits(digits, end);
        if (p == digits)
            return NULL;
    }
    return p;
}

#endif
