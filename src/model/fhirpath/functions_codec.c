/* functions_codec.c - encode, decode, escape, unescape.
 * http://hl7.org/fhirpath/#additional-string-functions */
#include "model/fhirpath/functions.h"
#include "model/fhirpath/values.h"

#include "base/utf8.h"

static const char plain_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The input and the format; *go is false when the result is empty. */
static bool take_input(med_fp_run *r, size_t argc, bool *go, med_str *text, med_str *format)
{
    bool has_text = false;
    bool has_format = false;
    if (!med_fp_single_string(r, med_fp_operand(r, argc), &has_text, text)
        || !med_fp_single_string(r, med_fp_operand(r, 0), &has_format, format))
        return false;
    *go = has_text && has_format;
    return true;
}

static size_t encode_base64(med_str s, const char *alphabet, char *to)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i += 3) {
        size_t left = s.len - i < 3 ? s.len - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < left ? (uint8_t)s.ptr[i + k] : 0U);
        for (size_t k = 0; k < 4; k++)
            to[n++] = k <= left ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
    }
    return n;
}

static size_t encode_hex(med_str s, char *to)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < s.len; i++) {
        to[2 * i] = digits[(uint8_t)s.ptr[i] >> 4];
        to[2 * i + 1] = digits[(uint8_t)s.ptr[i] & 15];
    }
    return 2 * s.len;
}

static int value_in(const char *alphabet, char c)
{
    for (int i = 0; i < 64; i++)
        if (alphabet[i] == c)
            return i;
    return -1;
}

/* False when it is no base64. */
static bool decode_base64(med_str s, const char *alphabet, char *to, size_t *n)
{
    uint32_t bits = 0;
    int have = 0;
    *n = 0;
    while (s.len > 0 && s.ptr[s.len - 1] == '=')
        s.len--;
    for (size_t i = 0; i < s.len; i++) {
        int value = value_in(alphabet, s.ptr[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        to[(*n)++] = (char)(bits >> have & 255);
    }
    return have < 6;
}

static bool decode_hex(med_str s, char *to, size_t *n)
{
    *n = s.len / 2;
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_hex(s.ptr[i]))
            return false;
        int value = med_is_digit(s.ptr[i]) ? s.ptr[i] - '0' : (s.ptr[i] | 0x20) - 'a' + 10;
        if (i % 2 == 0)
            to[i / 2] = (char)(value << 4);
        else
            to[i / 2] = (char)(to[i / 2] | value);
    }
    return s.len % 2 == 0;
}

bool med_fp_call_encode(med_fp_run *r, size_t argc)
{
    med_str s;
    med_str format;
    bool go = false;
    if (!take_input(r, argc, &go, &s, &format))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    char *to = MED_TAKE(r->a, s.len * 2 + 4, char);
    if (to == NULL)
        return MED_FAIL_MEMORY(r->err);
    size_t n = 0;
    if (med_str_eqz(format, "base64"))
        n = encode_base64(s, plain_alphabet, to);
    else if (med_str_eqz(format, "urlbase64"))
        n = encode_base64(s, url_alphabet, to);
    else if (med_str_eqz(format, "hex"))
        n = encode_hex(s, to);
    else
        return med_fp_result_empty(r, argc);
    return med_fp_result_string(r, argc, (med_str){to, n});
}

bool med_fp_call_decode(med_fp_run *r, size_t argc)
{
    med_str s;
    med_str format;
    bool go = false;
    if (!take_input(r, argc, &go, &s, &format))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    char *to = MED_TAKE(r->a, s.len + 4, char);
    if (to == NULL)
        return MED_FAIL_MEMORY(r->err);
    size_t n = 0;
    bool good = false;
    if (med_str_eqz(format, "base64"))
        good = decode_base64(s, plain_alphabet, to, &n);
    else if (med_str_eqz(format, "urlbase64"))
        good = decode_base64(s, url_alphabet, to, &n);
    else if (med_str_eqz(format, "hex"))
        good = decode_hex(s, to, &n);
    med_str out = {to, n};
    if (!good)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "decode(): the text is not of this format");
    return med_utf8_valid(out) ? med_fp_result_string(r, argc, out) : med_fp_result_empty(r, argc);
}

