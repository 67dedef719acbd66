/* str.c - slices: comparing, finding, cutting, reading integers, guessing what was meant. */
#include "base/str.h"

static char to_lower(char c)
{
    return med_is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

bool med_str_starts(med_str s, med_str prefix)
{
    return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

bool med_str_ends(med_str s, med_str suffix)
{
    return s.len >= suffix.len && memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0;
}

bool med_str_eq_ignore_case(med_str a, med_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (to_lower(a.ptr[i]) != to_lower(b.ptr[i]))
            return false;
    }
    return true;
}

int med_str_compare(med_str a, med_str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    if (order != 0)
        return order < 0 ? -1 : 1;
    return a.len < b.len ? -1 : a.len > b.len ? 1 : 0;
}

size_t med_str_find(med_str s, char c, size_t from)
{
    if (from >= s.len)
        return s.len;
    const char *hit = memchr(s.ptr + from, c, s.len - from);
    return hit == NULL ? s.len : (size_t)(hit - s.ptr);
}

size_t med_str_search(med_str s, med_str needle, size_t from)
{
    if (from > s.len)
        return s.len;
    if (needle.len == 1)
        return med_str_find(s, needle.ptr[0], from);
    const char *hit = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
    return hit == NULL ? s.len : (size_t)(hit - s.ptr);
}

med_str med_str_trim(med_str s)
{
    while (s.len > 0 && med_is_space(s.ptr[0]))
        s = (med_str){s.ptr + 1, s.len - 1};
    while (s.len > 0 && med_is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

med_str med_str_cut(med_str s, char sep, med_str *rest)
{
    size_t at = med_str_find(s, sep, 0);
    *rest = med_str_skip(s, at < s.len ? at + 1 : at);
    return med_str_sub(s, 0, at);
}

bool med_str_to_int64(med_str s, int64_t *out)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t i = negative || (s.len > 0 && s.ptr[0] == '+') ? 1 : 0;
    if (i == s.len)
        return false;
    int64_t n = 0; /* counted downwards: INT64_MIN has no positive twin */
    for (; i < s.len; i++) {
        if (!med_is_digit(s.ptr[i]) || __builtin_mul_overflow(n, 10, &n)
            || __builtin_sub_overflow(n, s.ptr[i] - '0', &n))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, n, &n))
        return false;
    *out = n;
    return true;
}

enum { DISTANCE_MAX = 64 };

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Swapped neighbours: a ends in "ab" where b ends in "ba". */
static bool is_swapped(med_str a, size_t i, med_str b, size_t k)
{
    return i > 1 && k > 1 && a.ptr[i - 1] == b.ptr[k - 2] && a.ptr[i - 2] == b.ptr[k - 1];
}

size_t med_str_distance(med_str a, med_str b)
{
    a = med_str_sub(a, 0, DISTANCE_MAX);
    b = med_str_sub(b, 0, DISTANCE_MAX);
    size_t rows[3][DISTANCE_MAX + 1]; /* distances from a[0..i) to each b[0..k), i modulo 3 */
    for (size_t k = 0; k <= b.len; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t k = 1; k <= b.len; k++) {
            size_t replaced = above[k - 1] + (a.ptr[i - 1] != b.ptr[k - 1]);
            row[k] = least(above[k] + 1, row[k - 1] + 1, replaced);
            if (is_swapped(a, i, b, k) && rows[(i - 2) % 3][k - 2] + 1 < row[k])
                row[k] = rows[(i - 2) % 3][k - 2] + 1;
        }
    }
    return rows[a.len % 3][b.len];
}

med_str med_str_nearest(med_str word, const med_str *candidates, size_t n)
{
    med_str best = MED_STR_EMPTY;
    size_t best_distance = (word.len + 1) / 3 + 1; /* further away is another word */
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq_ignore_case(word, candidates[i]))
            return candidates[i];
        size_t distance = med_str_distance(word, candidates[i]);
        if (distance < best_distance) {
            best = candidates[i];
            best_distance = distance;
        }
    }
    return best;
}
