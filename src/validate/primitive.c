/* primitive.c - https://hl7.org/fhir/R4/datatypes.html#primitive */
#include "validate/primitive.h"

#include "base/datetime.h"
#include "model/reference.h"

bool med_primitive_kind_fits(enum med_primitive primitive, enum med_json_kind kind)
{
    switch (primitive) {
    case MED_PRIMITIVE_BOOLEAN:
        return kind == MED_JSON_TRUE || kind == MED_JSON_FALSE;
    case MED_PRIMITIVE_INTEGER:
    case MED_PRIMITIVE_UNSIGNED_INT:
    case MED_PRIMITIVE_POSITIVE_INT:
    case MED_PRIMITIVE_DECIMAL:
        return kind == MED_JSON_NUMBER;
    case MED_PRIMITIVE_NONE:
        return kind == MED_JSON_OBJECT;
    case MED_PRIMITIVE_STRING:
    case MED_PRIMITIVE_MARKDOWN:
    case MED_PRIMITIVE_CODE:
    case MED_PRIMITIVE_ID:
    case MED_PRIMITIVE_URI:
    case MED_PRIMITIVE_URL:
    case MED_PRIMITIVE_CANONICAL:
    case MED_PRIMITIVE_OID:
    case MED_PRIMITIVE_UUID:
    case MED_PRIMITIVE_BASE64:
    case MED_PRIMITIVE_DATE:
    case MED_PRIMITIVE_DATETIME:
    case MED_PRIMITIVE_INSTANT:
    case MED_PRIMITIVE_TIME:
    case MED_PRIMITIVE_XHTML:
    case MED_PRIMITIVE_FHIRPATH_STRING:
        return kind == MED_JSON_STRING;
    }
    return false;
}

static bool is_white(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Long texts are looked at in blocks without branches, which the compiler turns into vector
 * instructions: texts with branches on every byte cost ten times as much. */
enum { BLOCK = 64 };

static unsigned char is_bad_control(unsigned char c)
{
    return (unsigned char)((c < ' ') & (c != '\t') & (c != '\n') & (c != '\r'));
}

static bool has_bad_control(med_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t i = 0;
    for (; i + BLOCK <= s.len; i += BLOCK) {
        unsigned char bad = 0;
        for (int k = 0; k < BLOCK; k++)
            bad |= is_bad_control(p[i + (size_t)k]);
        if (bad != 0)
            return true;
    }
    for (; i < s.len; i++) {
        if (is_bad_control(p[i]) != 0)
            return true;
    }
    return false;
}

/* [ \r\n\t\S]+ : one character at least, of the controls only these three. */
static bool is_string(med_str s)
{
    return s.len > 0 && s.len <= MED_STRING_MAX && !has_bad_control(s);
}

/* [^\s]+(\s[^\s]+)* : no white space at the ends, and one character of it between words. */
static bool is_code(med_str s)
{
    bool after_space = true; /* the beginning is like a space: none may follow */
    for (size_t i = 0; i < s.len; i++) {
        bool space = is_white((unsigned char)s.ptr[i]);
        if ((space && after_space) || (unsigned char)s.ptr[i] < '\t')
            return false;
        after_space = space;
    }
    return !after_space;
}

/* \S* : but an element has content, so \S+ */
static bool is_uri(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] <= ' ')
            return false;
    }
    return s.len > 0;
}

/* urn:oid:[0-2](\.(0|[1-9][0-9]*))+ */
static bool is_oid(med_str s)
{
    if (!med_str_starts(s, MED_STR("urn:oid:")) || s.len < 11)
        return false;
    med_str rest = med_str_skip(s, 8);
    med_str arc = med_str_cut(rest, '.', &rest);
    if (arc.len != 1 || arc.ptr[0] < '0' || arc.ptr[0] > '2')
        return false;
    size_t end = 9;
    while (end < s.len) { /* s.ptr[end] is the dot before the next arc */
        arc = med_str_cut(rest, '.', &rest);
        if (arc.len == 0 || (arc.len > 1 && arc.ptr[0] == '0'))
            return false;
        for (size_t i = 0; i < arc.len; i++) {
            if (!med_is_digit(arc.ptr[i]))
                return false;
        }
        end += 1 + arc.len;
    }
    return true;
}

/* urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12} */
static bool is_uuid(med_str s)
{
    if (s.len != 45 || !med_str_starts(s, MED_STR("urn:uuid:")))
        return false;
    for (size_t i = 9; i < s.len; i++) {
        bool dash = i == 17 || i == 22 || i == 27 || i == 32;
        char c = s.ptr[i];
        if (dash ? c != '-' : !med_is_digit(c) && (c < 'a' || c > 'f'))
            return false;
    }
    return true;
}

static unsigned char is_base64_char(unsigned char c)
{
    unsigned char letter = (unsigned char)((c | 0x20) - 'a');
    return (unsigned char)((letter < 26) | ((unsigned char)(c - '0') < 10) | (c == '+')
                           | (c == '/'));
}

/* How many bytes from the start are data without white space, in whole blocks. */
static size_t base64_blocks(const unsigned char *p, size_t len)
{
    size_t i = 0;
    for (; i + BLOCK <= len; i += BLOCK) {
        unsigned char good = 1;
        for (int k = 0; k < BLOCK; k++)
            good &= is_base64_char(p[i + (size_t)k]);
        if (good == 0)
            break;
    }
    return i;
}

