/* verify.c - does a candidate match? Probes of the index first; what they can not decide is
 * decided on the candidate's own index rows, extracted anew from its text. */
#include "search/pair.h"

/* ---- one clause against extracted rows ---- */

static bool tokens_match(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < c->n; i++) {
        if (med_term_matches_token(&c->terms[i], c->number, rows))
            return true;
    }
    return false;
}

/* Value and type of one identifier together have the terms' second hash. */
static bool of_type_matches(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_tokens; i++) {
        for (size_t k = 0; rows->tokens[i].param == c->number && k < c->n; k++) {
            if (rows->tokens[i].hash == c->terms[k].keys[1])
                return true;
        }
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
        bool of_it = med_is_param(q->param, c->number, c->also);
        for (size_t k = 0; of_it && k < c->n; k++) {
            if (med_term_matches_quantity(&c->terms[k], q))
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
                   : c->modifier == MED_MODIFIER_EQUALS ? med_str_eq(row, t->folded)
                   : c->modifier == MED_MODIFIER_ENDS   ? med_str_ends(row, t->folded)
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

static bool is_uri_match(const med_clause *c, med_str uri, med_str value)
{
    if (c->modifier != MED_MODIFIER_BELOW || uri.len <= value.len)
        return med_str_eq(uri, value);
    char next = uri.ptr[value.len];
    return med_str_starts(uri, value)
           && (value.ptr[value.len - 1] == '/' || next == '/' || next == '?' || next == '#');
}

static bool uri_matches(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_uris; i++) {
        for (size_t k = 0; rows->uris[i].param == c->number && k < c->n; k++) {
            if (is_uri_match(c, rows->uris[i].uri, c->terms[k].text))
                return true;
        }
    }
    return false;
}

/* `patient` is narrower than the reference it is stored under: only Patients count. */
static bool has_patient(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_references; i++) {
        for (size_t k = 0; rows->references[i].param == c->number && k < rows->n_patients; k++) {
            if (rows->patients[k] == rows->references[i].target)
                return true;
        }
    }
    return false;
}

static bool is_present(const med_clause *c, const med_rows *rows)
{
    if (c->row == UINT32_MAX)
        return true; /* every resource has an id and a last update */
    if (c->only_patients)
        return has_patient(c, rows);
    return med_rows_have(rows, c->number, c->also);
}

bool med_clause_matches(const med_clause *c, const med_rows *rows)
{
    if (c->modifier == MED_MODIFIER_MISSING)
        return is_present(c, rows) != c->missing;
    if (c->modifier == MED_MODIFIER_NOT)
        return !tokens_match(c, rows);
    if (c->modifier == MED_MODIFIER_IDENTIFIER)
        return tokens_match(c, rows);
    if (c->modifier == MED_MODIFIER_TEXT)
        return strings_match(c, rows);
    if (c->modifier == MED_MODIFIER_OF_TYPE)
        return of_type_matches(c, rows);
    switch (c->kind) {
    case MED_CLAUSE_TOKEN:
        return tokens_match(c, rows);
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
    case MED_CLAUSE_UPDATED: /* decided on the stored columns */
    case MED_CLAUSE_CHAIN:
    case MED_CLAUSE_HAS:
    case MED_CLAUSE_COMPOSITE:
    case MED_CLAUSE_ANY:
    case MED_CLAUSE_COMPARTMENT:
    case MED_CLAUSE_SPECIAL:
        break; /* decided elsewhere */
    }
    return true;
}

/* ---- a resource counts at its first place in the stream only ---- */

/* A stream brings every row that a value of the clause matches, highest first; the resource
 * counts at the highest of its rows. */
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

static bool is_quantity_place(const med_term *t, const med_quantity_row *q)
{
    bool sure;
    for (size_t i = 0; i < t->n_measures; i++) {
        if (t->measures[i].unit == q->unit
            && med_measure_may_match(t->prefix, &t->measures[i], q->low, q->high, &sure))
            return true;
    }
    return false;
}

/* Every row that the stream brings is a place, also where its double alone did not decide. */
static bool earlier_quantity(const med_clause *c, const med_rows *rows, const med_position *at)
{
    for (size_t i = 0; i < rows->n_quantities; i++) {
        const med_quantity_row *q = &rows->quantities[i];
        bool above = med_is_param(q->param, c->number, c->also) && q->low > at->real;
        for (size_t k = 0; above && k < c->n; k++) {
            if (is_quantity_place(&c->terms[k], q))
                return true;
        }
    }
    return false;
}

