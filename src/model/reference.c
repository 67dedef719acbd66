/* reference.c - https://hl7.org/fhir/R4/references.html#literal */
#include "model/reference.h"

enum { ID_MAX = 64 };

/* What is wrong with a reference; told in words by med_reference_parse only. */
enum fault {
    FAULT_NONE,
    FAULT_EMPTY,
    FAULT_SPACE,
    FAULT_FORM,
    FAULT_TYPE,
    FAULT_ID,
    FAULT_VERSION,
    FAULT_FRAGMENT,
};

/* A-Z a-z 0-9 - . as bits: ids are in every reference. */
static const uint64_t id_signs[4] = {UINT64_C(0x03ff600000000000), UINT64_C(0x07fffffe07fffffe)};

bool med_id_is_valid(med_str id)
{
    uint64_t good = 1;
    if (id.len == 0 || id.len > ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.ptr[i];
        good &= id_signs[c >> 6] >> (c & 63);
    }
    return (good & 1) != 0;
}

/* The concrete resource type of that name, or MED_TYPE_NONE. */
static med_type resource_type(const med_pack *p, med_str name)
{
    med_type t = med_pack_type(p, name);
    bool is = t != MED_TYPE_NONE && med_type_kind_of(p, t) == MED_TYPE_RESOURCE
              && !med_type_is_abstract(p, t);
    return is ? t : MED_TYPE_NONE;
}

/* Type/id or Type/id/_history/version, with nothing in front. */
static enum fault parse_relative(const med_pack *p, med_str text, med_reference *out)
{
    med_str rest;
    med_str type = med_str_cut(text, '/', &rest);
    if (resource_type(p, type) == MED_TYPE_NONE)
        return FAULT_TYPE;
    if (type.len == text.len)
        return FAULT_FORM;
    out->type = type;
    out->id = med_str_cut(rest, '/', &rest);
    if (!med_id_is_valid(out->id))
        return FAULT_ID;
    if (type.len + 1 + out->id.len == text.len)
        return FAULT_NONE;
    med_str history = med_str_cut(rest, '/', &rest);
    if (!med_str_eqz(history, "_history"))
        return FAULT_FORM;
    out->version = rest;
    return med_id_is_valid(rest) ? FAULT_NONE : FAULT_VERSION;
}

/* Start of the part behind the last '/' before `end`. */
static size_t segment_start(med_str text, size_t end)
{
    while (end > 0 && text.ptr[end - 1] != '/')
        end--;
    return end;
}

/* An absolute URL that ends in Type/id or Type/id/_history/version says what it names. */
static void parse_tail(const med_pack *p, med_str url, med_reference *out)
{
    size_t cut[4]; /* starts of the last segments, the last first */
    size_t end = url.len;
    for (int i = 0; i < 4; i++) {
        cut[i] = segment_start(url, end);
        if (cut[i] == 0)
            return;
        end = cut[i] - 1;
    }
    med_reference tail = *out;
    if (parse_relative(p, med_str_skip(url, cut[1]), &tail) == FAULT_NONE
        || parse_relative(p, med_str_skip(url, cut[3]), &tail) == FAULT_NONE)
        *out = tail;
}

static bool is_http(med_str text)
{
    return med_str_starts(text, MED_STR("http://")) || med_str_starts(text, MED_STR("https://"));
}

/* A scheme and a colon, before any of / ? # */
static bool has_scheme(med_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ':')
            return i > 0 && med_is_alpha(text.ptr[0]);
        if (!med_is_alnum(c) && c != '+' && c != '-' && c != '.')
            return false;
    }
    return false;
}

static enum fault parse_http(const med_pack *p, med_str text, med_str base, med_reference *out)
{
    while (base.len > 0 && base.ptr[base.len - 1] == '/')
        base.len--;
    if (base.len > 0 && text.len > base.len && text.ptr[base.len] == '/'
        && med_str_starts(text, base)
        && parse_relative(p, med_str_skip(text, base.len + 1), out) == FAULT_NONE) {
        out->kind = MED_REFERENCE_LOCAL;
        return FAULT_NONE;
    }
    out->kind = MED_REFERENCE_ABSOLUTE;
    out->type = out->id = out->version = MED_STR_EMPTY;
    size_t hash = med_str_find(text, '#', 0);
    out->fragment = med_str_skip(text, hash < text.len ? hash + 1 : hash);
    med_str url = med_str_sub(text, 0, hash);
    if (med_str_find(url, '?', 0) == url.len)
        parse_tail(p, url, out);
    return FAULT_NONE;
}

