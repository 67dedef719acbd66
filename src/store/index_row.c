/* index_row.c - from a rowset to rows of tables, in the order of their keys. */
#include "base/mem.h"
#include "store/rowset.h"
#include "store/store.h"

unsigned med_span_class(med_interval span)
{
    if (span.low == MED_TIME_MIN || span.high == MED_TIME_MAX || span.high < span.low)
        return MED_SPAN_CLASSES - 1;
    uint64_t length = (uint64_t)span.high - (uint64_t)span.low;
    unsigned class = 0;
    while (class < MED_SPAN_CLASSES - 1 && length > (uint64_t)med_span_class_bound[class])
        class ++;
    return class;
}

/* Negative doubles sort backwards by their bits; -0.0 and 0.0 are one value, as in SQLite. */
int med_rid_compare(const void *a, const void *b)
{
    med_rid x = *(const med_rid *)a;
    med_rid y = *(const med_rid *)b;
    return (x > y) - (x < y);
}

int64_t med_double_to_key(double d)
{
    int64_t bits = 0;
    double value = d == 0 ? 0 : d;
    memcpy(&bits, &value, sizeof bits);
    return bits < 0 ? (int64_t)((uint64_t)bits ^ INT64_MAX) : bits;
}

double med_double_from_key(int64_t key)
{
    double d = 0;
    int64_t bits = key < 0 ? (int64_t)((uint64_t)key ^ INT64_MAX) : key;
    memcpy(&d, &bits, sizeof d);
    return d;
}

#define COMPARE(x, y)                                                                              \
    do {                                                                                           \
        if ((x) != (y))                                                                            \
            return (x) < (y) ? -1 : 1;                                                             \
    } while (0)

int med_index_row_compare(const struct index_row *x, const struct index_row *y)
{
    COMPARE(x->table, y->table);
    COMPARE(x->a, y->a);
    COMPARE(x->b, y->b);
    COMPARE(x->c, y->c);
    if (x->text.len != 0 || y->text.len != 0) {
        int order = med_str_compare(x->text, y->text);
        if (order != 0)
            return order;
    }
    if (x->table == TABLE_PTOK)
        COMPARE(x->d, y->d);
    COMPARE(x->rid, y->rid);
    COMPARE(x->d, y->d);
    return 0;
}

static int by_key(const void *x, const void *y)
{
    return med_index_row_compare(x, y);
}

struct list {
    struct index_row *at;
    size_t n;
    med_rid rid;
};

static void add(struct list *l, enum table table, int64_t a, int64_t b, int64_t c, int64_t d,
                med_str text)
{
    l->at[l->n++] = (struct index_row){
        .table = (uint8_t)table, .a = a, .b = b, .c = c, .d = d, .text = text, .rid = l->rid};
}

static void add_tokens(struct list *l, const struct rowset *r)
{
    for (size_t i = 0; i < r->n_tokens; i++) {
        const med_token_row *t = &r->tokens[i];
        if ((t->places & MED_ROW_GLOBAL) != 0)
            add(l, TABLE_TOKEN, t->param, (int64_t)t->hash, 0, 0, MED_STR_EMPTY);
        for (size_t k = 0; (t->places & MED_ROW_PATIENT) != 0 && k < r->n_patients; k++)
            add(l, TABLE_PTOK, (int64_t)r->patients[k], t->param, (int64_t)t->hash, r->when,
                MED_STR_EMPTY);
    }
}

static void add_dates(struct list *l, const struct rowset *r)
{
    for (size_t i = 0; i < r->n_dates; i++) {
        med_interval span = r->dates[i].span;
        unsigned class = med_span_class(span);
        int64_t rest = class == MED_SPAN_CLASSES - 1 ? span.high : span.high - span.low;
        add(l, TABLE_DATE, r->dates[i].param, class, span.low, rest, MED_STR_EMPTY);
    }
}

static void add_values(struct list *l, const struct rowset *r)
{
    for (size_t i = 0; i < r->n_strings; i++)
        add(l, TABLE_STRING, r->strings[i].param, 0, 0, 0, r->strings[i].folded);
    for (size_t i = 0; i < r->n_quantities; i++) {
        const med_quantity_row *q = &r->quantities[i];
        add(l, TABLE_QUANTITY, q->param, (int64_t)q->unit, med_double_to_key(q->low),
            med_double_to_key(q->high), MED_STR_EMPTY);
    }
    for (size_t i = 0; i < r->n_uris; i++)
        add(l, TABLE_URI, r->uris[i].param, 0, 0, 0, r->uris[i].uri);
}

static bool count_rows(const struct rowset *r, size_t *n)
{
    size_t ptok = 0;
    size_t sum = r->n_tokens;
    if (__builtin_mul_overflow(r->n_tokens, r->n_patients, &ptok))
        return false;
    const size_t parts[] = {ptok,         r->n_patients,   r->n_references, r->n_dates,
                            r->n_strings, r->n_quantities, r->n_uris,       r->n_targets};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (__builtin_add_overflow(sum, parts[i], &sum))
            return false;
    }
    *n = sum;
    return true;
}

static size_t sort_and_unite(struct index_row *rows, size_t n)
{
    if (n < 2)
        return n;
    qsort(rows, n, sizeof *rows, by_key);
    size_t kept = 1;
    for (size_t i = 1; i < n; i++) {
        if (med_index_row_compare(&rows[i], &rows[kept - 1]) != 0)
            rows[kept++] = rows[i];
    }
    return kept;
}