static bool earlier_pair(const med_bound *b, const med_rows *rows, const med_position *at)
{
    for (size_t i = 0; i < rows->n_quantities; i++) {
        const med_quantity_row *q = &rows->quantities[i];
        bool sure,
            above = med_is_param(q->param, b->clause->number, b->clause->also) && q->low > at->real;
        for (size_t k = 0; above && k < b->n_pairs; k++) {
            if (b->pairs[k].unit == q->unit
                && med_pair_may_match(&b->pairs[k], q->low, q->high, &sure))
                return true;
        }
    }
    return false;
}

static med_str cut_key(med_str s)
{
    if (s.len <= MED_STRING_KEY)
        return s;
    s.len = MED_STRING_KEY;
    while (s.len > 0 && ((unsigned char)s.ptr[s.len] & 0xC0) == 0x80)
        s.len--;
    return s;
}

/* Every row that begins with a value is a place, also of :exact, which asks for more. */
static bool is_text_place(const med_clause *c, med_str row)
{
    for (size_t k = 0; k < c->n; k++) {
        if (med_str_starts(row, cut_key(c->terms[k].folded)))
            return true;
    }
    return false;
}

static bool earlier_text(const med_clause *c, const med_rows *rows, const med_position *at)
{
    for (size_t i = 0; i < rows->n_strings; i++) {
        med_str row = cut_key(rows->strings[i].folded);
        if (rows->strings[i].param == c->number && med_str_compare(row, at->text) > 0
            && is_text_place(c, row))
            return true;
    }
    return false;
}

/* Of :below every row that begins with the value is a place. */
static bool is_uri_place(const med_clause *c, med_str uri, med_str value)
{
    return c->modifier == MED_MODIFIER_BELOW ? med_str_starts(uri, value) : med_str_eq(uri, value);
}

static bool earlier_uri(const med_clause *c, const med_rows *rows, const med_position *at)
{
    for (size_t i = 0; i < rows->n_uris; i++) {
        for (size_t k = 0; rows->uris[i].param == c->number && k < c->n; k++) {
            if (is_uri_place(c, rows->uris[i].uri, c->terms[k].text)
                && med_str_compare(rows->uris[i].uri, at->text) > 0)
                return true;
        }
    }
    return false;
}

static bool is_first_place(const med_run *r, const med_rows *rows, const med_position *at)
{
    if (r->as_set || !med_stream_repeats(r))
        return true;
    const med_clause *c = r->bound[r->plan.clause].clause;
    switch (c->kind) {
    case MED_CLAUSE_DATE:
        return !earlier_date(c, rows, at);
    case MED_CLAUSE_QUANTITY:
        return !earlier_quantity(c, rows, at);
    case MED_CLAUSE_STRING:
        return !earlier_text(c, rows, at);
    case MED_CLAUSE_URI:
        return !earlier_uri(c, rows, at);
    case MED_CLAUSE_COMPOSITE: /* the rows that the index has: no others say it */
        return !earlier_pair(&r->bound[r->plan.clause], rows, at);
    case MED_CLAUSE_TOKEN:
    case MED_CLAUSE_REFERENCE:
    case MED_CLAUSE_ID:
    case MED_CLAUSE_UPDATED:
    case MED_CLAUSE_CHAIN:
    case MED_CLAUSE_HAS:
    case MED_CLAUSE_ANY:
    case MED_CLAUSE_COMPARTMENT:
    case MED_CLAUSE_SPECIAL:
        break;
    }
    return true;
}

/* ---- all of it ---- */

bool med_sorted_has(const uint64_t *keys, size_t n, uint64_t key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && keys[low] == key;
}

enum { MEMBERS = 65536 };

/* All that have a clause's rows, read as a whole and then looked up: a step costs an eighth of a
 * probe, so this is done when probing has cost as much as that will. */
static bool list_members(med_run *r, med_bound *b, med_err *err)
{
    const med_plan plan = r->plan;
    med_rid_list list = {.arena = r->arena};
    med_position at;
    enum med_found found = MED_FOUND;
    med_run_use(r, med_plan_of_clause(r, (size_t)(b - r->bound)));
    med_stream *s = med_stream_open(r, NULL, err);
    while (s != NULL && list.n <= MEMBERS && (found = med_stream_next(s, &at, err)) == MED_FOUND) {
        if (!med_rid_list_add(&list, at.rid, err)) {
            found = MED_FAILED;
            break;
        }
    }
    med_stream_close(s);
    med_run_use(r, plan);
    med_rid_list_finish(&list);
    if (found == MED_ABSENT && s != NULL) {
        b->members = list.at;
        b->n_members = list.n;
    }
    return s != NULL && found != MED_FAILED;
}

