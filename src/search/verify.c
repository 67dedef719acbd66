/* verify.c - does a candidate match? Probes of the index first; what they can not decide is
 * decided on the candidate's own index rows, extracted anew from its text. */
#include "search/run.h"

#include "base/unicode.h"

/* ---- one clause against extracted rows ---- */

static bool has_key(const med_bound *b, uint64_t key)
{
    for (size_t i = 0; i < b->n_keys; i++) {
        if (b->keys[i] == key)
            return true;
    }
    return false;
}

static bool token_matches(const med_bound *b, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_tokens; i++) {
        if (rows->tokens[i].param == b->clause->number && has_key(b, rows->tokens[i].hash))
            return true;
    }
    return false;
}

static bool has_ident(const med_clause *c, uint64_t ident)
{
    for (size_t i = 0; i < c->n; i++) {
        for (size_t k = 0; k < c->terms[i].n_keys; k++) {
            if (c->terms[i].keys[k] == ident)
                return true;
        }
    }
    return false;
}

static bool reference_matches(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_references; i++) {
        if (rows->references[i].param == c->number && has_ident(c, rows->references[i].target))
            return true;
    }
    return false;
}

static bool date_matches(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_dates; i++) {
        for (size_t k = 0; rows->dates[i].param == c->number && k < c->n; k++) {
            if (med_term_matches_date(&c->terms[k], rows->dates[i].span))
                return true;
        }
    }
    return false;
}

static bool quantity_matches(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_quantities; i++) {
        const med_quantity_row *q = &rows->quantities[i];
        for (size_t k = 0; q->param == c->number && k < c->n; k++) {
            if (q->unit == c->terms[k].unit
                && med_term_matches_quantity(&c->terms[k], q->low, q->high))
                return true;
        }
    }
    return false;
}

static bool string_matches(const med_clause *c, med_str row)
{
    for (size_t i = 0; i < c->n; i++) {
        const med_term *t = &c->terms[i];
        bool yes = c->modifier == MED_MODIFIER_EXACT ? med_str_eq(row, t->text)
                   : c->modifier == MED_MODIFIER_CONTAINS
                       ? med_str_search(row, t->folded, 0) < row.len
                       : med_str_starts(row, t->folded);
        if (yes)
            return true;
    }
    return false;
}

static bool strings_match(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_strings; i++) {
        if (rows->strings[i].param == c->number && string_matches(c, rows->strings[i].folded))
            return true;
    }
    return false;
}

static bool uri_matches(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_uris; i++) {
        for (size_t k = 0; rows->uris[i].param == c->number && k < c->n; k++) {
            if (med_str_eq(rows->uris[i].uri, c->terms[k].text))
                return true;
        }
    }
    return false;
}

/* `patient` is narrower than the reference it is stored under: only Patients count. */
static bool names_patient(const med_run *r, const med_rows *rows, uint64_t ident)
{
    uint32_t patient = med_schema_type(r->q->schema, r->q->schema->known.patient);
    for (size_t i = 0; i < rows->n_targets; i++) {
        if (rows->targets[i].ident == ident)
            return rows->targets[i].type == patient;
    }
    return false;
}

#define HAS_ROW(rows, array, n_array, wanted, extra)                                               \
    for (size_t i_ = 0; i_ < (rows)->n_array; i_++) {                                              \
        if ((rows)->array[i_].param == (wanted) && (extra))                                        \
            return true;                                                                           \
    }

static bool is_present(const med_run *r, const med_clause *c, const med_rows *rows)
{
    if (c->row == UINT32_MAX)
        return true; /* every resource has an id and a last update */
    HAS_ROW(rows, tokens, n_tokens, c->number, true)
    HAS_ROW(rows, references, n_references, c->number,
            !c->only_patients || names_patient(r, rows, rows->references[i_].target))
    HAS_ROW(rows, dates, n_dates, c->number, true)
    HAS_ROW(rows, strings, n_strings, c->number, true)
    HAS_ROW(rows, quantities, n_quantities, c->number, true)
    HAS_ROW(rows, uris, n_uris, c->number, true)
    return false;
}

