/* html.c - https://hl7.org/fhir/R4/narrative.html#xhtml (invariants txt-1 and txt-2)
 *
 * "limited to the basic HTML formatting elements and attributes described in chapters 7-11
 * (except section 4 of chapter 9) and 15 of the HTML 4.0 standard, <a> elements (either name or
 * href), images and internally contained style attributes." */
#include "model/fhirpath/html.h"

enum { DEPTH = 128, NAME_MAX = 32 };

static const char *const elements[] = {
    "a",       "abbr", "acronym", "address", "b",        "bdo",   "big",  "blockquote", "br",
    "caption", "cite", "code",    "col",     "colgroup", "dd",    "del",  "dfn",        "div",
    "dl",      "dt",   "em",      "h1",      "h2",       "h3",    "h4",   "h5",         "h6",
    "hr",      "i",    "img",     "ins",     "kbd",      "li",    "map",  "area",       "ol",
    "p",       "pre",  "q",       "s",       "samp",     "small", "span", "strike",     "strong",
    "sub",     "sup",  "table",   "tbody",   "td",       "tfoot", "th",   "thead",      "tr",
    "tt",      "u",    "ul",      "var",     "center",   "font",
};

static const char *const attributes[] = {
    "abbr",        "align",       "alt",        "axis",     "bgcolor",   "border",   "cellhalign",
    "cellpadding", "cellspacing", "cellvalign", "char",     "charoff",   "charset",  "cite",
    "class",       "clear",       "color",      "cols",     "colspan",   "compact",  "coords",
    "dir",         "face",        "frame",      "headers",  "height",    "href",     "hreflang",
    "hspace",      "id",          "lang",       "longdesc", "name",      "noshade",  "nowrap",
    "rel",         "rev",         "rowspan",    "rules",    "scope",     "shape",    "size",
    "span",        "src",         "start",      "style",    "summary",   "tabindex", "target",
    "title",       "type",        "usemap",     "valign",   "value",     "vspace",   "width",
    "xml:base",    "xml:lang",    "xml:space",  "xmlns",    "accesskey",
};

struct scanner {
    med_str text;
    size_t at;
    med_str open[DEPTH];
    int depth;
};

static bool listed(const char *const *list, size_t n, med_str name)
{
    for (size_t i = 0; i < n; i++)
        if (med_str_eqz(name, list[i]))
            return true;
    return false;
}

static char look(const struct scanner *s)
{
    return s->at < s->text.len ? s->text.ptr[s->at] : '\0';
}

static void skip_space(struct scanner *s)
{
    while (med_is_space(look(s)))
        s->at++;
}

static med_str read_name(struct scanner *s)
{
    size_t from = s->at;
    while (med_is_alnum(look(s)) || look(s) == ':' || look(s) == '-' || look(s) == '_')
        s->at++;
    return med_str_sub(s->text, from, s->at);
}

/* Without white space and control characters, which browsers skip ("java\tscript:"). */
static bool scheme_is(med_str value, const char *scheme)
{
    size_t k = 0;
    for (size_t i = 0; i < value.len && scheme[k] != '\0'; i++) {
        char c = value.ptr[i];
        if (c <= ' ')
            continue;
        if ((med_is_upper(c) ? (char)(c | 0x20) : c) != scheme[k])
            return false;
        k++;
    }
    return scheme[k] == '\0';
}

