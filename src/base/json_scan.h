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

#if defined(__GNUC__)
#define MED_JSON_HOT static inline __attribute__((always_inline))
#define MED_JSON_COLD __attribute__((noinline, cold))
#else
#define MED_JSON_HOT static inline
#define MED_JSON_COLD
#endif

/* The byte at p, or 0 at the end: no JSON token begins with a NUL. */
MED_JSON_HOT unsigned char json_peek(const char *p, const char *end)
{
    return p < end ? (unsigned char)*p : 0;
}

/* Past the white space at p, when there is more than one byte of it (pretty-printed text). */
static inline const char *json_skip_more_space(const char *p, const char *end)
{
#if MED_JSON_SSE2
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i space = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')),
                                     _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
        __m128i rare = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\r')),
                                    _mm_cmpeq_epi8(v, _mm_set1_epi8('\t')));
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(space, rare)) ^ 0xffffu;
        if (mask != 0)
            return p + __builtin_ctz(mask);
        p += 16;
    }
#endif
    while (p < end && med_is_space(*p))
        p++;
    return p;
}

MED_JSON_HOT const char *json_skip_space(const char *p, const char *end)
{
    if (p < end && (unsigned char)*p > ' ')
        return p;
    return json_skip_more_space(p, end);
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

/* The first quote, backslash, control character or byte above 0x7f in [p, end), or end. */
MED_JSON_HOT const char *json_skip_plain(const char *p, const char *end)
{
#if MED_JSON_SSE2
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Signed, so that bytes above 0x7f are below 0x20, too. */
        __m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
        __m128i mark = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                    _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(low, mark));
        if (mask != 0)
            return p + __builtin_ctz(mask);
        p += 16;
    }
#else
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        if (json_word_is_special(w))
            break;
        p += 8;
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"'
           && *p != '\\')
        p++;
    return p;
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

/* The closing quote of the string whose content begins at p, or NULL. */
MED_JSON_HOT const char *json_scan_string(const char *p, const char *end, bool *escaped)
{
    *escaped = false;
    for (;;) {
        p = json_skip_plain(p, end);
        unsigned char c = json_peek(p, end);
        if (c == '"')
            return p;
        if (c == '\\') {
            *escaped = true;
            p = json_scan_escape(p, end);
        } else if (c >= 0x80) {
            p = json_scan_utf8(p, end);
        } else {
            return NULL;
        }
        if (p == NULL)
            return NULL;
    }
}

MED_JSON_HOT const char *json_skip_digits(const char *p, const char *end)
{
    while (p < end && med_is_digit(*p))
        p++;
    return p;
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
