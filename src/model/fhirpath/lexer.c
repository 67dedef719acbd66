/* lexer.c - http://hl7.org/fhirpath/N1/#grammar (section "lexical rules") */
#include "model/fhirpath/lexer.h"

#include "base/utf8.h"

bool med_lexer_fail(const med_lexer *l, size_t at, const char *what)
{
    return MED_FAIL(l->err, MED_ISSUE_INVALID, "FHIRPath, position %zu: %s", at + 1, what);
}

static char look(const med_lexer *l, size_t ahead)
{
    return l->at + ahead < l->text.len ? l->text.ptr[l->at + ahead] : '\0';
}

static bool is_name_start(char c)
{
    return med_is_alpha(c) || c == '_';
}

static bool skip_block_comment(med_lexer *l)
{
    size_t end = med_str_search(l->text, MED_STR("*/"), l->at + 2);
    if (end == l->text.len)
        return med_lexer_fail(l, l->at, "a comment is not closed with */");
    l->at = end + 2;
    return true;
}

static bool skip_space(med_lexer *l)
{
    for (;;) {
        if (med_is_space(look(l, 0))) {
            l->at++;
        } else if (look(l, 0) == '/' && look(l, 1) == '/') {
            l->at = med_str_find(l->text, '\n', l->at);
        } else if (look(l, 0) == '/' && look(l, 1) == '*') {
            if (!skip_block_comment(l))
                return false;
        } else {
            return true;
        }
    }
}

static int hex_value(char c)
{
    return med_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Four hexadecimal digits behind \u. */
static bool read_hex4(med_str s, size_t at, uint32_t *code)
{
    if (at + 4 > s.len)
        return false;
    *code = 0;
    for (size_t i = 0; i < 4; i++) {
        if (!med_is_hex(s.ptr[at + i]))
            return false;
        *code = *code * 16 + (uint32_t)hex_value(s.ptr[at + i]);
    }
    return true;
}

/* \uXXXX, as a pair of surrogates where needed. Returns the bytes read, 0 when it is none. */
static size_t read_unicode(med_str s, size_t at, uint32_t *code)
{
    uint32_t low = 0;
    if (!read_hex4(s, at, code))
        return 0;
    if (*code < 0xD800 || *code > 0xDBFF)
        return 4;
    if (at + 6 > s.len || s.ptr[at + 4] != '\\' || s.ptr[at + 5] != 'u'
        || !read_hex4(s, at + 6, &low) || low < 0xDC00 || low > 0xDFFF)
        return 0;
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return 10;
}

static char simple_escape(char c)
{
    static const char from[] = "`'\"\\/fnrt";
    static const char to[] = "`'\"\\/\f\n\r\t";
    for (size_t i = 0; i < sizeof from - 1; i++)
        if (from[i] == c)
            return to[i];
    return '\0';
}

static bool unescape(const med_lexer *l, med_str raw, med_str *out)
{
    *out = raw;
    if (med_str_find(raw, '\\', 0) == raw.len)
        return true;
    char *to = MED_TAKE(l->arena, raw.len + 4, char);
    if (to == NULL)
        return MED_FAIL_MEMORY(l->err);
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] != '\\' || i + 1 == raw.len) {
            to[n++] = raw.ptr[i];
            continue;
        }
        char plain = simple_escape(raw.ptr[++i]);
        uint32_t code = 0;
        size_t used = raw.ptr[i] == 'u' ? read_unicode(raw, i + 1, &code) : 0;
        size_t wrote = used == 0 ? 0 : med_utf8_encode(code, to + n);
        /* "If a \ is used at the beginning of a non-escape sequence, it will be ignored" */
        if (plain != '\0')
            to[n++] = plain;
        else if (wrote == 0)
            to[n++] = raw.ptr[i];
        n += wrote;
        i += used;
    }
    *out = (med_str){to, n};
    return true;
}

/* From the quote at l->at to its partner. */
static bool read_quoted(med_lexer *l, char quote, med_str *out)
{
    size_t from = ++l->at;
    while (l->at < l->text.len && look(l, 0) != quote)
        l->at += look(l, 0) == '\\' ? 2 : 1;
    if (l->at >= l->text.len)
        return med_lexer_fail(l, from - 1, "a quote is not closed");
    med_str raw = med_str_sub(l->text, from, l->at++);
    if (!med_utf8_valid(raw))
        return med_lexer_fail(l, from, "the text is not UTF-8");
    return unescape(l, raw, out);
}

static void read_name(med_lexer *l)
{
    while (med_is_alnum(look(l, 0)) || look(l, 0) == '_')
        l->at++;
}

static size_t count_digits(const med_lexer *l, size_t ahead)
{
    size_t n = 0;
    while (med_is_digit(look(l, ahead + n)))
        n++;
    return n;
}

