/* date.c - https://hl7.org/fhir/R4/search.html#date
 *
 * Rows: the interval a value means. A Period without an end is open; a Timing reaches from its
 * first to its last event, or is its bounds. */
#include "search/extract.h"

static bool parse(const med_extraction *x, uint32_t node, med_interval *out)
{
    med_str text;
    med_datetime d;
    if (node == 0 || med_json_kind_at(x->j, node) != MED_JSON_STRING
        || !med_json_string(x->arena, x->j, node, &text)
        || !med_datetime_parse(text, MED_KIND_SEARCH, 0, &d))
        return false;
    *out = d.span;
    return true;
}

static bool period(const med_extraction *x, uint32_t node, med_interval *out)
{
    med_interval start, end;
    bool has_start = parse(x, med_json_member(x->j, node, MED_STR("start")), &start);
    bool has_end = parse(x, med_json_member(x->j, node, MED_STR("end")), &end);
    *out = (med_interval){has_start ? start.low : MED_TIME_MIN, has_end ? end.high : MED_TIME_MAX};
    return has_start || has_end;
}

static bool events(const med_extraction *x, uint32_t list, med_interval *out)
{
    bool any = false;
    for (uint32_t e = list + 1; e < x->j->nodes[list].next; e = x->j->nodes[e].next) {
        med_interval one;
        if (!parse(x, e, &one))
            continue;
        out->low = !any || one.low < out->low ? one.low : out->low;
        out->high = !any || one.high > out->high ? one.high : out->high;
        any = true;
    }
    return any;
}

static bool timing(const med_extraction *x, uint32_t node, med_interval *out)
{
    uint32_t list = med_json_member(x->j, node, MED_STR("event"));
    if (list != 0 && med_json_kind_at(x->j, list) == MED_JSON_ARRAY && events(x, list, out))
        return true;
    uint32_t bounds = med_json_path(x->j, node, "repeat.boundsPeriod");
    return bounds != 0 && period(x, bounds, out);
}

bool med_extract_interval(const med_extraction *x, const med_walk_value *v, med_interval *out)
{
    if (med_json_kind_at(x->j, v->node) != MED_JSON_OBJECT)
        return parse(x, v->node, out);
    if (v->type == x->schema->known.period)
        return period(x, v->node, out);
    return v->type == x->schema->known.timing && timing(x, v->node, out);
}

bool med_extract_date(med_extraction *x, const med_extract_value *v, med_err *err)
{
    med_interval span;
    if (!med_extract_interval(x, v->at, &span))
        return true;
    return med_rows_add_date(x, (med_date_row){v->number, span}) ? true : MED_FAIL_MEMORY(err);
}