static enum fault parse_conditional(const med_pack *p, med_str text, size_t question,
                                    med_reference *out)
{
    out->kind = MED_REFERENCE_CONDITIONAL;
    out->type = med_str_sub(text, 0, question);
    out->query = med_str_skip(text, question + 1);
    if (resource_type(p, out->type) == MED_TYPE_NONE)
        return FAULT_TYPE;
    return out->query.len > 0 ? FAULT_NONE : FAULT_FORM;
}

static bool has_space(med_str text)
{
    bool space = false;
    for (size_t i = 0; i < text.len; i++)
        space |= (unsigned char)text.ptr[i] <= ' ';
    return space;
}

static enum fault parse(const med_pack *p, med_str text, med_str base, med_reference *out)
{
    *out = (med_reference){MED_REFERENCE_LOCAL, text,          MED_STR_EMPTY, MED_STR_EMPTY,
                           MED_STR_EMPTY,       MED_STR_EMPTY, MED_STR_EMPTY};
    if (text.len == 0)
        return FAULT_EMPTY;
    if (has_space(text))
        return FAULT_SPACE;
    if (text.ptr[0] == '#') {
        out->kind = MED_REFERENCE_FRAGMENT;
        out->fragment = med_str_skip(text, 1);
        return FAULT_NONE;
    }
    if (is_http(text))
        return parse_http(p, text, base, out);
    if (has_scheme(text)) {
        bool is_urn =
            med_str_starts(text, MED_STR("urn:uuid:")) || med_str_starts(text, MED_STR("urn:oid:"));
        out->kind = is_urn ? MED_REFERENCE_URN : MED_REFERENCE_OTHER;
        return FAULT_NONE;
    }
    size_t question = med_str_find(text, '?', 0);
    if (question < text.len)
        return parse_conditional(p, text, question, out);
    if (med_str_find(text, '#', 0) < text.len)
        return FAULT_FRAGMENT;
    return parse_relative(p, text, out);
}

med_type med_reference_type(const med_pack *p, med_str text)
{
    size_t end = 0;
    if (is_http(text)) {
        med_reference r;
        return parse(p, text, MED_STR_EMPTY, &r) == FAULT_NONE && r.type.len > 0
                   ? med_pack_type(p, r.type)
                   : MED_TYPE_NONE;
    }
    while (end < text.len && med_is_alpha(text.ptr[end]))
        end++;
    if (end == text.len || (text.ptr[end] != '/' && text.ptr[end] != '?'))
        return MED_TYPE_NONE;
    med_str name = med_str_sub(text, 0, end);
    return resource_type(p, name);
}

/* The text names no part of the reference but what looks like a type's name. */
static bool fail_type(const med_pack *p, med_str text, med_err *err)
{
    size_t end = 0;
    while (end < text.len && end < ID_MAX && med_is_alpha(text.ptr[end]))
        end++;
    med_str near = med_pack_nearest_resource(p, med_str_sub(text, 0, end));
    if (near.len == 0)
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "a reference is Type/id (of an R4 resource type), an absolute URL, "
                        "urn:uuid:..., or #id of a contained resource");
    return MED_FAIL(err, MED_ISSUE_VALUE,
                    "a reference begins with a resource type; nearest to this one: %.*s",
                    MED_STR_ARG(near));
}

bool med_reference_parse(const med_pack *p, med_str text, med_str base, med_reference *out,
                         med_err *err)
{
    switch (parse(p, text, base, out)) {
    case FAULT_NONE:
        return true;
    case FAULT_EMPTY:
        return MED_FAIL(err, MED_ISSUE_VALUE, "a reference may not be empty");
    case FAULT_SPACE:
        return MED_FAIL(err, MED_ISSUE_VALUE, "a reference has no white space");
    case FAULT_FORM:
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "a reference is Type/id, Type/id/_history/version or Type?query");
    case FAULT_TYPE:
        return fail_type(p, text, err);
    case FAULT_ID:
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "the id in a reference is 1 to 64 of A-Z a-z 0-9 - .");
    case FAULT_VERSION:
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "the version in a reference is 1 to 64 of A-Z a-z 0-9 - .");
    case FAULT_FRAGMENT:
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "a reference can not point into another resource (#)");
    }
    return MED_FAIL(err, MED_ISSUE_VALUE, "no reference");
}
