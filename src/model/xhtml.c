/* xhtml.c - https://hl7.org/fhir/R4/narrative.html#xhtml
 *
 * A reader of the small part of XML that a narrative may be written in. What it does not know
 * it refuses: declarations, processing instructions, CDATA, entities other than those of XML. */
#include "model/xhtml.h"

#include <stdarg.h>
#include <stdio.h>

enum { NAME_MAX_SHOWN = 32, ATTRIBUTES_MAX = 32, URL_START = 32 };

struct reader {
    med_str text;
    size_t at;
    med_str stack[MED_XHTML_DEPTH];
    size_t depth;
    char *why;
};

static const med_str elements[] = {
    MED_LIT("a"),          MED_LIT("abbr"),  MED_LIT("acronym"),  MED_LIT("address"),
    MED_LIT("area"),       MED_LIT("b"),     MED_LIT("bdo"),      MED_LIT("big"),
    MED_LIT("blockquote"), MED_LIT("br"),    MED_LIT("caption"),  MED_LIT("cite"),
    MED_LIT("code"),       MED_LIT("col"),   MED_LIT("colgroup"), MED_LIT("dd"),
    MED_LIT("del"),        MED_LIT("dfn"),   MED_LIT("div"),      MED_LIT("dl"),
    MED_LIT("dt"),         MED_LIT("em"),    MED_LIT("h1"),       MED_LIT("h2"),
    MED_LIT("h3"),         MED_LIT("h4"),    MED_LIT("h5"),       MED_LIT("h6"),
    MED_LIT("hr"),         MED_LIT("i"),     MED_LIT("img"),      MED_LIT("ins"),
    MED_LIT("kbd"),        MED_LIT("li"),    MED_LIT("map"),      MED_LIT("ol"),
    MED_LIT("p"),          MED_LIT("pre"),   MED_LIT("q"),        MED_LIT("s"),
    MED_LIT("samp"),       MED_LIT("small"), MED_LIT("span"),     MED_LIT("strike"),
    MED_LIT("strong"),     MED_LIT("sub"),   MED_LIT("sup"),      MED_LIT("table"),
    MED_LIT("tbody"),      MED_LIT("td"),    MED_LIT("tfoot"),    MED_LIT("th"),
    MED_LIT("thead"),      MED_LIT("tr"),    MED_LIT("tt"),       MED_LIT("u"),
    MED_LIT("ul"),         MED_LIT("var"),
};

/* Any element may have them; which one makes sense where is no matter of safety. */
static const med_str attributes[] = {
    MED_LIT("abbr"),        MED_LIT("accesskey"), MED_LIT("align"),    MED_LIT("alt"),
    MED_LIT("axis"),        MED_LIT("bgcolor"),   MED_LIT("border"),   MED_LIT("cellpadding"),
    MED_LIT("cellspacing"), MED_LIT("char"),      MED_LIT("charoff"),  MED_LIT("charset"),
    MED_LIT("cite"),        MED_LIT("class"),     MED_LIT("color"),    MED_LIT("cols"),
    MED_LIT("colspan"),     MED_LIT("compact"),   MED_LIT("coords"),   MED_LIT("datetime"),
    MED_LIT("dir"),         MED_LIT("face"),      MED_LIT("frame"),    MED_LIT("headers"),
    MED_LIT("height"),      MED_LIT("href"),      MED_LIT("hreflang"), MED_LIT("hspace"),
    MED_LIT("id"),          MED_LIT("ismap"),     MED_LIT("lang"),     MED_LIT("longdesc"),
    MED_LIT("media"),       MED_LIT("name"),      MED_LIT("nohref"),   MED_LIT("noshade"),
    MED_LIT("nowrap"),      MED_LIT("rel"),       MED_LIT("rev"),      MED_LIT("rowspan"),
    MED_LIT("rules"),       MED_LIT("scope"),     MED_LIT("shape"),    MED_LIT("size"),
    MED_LIT("span"),        MED_LIT("src"),       MED_LIT("start"),    MED_LIT("style"),
    MED_LIT("summary"),     MED_LIT("tabindex"),  MED_LIT("target"),   MED_LIT("title"),
    MED_LIT("type"),        MED_LIT("usemap"),    MED_LIT("valign"),   MED_LIT("value"),
    MED_LIT("vspace"),      MED_LIT("width"),     MED_LIT("xml:lang"), MED_LIT("xml:space"),
    MED_LIT("xmlns"),
};