static bool clause_matches(const med_run *r, const med_bound *b, const med_rows *rows)
{
    const med_clause *c = b->clause;
    if (c->modifier == MED_MODIFIER_MISSING)
        return is_present(r, c, rows) != c->missing;
    if (c->modifier == MED_MODIFIER_NOT)
        return !token_matches(b, rows);
    if (c->modifier == MED_MODIFIER_IDENTIFIER)
        return token_matches(b, rows);
    switch (c->kind) {
    case MED_CLAUSE_TOKEN:
        return token_matches(b, rows);
    case MED_CLAUSE_STRING:
        return strings_match(c, rows);
    case MED_CLAUSE_REFERENCE:
        return reference_matches(c, rows);
    case MED_CLAUSE_DATE:
        return date_matches(c, rows);
    case MED_CLAUSE_QUANTITY:
        return quantity_matches(c, rows);
    case MED_CLAUSE_URI:
        return uri_matches(c, rows);
    case MED_CLAUSE_ID:
    case MED_CLAUSE_UPDATED:
        break; /* decided on the stored columns */
    }
    return true;
}

/* ---- a resource counts at its first place in the stream only ---- */

/* The places of a resource in its driver's stream are the rows that the driver's scans cover;
 * the first is the highest that matches a scan. For a term that scans more than it matches
 * (gt on dates: reach) any row of the parameter inside the scanned range is a place, so the
 * highest row of the parameter that lies in a range is taken by comparing with `at`: a higher
 * row in the ranges means that the resource came before. */
static bool earlier_date(const med_clause *c, const med_rows *rows, const med_position *at)
{
    for (size_t i = 0; i < rows->n_dates; i++) {
        const med_date_row *d = &rows->dates[i];
        if (d->param != c->number || d->span.low <= at->value)
            continue;
        for (size_t k = 0; k < c->n; k++) {
            if (med_term_matches_date(&c->terms[k], d->span))
                return true;
        }
    }
    return false;
}

static bool earlier_quantity(const med_clause *c, const med_rows *rows, const med_position *at)
{
    for (size_t i = 0; i < rows->n_quantities; i++) {
        const med_quantity_row *q = &rows->quantities[i];
        for (size_t k = 0; q->param == c->number && q->low > at->real && k < c->n; k++) {
            if (q->unit == c->terms[k].unit
                && med_term_matches_quantity(&c->terms[k], q->low, q->high))
                return true;
        }
    }
    return false;
}

static med_str cut_key(med_str s)
{
    return med_str_sub(s, 0, MED_STRING_KEY);
}

static bool earlier_text(const med_clause *c, const med_rows *rows, const med_position *at)
{
    for (size_t i = 0; i < rows->n_strings; i++) {
        const med_string_row *s = &rows->strings[i];
        if (s->param == c->number && med_str_compare(cut_key(s->folded), at->text) > 0
            && string_matches(c, s->folded))
            return true;
    }
    return false;
}

/* Is `at` itself a row that matches? Scans are wider than matches; a place that is only in the
 * scan is passed over, and the resource counts where it really matches. */
static bool matches_here(const med_clause *c, const med_rows *rows, const med_position *at)
{
    for (size_t i = 0; c->kind == MED_CLAUSE_DATE && i < rows->n_dates; i++) {
        const med_date_row *d = &rows->dates[i];
        for (size_t k = 0; d->param == c->number && d->span.low == at->value && k < c->n; k++) {
            if (med_term_matches_date(&c->terms[k], d->span))
                return true;
        }
    }
    for (size_t i = 0; c->kind == MED_CLAUSE_QUANTITY && i < rows->n_quantities; i++) {
        const med_quantity_row *q = &rows->quantities[i];
        bool same = !(q->low < at->real) && !(q->low > at->real);
        for (size_t k = 0; q->param == c->number && same && k < c->n; k++) {
            if (q->unit == c->terms[k].unit
                && med_term_matches_quantity(&c->terms[k], q->low, q->high))
                return true;
        }
    }
    return c->kind == MED_CLAUSE_STRING || c->kind == MED_CLAUSE_URI;
}

static bool is_first_place(const med_run *r, const med_rows *rows, const med_position *at)
{
    if (at == NULL || !med_stream_repeats(r, r->driver))
        return true;
    const med_clause *c = r->bound[r->driver].clause;
    if (!matches_here(c, rows, at))
        return false;
    return !earlier_date(c, rows, at) && !earlier_quantity(c, rows, at)
           && !earlier_text(c, rows, at);
}

