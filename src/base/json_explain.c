/* json_explain.c - see json_explain.h. Not hot; nothing of the text is put into a message. */
#include "base/json_explain.h"

#include "base/json_scan.h"

static void locate(med_str text, size_t offset, med_json_error *where)
{
    *where = (med_json_error){.offset = offset, .line = 1, .column = 1};
    const char *line = text.ptr, *at = text.ptr + offset, *newline;
    while ((newline = memchr(line, '\n', (size_t)(at - line))) != NULL) {
        where->line++;
        line = newline + 1;
    }
    where->column = (size_t)(at - line) + 1;
}

bool med_json_explain(med_str text, const char *at, const char *what, med_json_error *where,
                      med_err *err)
{
    med_json_error here;
    locate(text, (size_t)(at - text.ptr), &here);
    if (where != NULL)
        *where = here;
    return MED_FAIL(err, MED_ISSUE_INVALID, "line %zu, column %zu: %s%s", here.line, here.column,
                    what, here.offset == text.len ? ", but the text ends here" : "");
}

static const char *utf8_fault(const char *p, const char *end)
{
    unsigned char c = (unsigned char)p[0];
    unsigned char d = json_peek(p + 1, end);
    if (c == 0xc0 || c == 0xc1 || (c == 0xe0 && d >= 0x80 && d < 0xa0)
        || (c == 0xf0 && d >= 0x80 && d < 0x90))
        return "expected UTF-8: a character is written longer than it may be (overlong)";
    if (c == 0xed && d >= 0xa0 && d <= 0xbf)
        return "expected UTF-8: half of a surrogate pair is not a character";
    if (c > 0xf4 || (c == 0xf4 && d > 0x8f && d <= 0xbf))
        return "expected UTF-8: nothing lies above U+10FFFF";
    if (c < 0xc0)
        return "expected UTF-8: a character can not begin with this byte (is the text Latin-1 or "
               "Windows-125x?)";
    return "expected UTF-8: a character is cut short (is the text Latin-1 or Windows-125x?)";
}

static const char *control_fault(unsigned char c)
{
    switch (c) {
    case 0:
        return "a string must not hold NUL (U+0000)";
    case '\n':
    case '\r':
        return "expected '\"' before the line ends; a line break in a string is written \\n";
    case '\t':
        return "a tab in a string is written \\t";
    default:
        return "a control character in a string is written \\u00XX";
    }
}

static const char *escape_fault(const char *p, const char *end)
{
    if (json_peek(p + 1, end) != 'u')
        return "expected one of \" \\ / b f n r t u behind a backslash";
    int unit = json_hex4(p + 2, end);
    if (unit < 0)
        return "expected four hexadecimal digits behind \\u";
    if (unit == 0)
        return "a string must not hold NUL (U+0000)";
    return "half of a surrogate pair; expected \\uD800 to \\uDBFF followed by \\uDC00 to \\uDFFF";
}

bool med_json_explain_string(med_str text, const char *at, med_json_error *where, med_err *err)
{
    const char *p = at, *end = text.ptr + text.len;
    for (;;) {
        p = json_skip_plain_bytes(p, end);
        if (p == end)
            return med_json_explain(text, p, "expected '\"' at the end of a string", where, err);
        unsigned char c = (unsigned char)*p;
        const char *next = NULL;
        const char *what = NULL;
        if (c == '\\') {
            next = json_scan_escape(p, end);
            what =
                p + 1 == end ? "expected a character behind the backslash" : escape_fault(p, end);
        } else if (c >= 0x80) {
            size_t n = json_utf8_length(p, end);
            next = n == 0 ? NULL : p + n;
            what = utf8_fault(p, end);
        } else {
            what = control_fault(c);
        }
        if (next == NULL)
            return med_json_explain(text, p, what, where, err);
        p = next;
    }
}

static bool explain_number(med_str text, const char *at, med_json_error *where, med_err *err)
{
    const char *end = text.ptr + text.len;
    const char *p = at + (*at == '-');
    if (!med_is_digit((char)json_peek(p, end)))
        return med_json_explain(text, p, "expected a digit behind '-'", where, err);
    p = json_skip_digits(p, end);
    if (json_peek(p, end) == '.') {
        const char *digits = p + 1;
        p = json_skip_digits(digits, end);
        if (p == digits)
            return med_json_explain(text, p, "expected a digit behind the decimal point", where,
                                    err);
    }
    p += 1; /* the e: all else was right */
    p += json_peek(p, end) == '+' || json_peek(p, end) == '-';
    return med_json_explain(text, p < end ? p : end, "expected a digit in the exponent", where,
                            err);
}

static bool word_begins(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

/* What somebody who writes this most probably did. */
static const char *common_mistake(const char *p, const char *end)
{
    static const char *const words[] = {"NaN", "Inf", "undefined", "None", "nan", "inf"};
    static const char *const cases[] = {"Tr", "TR", "Fa", "FA", "Nu", "NU"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word_begins(p, end, words[i]))
            return "expected a value; JSON knows no NaN, Infinity, undefined or None";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (word_begins(p, end, cases[i]))
            return "expected true, false or null in small letters";
    switch (json_peek(p, end)) {
    case '\'':
        return "expected a value; strings stand between double quotes";
    case '/':
    case '#':
        return "expected a value; JSON has no comments";
    case '+':
        return "expected a value; a number has no '+' in front";
    case '.':
        return "expected a value; a number needs a digit before its decimal point";
    case 't':
    case 'f':
    case 'n':
        return "expected a value: true, false or null";
    default:
        return NULL;
    }
}

/* The last byte before p that is no white space, or 0. */
static unsigned char before(med_str text, const char *p)
{
    while (p > text.ptr && med_is_space(p[-1]))
        p--;
    return p > text.ptr ? (unsigned char)p[-1] : 0;
}

bool med_json_explain_value(med_str text, const char *at, med_json_error *where, med_err *err)
{
    const char *end = text.ptr + text.len;
    unsigned char c = json_peek(at, end);
    if (c == '-' || med_is_digit((char)c))
        return explain_number(text, at, where, err);
    const char *what = common_mistake(at, end);
    if (what == NULL)
        switch (before(text, at)) {
        case 0:
            what = "expected a JSON value";
            break;
        case '[':
            what = "expected a value or ']'";
            break;
        case ',':
            what = c == ']' ? "expected a value behind ',' (no comma behind the last element)"
                            : "expected a value behind ','";
            break;
        default:
            what = "expected a value behind ':'";
        }
    return med_json_explain(text, at, what, where, err);
}

bool med_json_explain_key(med_str text, const char *at, bool first, med_json_error *where,
                          med_err *err)
{
    unsigned char c = json_peek(at, text.ptr + text.len);
    const char *what = first ? "expected a key in double quotes or '}'"
                             : "expected a key in double quotes behind ','";
    if (c == '}')
        what = "expected a key in double quotes behind ',' (no comma behind the last member)";
    return med_json_explain(text, at, what, where, err);
}

bool med_json_explain_behind(med_str text, const char *at, bool in_object, med_json_error *where,
                             med_err *err)
{
    const char *end = text.ptr + text.len;
    unsigned char last = at > text.ptr ? (unsigned char)at[-1] : 0;
    unsigned char c = json_peek(at, end);
    const char *what =
        in_object ? "expected ',' or '}' behind a member" : "expected ',' or ']' behind an element";
    if (last == '0' && med_is_digit((char)c))
        what = in_object ? "expected ',' or '}' behind 0 (a number has no leading zeros)"
                         : "expected ',' or ']' behind 0 (a number has no leading zeros)";
    return med_json_explain(text, at, what, where, err);
}