/* Sorted lists: the first byte decides nearly always. */
static bool is_listed(med_str name, const med_str *list, size_t n)
{
    size_t low = 0;
    while (low < n && name.len > 0) {
        size_t middle = low + (n - low) / 2;
        int order = (unsigned char)list[middle].ptr[0] - (unsigned char)name.ptr[0];
        if (order == 0)
            order = med_str_compare(list[middle], name);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            n = middle;
    }
    return false;
}

__attribute__((format(printf, 2, 3), cold)) static bool fail(struct reader *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(r->why, MED_XHTML_TEXT, fmt, args);
    va_end(args);
    return false;
}

/* The byte `ahead` of the present one, or NUL (which no narrative may hold) at the end. */
static char at(const struct reader *r, size_t ahead)
{
    return r->at + ahead < r->text.len ? r->text.ptr[r->at + ahead] : '\0';
}

static bool take_char(struct reader *r, char c)
{
    if (at(r, 0) != c || r->at == r->text.len)
        return false;
    r->at++;
    return true;
}

static bool take(struct reader *r, const char *text)
{
    size_t len = strlen(text);
    if (r->text.len - r->at < len || memcmp(r->text.ptr + r->at, text, len) != 0)
        return false;
    r->at += len;
    return true;
}

static bool skip_space(struct reader *r)
{
    size_t from = r->at;
    while (r->at < r->text.len && med_is_space(r->text.ptr[r->at]))
        r->at++;
    return r->at > from;
}

static med_str take_name(struct reader *r)
{
    size_t from = r->at;
    while (r->at < r->text.len) {
        char c = r->text.ptr[r->at];
        bool is_first = r->at == from;
        if (!med_is_alpha(c) && c != '_' && c != ':'
            && (is_first || (!med_is_digit(c) && c != '-' && c != '.')))
            break;
        r->at++;
    }
    return med_str_sub(r->text, from, r->at);
}

static med_str shown(med_str name)
{
    return med_str_sub(name, 0, NAME_MAX_SHOWN);
}

/* ---- text ---- */

/* &lt; &gt; &amp; &quot; &apos; &#60; &#x3C; */
static bool take_entity(struct reader *r)
{
    static const char *const named[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (take(r, named[i]))
            return true;
    }
    size_t from = r->at;
    bool hex = false;
    if (take(r, "&#")) {
        hex = take(r, "x");
        size_t digits = r->at;
        while (r->at < r->text.len && r->at - digits < 8
               && (hex ? med_is_hex(r->text.ptr[r->at]) : med_is_digit(r->text.ptr[r->at])))
            r->at++;
        if (r->at > digits && take(r, ";"))
            return true;
    }
    r->at = from;
    return fail(r, "an '&' that begins no entity of XML (&lt; &gt; &amp; &quot; &apos; &#160;); "
                   "write the character itself instead of &nbsp; and its like");
}

/* Bytes at which running text has to be looked at. */
static bool is_special(char c)
{
    static const bool special[256] = {
        [0] = 1,  [1] = 1,   [2] = 1,    [3] = 1,   [4] = 1,   [5] = 1,  [6] = 1,
        [7] = 1,  [8] = 1,   [11] = 1,   [12] = 1,  [14] = 1,  [15] = 1, [16] = 1,
        [17] = 1, [18] = 1,  [19] = 1,   [20] = 1,  [21] = 1,  [22] = 1, [23] = 1,
        [24] = 1, [25] = 1,  [26] = 1,   [27] = 1,  [28] = 1,  [29] = 1, [30] = 1,
        [31] = 1, ['"'] = 1, ['\''] = 1, ['&'] = 1, ['<'] = 1,
    };
    return special[(unsigned char)c];
}

