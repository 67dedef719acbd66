/* unicode.c - https://hl7.org/fhir/R4/search.html#string, by utf8proc's tables. */
#include "base/unicode.h"

#include <utf8proc.h>

#include "base/utf8.h"

/* One character becomes at most 18 (U+FDFA). */
enum { DECOMPOSED_MAX = 32, REPLACEMENT = 0xFFFD };
/* Bytes grow at most elevenfold, so a short text is folded on the stack, in one pass. */
enum { SHORT = 90, GROWTH = 11 };

/* Where folded characters go: to memory of known size, or only counted. A space waits until
 * a character follows it. */
struct sink {
    char *to; /* NULL: only counted */
    size_t len;
    bool space_due;
};

static void put_bytes(struct sink *sink, const char *bytes, size_t n)
{
    if (sink->space_due && sink->len > 0) {
        if (sink->to != NULL)
            sink->to[sink->len] = ' ';
        sink->len++;
    }
    sink->space_due = false;
    for (size_t i = 0; i < n && sink->to != NULL; i++) /* one to four */
        sink->to[sink->len + i] = bytes[i];
    sink->len += n;
}

/* Latin letters (already in lower case) without a decomposition, by code. */
static const struct {
    uint32_t code;
    char letters[4];
} latin[] = {
    {0x00E6, "ae"}, {0x00F0, "d"}, {0x00F8, "o"}, {0x00FE, "th"}, {0x0111, "d"},  {0x0127, "h"},
    {0x0131, "i"},  {0x0138, "q"}, {0x0142, "l"}, {0x014B, "n"},  {0x0153, "oe"}, {0x0167, "t"},
    {0x0180, "b"},  {0x0188, "c"}, {0x0192, "f"}, {0x0199, "k"},  {0x019A, "l"},  {0x01B6, "z"},
    {0x01E5, "g"},  {0x0247, "e"}, {0x0249, "j"}, {0x024D, "r"},  {0x024F, "y"},  {0x0253, "b"},
    {0x0254, "o"},  {0x0256, "d"}, {0x0257, "d"}, {0x0259, "e"},  {0x025B, "e"},  {0x0260, "g"},
    {0x0268, "i"},  {0x0289, "u"}, {0x2C65, "a"}, {0x2C66, "t"},
};