static bool may_list(const med_bound *b)
{
    enum { PROBES = 32, STEPS = 8, KEYS = 8 };
    enum med_clause_kind kind = b->clause->kind;
    uint64_t worth = b->estimate / STEPS > PROBES ? b->estimate / STEPS : PROBES;
    return b->can_drive && !b->listed && b->probes == worth && b->estimate <= MEMBERS
           && b->n_keys <= KEYS && (kind == MED_CLAUSE_TOKEN || kind == MED_CLAUSE_REFERENCE);
}

static bool probe(med_run *r, med_bound *b, med_rid rid, bool *yes, med_err *err)
{
    enum med_clause_kind kind = b->clause->kind;
    if (b->probes < UINT16_MAX)
        b->probes++;
    if (may_list(b) && !list_members(r, b, err))
        return false;
    if (b->members != NULL) {
        *yes = med_sorted_has(b->members, b->n_members, rid);
        return true;
    }
    bool token = kind == MED_CLAUSE_TOKEN || b->clause->modifier == MED_MODIFIER_IDENTIFIER;
    if (b->listed || kind == MED_CLAUSE_ID || kind == MED_CLAUSE_HAS || kind == MED_CLAUSE_ANY) {
        *yes = med_sorted_has(b->keys, b->n_keys, rid);
        return true;
    }
    *yes = false;
    for (size_t i = 0; i < b->n_keys && !*yes; i++) {
        if (!med_view_probe(r->view,
                            token                            ? MED_INDEX_TOKEN
                            : kind == MED_CLAUSE_COMPARTMENT ? MED_INDEX_PATIENT
                                                             : MED_INDEX_REFERENCE,
                            b->clause->number, b->keys[i], rid, yes, err))
            return false;
    }
    return true;
}

static bool probe_all(med_run *r, med_rid rid, bool *matches, med_err *err)
{
    for (size_t i = 0; i < r->q->n && *matches; i++) {
        med_bound *b = &r->bound[i];
        if (!b->decided && b->can_probe && !b->by_rows && !probe(r, b, rid, matches, err))
            return false;
    }
    for (size_t i = 0; i < r->q->n && *matches; i++) {
        bool out;
        if (!med_missing_rules_out(r, &r->bound[i], rid, &out, err))
            return false;
        *matches = !out;
    }
    for (size_t i = 0; i < r->q->n && *matches; i++) {
        const med_bound *b = &r->bound[i];
        if (b->sub != NULL && !med_has_matches(r, b, rid, matches, err))
            return false;
        if (b->any != NULL && *matches && !med_any_matches(r, b, rid, matches, err))
            return false;
    }
    return true;
}

/* Is the order's date to be there, or missing? */
static bool by_presence(const med_run *r, const med_position *at)
{
    return r->plan.ordered && r->q->n_sort > 0 && r->q->sort[0].kind == MED_CLAUSE_DATE
           && r->plan.how != MED_DRIVE_CLAUSE && (r->plan.how != MED_DRIVE_DATE || at->phase == 1);
}

/* Is there something that neither driver nor probes decide? */
static bool needs_rows(const med_run *r, const med_position *at)
{
    for (size_t i = 0; i < r->q->n; i++) {
        if ((r->bound[i].needs_body || r->bound[i].by_rows) && !r->bound[i].decided)
            return true;
    }
    return at->unsure || (!r->as_set && med_stream_repeats(r)) || by_presence(r, at);
}

/* The index holds only what is there, and knows a parameter by its type: no need to look. */
static bool needs_columns(const med_run *r)
{
    enum med_clause_kind kind =
        r->bound[r->plan.clause].clause != NULL && r->plan.how == MED_DRIVE_CLAUSE
            ? r->bound[r->plan.clause].clause->kind
            : MED_CLAUSE_TOKEN;
    if (kind == MED_CLAUSE_ID || kind == MED_CLAUSE_HAS || kind == MED_CLAUSE_ANY)
        return true;
    for (size_t i = 0; i < r->q->n; i++) {
        if (r->bound[i].clause->kind == MED_CLAUSE_UPDATED)
            return true;
    }
    return false;
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
        if (c->kind != MED_CLAUSE_UPDATED)
            continue;
        /* an instant as R4 shows it: to the millisecond */
        int64_t ms = s->updated - s->updated % 1000;
        bool any = false;
        for (size_t k = 0; !any && k < c->n; k++)
            any = med_term_matches_date(&c->terms[k], (med_interval){ms, ms + 1000});
        if ((c->modifier == MED_MODIFIER_MISSING && c->missing)
            || (c->modifier != MED_MODIFIER_MISSING && !any))
            return false;
    }
    return true;
}