/* Up to the next '<', or to `quote` inside an attribute. */
static bool take_text(struct reader *r, char quote)
{
    for (;;) {
        while (r->at < r->text.len && !is_special(r->text.ptr[r->at]))
            r->at++;
        if (r->at == r->text.len)
            return true;
        char c = r->text.ptr[r->at];
        if (c == quote)
            return true;
        if (c == '&') {
            if (!take_entity(r))
                return false;
        } else if (c == '<') {
            return quote == '\0' || fail(r, "a '<' inside an attribute; write &lt;");
        } else if ((unsigned char)c < ' ') {
            return fail(r, "a control character");
        } else {
            r->at++;
        }
    }
}

static bool take_comment(struct reader *r)
{
    size_t end = med_str_search(r->text, MED_STR("--"), r->at);
    if (end >= r->text.len)
        return fail(r, "a comment that does not end");
    r->at = end;
    return take(r, "-->") || fail(r, "'--' inside a comment");
}

/* ---- attributes ---- */

static char lower(char c)
{
    return med_is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* The first bytes of an address as a browser sees them: entities undone, white space and
 * controls left out, lower case. Enough to know its scheme. */
static size_t plain_start(med_str value, char *to, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < value.len && n < room; i++) {
        char c = value.ptr[i];
        if (c == '&' && i + 2 < value.len && value.ptr[i + 1] == '#') {
            bool hex = value.ptr[i + 2] == 'x';
            unsigned code = 0;
            for (i += hex ? 3 : 2; i < value.len && value.ptr[i] != ';'; i++) {
                unsigned digit = med_is_digit(value.ptr[i])
                                     ? (unsigned)(value.ptr[i] - '0')
                                     : (unsigned)(lower(value.ptr[i]) - 'a' + 10);
                code = (code * (hex ? 16U : 10U) + digit) & 0xFFFFFF;
            }
            c = code < 0x80 ? (char)code : '?';
        }
        if ((unsigned char)c > ' ')
            to[n++] = lower(c);
    }
    return n;
}

/* Where a scheme's colon stands, or s.len when s begins with none. */
static size_t scheme_end(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == ':')
            return i;
        if (c == '/' || c == '?' || c == '#')
            break;
    }
    return s.len;
}

/* Addresses may be relative, a fragment, or of one of a few schemes. A longer scheme than fits
 * into `start` is none that runs code. */
static bool address_is_safe(med_str value, bool is_image)
{
    static const char *const links[] = {
        "http:", "https:", "mailto:", "tel:", "urn:", "ftp:", "cid:"};
    char start[URL_START];
    med_str s = {start, plain_start(value, start, sizeof start)};
    if (scheme_end(s) == s.len)
        return true;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        if (med_str_starts(s, med_str_from(links[i])))
            return true;
    }
    return is_image && med_str_starts(s, MED_STR("data:image/"))
           && !med_str_starts(s, MED_STR("data:image/svg"));
}

/* What follows `url(`: a file of this server, or an image in the address itself. */
static bool style_url_is_safe(med_str value)
{
    value = med_str_trim(value);
    if (med_str_starts(value, MED_STR("&quot;")))
        value = med_str_skip(value, strlen("&quot;"));
    else if (value.len > 0 && (value.ptr[0] == '"' || value.ptr[0] == '\''))
        value = med_str_skip(value, 1);
    char start[URL_START];
    med_str s = {start, plain_start(value, start, sizeof start)};
    if (med_str_starts(s, MED_STR("data:image/")))
        return !med_str_starts(s, MED_STR("data:image/svg"));
    return s.len > 0 && s.ptr[0] != '/' && scheme_end(s) == s.len;
}

/* The name that ends at `end`. */
static med_str name_before(med_str s, size_t end)
{
    size_t from = end;
    while (from > 0 && (med_is_alnum(s.ptr[from - 1]) || s.ptr[from - 1] == '-'))
        from--;
    return med_str_sub(s, from, end);
}