/* ---- escape and unescape ---- */

struct escape {
    char c;
    const char *text;
};

static const struct escape html[] = {
    {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"},
};
static const struct escape json[] = {
    {'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"},
    {'\t', "\\t"}, {'\b', "\\b"},  {'\f', "\\f"},
};

static const struct escape *table_of(med_str format, size_t *n)
{
    if (med_str_eqz(format, "html")) {
        *n = sizeof html / sizeof *html;
        return html;
    }
    *n = sizeof json / sizeof *json;
    return med_str_eqz(format, "json") ? json : NULL;
}

static med_str escape_one(const struct escape *table, size_t n, const char *c)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].c == *c)
            return med_str_from(table[i].text);
    return (med_str){c, 1};
}

/* &#NN; &#xHH; \uHHHH: the bytes used, 0 when it is none. */
static size_t read_code(med_str s, bool is_html, uint32_t *code)
{
    bool hex = !is_html || (s.len > 2 && (s.ptr[2] == 'x' || s.ptr[2] == 'X'));
    size_t at = is_html && hex ? 3 : 2;
    size_t from = at;
    *code = 0;
    if (!med_str_starts(s, is_html ? MED_STR("&#") : MED_STR("\\u")))
        return 0;
    for (; at < s.len && at - from < (is_html ? 7U : 4U); at++) {
        char c = s.ptr[at];
        if (hex ? !med_is_hex(c) : !med_is_digit(c))
            break;
        uint32_t digit = (uint32_t)(med_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
        *code = *code * (hex ? 16 : 10) + digit;
    }
    if (!is_html)
        return at - from == 4 ? at : 0;
    return at > from && at < s.len && s.ptr[at] == ';' ? at + 1 : 0;
}

/* Writes one character of the unescaped text; returns the bytes read. */
static size_t unescape_one(const struct escape *table, size_t n, med_str s, char *to, size_t *wrote)
{
    uint32_t code = 0;
    for (size_t i = 0; i < n; i++) {
        if (!med_str_starts(s, med_str_from(table[i].text)))
            continue;
        to[0] = table[i].c;
        *wrote = 1;
        return strlen(table[i].text);
    }
    size_t used = read_code(s, table == html, &code);
    *wrote = used == 0 ? 0 : med_utf8_encode(code, to);
    if (*wrote > 0)
        return used;
    if (table == json && med_str_starts(s, MED_STR("\\/"))) {
        to[0] = '/';
        *wrote = 1;
        return 2;
    }
    to[0] = s.ptr[0];
    *wrote = 1;
    return 1;
}

bool med_fp_call_escape(med_fp_run *r, size_t argc)
{
    med_str s;
    med_str format;
    bool go = false;
    size_t rows = 0;
    if (!take_input(r, argc, &go, &s, &format))
        return false;
    const struct escape *table = go ? table_of(format, &rows) : NULL;
    if (table == NULL)
        return med_fp_result_empty(r, argc);
    char *to = MED_TAKE(r->a, s.len * 6 + 1, char);
    if (to == NULL)
        return MED_FAIL_MEMORY(r->err);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        med_str one = escape_one(table, rows, s.ptr + i);
        memcpy(to + n, one.ptr, one.len);
        n += one.len;
    }
    return med_fp_result_string(r, argc, (med_str){to, n});
}

bool med_fp_call_unescape(med_fp_run *r, size_t argc)
{
    med_str s;
    med_str format;
    bool go = false;
    size_t rows = 0;
    if (!take_input(r, argc, &go, &s, &format))
        return false;
    const struct escape *table = go ? table_of(format, &rows) : NULL;
    if (table == NULL)
        return med_fp_result_empty(r, argc);
    char *to = MED_TAKE(r->a, s.len + 4, char);
    if (to == NULL)
        return MED_FAIL_MEMORY(r->err);
    size_t n = 0;
    for (size_t i = 0; i < s.len;) {
        size_t wrote = 0;
        i += unescape_one(table, rows, med_str_skip(s, i), to + n, &wrote);
        n += wrote;
    }
    return med_fp_result_string(r, argc, (med_str){to, n});
}
