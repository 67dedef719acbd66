/* base64.c - https://hl7.org/fhir/R4/datatypes.html#base64Binary */
#include "base/base64.h"

enum { BAD = 64 }; /* larger than every digit's value: one comparison finds it among four */

struct alphabet {
    char digits[64];
    uint8_t values[256]; /* of each byte as a digit, or BAD */
};

/* clang-format off */
static const struct alphabet standard = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
    64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64,
    64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    }
};
static const struct alphabet url_safe = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
    64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
    64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    }
};
/* clang-format on */

static uint32_t value_of(const struct alphabet *alphabet, char c)
{
    return alphabet->values[(unsigned char)c];
}

/* The first byte of `to` is the highest of three; returns how many digits were good. */
static size_t take_group(const struct alphabet *alphabet, const char *digits, size_t n,
                         uint32_t *bits)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t value = value_of(alphabet, digits[i]);
        if (value == BAD)
            return i;
        sum = sum << 6 | value;
    }
    *bits = sum;
    return n;
}

static size_t skip_space(med_str s, size_t at)
{
    while (at < s.len && med_is_space(s.ptr[at]))
        at++;
    return at;
}

/* Whole groups of four digits, with white space between them if `spaced`: *at moves to the
 * first group that is not one, *to behind what was written (to NULL: only counted). */
static size_t take_groups(const struct alphabet *alphabet, med_str s, bool spaced, size_t *at,
                          char *to)
{
    size_t n = 0;
    while (s.len - *at >= 4) {
        const char *p = s.ptr + *at;
        uint32_t a = value_of(alphabet, p[0]);
        uint32_t b = value_of(alphabet, p[1]);
        uint32_t c = value_of(alphabet, p[2]);
        uint32_t d = value_of(alphabet, p[3]);
        if (((a | b | c | d) & BAD) != 0) {
            size_t next = spaced ? skip_space(s, *at) : *at;
            if (next == *at)
                break;
            *at = next;
            continue;
        }
        if (to != NULL) {
            to[n] = (char)(a << 2 | b >> 4);
            to[n + 1] = (char)((b & 15) << 4 | c >> 2);
            to[n + 2] = (char)((c & 3) << 6 | d);
        }
        n += 3;
        *at += 4;
    }
    return n;
}

/* The last, shorter group: two or three digits whose unused bits are zero. Gives the bytes, 0
 * when there is a fault at *at. */
static size_t take_rest(const struct alphabet *alphabet, med_str digits, size_t *at, char *to)
{
    uint32_t bits = 0;
    size_t good = take_group(alphabet, digits.ptr, digits.len, &bits);
    uint32_t unused = digits.len == 2 ? bits & 15 : bits & 3;
    if (good < digits.len || digits.len < 2 || unused != 0) {
        *at += good < digits.len || digits.len < 2 ? good : good - 1;
        return 0;
    }
    bits <<= digits.len == 2 ? 12 : 6;
    if (to != NULL) {
        to[0] = (char)(bits >> 16);
        if (digits.len == 3)
            to[1] = (char)(bits >> 8);
    }
    return digits.len - 1;
}

/* Reads the whole text. False with the offset of the fault in *at. */
static bool read_standard(med_str s, char *to, size_t *at, size_t *bytes)
{
    *at = 0;
    size_t n = take_groups(&standard, s, true, at, to);
    *at = skip_space(s, *at);
    if (*at < s.len) {
        med_str last = med_str_sub(s, *at, *at + 4);
        size_t digits = med_str_find(last, '=', 0);
        bool padded = last.len == 4 && (digits == 3 || (digits == 2 && last.ptr[3] == '='));
        size_t more =
            take_rest(&standard, med_str_sub(last, 0, digits), at, to == NULL ? to : to + n);
        if (more == 0)
            return false;
        if (!padded) {
            *at += digits;
            return false;
        }
        n += more;
        *at = skip_space(s, *at + 4);
    }
    *bytes = n;
    return *at == s.len && n > 0;
}

static bool read_url(med_str s, char *to, size_t *at, size_t *bytes)
{
    *at = 0;
    size_t n = take_groups(&url_safe, s, false, at, to);
    if (*at < s.len) {
        if (s.len - *at >= 4) { /* take_groups stopped inside: say where */
            uint32_t bits = 0;
            *at += take_group(&url_safe, s.ptr + *at, 4, &bits);
            return false;
        }
        size_t more = take_rest(&url_safe, med_str_skip(s, *at), at, to == NULL ? to : to + n);
        if (more == 0)
            return false;
        n += more;
    }
    *bytes = n;
    return true;
}

bool med_base64_check(med_str text, size_t *bytes)
{
    size_t at = 0;
    if (read_standard(text, NULL, &at, bytes))
        return true;
    *bytes = at;
    return false;
}

typedef bool reader(med_str s, char *to, size_t *at, size_t *bytes);

static bool decode(med_arena *a, med_str text, reader *read, med_str *out, med_err *err)
{
    char *to = MED_TAKE(a, text.len / 4 * 3 + 3, char);
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    size_t at = 0;
    size_t bytes = 0;
    if (!read(text, to, &at, &bytes))
        return MED_FAIL(err, MED_ISSUE_VALUE, "not base64 (RFC 4648): wrong at character %zu",
                        at + 1);
    *out = (med_str){to, bytes};
    return true;
}

bool med_base64_decode(med_arena *a, med_str text, med_str *out, med_err *err)
{
    return decode(a, text, read_standard, out, err);
}

bool med_base64url_decode(med_arena *a, med_str text, med_str *out, med_err *err)
{
    return decode(a, text, read_url, out, err);
}

static uint32_t byte_at(med_str s, size_t i)
{
    return (unsigned char)s.ptr[i];
}

static void put_group(const struct alphabet *alphabet, uint32_t bits, char to[4])
{
    to[0] = alphabet->digits[bits >> 18 & 63];
    to[1] = alphabet->digits[bits >> 12 & 63];
    to[2] = alphabet->digits[bits >> 6 & 63];
    to[3] = alphabet->digits[bits & 63];
}

static void encode(med_buf *b, const struct alphabet *alphabet, med_str s, bool padded)
{
    if (s.len > SIZE_MAX / 2 || !med_buf_reserve(b, (s.len + 2) / 3 * 4)) {
        b->failed = true;
        return;
    }
    char *to = b->ptr + b->len;
    size_t i = 0;
    for (; s.len - i >= 3; i += 3, to += 4)
        put_group(alphabet, byte_at(s, i) << 16 | byte_at(s, i + 1) << 8 | byte_at(s, i + 2), to);
    size_t rest = s.len - i;
    if (rest > 0) {
        put_group(alphabet, byte_at(s, i) << 16 | (rest == 2 ? byte_at(s, i + 1) << 8 : 0), to);
        to[3] = '=';
        if (rest == 1)
            to[2] = '=';
        to += padded ? 4 : rest + 1;
    }
    b->len = (size_t)(to - b->ptr);
}

void med_base64_encode(med_buf *b, med_str bytes)
{
    encode(b, &standard, bytes, true);
}
void med_base64url_encode(med_buf *b, med_str bytes)
{
    encode(b, &url_safe, bytes, false);
}