static size_t end_before_space(med_str s, size_t end)
{
    while (end > 0 && med_is_space(s.ptr[end - 1]))
        end--;
    return end;
}

static bool is_one_of(med_str name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq_ignore_case(name, med_str_from(list[i])))
            return true;
    }
    return false;
}

static bool style_function_is_safe(med_str value, size_t parenthesis)
{
    static const char *const good[] = {"rgb",  "rgba", "hsl", "hsla", "calc",
                                       "rect", "min",  "max", "",     "clamp"};
    med_str name = name_before(value, parenthesis);
    if (med_str_eq_ignore_case(name, MED_STR("url")))
        return style_url_is_safe(med_str_skip(value, parenthesis + 1));
    return is_one_of(name, good, sizeof good / sizeof good[0]);
}

/* A style may not fetch from elsewhere nor run anything: known functions alone, no property
 * that binds code, and nothing that could hide a word (escapes, comments, character codes). */
static bool style_is_safe(med_str value)
{
    static const char *const bad[] = {"behavior", "behaviour", "-moz-binding", "javascript",
                                      "vbscript"};
    for (size_t i = 0; i < value.len; i++) {
        char next = i + 1 < value.len ? value.ptr[i + 1] : '\0';
        switch (value.ptr[i]) {
        case '\\':
        case '@':
            return false;
        case '/':
            if (next == '*')
                return false;
            break;
        case '&':
            if (next == '#')
                return false;
            break;
        case '(':
            if (!style_function_is_safe(value, i))
                return false;
            break;
        case ':':
            if (is_one_of(name_before(value, end_before_space(value, i)), bad,
                          sizeof bad / sizeof bad[0]))
                return false;
            break;
        default:
            break;
        }
    }
    return true;
}

static bool check_attribute(struct reader *r, med_str name, med_str value)
{
    bool is_image = med_str_eqz(name, "src");
    if (!is_listed(name, attributes, sizeof attributes / sizeof attributes[0]))
        return fail(r, "the attribute '%.*s' is not allowed in a narrative",
                    MED_STR_ARG(shown(name)));
    if ((is_image || med_str_eqz(name, "href") || med_str_eqz(name, "cite")
         || med_str_eqz(name, "longdesc") || med_str_eqz(name, "usemap"))
        && !address_is_safe(value, is_image))
        return fail(r, "'%.*s' has an address of a scheme that is not allowed in a narrative",
                    MED_STR_ARG(shown(name)));
    if (med_str_eqz(name, "style") && !style_is_safe(value))
        return fail(r, "'style' may not name other files, run code, or hide words by escapes");
    if (med_str_eqz(name, "xmlns") && !med_str_eqz(value, "http://www.w3.org/1999/xhtml"))
        return fail(r, "xmlns is not http://www.w3.org/1999/xhtml");
    return true;
}

static bool take_attribute(struct reader *r, med_str *names, size_t *n)
{
    med_str name = take_name(r);
    if (name.len == 0)
        return fail(r, "a tag that does not end as it should");
    for (size_t i = 0; i < *n; i++) {
        if (med_str_eq(names[i], name))
            return fail(r, "the attribute '%.*s' stands twice", MED_STR_ARG(shown(name)));
    }
    if (*n == ATTRIBUTES_MAX)
        return fail(r, "more than %d attributes", ATTRIBUTES_MAX);
    names[(*n)++] = name;
    (void)skip_space(r);
    if (!take_char(r, '='))
        return fail(r, "the attribute '%.*s' has no value", MED_STR_ARG(shown(name)));
    (void)skip_space(r);
    bool is_double = take_char(r, '"');
    if (!is_double && !take_char(r, '\''))
        return fail(r, "the value of '%.*s' is not in quotes", MED_STR_ARG(shown(name)));
    size_t from = r->at;
    if (!take_text(r, is_double ? '"' : '\''))
        return false;
    med_str value = med_str_sub(r->text, from, r->at);
    if (r->at++ == r->text.len)
        return fail(r, "the value of '%.*s' does not end", MED_STR_ARG(shown(name)));
    return check_attribute(r, name, value);
}

