/* date.c - https://hl7.org/fhir/R4/search.html#date
 *
 * Rows: the interval a value means. A Period without an end is open; a Timing reaches from its
 * first to its last event, or is its bounds. */
#include "search/extract.h"
#include "search/query.h"

static bool parse(const med_extraction *x, uint32_t node, med_interval *out)
{
    med_str text;
    med_datetime d;
    if (node == 0 || med_json_kind_at(x->j, node) != MED_JSON_STRING
        || !med_json_string(x->arena, x->j, node, &text)
        || !med_datetime_parse(text, MED_KIND_SEARCH, x->schema->zone_minutes, &d))
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

/* ---- query values ---- */

/* ap: R4 suggests 10 % of the distance from now; at least the value's own precision. */
static med_interval widen(med_interval span, int64_t now)
{
    int64_t distance = now > span.low ? now - span.low : span.low - now;
    return (med_interval){span.low - distance / 10, span.high + distance / 10};
}

bool med_term_date(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    med_datetime d;
    med_str text;
    t->prefix = med_prefix_cut(&value);
    if (!med_unescape(s->arena, value, &text))
        return MED_FAIL_MEMORY(err);
    bool parsed = med_datetime_parse(text, MED_KIND_SEARCH, s->options->zone_minutes, &d);
    if (!parsed && memchr(text.ptr, ' ', text.len) != NULL)
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "expected a date such as 2026-01-31T10:00:00%%2B02:00 (a bare + in a URL "
                        "is a space)");
    if (!parsed)
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "expected a date such as 2026, 2026-01-31 or ge2026-01-31T10:00:00Z");
    t->span = t->prefix == MED_PREFIX_AP ? widen(d.span, s->options->now) : d.span;
    return true;
}

/* R4's table: eq - the value contains the row; gt/lt - some of the row lies above/below the
 * value; sa/eb - all of it does; ap - they overlap. */
bool med_term_matches_date(const med_term *t, med_interval row)
{
    const med_interval q = t->span;
    bool inside = row.low >= q.low && row.high <= q.high;
    switch (t->prefix) {
    case MED_PREFIX_EQ:
        return inside;
    case MED_PREFIX_NE:
        return !inside;
    case MED_PREFIX_GT:
        return row.high > q.high;
    case MED_PREFIX_LT:
        return row.low < q.low;
    case MED_PREFIX_GE:
        return inside || row.high > q.high;
    case MED_PREFIX_LE:
        return inside || row.low < q.low;
    case MED_PREFIX_SA:
        return row.low >= q.high;
    case MED_PREFIX_EB:
        return row.high <= q.low;
    case MED_PREFIX_AP:
        return row.low < q.high && row.high > q.low;
    }
    return false;
}
