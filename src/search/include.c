/* include.c - _include and _revinclude. https://hl7.org/fhir/R4/search.html#include
 *
 * Each resource is in the answer once: what is a match is not included again. With :iterate what
 * was included is looked at, too, until nothing new comes. A page whose matches would include
 * more than the limit holds fewer matches instead, so that each page is complete; only the
 * includes of a single match are ever cut, and the result says so. */
#include "search/run.h"

enum { INCLUDED = 10000, FIRST_ROOM = 64 };

typedef struct included {
    med_run *run;
    med_search_entry *entries;
    size_t n, room;
    med_rid *seen; /* open addressing, 0 = free */
    size_t places;
    size_t n_matches;
    size_t limit;
    bool full; /* the limit is reached, and there was more */
} included;

/* Where it is, or would be. */
static med_rid *place_of(const included *x, med_rid rid)
{
    size_t at = (size_t)(rid * UINT64_C(0x9E3779B97F4A7C15)) & (x->places - 1);
    while (x->seen[at] != 0 && x->seen[at] != rid)
        at = (at + 1) & (x->places - 1);
    return &x->seen[at];
}

static bool grow_seen(included *x)
{
    size_t old = x->places;
    med_rid *seen = x->seen;
    x->places = old == 0 ? 256 : 4 * old;
    x->seen = MED_TAKE(x->run->arena, x->places, med_rid);
    if (x->seen == NULL)
        return false;
    for (size_t i = 0; i < old; i++) {
        if (seen[i] != 0)
            *place_of(x, seen[i]) = seen[i];
    }
    return true;
}

static bool make_room(included *x, med_err *err)
{
    med_search_entry *more = MED_GROW(x->run->arena, x->entries, x->n, &x->room, FIRST_ROOM);
    if (more == NULL)
        return MED_FAIL_MEMORY(err);
    x->entries = more;
    return 2 * x->n < x->places || grow_seen(x) ? true : MED_FAIL_MEMORY(err);
}

static bool add_rid(included *x, med_rid rid, med_type only, med_err *err)
{
    if (rid == 0 || x->full)
        return true;
    if (!make_room(x, err))
        return false;
    if (*place_of(x, rid) == rid)
        return true;
    med_search_entry *e = &x->entries[x->n];
    *e = (med_search_entry){.mode = MED_ENTRY_INCLUDE};
    enum med_found found = med_view_by_rid(x->run->view, x->run->arena, rid, &e->resource, err);
    if (found == MED_FAILED)
        return false;
    bool wanted =
        only == MED_TYPE_NONE
        || (found == MED_FOUND && e->resource.type == med_schema_type(x->run->q->schema, only));
    if (found != MED_FOUND || e->resource.change == MED_DELETED || !wanted)
        return true;
    x->full = x->n - x->n_matches == x->limit;
    if (x->full)
        return true;
    *place_of(x, rid) = rid;
    x->n++;
    return true;
}

static bool names(const med_include *include, const med_reference_row *row)
{
    return include->row == UINT32_MAX || row->param == include->number;
}

static bool include_rows(included *x, const med_include *include, const med_rows *rows,
                         med_err *err)
{
    for (size_t i = 0; i < rows->n_references; i++) {
        med_rid rid;
        if (!names(include, &rows->references[i]))
            continue;
        if (!med_view_rid(x->run->view, rows->references[i].target, &rid, err)
            || !add_rid(x, rid, include->target, err))
            return false;
    }
    return true;
}

/* Does it look at resources of that type, of which this one is a match or was included? */
static bool applies(const med_include *include, med_type type, bool match)
{
    med_type of = include->reverse ? include->target : include->source;
    return (match || include->iterate) && (of == MED_TYPE_NONE || of == type);
}

/* The references of one resource, if any _include looks at it; in the scratch arena. */
static bool references_of(const included *x, const med_stored *s, bool match, med_rows *rows,
                          bool *any, med_err *err)
{
    const med_run *r = x->run;
    med_type type = med_schema_pack_type(r->q->schema, s->type);
    med_json j;
    bool all = false;
    *any = false;
    for (size_t i = 0; i < r->q->n_includes; i++) {
        const med_include *include = &r->q->includes[i];
        bool here = !include->reverse && applies(include, type, match);
        *any = *any || here;
        all = all || (here && include->row == UINT32_MAX);
    }
    return !*any
           || (med_json_parse(r->scratch, s->text, &j, NULL, err)
               && med_extract_whole(r->q->schema, r->scratch, &j, 0, type, r->q->base,
                                    all ? NULL : r->q->wanted, false, rows, err));
}

/* By all _include of its type. */
static bool include_of(included *x, const med_stored *s, bool match, med_err *err)
{
    const med_run *r = x->run;
    med_type type = med_schema_pack_type(r->q->schema, s->type);
    med_rows rows;
    bool any;
    if (!references_of(x, s, match, &rows, &any, err))
        return false;
    for (size_t i = 0; any && i < r->q->n_includes; i++) {
        const med_include *include = &r->q->includes[i];
        if (!include->reverse && applies(include, type, match)
            && !include_rows(x, include, &rows, err))
            return false;
    }
    med_arena_reset(r->scratch);
    return true;
}