static const char *latin_letters(uint32_t c)
{
    size_t low = 0;
    size_t high = sizeof latin / sizeof latin[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (latin[middle].code == c)
            return latin[middle].letters;
        if (latin[middle].code < c)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool is_accent(const utf8proc_property_t *p)
{
    int class = p->combining_class;
    return class == 1 || class == 7 || (class >= 10 && class <= 36) || class >= 200;
}

/* Apostrophes, full stops and the Catalan dot stand inside words; so do their look-alikes. */
static bool is_inside_words(uint32_t c)
{
    return c == '\'' || c == '.' || c == '`' || c == 0xB4 || c == 0xB7 || c == 0x2018 || c == 0x2019
           || c == 0x201B || c == 0x02BB || c == 0x02BC || c == 0x02B9 || c == 0x2032;
}

/* Punctuation, spaces and controls: each group of categories stands together in utf8proc. */
static bool is_gap(const utf8proc_property_t *p)
{
    int category = p->category;
    return (category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO)
           || (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_CC);
}

static void put_code(struct sink *sink, uint32_t c)
{
    if (is_inside_words(c))
        return;
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
    if (is_gap(p)) {
        sink->space_due = true;
        return;
    }
    if (is_accent(p))
        return;
    const char *letters = latin_letters(c);
    char bytes[4] = {0};
    if (letters != NULL)
        put_bytes(sink, letters, strlen(letters));
    else
        put_bytes(sink, bytes, med_utf8_encode(c, bytes));
}

static void put_ascii(struct sink *sink, char c)
{
    if (med_is_alnum(c)) {
        char lower = med_is_upper(c) ? (char)(c + ('a' - 'A')) : c;
        put_bytes(sink, &lower, 1);
    } else if (med_is_space(c) || c == '-' || c == ',') {
        sink->space_due = true;
    } else {
        put_code(sink, (unsigned char)c);
    }
}

/* The two blocks most European names are of, folded beforehand; what the general way below
 * makes of each of them is the same (the unit test compares), but takes ten times as long. */
enum { LATIN_FIRST = 0xC0, LATIN_BEHIND = 0x180, CYRILLIC_FIRST = 0x400, CYRILLIC_BEHIND = 0x460 };
/* clang-format off */
static const char folded_latin[LATIN_BEHIND - LATIN_FIRST][3] = { /* "": the general way */
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
    "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "ss",
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
    "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "y",
    "a", "a", "a", "a", "a", "a", "c", "c", "c", "c", "c", "c", "c", "c", "d", "d",
    "d", "d", "e", "e", "e", "e", "e", "e", "e", "e", "e", "e", "g", "g", "g", "g",
    "g", "g", "g", "g", "h", "h", "h", "h", "i", "i", "i", "i", "i", "i", "i", "i",
    "i", "i", "ij", "ij", "j", "j", "k", "k", "q", "l", "l", "l", "l", "l", "l", "l",
    "l", "l", "l", "n", "n", "n", "n", "n", "n", "n", "n", "n", "o", "o", "o", "o",
    "o", "o", "oe", "oe", "r", "r", "r", "r", "r", "r", "s", "s", "s", "s", "s", "s",
    "s", "s", "t", "t", "t", "t", "t", "t", "u", "u", "u", "u", "u", "u", "u", "u",
    "u", "u", "u", "u", "w", "w", "y", "y", "y", "z", "z", "z", "z", "z", "z", "s",
};
static const uint8_t folded_cyrillic[CYRILLIC_BEHIND - CYRILLIC_FIRST] = { /* from U+0400 on */
    0x35, 0x35, 0x52, 0x33, 0x54, 0x55, 0x56, 0x56, 0x58, 0x59, 0x5a, 0x5b, 0x3a, 0x38, 0x43, 0x5f,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x38, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
    0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x38, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
    0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f,
    0x35, 0x35, 0x52, 0x33, 0x54, 0x55, 0x56, 0x56, 0x58, 0x59, 0x5a, 0x5b, 0x3a, 0x38, 0x43, 0x5f,
};
/* clang-format on */

/* False when c is of neither block. */
static bool put_common(struct sink *sink, uint32_t c)
{
    if (c >= LATIN_FIRST && c < LATIN_BEHIND) {
        const char *letters = folded_latin[c - LATIN_FIRST];
        if (letters[0] != '\0')
            put_bytes(sink, letters, strlen(letters));
        return letters[0] != '\0';
    }
    if (c < CYRILLIC_FIRST || c >= CYRILLIC_BEHIND)
        return false;
    char bytes[4] = {0};
    put_bytes(sink, bytes,
              med_utf8_encode(CYRILLIC_FIRST + folded_cyrillic[c - CYRILLIC_FIRST], bytes));
    return true;
}

static void put_decomposed(struct sink *sink, uint32_t c)
{
    if (is_inside_words(c)) /* some of these decompose to a space and an accent */
        return;
    utf8proc_int32_t codes[DECOMPOSED_MAX];
    int boundary = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)c, codes, DECOMPOSED_MAX,
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, &boundary);
    for (utf8proc_ssize_t i = 0; i < n && i < DECOMPOSED_MAX; i++)
        put_code(sink, (uint32_t)codes[i]);
}

static void fold(struct sink *sink, med_str s)
{
    for (size_t at = 0; at < s.len;) {
        if ((unsigned char)s.ptr[at] < 0x80) {
            put_ascii(sink, s.ptr[at++]);
            continue;
        }
        uint32_t c = 0;
        size_t n = med_utf8_decode(s, at, &c);
        if (n == 0 || !put_common(sink, c))
            put_decomposed(sink, n == 0 ? REPLACEMENT : c);
        at += n == 0 ? 1 : n;
    }
}

static bool is_ascii(med_str s)
{
    unsigned char all = 0;
    for (size_t i = 0; i < s.len; i++)
        all |= (unsigned char)s.ptr[i];
    return all < 0x80;
}

/* Room for the folded text: nothing grows in ASCII, the rest is counted. */
static size_t room_for(med_str s)
{
    if (is_ascii(s))
        return s.len;
    struct sink count = {0};
    fold(&count, s);
    return count.len;
}

bool med_fold(med_arena *a, med_str s, med_str *out)
{
    if (s.len <= SHORT) {
        char room[SHORT * GROWTH];
        struct sink sink = {.to = room};
        fold(&sink, s);
        return med_arena_copy(a, (med_str){room, sink.len}, out);
    }
    struct sink sink = {.to = MED_TAKE(a, room_for(s), char)};
    if (sink.to == NULL)
        return false;
    fold(&sink, s);
    *out = (med_str){sink.to, sink.len};
    return true;
}

/* Short text is folded aside, so that the buffer's ceiling counts what is really added. */
void med_fold_to(med_buf *b, med_str s)
{
    char room[SHORT * GROWTH];
    struct sink sink = {.to = room};
    if (s.len <= SHORT) {
        fold(&sink, s);
        med_buf_add(b, (med_str){room, sink.len});
        return;
    }
    if (!med_buf_reserve(b, room_for(s)))
        return;
    sink.to = b->ptr + b->len;
    fold(&sink, s);
    b->len += sink.len;
}
