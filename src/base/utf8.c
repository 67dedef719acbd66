/* utf8.c - https://www.rfc-editor.org/rfc/rfc3629 */
#include "base/utf8.h"

static uint32_t byte_at(med_str s, size_t i)
{
    return (unsigned char)s.ptr[i];
}

static bool is_continuation(uint32_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Length by the first byte, 0 when it can not be one. */
static size_t length_of(uint32_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2)
        return 0; /* a continuation, or an overlong form of ASCII */
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

size_t med_utf8_decode(med_str s, size_t at, uint32_t *code)
{
    static const uint32_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t lead = byte_at(s, at);
    size_t len = length_of(lead);
    if (len == 0 || len > s.len - at)
        return 0;
    uint32_t c = lead & lead_bits[len];
    for (size_t i = 1; i < len; i++) {
        uint32_t next = byte_at(s, at + i);
        if (!is_continuation(next))
            return 0;
        c = c << 6 | (next & 0x3F);
    }
    if (c < smallest[len] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 0;
    *code = c;
    return len;
}

/* Skips whole words of ASCII. */
static size_t skip_ascii(med_str s, size_t at)
{
    const uint64_t high = 0x8080808080808080U;
    while (s.len - at >= 32) {
        uint64_t w[4];
        memcpy(w, s.ptr + at, sizeof w);
        if (((w[0] | w[1] | w[2] | w[3]) & high) != 0)
            break;
        at += sizeof w;
    }
    while (at < s.len && byte_at(s, at) < 0x80)
        at++;
    return at;
}

/* The length of the valid character of two bytes or more at p, of which `left` are there, or
 * 0. Table 3-7 of the Unicode standard: only the second byte is restricted by the first. */
static inline size_t wide_length(const unsigned char *p, size_t left)
{
    unsigned lead = p[0];
    if (left < 2 || !is_continuation(p[1]))
        return 0;
    if (lead < 0xE0)
        return lead >= 0xC2 ? 2 : 0;
    if (left < 3 || !is_continuation(p[2]))
        return 0;
    if (lead < 0xF0) {
        bool overlong = lead == 0xE0 && p[1] < 0xA0;
        bool surrogate = lead == 0xED && p[1] >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    bool outside = (lead == 0xF0 && p[1] < 0x90) || (lead == 0xF4 && p[1] >= 0x90) || lead > 0xF4;
    return outside || left < 4 || !is_continuation(p[3]) ? 0 : 4;
}

size_t med_utf8_check(med_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t at = skip_ascii(s, 0);
    while (at < s.len) {
        size_t len = p[at] < 0x80 ? 1 : wide_length(p + at, s.len - at);
        if (len == 0)
            return at;
        at += len;
        if (len == 1) /* blanks between words are many, runs are worth the call */
            at = skip_ascii(s, at);
    }
    return at;
}

size_t med_utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return 0;
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)((0xF00U >> len & 0xF0U) | code);
    return len;
}

size_t med_utf8_count(med_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += !is_continuation(byte_at(s, i));
    return n;
}

med_str med_utf8_cut(med_str s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && is_continuation(byte_at(s, max)))
        max--;
    return med_str_sub(s, 0, max);
}