/* ---- all of it ---- */

static bool probe(med_run *r, const med_bound *b, med_rid rid, bool *yes, med_err *err)
{
    bool token =
        b->clause->kind == MED_CLAUSE_TOKEN || b->clause->modifier == MED_MODIFIER_IDENTIFIER;
    *yes = false;
    for (size_t i = 0; i < b->n_keys && !*yes; i++) {
        if (!med_view_probe(r->view, token ? MED_INDEX_TOKEN : MED_INDEX_REFERENCE,
                            b->clause->number, b->keys[i], rid, yes, err))
            return false;
    }
    return true;
}

static bool probe_all(med_run *r, med_rid rid, bool *matches, med_err *err)
{
    for (size_t i = 0; i < r->q->n && *matches; i++) {
        const med_bound *b = &r->bound[i];
        if (i == r->driver)
            continue;
        if (b->clause->kind == MED_CLAUSE_ID && b->clause->modifier == MED_MODIFIER_NONE)
            *matches = has_key(b, rid);
        else if (b->can_probe && !probe(r, b, rid, matches, err))
            return false;
    }
    return true;
}

static bool needs_body(const med_run *r)
{
    for (size_t i = 0; i < r->q->n; i++) {
        if (r->bound[i].needs_body)
            return true;
    }
    return med_stream_repeats(r, r->driver);
}

/* Clauses on the stored columns: type and last update. */
static bool columns_match(const med_run *r, const med_stored *s)
{
    if (s->change == MED_DELETED)
        return false;
    if (r->q->type != MED_TYPE_NONE && s->type != med_schema_type(r->q->schema, r->q->type))
        return false;
    for (size_t i = 0; i < r->q->n; i++) {
        const med_clause *c = r->bound[i].clause;
        bool any = c->kind != MED_CLAUSE_UPDATED || c->modifier == MED_MODIFIER_MISSING;
        /* an instant as R4 shows it: to the millisecond */
        int64_t ms = s->updated - s->updated % 1000;
        for (size_t k = 0; !any && k < c->n; k++)
            any = med_term_matches_date(&c->terms[k], (med_interval){ms, ms + 1000});
        if (!any)
            return false;
    }
    return true;
}

/* Rows of the candidate; folded strings for prefix and :contains, raw ones for :exact. */
static bool extract_rows(const med_run *r, med_arena *scratch, const med_stored *s, bool raw,
                         med_rows *out, med_err *err)
{
    med_json j;
    med_type type = med_schema_pack_type(r->q->schema, s->type);
    if (!med_json_parse(scratch, s->text, &j, NULL, err))
        return false;
    return med_extract_whole(r->q->schema, scratch, &j, 0, type, s->id, r->q->base, raw, out, err);
}

static bool rows_match(const med_run *r, med_arena *scratch, const med_stored *s,
                       const med_position *at, bool *matches, med_err *err)
{
    med_rows folded, raw;
    bool has_raw = false;
    if (!extract_rows(r, scratch, s, false, &folded, err))
        return false;
    for (size_t i = 0; i < r->q->n && *matches; i++) {
        const med_bound *b = &r->bound[i];
        bool exact = b->clause->modifier == MED_MODIFIER_EXACT;
        if (exact && !has_raw && !extract_rows(r, scratch, s, true, &raw, err))
            return false;
        has_raw = has_raw || exact;
        *matches = clause_matches(r, b, exact ? &raw : &folded);
    }
    *matches = *matches && is_first_place(r, &folded, at);
    return true;
}

bool med_run_check(med_run *r, med_arena *scratch, const med_position *at, bool want_body,
                   med_stored *out, bool *matches, med_err *err)
{
    r->examined++;
    *matches = true;
    if (!probe_all(r, at->rid, matches, err))
        return false;
    if (!*matches)
        return true;
    (void)want_body;
    enum med_found found = med_view_by_rid(r->view, scratch, at->rid, out, err);
    if (found == MED_FAILED)
        return false;
    *matches = found == MED_FOUND && columns_match(r, out);
    if (!*matches || !needs_body(r))
        return true;
    return rows_match(r, scratch, out, at, matches, err);
}
