/* str.h - a slice of bytes somebody else owns.
 *
 * `ptr` is never NULL (an empty slice points at ""), is not NUL-terminated, and lives as long
 * as what it was cut from: most often the request's arena or the received body. */
#ifndef MED_BASE_STR_H
#define MED_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct med_str {
    const char *ptr; /* never NULL */
    size_t len;
} med_str;

/* MED_STR("literal"); MED_STR_ARG(s) feeds a "%.*s". MED_LIT is for static initialisers. */
#define MED_STR(literal) ((med_str){"" literal, sizeof(literal) - 1})
#define MED_LIT(literal)                                                                           \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define MED_STR_EMPTY ((med_str){"", 0})
#define MED_STR_ARG(s) ((int)(s).len), (s).ptr

#define MED_MUST_CHECK __attribute__((warn_unused_result))
/* A large local that is written before it is read: the build clears all others. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define MED_UNINITIALIZED __attribute__((uninitialized))
#endif
#endif
#ifndef MED_UNINITIALIZED
#define MED_UNINITIALIZED
#endif

static inline med_str med_str_from(const char *z)
{
    return z == NULL ? MED_STR_EMPTY : (med_str){z, strlen(z)};
}

static inline bool med_str_eq(med_str a, med_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool med_str_eqz(med_str a, const char *z)
{
    return strlen(z) == a.len && (a.len == 0 || memcmp(a.ptr, z, a.len) == 0);
}

/* The bytes [from, to) of s; both are cut back to s.len. */
static inline med_str med_str_sub(med_str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (med_str){s.ptr + from, to - from};
}

static inline med_str med_str_skip(med_str s, size_t n)
{
    return med_str_sub(s, n, s.len);
}

bool med_str_starts(med_str s, med_str prefix);
bool med_str_ends(med_str s, med_str suffix);
bool med_str_eq_ignore_case(med_str a, med_str b); /* ASCII only */
int med_str_compare(med_str a, med_str b);         /* memcmp order, shorter first */
/* Index of the first `c` at or after `from`, or s.len. */
size_t med_str_find(med_str s, char c, size_t from);
/* Index of the first occurrence of `needle` at or after `from`, or s.len. */
size_t med_str_search(med_str s, med_str needle, size_t from);
med_str med_str_trim(med_str s); /* without ASCII white space at both ends */
/* Cuts s at the first `sep`: returns what is before it, leaves what is behind in *rest.
 * Without a `sep` the whole of s is returned and *rest is empty. */
med_str med_str_cut(med_str s, char sep, med_str *rest);
/* A whole decimal integer, optional sign, nothing else. False when it does not fit. */
bool med_str_to_int64(med_str s, int64_t *out) MED_MUST_CHECK;

/* ASCII classes that, unlike <ctype.h>, take a char of any sign and know no locale. */
static inline bool med_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool med_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}
static inline bool med_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
static inline bool med_is_alpha(char c)
{
    return med_is_upper(c) || med_is_lower(c);
}
static inline bool med_is_alnum(char c)
{
    return med_is_alpha(c) || med_is_digit(c);
}
static inline bool med_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
static inline bool med_is_hex(char c)
{
    return med_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* How many slips of the fingers lie between two words: a character too many, too few or another,
 * or two neighbours swapped ("nmae"). Cut off at 64 bytes a side; used for "did you mean". */
size_t med_str_distance(med_str a, med_str b);
/* The candidate nearest to `word` if it is near enough to be meant, else the empty slice. */
med_str med_str_nearest(med_str word, const med_str *candidates, size_t n);

#endif
