/* sorted.c - _sort: all matches are found, their keys taken from their own rows, and ordered.
 * https://hl7.org/fhir/R4/search.html#sort
 *
 * A resource without a value comes last, whatever the direction. A date counts from its low end;
 * those that lack the only key are ordered by their last update, of several by the next.
 * Equal keys are ordered by the internal id, in the direction of the first key, so the order is
 * total. A page goes on behind the last resource, or at its number should that be gone. */
#include <math.h>
#include <stdlib.h>

#include "search/page.h"

enum { SORTED_MATCHES = 100000 };

typedef struct key {
    bool has;
    int64_t value;
    double real;
    med_str text;
} key;

typedef struct row {
    med_rid rid;
    key keys[MED_SORT_KEYS];
} row;

typedef struct sorted {
    med_run *r;
    row *rows;
    size_t n, room;
} sorted;

static int compare_keys(const med_sort *s, const key *a, const key *b)
{
    int by = 0;
    if (a->has != b->has)
        return a->has ? -1 : 1;
    by = (a->value > b->value) - (a->value < b->value);
    if (by == 0)
        by = (a->real > b->real) - (a->real < b->real);
    if (by == 0)
        by = med_str_compare(a->text, b->text);
    return s->descending ? -by : by;
}

static int compare_rows(const void *left, const void *right, void *arg)
{
    const row *a = left, *b = right;
    const med_query *q = arg;
    for (size_t i = 0; i < q->n_sort; i++) {
        int by = compare_keys(&q->sort[i], &a->keys[i], &b->keys[i]);
        if (by != 0)
            return by;
    }
    int by = (a->rid > b->rid) - (a->rid < b->rid);
    return q->sort[0].descending ? -by : by;
}

/* The key of a resource with several values: the lowest when ascending, else the highest. */
static void better(const med_sort *s, key *best, key candidate)
{
    candidate.has = true;
    if (!best->has || compare_keys(s, &candidate, best) < 0)
        *best = candidate;
}

static med_str token_text(const med_rows *rows, const med_token_row *t)
{
    for (size_t i = 0; i < rows->n_codes; i++) {
        if (rows->codes[i].param == t->param && rows->codes[i].hash == t->hash)
            return rows->codes[i].code;
    }
    return MED_STR_EMPTY;
}

static void key_of_rows(const med_sort *s, const med_rows *rows, key *out)
{
    for (size_t i = 0; i < rows->n_dates; i++) {
        const med_interval span = rows->dates[i].span;
        if (rows->dates[i].param == s->number)
            better(s, out, (key){.value = span.low, .text = MED_STR_EMPTY});
    }
    for (size_t i = 0; i < rows->n_strings; i++) {
        if (rows->strings[i].param == s->number && s->kind == MED_CLAUSE_STRING)
            better(s, out, (key){.text = rows->strings[i].folded});
    }
    for (size_t i = 0; i < rows->n_uris; i++) {
        if (rows->uris[i].param == s->number)
            better(s, out, (key){.text = rows->uris[i].uri});
    }
    for (size_t i = 0; i < rows->n_quantities; i++) {
        const med_quantity_row *q = &rows->quantities[i];
        if (q->unit == 0 && med_is_param(q->param, s->number, s->also))
            better(s, out,
                   (key){.real = isfinite(q->low) ? q->low : q->high, .text = MED_STR_EMPTY});
    }
    for (size_t i = 0; i < rows->n_tokens; i++) {
        med_str text =
            rows->tokens[i].param == s->number ? token_text(rows, &rows->tokens[i]) : MED_STR_EMPTY;
        if (text.len > 0)
            better(s, out, (key){.text = text});
    }
}

static bool keep_texts(med_arena *a, row *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        med_str text = r->keys[i].has ? r->keys[i].text : MED_STR_EMPTY;
        if (!med_arena_copy(a, text, &r->keys[i].text))
            return false;
    }
    return true;
}

/* The index rows have no codes, and long texts are cut there. */
static bool has_cut_text(const med_sort *s, const med_rows *rows)
{
    enum { CHARACTER = 4 };
    for (size_t i = 0; i < rows->n_strings; i++) {
        if (rows->strings[i].param == s->number
            && rows->strings[i].folded.len + CHARACTER > MED_STRING_KEY)
            return true;
    }
    for (size_t i = 0; i < rows->n_uris; i++) {
        if (rows->uris[i].param == s->number && rows->uris[i].uri.len >= MED_URI_KEY)
            return true;
    }
    return false;
}

static bool rows_suffice(const med_query *q, const med_rows *rows)
{
    for (size_t i = 0; i < q->n_sort; i++) {
        if (q->sort[i].kind == MED_CLAUSE_TOKEN || has_cut_text(&q->sort[i], rows))
            return false;
    }
    return true;
}

static bool rows_of_text(med_run *r, med_rid rid, med_rows *rows, med_err *err)
{
    med_json j;
    med_stored stored;
    const med_query *q = r->q;
    enum med_found found = med_view_by_rid(r->view, r->scratch, rid, &stored, err);
    return found == MED_FOUND && med_json_parse(r->scratch, stored.text, &j, NULL, err)
           && med_extract_whole(q->schema, r->scratch, &j, 0,
                                med_schema_pack_type(q->schema, stored.type), q->base, q->wanted,
                                false, rows, err);
}

