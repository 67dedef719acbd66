/* rules.c - code systems that are a grammar: units, languages, media types, URIs.
 * https://hl7.org/fhir/R4/terminologies-systems.html */
#include "model/ucum.h"
#include "terminology/terms.h"

static const struct {
    const char *url;
    enum med_grammar rule;
} rules[] = {{"http://unitsofmeasure.org", MED_RULE_UCUM},
             {"urn:ietf:bcp:47", MED_RULE_LANGUAGE},
             {"urn:ietf:bcp:13", MED_RULE_MIME},
             {"urn:ietf:rfc:3986", MED_RULE_URI}};
enum { RULES = sizeof rules / sizeof *rules };

enum med_grammar med_rule_of(med_str system)
{
    for (size_t i = 0; i < RULES; i++) {
        if (med_str_eqz(system, rules[i].url))
            return rules[i].rule;
    }
    return MED_RULE_NONE;
}

bool med_rule_at(size_t index, med_str *url)
{
    if (index < RULES)
        *url = med_str_from(rules[index].url);
    return index < RULES;
}

static bool all_alpha(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_alpha(s.ptr[i]))
            return false;
    }
    return true;
}

static bool all_alnum(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_alnum(s.ptr[i]))
            return false;
    }
    return true;
}

static bool all_digits(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_digit(s.ptr[i]))
            return false;
    }
    return true;
}

/* RFC 5646, section 2.1:
 * language[-extlang]*[-script][-region][-variant]*[-extension]*[-privateuse]. The grammar, not the
 * registry. */
static bool is_language(med_str tag)
{
    med_str rest, part = med_str_cut(tag, '-', &rest);
    if (tag.len == 0 || tag.ptr[tag.len - 1] == '-')
        return false;
    if (med_str_eq_ignore_case(part, MED_STR("x")) || med_str_eq_ignore_case(part, MED_STR("i"))) {
        if (rest.len == 0)
            return false;
    } else if (part.len < 2 || part.len > 8 || !all_alpha(part)) {
        return false;
    }
    int stage = part.len <= 3 ? 0 : 1; /* extlang, script, region, variant, extension */
    bool single = part.len == 1;
    while (rest.len > 0) {
        part = med_str_cut(rest, '-', &rest);
        if (part.len == 0 || part.len > 8 || !all_alnum(part))
            return false;
        if (single || stage == 4)
            continue;
        if (part.len == 1)
            stage = 4;
        else if (stage < 1 && part.len == 3 && all_alpha(part))
            stage = 0;
        else if (stage < 2 && part.len == 4 && all_alpha(part))
            stage = 2;
        else if (stage < 3
                 && ((part.len == 2 && all_alpha(part)) || (part.len == 3 && all_digits(part))))
            stage = 3;
        else if (part.len >= 5 || (part.len == 4 && med_is_digit(part.ptr[0])))
            stage = 3;
        else
            return false;
    }
    return true;
}

static bool is_token(med_str s)
{
    static const char marks[] = "!#$&-^_.+";
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_alnum(s.ptr[i]) && memchr(marks, s.ptr[i], sizeof marks - 1) == NULL)
            return false;
    }
    return s.len > 0 && s.len <= 127;
}

/* type/subtype, with parameters behind a semicolon (RFC 6838). */
static bool is_media_type(med_str s)
{
    med_str rest, whole = med_str_trim(med_str_cut(s, ';', &rest));
    med_str subtype, type = med_str_cut(whole, '/', &subtype);
    if (!is_token(type) || !is_token(subtype))
        return false;
    while (rest.len > 0) {
        med_str value, name = med_str_trim(med_str_cut(rest, ';', &rest));
        name = med_str_cut(name, '=', &value);
        if (!is_token(name) || value.len == 0)
            return false;
    }
    return true;
}

/* An absolute URI (RFC 3986): a scheme, a colon, something, and no space or quote. */
static bool is_uri(med_str s)
{
    med_str rest, scheme = med_str_cut(s, ':', &rest);
    if (scheme.len == 0 || rest.len == 0 || !med_is_alpha(scheme.ptr[0]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == '"' || s.ptr[i] == '<' || s.ptr[i] == '>')
            return false;
    }
    return true;
}

bool med_rule_has(enum med_grammar rule, med_arena *a, med_str code, med_str *display)
{
    med_unit unit;
    med_err ignored;
    *display = code;
    switch (rule) {
    case MED_RULE_UCUM:
        return med_ucum_parse(a, code, &unit, &ignored);
    case MED_RULE_LANGUAGE:
        return is_language(code);
    case MED_RULE_MIME:
        return is_media_type(code);
    case MED_RULE_URI:
        return is_uri(code);
    case MED_RULE_NONE:
        break;
    }
    return false;
}
