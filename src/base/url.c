/* url.c - https://www.rfc-editor.org/rfc/rfc3986#section-2.1 and
 * https://url.spec.whatwg.org/#urlencoded-parsing, without the latter's laxness: a bad escape
 * or bad UTF-8 is an error. Empty pieces of a query ("a=1&&b=2") are skipped, as everybody
 * does. */
#include "base/url.h"

#include "base/utf8.h"

static bool fail(med_err *err, const char *text)
{
    (void)MED_FAIL(err, MED_ISSUE_VALUE, "%s", text);
    return med_err_status(err, 400);
}

static int hex_value(char c)
{
    if (med_is_digit(c))
        return c - '0';
    return (c | 0x20) - 'a' + 10;
}

/* The byte at s[*i], an escape undone; *i is left on its last character. -1 if it is bad. */
static int decode_one(med_str s, size_t *i, bool query)
{
    char c = s.ptr[*i];
    if (c == '+' && query)
        return ' ';
    if (c != '%')
        return (unsigned char)c;
    if (s.len - *i < 3 || !med_is_hex(s.ptr[*i + 1]) || !med_is_hex(s.ptr[*i + 2]))
        return -1;
    int high = hex_value(s.ptr[*i + 1]), low = hex_value(s.ptr[*i + 2]);
    *i += 2;
    return high << 4 | low;
}

static bool needs_decoding(med_str s, bool query)
{
    return memchr(s.ptr, '%', s.len) != NULL || (query && memchr(s.ptr, '+', s.len) != NULL);
}

static bool decode(med_arena *a, med_str s, bool query, med_str *out, med_err *err)
{
    char *to = MED_TAKE(a, s.len, char);
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int c = decode_one(s, &i, query);
        if (c < 0)
            return fail(err, "the URL holds a '%' that is not followed by two hex digits");
        to[n++] = (char)c;
    }
    *out = (med_str){to, n};
    return true;
}

bool med_percent_decode(med_arena *a, med_str s, bool query, med_str *out, med_err *err)
{
    *out = s;
    if (needs_decoding(s, query) && !decode(a, s, query, out, err))
        return false;
    if (memchr(out->ptr, '\0', out->len) != NULL)
        return fail(err, "the URL holds an encoded NUL (%00)");
    if (!med_utf8_valid(*out))
        return fail(err, "the URL, decoded, is not UTF-8");
    return true;
}

static bool unreserved(char c)
{
    return med_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool med_percent_encode(med_arena *a, med_str s, med_str *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = s.len;
    for (size_t i = 0; i < s.len; i++)
        n += unreserved(s.ptr[i]) ? 0 : 2;
    char *to = MED_TAKE(a, n + 1, char);
    if (to == NULL)
        return false;
    *out = (med_str){to, n};
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (unreserved(s.ptr[i])) {
            *to++ = s.ptr[i];
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    return true;
}

static bool parse_pair(med_arena *a, med_str piece, med_pair *out, med_err *err)
{
    med_str value, name = med_str_cut(piece, '=', &value);
    return med_percent_decode(a, name, true, &out->name, err)
           && med_percent_decode(a, value, true, &out->value, err);
}

bool med_query_parse(med_arena *a, med_str query, med_pairs *out, med_err *err)
{
    size_t n = 0;
    for (med_str rest = query; rest.len > 0;)
        n += med_str_cut(rest, '&', &rest).len > 0;
    if (n > MED_QUERY_PAIRS)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "%zu parameters, at most %d are read", n,
                        (int)MED_QUERY_PAIRS);
    med_pair *at = MED_TAKE(a, n, med_pair);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    size_t i = 0;
    while (query.len > 0) {
        med_str piece = med_str_cut(query, '&', &query);
        if (piece.len > 0 && !parse_pair(a, piece, &at[i++], err))
            return false;
    }
    *out = (med_pairs){at, n};
    return true;
}
