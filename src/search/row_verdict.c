/* row_verdict.c - what a candidate's index rows say about a clause, before its text is looked at.
 *
 * The store keeps a resource's index rows beside it; reading them costs a tenth of reading,
 * unpacking and parsing the text. They decide most clauses. Where they can not (cut texts, bounds
 * that a double hides, a value that made no row) the verdict is open, and the text decides. */
#include "search/pair.h"

static enum med_verdict verdict_of(bool yes)
{
    return yes ? MED_VERDICT_YES : MED_VERDICT_NO;
}

#define HAS_ROW(rows, array, n_array, wanted)                                                      \
    for (size_t i_ = 0; i_ < (rows)->n_array; i_++) {                                              \
        if (med_is_param((rows)->array[i_].param, wanted, also))                                   \
            return true;                                                                           \
    }

bool med_rows_have(const med_rows *rows, uint32_t number, const uint32_t also[2])
{
    HAS_ROW(rows, tokens, n_tokens, number)
    HAS_ROW(rows, references, n_references, number)
    HAS_ROW(rows, dates, n_dates, number)
    HAS_ROW(rows, strings, n_strings, number)
    HAS_ROW(rows, quantities, n_quantities, number)
    HAS_ROW(rows, uris, n_uris, number)
    return false;
}

/* A row says that there is a value, and no row that there is none; but a token may be a text
 * alone, and a reference one to what is contained: these make no row. */
static enum med_verdict by_presence(const med_clause *c, const med_rows *rows)
{
    if (c->row == UINT32_MAX || c->only_patients)
        return MED_VERDICT_OPEN;
    if (med_rows_have(rows, c->number, c->also))
        return verdict_of(!c->missing);
    return c->kind == MED_CLAUSE_TOKEN || c->kind == MED_CLAUSE_REFERENCE ? MED_VERDICT_OPEN
                                                                          : verdict_of(c->missing);
}

static bool has_key(const med_bound *b, uint64_t hash)
{
    for (size_t i = 0; i < b->n_keys; i++) {
        if (b->keys[i] == hash)
            return true;
    }
    return false;
}

/* A system alone may be in no dictionary: then only what it finds is sure. */
static enum med_verdict by_tokens(const med_bound *b, const med_rows *rows)
{
    bool not = b->clause->modifier == MED_MODIFIER_NOT;
    for (size_t i = 0; i < rows->n_tokens; i++) {
        if (rows->tokens[i].param == b->clause->number && has_key(b, rows->tokens[i].hash))
            return verdict_of(!not );
    }
    return b->blind ? MED_VERDICT_OPEN : verdict_of(not );
}

static enum med_verdict by_dates(const med_clause *c, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_dates; i++) {
        for (size_t k = 0; rows->dates[i].param == c->number && k < c->n; k++) {
            if (med_term_matches_date(&c->terms[k], rows->dates[i].span))
                return MED_VERDICT_YES;
        }
    }
    return MED_VERDICT_NO;
}

static enum med_verdict by_measures(const med_term *t, const med_quantity_row *q)
{
    enum med_verdict verdict = MED_VERDICT_NO;
    for (size_t i = 0; i < t->n_measures; i++) {
        bool sure;
        if (t->measures[i].unit != q->unit
            || !med_measure_may_match(t->prefix, &t->measures[i], q->low, q->high, &sure))
            continue;
        if (sure)
            return MED_VERDICT_YES;
        verdict = MED_VERDICT_OPEN;
    }
    return verdict;
}

static enum med_verdict by_quantities(const med_clause *c, const med_rows *rows)
{
    enum med_verdict verdict = MED_VERDICT_NO;
    for (size_t i = 0; i < rows->n_quantities; i++) {
        bool of_it = med_is_param(rows->quantities[i].param, c->number, c->also);
        for (size_t k = 0; of_it && k < c->n; k++) {
            enum med_verdict one = by_measures(&c->terms[k], &rows->quantities[i]);
            if (one == MED_VERDICT_YES)
                return one;
            verdict = one == MED_VERDICT_OPEN ? one : verdict;
        }
    }
    return verdict;
}

/* A row as long as rows get may have been cut, inside of what the term asks for. */
static bool may_be_cut(med_str row)
{
    enum { CHARACTER = 4 };
    return row.len + CHARACTER > MED_STRING_KEY;
}

