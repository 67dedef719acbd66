/* query_include.c - _include and _revinclude. https://hl7.org/fhir/R4/search.html#include */
#include "search/query_parse.h"

static bool refuse(med_err *err, const char *text)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "%s", text);
    return med_err_status(err, 400);
}

static bool read_type(const med_query_parser *p, med_str name, med_type *out, med_err *err)
{
    const med_pack *pack = p->q->schema->pack;
    *out = med_pack_type(pack, name);
    if (*out != MED_TYPE_NONE && med_schema_type(p->q->schema, *out) != 0)
        return true;
    med_str nearest = med_pack_nearest_resource(pack, name);
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "'%.*s' is no resource type%s%.*s",
                   MED_STR_ARG(med_str_sub(name, 0, 40)), nearest.len > 0 ? "; nearest: " : "",
                   MED_STR_ARG(nearest));
    return med_err_status(err, 400);
}

static bool read_row(const med_query_parser *p, med_str name, med_include *out, med_err *err)
{
    med_clause c;
    med_query other = {.schema = p->q->schema, .type = out->source};
    med_query_parser of = *p;
    of.q = &other;
    out->row = UINT32_MAX;
    if (med_str_eqz(name, "*"))
        return true;
    if (!med_clause_of(&of, name, &c, NULL, err))
        return false;
    if (c.kind != MED_CLAUSE_REFERENCE)
        return refuse(err, "only a reference parameter can be included");
    out->row = c.row;
    out->number = c.number;
    if (c.only_patients && out->target == MED_TYPE_NONE)
        out->target = p->q->schema->known.patient;
    return true;
}

/* "*", "Type:*", "Type:parameter", "Type:parameter:TargetType" */
static bool read_value(med_query_parser *p, med_str value, med_include *out, med_err *err)
{
    med_str rest, target, name, source = med_str_cut(value, ':', &rest);
    name = med_str_cut(rest, ':', &target);
    out->source = out->target = MED_TYPE_NONE;
    out->row = UINT32_MAX;
    if (med_str_eqz(value, "*"))
        return true;
    if (name.len == 0)
        return refuse(err, "expected Type:parameter, Type:parameter:TargetType, Type:* or *");
    return read_type(p, source, &out->source, err)
           && (target.len == 0 || read_type(p, target, &out->target, err))
           && read_row(p, name, out, err);
}

bool med_query_read_include(med_query_parser *p, med_str modifier, med_str value, bool reverse,
                            med_err *err)
{
    if (p->q->n_includes == MED_INCLUDES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d includes", MED_INCLUDES);
    med_include *out = &p->q->includes[p->q->n_includes];
    *out = (med_include){.reverse = reverse};
    out->iterate = med_str_eqz(modifier, "iterate") || med_str_eqz(modifier, "recurse");
    if (modifier.len > 0 && !out->iterate)
        return refuse(err, "the only modifier of _include and _revinclude is ':iterate'");
    if (!read_value(p, value, out, err))
        return false;
    if (!reverse)
        med_query_want(p, out->row);
    p->q->n_includes++;
    return true;
}
