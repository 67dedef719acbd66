/* rowset.h - the index rows of one resource, as they stand in the tables, and the compact copy
 * of them that is kept beside the body. Private to store/.
 *
 * The copy says exactly which rows to take out when the resource changes or goes, whatever
 * extracted them then; so an update rewrites only what differs. Its layout: 4 bytes check, then
 * FORMAT 2: when (8 bytes), and for each list a count and its members; integers are varints
 * (LEB128), hashes 8 bytes little-endian; a quantity whose number stands some places before says
 * how many. FORMAT 1, without that, is read, too: stores before format 7 have it. */
#ifndef MED_STORE_ROWSET_H
#define MED_STORE_ROWSET_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/rows.h"

enum { MED_ROW_COUNTED = 4 }; /* a bit beside MED_ROW_GLOBAL: there is a counter for it */

/* A resource's rows with rids in place of ident hashes. */
struct rowset {
    int64_t when;
    const med_rid *patients;
    size_t n_patients;
    const med_token_row *tokens;
    size_t n_tokens;
    const med_reference_row *references; /* target is a rid */
    size_t n_references;
    const med_date_row *dates;
    size_t n_dates;
    const med_string_row *strings;
    size_t n_strings;
    const med_quantity_row *quantities;
    size_t n_quantities;
    const med_uri_row *uris;
    size_t n_uris;
    const med_rid *targets; /* not covered by a reference */
    size_t n_targets;
};

void med_rowset_write(const struct rowset *r, med_hash_key key, med_buf *out);
/* False when the bytes are damaged (*err says so) or the arena is full. Strings point into
 * `bytes`. Empty bytes are an empty set. */
bool med_rowset_read(struct rowset *r, med_arena *a, med_str bytes, med_hash_key key,
                     med_err *err) MED_MUST_CHECK;

/* Its lists as med_view_rows gives them. */
med_rows med_rowset_rows(const struct rowset *set);
/* Is this rid among the patients? Without an arena; false when the bytes are damaged. */
bool med_rowset_has_patient(med_str bytes, med_hash_key key, med_rid patient, bool *out);

enum table {
    TABLE_TOKEN,     /* a param, b hash */
    TABLE_REFERENCE, /* a target, b param */
    TABLE_DATE,      /* a param, b class, c low, d span or high */
    TABLE_STRING,    /* a param, text */
    TABLE_QUANTITY,  /* a param, b unit, c low, d high: doubles in an order-keeping form */
    TABLE_URI,       /* a param, text */
    TABLE_UPDATED,   /* a type, b moment */
    TABLE_PATIENT,   /* a patient, b type, c when */
    TABLE_PTOK,      /* a patient, b param, c hash, d when */
    TABLE_TARGET,    /* a target */
    TABLE_INDEXES,   /* those above are index tables */
    TABLE_FEED = TABLE_INDEXES, /* a t, b type, c version and change << 32, d moment */
    TABLE_IDENT,                /* a hash */
    TABLE_COUNT,
};

struct index_row {
    int64_t a, b, c, d;
    med_rid rid;
    med_str text;
    uint32_t order; /* of coming, so that the last word on a key is the last */
    uint8_t table;
    bool cut; /* take it out */
};

/* All rows but TABLE_UPDATED. Sorted within a table and without doubles. */
bool med_rowset_expand(const struct rowset *r, med_rid rid, uint32_t type, med_arena *a,
                       struct index_row **out, size_t *n, med_err *err) MED_MUST_CHECK;
/* Order of keys within a table (then rid); 0 when they are the same row. */
int med_index_row_compare(const struct index_row *x, const struct index_row *y);

/* For qsort and bsearch over rids. */
int med_rid_compare(const void *a, const void *b);
int64_t med_double_to_key(double d);
double med_double_from_key(int64_t key);

/* Rows that wait to be written, by table. */
struct pending {
    struct pending_rows {
        struct index_row *at;
        size_t n, cap;
        struct index_row *spare; /* for sorting, with room for spare_cap */
        struct sort_entry *entries;
        size_t spare_cap;
    } tables[TABLE_COUNT];
    uint32_t order;
};
bool med_pending_add(struct pending *p, const struct index_row *row);
/* Sorts them by key, then by coming. False without memory. */
bool med_pending_sort(struct pending_rows *rows) MED_MUST_CHECK;
void med_pending_clear(struct pending *p);
void med_pending_free(struct pending *p);

#endif