static bool take_score(const med_run *r, med_rid rid, key *k, med_err *err)
{
    med_stored stored;
    k->has = true;
    return med_view_by_rid(r->view, r->scratch, rid, &stored, err) == MED_FOUND
           && med_run_score(r, stored.text, &k->real, err);
}

/* What it names, by when that was first named: what names the same stands together. */
static void key_of_reference(const med_sort *s, const med_rows *rows, key *out)
{
    for (size_t i = 0; i < rows->n_references; i++) {
        if (rows->references[i].param == s->number)
            better(s, out,
                   (key){.value = (int64_t)rows->references[i].target, .text = MED_STR_EMPTY});
    }
}

static bool take_keys(sorted *s, med_rid rid, row *out, med_err *err)
{
    const med_query *q = s->r->q;
    med_rows rows;
    med_stored columns, *stored = &columns;
    out->rid = rid;
    if (med_view_rows(s->r->view, s->r->scratch, rid, stored, &rows, err) != MED_FOUND)
        return false;
    const med_rows index = rows;
    if (!rows_suffice(q, &rows) && !rows_of_text(s->r, rid, &rows, err))
        return false;
    for (size_t i = 0; i < q->n_sort; i++) {
        key *k = &out->keys[i];
        *k = (key){.text = MED_STR_EMPTY};
        if (q->sort[i].kind == MED_CLAUSE_UPDATED)
            *k = (key){.has = true, .value = stored->updated, .text = MED_STR_EMPTY};
        else if (q->sort[i].kind == MED_CLAUSE_ID)
            *k = (key){.has = true, .text = stored->id};
        else if (q->sort[i].kind == MED_CLAUSE_SPECIAL) {
            if (!take_score(s->r, rid, k, err))
                return false;
        } else if (q->sort[i].kind == MED_CLAUSE_REFERENCE)
            key_of_reference(&q->sort[i], &index, k);
        else
            key_of_rows(&q->sort[i], &rows, k);
        if (!k->has && q->n_sort == 1) /* as the index has them that lack the date */
            k->value = stored->updated;
    }
    return keep_texts(s->r->arena, out, q->n_sort) ? true : MED_FAIL_MEMORY(err);
}

static bool add_row(sorted *s, med_rid rid, med_err *err)
{
    if (s->n == SORTED_MATCHES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                        "more than %d resources would have to be sorted; narrow the search",
                        SORTED_MATCHES);
    row *more = MED_GROW(s->r->arena, s->rows, s->n, &s->room, 64);
    if (more == NULL)
        return MED_FAIL_MEMORY(err);
    s->rows = more;
    return take_keys(s, rid, &s->rows[s->n++], err);
}

static bool collect(sorted *s, med_err *err)
{
    med_stream *stream = med_stream_open(s->r, NULL, err);
    med_position place;
    enum med_found found = MED_FAILED;
    while (stream != NULL && (found = med_stream_next(stream, &place, err)) == MED_FOUND) {
        med_stored stored;
        bool matches;
        if (!med_run_check(s->r, &place, false, &stored, &matches, err)
            || (matches && !add_row(s, place.rid, err))) {
            found = MED_FAILED;
            break;
        }
        med_arena_reset(s->r->scratch);
    }
    med_stream_close(stream);
    return found == MED_ABSENT;
}

/* Index of the row behind the one a page ended with. */
static size_t behind(const sorted *s, const med_page *page)
{
    if (page == NULL)
        return 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->rows[i].rid == page->place.rid)
            return i + 1;
    }
    return (size_t)page->place.value < s->n ? (size_t)page->place.value : s->n;
}

/* For a store that is a network away. */
static bool expect_page(const sorted *s, size_t from, size_t to, med_err *err)
{
    med_rid *rids = MED_TAKE(s->r->arena, to - from, med_rid);
    if (rids == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = from; i < to; i++)
        rids[i - from] = s->rows[i].rid;
    med_view_expect(s->r->view, rids, to - from);
    return true;
}

bool med_run_sorted(med_run *r, const med_page *page, size_t room, med_search_entry *entries,
                    size_t *n, med_position *last, size_t *total, bool *more, med_err *err)
{
    sorted s = {.r = r};
    if (!collect(&s, err))
        return false;
    if (s.n > 0)
        qsort_r(s.rows, s.n, sizeof *s.rows, compare_rows, (void *)(uintptr_t)r->q);
    size_t from = behind(&s, page), to = s.n - from > room ? from + room : s.n;
    if (med_view_is_far(r->view) && !expect_page(&s, from, to, err))
        return false;
    for (size_t i = from; i < to; i++) {
        if (med_view_by_rid(r->view, r->arena, s.rows[i].rid, &entries[*n].resource, err)
            != MED_FOUND)
            return false;
        entries[(*n)++].mode = MED_ENTRY_MATCH;
        *last =
            (med_position){.value = (int64_t)i + 1, .text = MED_STR_EMPTY, .rid = s.rows[i].rid};
    }
    *total = s.n;
    *more = to < s.n;
    return true;
}