bool med_rowset_expand(const struct rowset *r, med_rid rid, uint32_t type, med_arena *a,
                       struct index_row **out, size_t *n, med_err *err)
{
    size_t most = 0;
    struct list l = {.rid = rid};
    if (!count_rows(r, &most) || (l.at = MED_TAKE(a, most, struct index_row)) == NULL)
        return MED_FAIL_MEMORY(err);
    add_tokens(&l, r);
    for (size_t i = 0; i < r->n_patients; i++)
        add(&l, TABLE_PATIENT, (int64_t)r->patients[i], type, r->when, 0, MED_STR_EMPTY);
    for (size_t i = 0; i < r->n_references; i++)
        add(&l, TABLE_REFERENCE, (int64_t)r->references[i].target, r->references[i].param, 0, 0,
            MED_STR_EMPTY);
    add_dates(&l, r);
    add_values(&l, r);
    for (size_t i = 0; i < r->n_targets; i++)
        add(&l, TABLE_TARGET, (int64_t)r->targets[i], 0, 0, 0, MED_STR_EMPTY);
    *out = l.at;
    *n = sort_and_unite(l.at, l.n);
    return true;
}

bool med_pending_add(struct pending *p, const struct index_row *row)
{
    struct pending_rows *rows = &p->tables[row->table];
    if (rows->n == rows->cap) {
        size_t cap = rows->cap == 0 ? 256 : rows->cap * 2;
        struct index_row *bigger = med_realloc(rows->at, cap, sizeof *bigger);
        if (bigger == NULL)
            return false;
        rows->at = bigger;
        rows->cap = cap;
    }
    rows->at[rows->n] = *row;
    rows->at[rows->n++].order = p->order++;
    return true;
}

/* ---- sorting what a group has collected ----
 *
 * Up to some 100,000 rows a table: merged by short entries that hold the first two parts of the
 * key, so that most comparisons stay within them. */

struct sort_entry {
    int64_t a, b;
    const struct index_row *row;
};

/* The first bytes of a text, in an order that agrees with comparing it. */
static int64_t text_head(med_str text)
{
    uint64_t head = 0;
    for (size_t i = 0; i < 8; i++)
        head = head << 8 | (i < text.len ? (unsigned char)text.ptr[i] : 0);
    return (int64_t)(head ^ (uint64_t)INT64_MIN);
}

static bool comes_first(const struct sort_entry *x, const struct sort_entry *y)
{
    if (x->a != y->a)
        return x->a < y->a;
    if (x->b != y->b)
        return x->b < y->b;
    int order = med_index_row_compare(x->row, y->row);
    return order != 0 ? order < 0 : x->row->order < y->row->order;
}

static bool is_sorted(const struct pending_rows *rows)
{
    for (size_t i = 1; i < rows->n; i++) {
        if (med_index_row_compare(&rows->at[i - 1], &rows->at[i]) > 0)
            return false;
    }
    return true; /* equal rows stand in the order of their coming */
}

static void merge(const struct sort_entry *from, struct sort_entry *to, size_t start, size_t middle,
                  size_t end)
{
    size_t i = start;
    size_t k = middle;
    for (size_t n = start; n < end; n++)
        to[n] =
            k == end || (i < middle && !comes_first(&from[k], &from[i])) ? from[i++] : from[k++];
}

/* Bottom up; returns which of the two holds the result. */
static struct sort_entry *merge_sort(struct sort_entry *from, struct sort_entry *to, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width) {
            size_t middle = start + width < n ? start + width : n;
            size_t end = start + 2 * width < n ? start + 2 * width : n;
            merge(from, to, start, middle, end);
        }
        struct sort_entry *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static bool make_spare(struct pending_rows *rows)
{
    if (rows->spare_cap >= rows->cap)
        return true;
    med_free(rows->spare);
    med_free(rows->entries);
    rows->spare = med_alloc(rows->cap, sizeof *rows->spare);
    rows->entries = med_alloc(rows->cap, 2 * sizeof *rows->entries);
    rows->spare_cap = rows->spare == NULL || rows->entries == NULL ? 0 : rows->cap;
    return rows->spare_cap > 0;
}

bool med_pending_sort(struct pending_rows *rows)
{
    size_t n = rows->n;
    if (is_sorted(rows))
        return true;
    if (!make_spare(rows))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct index_row *row = &rows->at[i];
        bool text = row->table == TABLE_STRING || row->table == TABLE_URI;
        rows->entries[i] = (struct sort_entry){row->a, text ? text_head(row->text) : row->b, row};
    }
    const struct sort_entry *order = merge_sort(rows->entries, rows->entries + n, n);
    for (size_t i = 0; i < n; i++)
        rows->spare[i] = *order[i].row;
    struct index_row *sorted = rows->spare;
    size_t cap = rows->spare_cap;
    rows->spare = rows->at;
    rows->spare_cap = rows->cap;
    rows->at = sorted;
    rows->cap = cap;
    return true;
}

static void free_rows(struct pending_rows *rows)
{
    med_free(rows->at);
    med_free(rows->spare);
    med_free(rows->entries);
    *rows = (struct pending_rows){0};
}

/* An import's room is given back, that of common groups is kept. */
enum { ROWS_KEPT = 1 << 14 };

void med_pending_clear(struct pending *p)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        bool large = p->tables[i].cap > ROWS_KEPT && p->tables[i].n < ROWS_KEPT / 4;
        if (large)
            free_rows(&p->tables[i]);
        p->tables[i].n = 0;
    }
    p->order = 0;
}

void med_pending_free(struct pending *p)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        free_rows(&p->tables[i]);
}