static void read_number(med_lexer *l, med_token *t)
{
    t->kind = MED_TOKEN_INTEGER;
    l->at += count_digits(l, 0);
    if (look(l, 0) == '.' && med_is_digit(look(l, 1))) {
        t->kind = MED_TOKEN_DECIMAL;
        l->at += 1 + count_digits(l, 1);
    }
    t->text = med_str_sub(l->text, t->at, l->at);
    if (t->kind == MED_TOKEN_INTEGER && look(l, 0) == 'L' && !med_is_alnum(look(l, 1))) {
        t->kind = MED_TOKEN_LONG;
        l->at++;
    }
}

/* `lead` and as many digits as asked for. */
static bool take_part(med_lexer *l, char lead, size_t digits)
{
    if (look(l, 0) != lead || count_digits(l, 1) < digits)
        return false;
    l->at += 1 + digits;
    return true;
}

/* [hh[:mm[:ss[.fff]]]] */
static void read_time(med_lexer *l)
{
    if (count_digits(l, 0) < 2)
        return;
    l->at += 2;
    bool minutes = take_part(l, ':', 2);
    bool seconds = minutes && take_part(l, ':', 2);
    if (seconds && look(l, 0) == '.' && count_digits(l, 1) > 0)
        l->at += 1 + count_digits(l, 1);
}

static void read_zone(med_lexer *l)
{
    if (look(l, 0) == 'Z') {
        l->at++;
    } else if (look(l, 0) == '+' || look(l, 0) == '-') {
        size_t from = l->at;
        if (!take_part(l, look(l, 0), 2) || !take_part(l, ':', 2))
            l->at = from;
    }
}

static bool read_date(med_lexer *l, med_token *t)
{
    size_t from = ++l->at;
    if (look(l, 0) == 'T') {
        l->at++;
        read_time(l);
        t->kind = MED_TOKEN_TIME;
        t->text = med_str_sub(l->text, from + 1, l->at);
        return t->text.len > 0 || med_lexer_fail(l, t->at, "@T must be followed by a time");
    }
    if (count_digits(l, 0) != 4)
        return med_lexer_fail(l, t->at, "@ must be followed by a year of four digits or by T");
    l->at += 4;
    if (take_part(l, '-', 2))
        (void)take_part(l, '-', 2);
    t->kind = MED_TOKEN_DATE;
    if (look(l, 0) == 'T') {
        t->kind = MED_TOKEN_DATETIME;
        l->at++;
        size_t time = l->at;
        read_time(l);
        if (l->at > time)
            read_zone(l);
    }
    t->text = med_str_sub(l->text, from, l->at);
    return true;
}

static bool read_variable(med_lexer *l, med_token *t)
{
    t->kind = MED_TOKEN_VARIABLE;
    l->at++;
    if (look(l, 0) == '`' || look(l, 0) == '\'')
        return read_quoted(l, look(l, 0), &t->text);
    size_t from = l->at;
    read_name(l);
    t->text = med_str_sub(l->text, from, l->at);
    return t->text.len > 0 || med_lexer_fail(l, t->at, "% must be followed by a name");
}

static bool read_symbol(med_lexer *l, med_token *t)
{
    static const char singles[] = "()[]{}.,+-*/&|=~<>";
    t->kind = MED_TOKEN_SYMBOL;
    char c = look(l, 0);
    char next = look(l, 1);
    size_t len = 0;
    if ((c == '!' && (next == '=' || next == '~')) || ((c == '<' || c == '>') && next == '='))
        len = 2;
    for (size_t i = 0; len == 0 && i < sizeof singles - 1; i++)
        if (singles[i] == c)
            len = 1;
    if (len == 0)
        return med_lexer_fail(l, l->at, "a character that has no meaning here");
    t->text = med_str_sub(l->text, l->at, l->at + len);
    l->at += len;
    return true;
}

bool med_lexer_next(med_lexer *l, med_token *out)
{
    if (!skip_space(l))
        return false;
    *out = (med_token){.kind = MED_TOKEN_END, .text = MED_STR_EMPTY, .at = l->at};
    if (l->at >= l->text.len)
        return true;
    char c = look(l, 0);
    if (is_name_start(c)) {
        out->kind = MED_TOKEN_NAME;
        read_name(l);
        out->text = med_str_sub(l->text, out->at, l->at);
        return true;
    }
    if (c == '`') {
        out->kind = MED_TOKEN_NAME;
        out->delimited = true;
        return read_quoted(l, '`', &out->text);
    }
    if (c == '\'') {
        out->kind = MED_TOKEN_STRING;
        return read_quoted(l, '\'', &out->text);
    }
    if (med_is_digit(c)) {
        read_number(l, out);
        return true;
    }
    if (c == '@')
        return read_date(l, out);
    if (c == '%')
        return read_variable(l, out);
    if (c == '$') {
        out->kind = MED_TOKEN_DOLLAR;
        l->at++;
        read_name(l);
        out->text = med_str_sub(l->text, out->at + 1, l->at);
        return true;
    }
    return read_symbol(l, out);
}