/* A character reference at the start of an address could spell a scheme: refuse it there. */
static bool address_is_safe(med_str value)
{
    static const char *const refused[] = {"javascript:", "vbscript:", "data:text"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (scheme_is(value, refused[i]))
            return false;
    size_t colon = med_str_find(value, ':', 0);
    return med_str_find(value, '&', 0) >= colon || colon == value.len;
}

static bool contains_ignoring_case(med_str s, const char *word)
{
    med_str w = med_str_from(word);
    for (size_t i = 0; i + w.len <= s.len; i++)
        if (med_str_eq_ignore_case(med_str_sub(s, i, i + w.len), w))
            return true;
    return false;
}

static bool style_is_safe(med_str value)
{
    return !contains_ignoring_case(value, "javascript:")
           && !contains_ignoring_case(value, "expression(")
           && !contains_ignoring_case(value, "@import")
           && med_str_find(value, '\\', 0) == value.len;
}

static bool read_attribute(struct scanner *s, bool *is_namespace)
{
    med_str name = read_name(s);
    skip_space(s);
    if (name.len == 0 || look(s) != '=')
        return false;
    s->at++;
    skip_space(s);
    char quote = look(s);
    if (quote != '"' && quote != '\'')
        return false;
    size_t from = s->at + 1;
    size_t to = med_str_find(s->text, quote, from);
    med_str value = med_str_sub(s->text, from, to);
    if (to == s->text.len || med_str_find(value, '<', 0) < value.len)
        return false;
    s->at = to + 1;
    if (med_str_eqz(name, "href") || med_str_eqz(name, "src"))
        return address_is_safe(value);
    if (med_str_eqz(name, "style"))
        return style_is_safe(value);
    if (med_str_eqz(name, "xmlns")) {
        *is_namespace = med_str_eqz(value, "http://www.w3.org/1999/xhtml");
        return *is_namespace;
    }
    return listed(attributes, sizeof attributes / sizeof *attributes, name);
}

static bool read_open_tag(struct scanner *s)
{
    bool is_namespace = false;
    med_str name = read_name(s);
    if (!listed(elements, sizeof elements / sizeof *elements, name) || s->depth == DEPTH)
        return false;
    if (s->depth == 0 && !med_str_eqz(name, "div"))
        return false;
    bool first = s->depth == 0;
    for (;;) {
        bool space = med_is_space(look(s));
        skip_space(s);
        if (look(s) == '>' || look(s) == '/')
            break;
        if (!space || !read_attribute(s, &is_namespace))
            return false;
    }
    if (first && !is_namespace)
        return false;
    if (look(s) == '/') {
        s->at++;
        if (look(s) != '>' || first)
            return false;
    } else {
        s->open[s->depth++] = name;
    }
    s->at++;
    return true;
}

static bool read_close_tag(struct scanner *s)
{
    med_str name = read_name(s);
    skip_space(s);
    if (look(s) != '>' || s->depth == 0 || !med_str_eq(name, s->open[s->depth - 1]))
        return false;
    s->at++;
    s->depth--;
    return true;
}

/* "<" has been read: a tag or a comment. */
static bool read_markup(struct scanner *s)
{
    med_str rest = med_str_skip(s->text, s->at);
    if (med_str_starts(rest, MED_STR("!--"))) {
        size_t end = med_str_search(s->text, MED_STR("-->"), s->at + 3);
        s->at = end + 3;
        return end < s->text.len;
    }
    if (look(s) == '/') {
        s->at++;
        return read_close_tag(s);
    }
    return read_open_tag(s);
}

/* &name; &#12; &#xA0; */
static bool read_reference(struct scanner *s)
{
    size_t from = s->at;
    while (s->at - from < NAME_MAX && (med_is_alnum(look(s)) || look(s) == '#'))
        s->at++;
    return s->at > from && look(s) == ';';
}

bool med_narrative_is_safe(med_str xhtml)
{
    struct scanner s = {.text = med_str_trim(xhtml)};
    bool content = false;
    if (look(&s) != '<')
        return false;
    while (s.at < s.text.len) {
        char c = s.text.ptr[s.at++];
        if (c == '<') {
            content = content || med_str_starts(med_str_skip(s.text, s.at), MED_STR("img"));
            if (!read_markup(&s) || (s.depth == 0 && s.at < s.text.len))
                return false;
        } else if (c == '&') {
            content = true;
            if (!read_reference(&s))
                return false;
        } else {
            content = content || !med_is_space(c);
        }
    }
    return s.depth == 0 && content;
}