bool med_candidate_rows(const med_run *r, med_candidate *c, med_err *err)
{
    if (!c->has_folded
        && !med_extract_whole(r->q->schema, r->scratch, c->j, c->root, c->type, r->q->base,
                              r->q->wanted, false, &c->folded, err))
        return false;
    c->has_folded = true;
    return true;
}

bool med_clause_holds(med_run *r, const med_bound *b, med_candidate *c, bool *yes, med_err *err)
{
    bool exact = b->clause->modifier == MED_MODIFIER_EXACT;
    if (b->clause->kind == MED_CLAUSE_COMPOSITE && b->clause->modifier != MED_MODIFIER_MISSING)
        return med_composite_matches(r, b->clause, c, yes, err);
    if (b->clause->kind == MED_CLAUSE_SPECIAL)
        return med_special_matches(r->scratch, b->clause, c->j, yes, err);
    if (!med_candidate_rows(r, c, err))
        return false;
    if (b->clause->kind == MED_CLAUSE_CHAIN)
        return med_chain_matches(r, b, &c->folded, yes, err);
    if (exact && !c->has_raw
        && !med_extract_whole(r->q->schema, r->scratch, c->j, c->root, c->type, r->q->base,
                              r->q->wanted, true, &c->raw, err))
        return false;
    c->has_raw = c->has_raw || exact;
    *yes = med_clause_matches(b->clause, exact ? &c->raw : &c->folded);
    return true;
}

static bool sort_value_present(const med_run *r, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_dates; i++) {
        if (rows->dates[i].param == r->q->sort[0].number)
            return true;
    }
    return false;
}

static bool body_matches(med_run *r, const med_stored *s, const med_position *at, bool *matches,
                         med_err *err)
{
    med_json j;
    med_candidate c = {.j = &j, .type = med_schema_pack_type(r->q->schema, s->type)};
    if (!med_json_parse(r->scratch, s->text, &j, NULL, err) || !med_candidate_rows(r, &c, err))
        return false;
    for (size_t i = 0; i < r->q->n && *matches; i++) {
        const med_bound *b = &r->bound[i];
        bool open = !b->decided || at->unsure;
        if (b->needs_body && open && !med_clause_holds(r, b, &c, matches, err))
            return false;
    }
    *matches = *matches && is_first_place(r, &c.folded, at);
    if (*matches && by_presence(r, at))
        *matches = sort_value_present(r, &c.folded) == (at->phase == 0);
    return true;
}

/* What the index rows say; *open: the text must be asked, too. */
static bool rows_match(const med_run *r, const med_rows *rows, const med_position *at, bool *open)
{
    *open = false;
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        if ((!b->needs_body && !b->by_rows) || (b->decided && !at->unsure))
            continue;
        enum med_verdict verdict = med_rows_verdict(b, rows);
        if (verdict == MED_VERDICT_NO)
            return false;
        *open = *open || verdict == MED_VERDICT_OPEN;
    }
    return is_first_place(r, rows, at)
           && (!by_presence(r, at) || sort_value_present(r, rows) == (at->phase == 0));
}

static bool check_rows(med_run *r, const med_position *at, bool *open, bool *matches, med_err *err)
{
    med_stored columns;
    med_rows rows;
    enum med_found found = med_view_rows(r->view, r->scratch, at->rid, &columns, &rows, err);
    *matches = found == MED_FOUND && columns_match(r, &columns) && rows_match(r, &rows, at, open);
    return found != MED_FAILED;
}

bool med_run_check(med_run *r, const med_position *at, bool want_body, med_stored *out,
                   bool *matches, med_err *err)
{
    r->examined++;
    *matches = true;
    if (!probe_all(r, at->rid, matches, err))
        return false;
    bool rows = *matches && needs_rows(r, at), open = false;
    if (rows && !check_rows(r, at, &open, matches, err))
        return false;
    if (!*matches || (!want_body && !open && (rows || !needs_columns(r))))
        return true;
    bool sure = !open && !needs_columns(r); /* it will be kept: no need to copy it */
    med_arena *to = sure && want_body ? r->arena : r->scratch;
    enum med_found found = med_view_by_rid(r->view, to, at->rid, out, err);
    r->kept = to == r->arena;
    if (found == MED_FAILED)
        return false;
    *matches = found == MED_FOUND && columns_match(r, out);
    if (!*matches || !open)
        return true;
    return body_matches(r, out, at, matches, err);
}