/* (\s*([0-9a-zA-Z\+\/=]){4}\s*)+ , and what this leaves open: `=` is at the end alone. */
static bool is_base64(med_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t n = 0;
    size_t padding = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (padding == 0 && i % BLOCK == 0) {
            size_t more = base64_blocks(p + i, s.len - i);
            n += more;
            i += more;
            if (i == s.len)
                break;
        }
        if (is_white(p[i]))
            continue;
        if (p[i] == '=')
            padding++;
        else if (padding > 0 || is_base64_char(p[i]) == 0)
            return false;
        n++;
    }
    return n > 0 && n % 4 == 0 && padding <= 2;
}

/* 0 or -?[1-9][0-9]*, at most 32 bits. JSON knows neither a plus sign nor leading zeros. */
static bool is_integer(med_str s, int64_t least)
{
    int64_t n = 0;
    return med_str_to_int64(s, &n) && n >= least && n <= INT32_MAX && !med_str_eqz(s, "-0");
}

static bool is_date_of(med_str s, enum med_date_kind kind)
{
    med_datetime parsed;
    return med_datetime_parse(s, kind, 0, &parsed);
}

static bool is_time(med_str s)
{
    int64_t microseconds = 0;
    return med_time_parse(s, &microseconds);
}

bool med_primitive_is_valid(enum med_primitive primitive, med_str s)
{
    switch (primitive) {
    case MED_PRIMITIVE_STRING:
    case MED_PRIMITIVE_MARKDOWN:
        return is_string(s);
    case MED_PRIMITIVE_CODE:
        return is_code(s);
    case MED_PRIMITIVE_ID:
        return med_id_is_valid(s);
    case MED_PRIMITIVE_URI:
    case MED_PRIMITIVE_URL:
    case MED_PRIMITIVE_CANONICAL:
        return is_uri(s);
    case MED_PRIMITIVE_FHIRPATH_STRING: /* ids of elements and Extension.url: no spaces */
        return s.len <= MED_STRING_MAX && is_uri(s);
    case MED_PRIMITIVE_OID:
        return is_oid(s);
    case MED_PRIMITIVE_UUID:
        return is_uuid(s);
    case MED_PRIMITIVE_BASE64:
        return is_base64(s);
    case MED_PRIMITIVE_DATE:
        return is_date_of(s, MED_KIND_DATE);
    case MED_PRIMITIVE_DATETIME:
        return is_date_of(s, MED_KIND_DATETIME);
    case MED_PRIMITIVE_INSTANT:
        return is_date_of(s, MED_KIND_INSTANT);
    case MED_PRIMITIVE_TIME:
        return is_time(s);
    case MED_PRIMITIVE_INTEGER:
        return is_integer(s, INT32_MIN);
    case MED_PRIMITIVE_UNSIGNED_INT:
        return is_integer(s, 0);
    case MED_PRIMITIVE_POSITIVE_INT:
        return is_integer(s, 1);
    case MED_PRIMITIVE_BOOLEAN:
    case MED_PRIMITIVE_DECIMAL: /* what JSON takes for a number, FHIR takes */
    case MED_PRIMITIVE_XHTML:
    case MED_PRIMITIVE_NONE:
        return true;
    }
    return false;
}

const char *med_primitive_expected(enum med_primitive primitive)
{
    switch (primitive) {
    case MED_PRIMITIVE_NONE:
        return "an object";
    case MED_PRIMITIVE_BOOLEAN:
        return "a boolean: true or false, without quotes";
    case MED_PRIMITIVE_INTEGER:
        return "an integer of 32 bits, without quotes, fraction or exponent";
    case MED_PRIMITIVE_UNSIGNED_INT:
        return "an integer from 0 to 2147483647, without quotes, fraction or exponent";
    case MED_PRIMITIVE_POSITIVE_INT:
        return "an integer from 1 to 2147483647, without quotes, fraction or exponent";
    case MED_PRIMITIVE_DECIMAL:
        return "a decimal number, without quotes";
    case MED_PRIMITIVE_FHIRPATH_STRING:
        return "a string without white space, at most 1 MiB";
    case MED_PRIMITIVE_STRING:
        return "a string: not empty, at most 1 MiB, no control characters but tab and line ends";
    case MED_PRIMITIVE_MARKDOWN:
        return "markdown: a string, not empty, no control characters but tab and line ends";
    case MED_PRIMITIVE_CODE:
        return "a code: a string without white space at its ends and without two in a row";
    case MED_PRIMITIVE_ID:
        return "an id: a string of 1 to 64 of A-Z a-z 0-9 - .";
    case MED_PRIMITIVE_URI:
        return "a uri: a string without white space";
    case MED_PRIMITIVE_URL:
        return "a url: a string without white space";
    case MED_PRIMITIVE_CANONICAL:
        return "a canonical: a URL without white space, with |version if wanted";
    case MED_PRIMITIVE_OID:
        return "an oid: urn:oid: and numbers with dots, like urn:oid:1.2.3";
    case MED_PRIMITIVE_UUID:
        return "a uuid: urn:uuid: and 8-4-4-4-12 digits of 0-9 a-f in lower case";
    case MED_PRIMITIVE_BASE64:
        return "base64: a string of A-Z a-z 0-9 + / in groups of four, padded with =";
    case MED_PRIMITIVE_DATE:
        return "a date: YYYY, YYYY-MM or YYYY-MM-DD, a day that the calendar has";
    case MED_PRIMITIVE_DATETIME:
        return "a dateTime: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz, a day that "
               "the calendar has; a time needs seconds and a zone";
    case MED_PRIMITIVE_INSTANT:
        return "an instant: YYYY-MM-DDThh:mm:ss+zz:zz, with seconds and zone";
    case MED_PRIMITIVE_TIME:
        return "a time: hh:mm:ss, without zone";
    case MED_PRIMITIVE_XHTML:
        return "xhtml: a string that holds one <div>";
    }
    return "";
}