/* Whatever refers to it, by whatever reference. */
static bool include_all_referrers(included *x, const med_include *include, med_rid rid,
                                  med_err *err)
{
    med_rid *referrers;
    size_t n;
    if (!med_view_referrers(x->run->view, x->run->arena, rid, x->limit + 1, &referrers, &n, err))
        return false;
    for (size_t i = 0; i < n && !x->full; i++) {
        if (!add_rid(x, referrers[i], include->source, err))
            return false;
    }
    return true;
}

/* What refers to it by that parameter. */
static bool include_referrers(included *x, const med_include *include, med_rid rid, med_err *err)
{
    med_scan scan = {.index = MED_INDEX_REFERENCE,
                     .param = include->number,
                     .key = rid,
                     .low_text = MED_STR_EMPTY,
                     .high_text = MED_STR_EMPTY,
                     .descending = true,
                     .after_text = MED_STR_EMPTY};
    med_hit hit;
    enum med_found found = MED_FAILED;
    if (include->row == UINT32_MAX)
        return include_all_referrers(x, include, rid, err);
    med_cursor *c = med_view_scan(x->run->view, &scan, err);
    while (c != NULL
           && (found = x->full ? MED_ABSENT : med_cursor_next(c, &hit, err)) == MED_FOUND) {
        if (!add_rid(x, hit.rid, MED_TYPE_NONE, err)) {
            found = MED_FAILED;
            break;
        }
    }
    med_cursor_close(c);
    return found == MED_ABSENT;
}

static bool include_reverse(included *x, const med_stored *s, bool match, med_err *err)
{
    const med_query *q = x->run->q;
    med_type type = med_schema_pack_type(q->schema, s->type);
    for (size_t i = 0; i < q->n_includes; i++) {
        const med_include *include = &q->includes[i];
        if (include->reverse && applies(include, type, match)
            && !include_referrers(x, include, s->rid, err))
            return false;
    }
    return true;
}

static bool add_match(included *x, const med_search_entry *match, med_err *err)
{
    if (!make_room(x, err))
        return false;
    *place_of(x, match->resource.rid) = match->resource.rid;
    x->entries[x->n++] = *match;
    x->n_matches = x->n;
    return true;
}

/* ---- for a store that is a network away: all that a round will look up, at once ---- */

typedef struct foreseen {
    med_arena *arena;
    uint64_t *idents;
    size_t n, room;
} foreseen;

static bool foresee_ident(foreseen *f, uint64_t ident)
{
    uint64_t *more = MED_GROW(f->arena, f->idents, f->n, &f->room, 64);
    if (more == NULL)
        return false;
    f->idents = more;
    f->idents[f->n++] = ident;
    return true;
}

/* What include_of will ask for. */
static bool foresee_of(const included *x, const med_stored *s, bool match, foreseen *f,
                       med_err *err)
{
    const med_run *r = x->run;
    med_type type = med_schema_pack_type(r->q->schema, s->type);
    med_rows rows;
    bool any, good = true;
    if (!references_of(x, s, match, &rows, &any, err))
        return false;
    for (size_t i = 0; good && any && i < r->q->n_includes; i++) {
        const med_include *include = &r->q->includes[i];
        if (include->reverse || !applies(include, type, match))
            continue;
        for (size_t k = 0; good && k < rows.n_references; k++)
            good =
                !names(include, &rows.references[k]) || foresee_ident(f, rows.references[k].target);
    }
    med_arena_reset(r->scratch);
    return good || MED_FAIL_MEMORY(err);
}

static bool foresee(included *x, size_t from, size_t to, bool match, med_err *err)
{
    med_view *v = x->run->view;
    foreseen f = {.arena = x->run->arena};
    for (size_t i = from; i < to; i++) {
        if (!foresee_of(x, &x->entries[i].resource, match, &f, err))
            return false;
    }
    if (!med_view_expect_idents(v, f.idents, f.n, err))
        return false;
    size_t n = 0;
    for (size_t i = 0; i < f.n; i++) { /* in place: a rid is no longer than an ident */
        med_rid rid;
        if (!med_view_rid(v, f.idents[i], &rid, err))
            return false;
        if (rid != 0)
            f.idents[n++] = rid;
    }
    med_view_expect(v, f.idents, n);
    return true;
}

static bool include_all(included *x, const med_search_entry *matches, size_t n, med_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!add_match(x, &matches[i], err))
            return false;
    }
    size_t seen = 0; /* up to here it was foreseen */
    for (size_t i = 0; i < x->n && !x->full; i++) {
        const med_stored s = x->entries[i].resource;
        if (i == seen && med_view_is_far(x->run->view)) {
            seen = i < n ? n : x->n;
            if (!foresee(x, i, seen, i < n, err))
                return false;
        }
        if (!include_of(x, &s, i < n, err) || !include_reverse(x, &s, i < n, err))
            return false;
    }
    return true;
}

bool med_run_include(med_run *r, const med_search_entry *matches, size_t *n_matches,
                     med_search_result *out, med_err *err)
{
    size_t limit = r->q->include_limit > 0 ? r->q->include_limit : INCLUDED;
    for (;;) {
        included x = {.run = r, .limit = limit};
        if (!include_all(&x, matches, *n_matches, err))
            return false;
        if (x.full && *n_matches > 1) {
            *n_matches /= 2;
            continue;
        }
        out->includes_cut = x.full;
        out->entries = x.entries;
        out->n = x.n;
        return true;
    }
}