static enum med_verdict by_string(const med_clause *c, const med_term *t, med_str row)
{
    bool begins = med_str_starts(row, t->folded), cut = may_be_cut(row);
    if (c->modifier == MED_MODIFIER_NONE)
        return begins                                  ? MED_VERDICT_YES
               : cut && med_str_starts(t->folded, row) ? MED_VERDICT_OPEN
                                                       : MED_VERDICT_NO;
    if (c->modifier == MED_MODIFIER_EXACT)
        return begins || (cut && med_str_starts(t->folded, row)) ? MED_VERDICT_OPEN
                                                                 : MED_VERDICT_NO;
    if (med_str_search(row, t->folded, 0) < row.len)
        return MED_VERDICT_YES;
    return cut ? MED_VERDICT_OPEN : MED_VERDICT_NO;
}

static enum med_verdict by_strings(const med_clause *c, const med_rows *rows)
{
    enum med_verdict verdict = MED_VERDICT_NO;
    if (c->modifier != MED_MODIFIER_NONE && c->modifier != MED_MODIFIER_EXACT
        && c->modifier != MED_MODIFIER_CONTAINS)
        return MED_VERDICT_OPEN;
    for (size_t k = 0; k < c->n; k++) {
        if (c->terms[k].folded.len == 0)
            return MED_VERDICT_OPEN;
        for (size_t i = 0; i < rows->n_strings; i++) {
            enum med_verdict one = rows->strings[i].param == c->number
                                       ? by_string(c, &c->terms[k], rows->strings[i].folded)
                                       : MED_VERDICT_NO;
            if (one == MED_VERDICT_YES)
                return one;
            verdict = one == MED_VERDICT_OPEN ? one : verdict;
        }
    }
    return verdict;
}

static enum med_verdict by_uris(const med_clause *c, const med_rows *rows)
{
    if (c->modifier != MED_MODIFIER_NONE)
        return MED_VERDICT_OPEN;
    for (size_t k = 0; k < c->n; k++) {
        if (c->terms[k].text.len >= MED_URI_KEY)
            return MED_VERDICT_OPEN;
        for (size_t i = 0; i < rows->n_uris; i++) {
            if (rows->uris[i].param == c->number && med_str_eq(rows->uris[i].uri, c->terms[k].text))
                return MED_VERDICT_YES;
        }
    }
    return MED_VERDICT_NO;
}

static enum med_verdict by_targets(const med_bound *b, const med_rows *rows)
{
    for (size_t i = 0; i < rows->n_references; i++) {
        if (rows->references[i].param == b->clause->number
            && med_sorted_has(b->keys, b->n_keys, rows->references[i].target))
            return MED_VERDICT_YES;
    }
    return MED_VERDICT_NO;
}

static enum med_verdict by_pairs(const med_bound *b, const med_rows *rows)
{
    enum med_verdict verdict = b->paired ? MED_VERDICT_NO : MED_VERDICT_OPEN;
    for (size_t i = 0; i < rows->n_quantities; i++) {
        const med_quantity_row *q = &rows->quantities[i];
        bool sure, of_it = med_is_param(q->param, b->clause->number, b->clause->also);
        for (size_t k = 0; of_it && k < b->n_pairs; k++) {
            if (b->pairs[k].unit != q->unit
                || !med_pair_may_match(&b->pairs[k], q->low, q->high, &sure))
                continue;
            if (sure)
                return MED_VERDICT_YES;
            verdict = MED_VERDICT_OPEN;
        }
    }
    return verdict;
}

enum med_verdict med_rows_verdict(const med_bound *b, const med_rows *rows)
{
    const med_clause *c = b->clause;
    bool plain = c->modifier == MED_MODIFIER_NONE;
    if (c->modifier == MED_MODIFIER_MISSING)
        return by_presence(c, rows);
    switch (c->kind) {
    case MED_CLAUSE_TOKEN:
        return !c->barred && (plain || c->modifier == MED_MODIFIER_NOT) ? by_tokens(b, rows)
                                                                        : MED_VERDICT_OPEN;
    case MED_CLAUSE_STRING:
        return by_strings(c, rows);
    case MED_CLAUSE_DATE:
        return plain ? by_dates(c, rows) : MED_VERDICT_OPEN;
    case MED_CLAUSE_QUANTITY:
        return plain ? by_quantities(c, rows) : MED_VERDICT_OPEN;
    case MED_CLAUSE_URI:
        return by_uris(c, rows);
    case MED_CLAUSE_REFERENCE:
    case MED_CLAUSE_CHAIN:
        return by_targets(b, rows);
    case MED_CLAUSE_COMPOSITE:
        return by_pairs(b, rows);
    case MED_CLAUSE_ID:
    case MED_CLAUSE_UPDATED:
    case MED_CLAUSE_HAS:
    case MED_CLAUSE_ANY:
    case MED_CLAUSE_COMPARTMENT:
    case MED_CLAUSE_SPECIAL:
        break;
    }
    return MED_VERDICT_OPEN;
}