/* ---- tags ---- */

static bool has_name(const med_str *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eqz(names[i], name))
            return true;
    }
    return false;
}

static bool enter(struct reader *r, med_str name)
{
    if (r->depth == MED_XHTML_DEPTH)
        return fail(r, "more than %d elements inside each other", MED_XHTML_DEPTH);
    r->stack[r->depth++] = name;
    return true;
}

static bool take_start_tag(struct reader *r)
{
    med_str names[ATTRIBUTES_MAX] MED_UNINITIALIZED;
    size_t n = 0;
    med_str name = take_name(r);
    if (!is_listed(name, elements, sizeof elements / sizeof elements[0]))
        return name.len == 0
                   ? fail(r, "a '<' that begins no tag; write &lt;")
                   : fail(r, "<%.*s> is not allowed in a narrative", MED_STR_ARG(shown(name)));
    bool is_root = r->depth == 0;
    if (is_root && !med_str_eqz(name, "div"))
        return fail(r, "the outermost element is <%.*s>, expected <div>", MED_STR_ARG(shown(name)));
    while (skip_space(r) && at(r, 0) != '>' && at(r, 0) != '/') {
        if (!take_attribute(r, names, &n))
            return false;
    }
    if (is_root && !has_name(names, n, "xmlns"))
        return fail(r, "<div> lacks xmlns=\"http://www.w3.org/1999/xhtml\"");
    if (take(r, "/>"))
        return true;
    return take_char(r, '>') ? enter(r, name) : fail(r, "a tag that does not end as it should");
}

static bool take_end_tag(struct reader *r)
{
    med_str name = take_name(r);
    (void)skip_space(r);
    if (!take_char(r, '>'))
        return fail(r, "an end tag that does not end");
    if (r->depth == 0 || !med_str_eq(r->stack[r->depth - 1], name))
        return fail(r, "</%.*s> ends what was not begun, or not begun last",
                    MED_STR_ARG(shown(name)));
    r->depth--;
    return true;
}

static bool take_tag(struct reader *r)
{
    r->at++; /* the '<' */
    if (take_char(r, '/'))
        return take_end_tag(r);
    if (take(r, "!--"))
        return take_comment(r);
    if (at(r, 0) == '!' || at(r, 0) == '?')
        return fail(r, "declarations, CDATA and processing instructions are not allowed");
    return take_start_tag(r);
}

/* White space and comments around the <div>. */
static bool take_around(struct reader *r)
{
    (void)skip_space(r);
    while (take(r, "<!--")) {
        if (!take_comment(r))
            return false;
        (void)skip_space(r);
    }
    return true;
}

bool med_xhtml_check(med_str text, char why[MED_XHTML_TEXT])
{
    struct reader r MED_UNINITIALIZED;
    r.text = text;
    r.at = 0;
    r.depth = 0;
    r.why = why;
    why[0] = '\0';
    if (!take_around(&r))
        return false;
    if (at(&r, 0) != '<' || at(&r, 1) == '/')
        return fail(&r, "it does not begin with <div>");
    do {
        if (!take_tag(&r) || (r.depth > 0 && !take_text(&r, '\0')))
            return false;
    } while (r.depth > 0 && r.at < r.text.len);
    if (r.depth > 0)
        return fail(&r, "<%.*s> is not ended", MED_STR_ARG(shown(r.stack[r.depth - 1])));
    if (!take_around(&r))
        return false;
    return r.at == r.text.len || fail(&r, "something stands behind </div>");
}

bool med_xhtml_shows_something(med_str xhtml)
{
    bool tag = false;
    for (size_t i = 0; i < xhtml.len; i++) {
        char c = xhtml.ptr[i];
        if (c == '<' && med_str_starts(med_str_skip(xhtml, i), MED_STR("<img")))
            return true;
        if (c == '<' || c == '>')
            tag = c == '<';
        else if (!tag && !med_is_space(c))
            return true;
    }
    return false;
}
