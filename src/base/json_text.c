/* json_text.c - see json_text.h. */
#include "base/json_text.h"

#include "base/utf8.h"

static unsigned hex4(const char *p)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static char short_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c; /* quote, backslash, slash */
    }
}

const char *med_json_text_unescape(const char *p, char out[MED_JSON_CHAR_MAX], size_t *n)
{
    if (p[1] != 'u') {
        out[0] = short_escape(p[1]);
        *n = 1;
        return p + 2;
    }
    uint32_t c = hex4(p + 2);
    p += 6;
    if (c >= 0xd800 && c <= 0xdbff) {
        c = 0x10000 + ((c - 0xd800) << 10) + (hex4(p + 2) - 0xdc00);
        p += 6;
    }
    *n = med_utf8_encode(c, out);
    return p;
}

/* Length of what stands before the first backslash. */
static size_t plain_length(const char *p, size_t len)
{
    const char *slash = memchr(p, '\\', len);
    return slash == NULL ? len : (size_t)(slash - p);
}

size_t med_json_text_copy(med_str s, char *to)
{
    const char *p = s.ptr, *end = s.ptr + s.len;
    char *start = to;
    while (p < end) {
        size_t n = plain_length(p, (size_t)(end - p));
        memcpy(to, p, n);
        to += n;
        p += n;
        if (p == end)
            break;
        char c[MED_JSON_CHAR_MAX];
        p = med_json_text_unescape(p, c, &n);
        memcpy(to, c, n);
        to += n;
    }
    return (size_t)(to - start);
}

/* Hands out a content in pieces: stretches without escapes, and single escapes undone. */
struct pieces {
    const char *p, *end;
    med_str piece;
    char c[MED_JSON_CHAR_MAX];
};

static void next_piece(struct pieces *s)
{
    if (s->p < s->end && *s->p == '\\') {
        s->piece.ptr = s->c;
        s->p = med_json_text_unescape(s->p, s->c, &s->piece.len);
        return;
    }
    s->piece = (med_str){s->p, plain_length(s->p, (size_t)(s->end - s->p))};
    s->p += s->piece.len;
}

bool med_json_text_eq(med_str a, bool a_escaped, med_str b, bool b_escaped)
{
    if (!a_escaped && !b_escaped)
        return med_str_eq(a, b);
    struct pieces x = {.p = a.ptr, .end = a.ptr + a.len, .piece = MED_STR_EMPTY};
    struct pieces y = {.p = b.ptr, .end = b.ptr + b.len, .piece = MED_STR_EMPTY};
    if (!a_escaped) { /* may hold bytes that only look like escapes: a caller's own string */
        x.piece = a;
        x.p = x.end;
    }
    if (!b_escaped) {
        y.piece = b;
        y.p = y.end;
    }
    for (;;) {
        if (x.piece.len == 0)
            next_piece(&x);
        if (y.piece.len == 0)
            next_piece(&y);
        size_t n = x.piece.len < y.piece.len ? x.piece.len : y.piece.len;
        if (n == 0)
            return x.piece.len == y.piece.len;
        if (memcmp(x.piece.ptr, y.piece.ptr, n) != 0)
            return false;
        x.piece = med_str_skip(x.piece, n);
        y.piece = med_str_skip(y.piece, n);
    }
}

uint64_t med_json_text_hash(med_hash_key key, med_str s, bool escaped)
{
    if (!escaped)
        return med_siphash(key, s);
    med_hasher h;
    med_hasher_begin(&h, key);
    struct pieces x = {.p = s.ptr, .end = s.ptr + s.len, .piece = MED_STR_EMPTY};
    while (x.p < x.end) {
        next_piece(&x);
        med_hasher_add(&h, x.piece);
    }
    return med_hasher_end(&h);
}
