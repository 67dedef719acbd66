/* search.h - what a resource is found by, and finding it. https://hl7.org/fhir/R4/search.html
 *
 * Extraction turns a resource into index rows (store/rows.h), one file a parameter type; the
 * same files turn a query's values into conditions. A search is parsed to a tree (no SQL text
 * from a caller, ever), planned on the store's live counts, and run over the store's cursors:
 * the most selective condition drives, the rest is probed or verified by extracting the
 * candidate's own rows. Everything lives in the caller's arena. Thread safe apart from views. */
#ifndef MED_SEARCH_SEARCH_H
#define MED_SEARCH_SEARCH_H

#include <stdatomic.h>

#include "base/json.h"
#include "base/portion.h"
#include "base/url.h"
#include "model/pack.h"
#include "store/fulltext.h"

/* Parameters and types of a pack with their numbers in a store. */
typedef struct med_search_schema med_search_schema;
/* Interns all names; the schema lives in `a`. */
bool med_search_schema_new(med_arena *a, const med_pack *p, med_store *s,
                           const med_search_schema **out, med_err *err) MED_MUST_CHECK;
/* The same where resources' dates without a zone are read in that of the server; queries must
 * name it, too (med_search_options). The index rests on it. */
bool med_search_schema_in_zone(med_arena *a, const med_pack *p, med_store *s, int zone_minutes,
                               const med_search_schema **out, med_err *err) MED_MUST_CHECK;
/* How far the index rows of a parameter that was added at run time are, while it is not ready. */
typedef struct med_param_progress {
    atomic_bool stopped; /* nobody makes its rows: cancelled or failed */
    _Atomic uint64_t done, total;
} med_param_progress;
/* The same over a pack with added parameters (model/pack_extend.h): those from row `first_added`
 * on, with the progress of each, which must outlive the schema, and whether searches may use it. */
bool med_search_schema_extended(med_arena *a, const med_pack *p, med_store *s, int zone_minutes,
                                uint32_t first_added, const med_param_progress *const *added,
                                const bool *ready, const med_search_schema **out,
                                med_err *err) MED_MUST_CHECK;
/* Rows that came with a format of the store (added_rows.c): an upgrade leaves it to a task to make
 * them of what was there before. */
enum med_added_rows {
    MED_ROWS_OF_HUBS,  /* by hub and date (hub.h) */
    MED_ROWS_OF_PAIRS, /* by code and value (pair.h) */
    MED_ROWS_MARKED,   /* numbers, with the mark of decimals that a double hides (extract.h) */
    MED_ADDED_ROWS
};
/* The same for a store in which some resources still lack these rows: its searches do without them.
 * In `a`, and no longer than the one it is made of. NULL past its ceiling. */
const med_search_schema *med_search_schema_without(med_arena *a, const med_search_schema *s,
                                                   enum med_added_rows rows);
/* The types that have such rows, blanks between; empty past the ceiling. */
med_str med_search_types_with(med_arena *a, const med_search_schema *s, enum med_added_rows rows);
/* The store's number of a type's parameter; 0 if the type has none of that row. */
uint32_t med_schema_number(const med_search_schema *s, med_type t, uint32_t row);
/* May searches use the parameter of this row? */
bool med_schema_is_ready(const med_search_schema *s, uint32_t row);
uint32_t med_schema_type(const med_search_schema *s, med_type t);           /* pack -> store */
med_type med_schema_pack_type(const med_search_schema *s, uint32_t number); /* store -> pack */
const med_pack *med_schema_pack(const med_search_schema *s);

/* Index rows of a resource (structurally checked before). `base` is this server's base URL, so
 * that absolute references to ourselves count as local. */
bool med_extract(const med_search_schema *s, med_arena *a, const med_json *j, uint32_t root,
                 med_type type, med_str id, med_str base, med_rows *out,
                 med_err *err) MED_MUST_CHECK;

/* med_verify.extract, with a `med_search_verify` as its argument. */
typedef struct med_search_verify {
    const med_search_schema *schema;
    med_str base;
} med_search_verify;
bool med_search_extract_for_verify(void *arg, med_arena *a, uint32_t type, med_str id, med_str text,
                                   med_rows *out, med_err *err) MED_MUST_CHECK;

/* The terms of a resource for the store's full-text lists: of each string parameter, of the
 * narrative and, with `content`, of all that is said. The postings lack rid and `gone`. */
typedef struct med_terms {
    const med_search_schema *schema;
    med_str base;
    bool content;
    const uint64_t *wanted;
} med_terms;
bool med_terms_init(med_terms *t, med_arena *a, const med_search_schema *s, med_str base,
                    bool content, med_err *err) MED_MUST_CHECK;
/* The form that these terms make lists of. */
uint32_t med_terms_form(const med_terms *t);
/* For med_store_set_terms: `all` with content, whatever the lists are made of. */
med_terms_known med_terms_known_of(med_terms *all);
bool med_terms_of_text(void *terms, med_arena *a, uint32_t type, med_str text, med_posting **out,
                       size_t *n, med_err *err);

/* One step of making the lists: the next versions of the feed, as many as *versions says; zeroed
 * at first, and kept from step to step. *done: there is
 * nothing more to do. Refused with MED_ISSUE_CONFLICT when something else moved the lists or was
 * purged meanwhile, with MED_ISSUE_TIMEOUT when the view was ended, with MED_ISSUE_TRANSIENT when
 * it was too much at a time: then it is to be tried again. */
bool med_terms_step(const med_terms *t, med_store *s, unsigned slot, int64_t deadline,
                    med_portion *versions, bool *done, med_err *err) MED_MUST_CHECK;

enum med_total { MED_TOTAL_DEFAULT, MED_TOTAL_NONE, MED_TOTAL_ESTIMATE, MED_TOTAL_ACCURATE };
enum med_summary {
    MED_SUMMARY_FALSE,
    MED_SUMMARY_TRUE,
    MED_SUMMARY_TEXT,
    MED_SUMMARY_DATA,
    MED_SUMMARY_COUNT,
};

/* A compartment: what belongs to that one resource. */
typedef struct med_search_scope {
    med_type compartment; /* the type of the resource */
    med_str id;
    med_str from, to; /* only care in that time, where a type says when it was; or empty */
} med_search_scope;

/* What codes stand for, asked of the terminology: :in and :not-in (the value set `system`, no
 * code), :below and :above of system and code. At most `limit`; *out are "system|code", escaped as
 * in a query. */
enum med_search_codes_how { MED_CODES_IN, MED_CODES_BELOW, MED_CODES_ABOVE };
typedef struct med_search_codes {
    void *self;
    bool (*list)(void *self, med_arena *a, enum med_search_codes_how how, med_str system,
                 med_str code, size_t limit, const med_str **out, size_t *n, med_err *err);
} med_search_codes;

typedef struct med_search_options {
    const med_search_codes *codes; /* NULL: these modifiers are refused */
    const med_search_scope *scope; /* or NULL */
    bool strict;      /* unknown parameters are errors (the default), else ignored and named */
    med_str base;     /* server base URL */
    int zone_minutes; /* of dates without a zone */
    int64_t now;
    uint32_t default_count, max_count;
    med_str caller;       /* to whom page links are bound; zero: nobody in particular */
    size_t include_limit; /* of included resources a page; 0: 10,000 */
} med_search_options;

typedef struct med_query med_query;

/* What the query asked of the answer. */
typedef struct med_query_view {
    med_type type;  /* MED_TYPE_NONE: all types */
    uint32_t count; /* page size as used */
    enum med_total total;
    enum med_summary summary;
    const med_str *elements; /* _elements */
    size_t n_elements;
    med_str self;           /* the query as really used, encoded, without page position */
    const med_str *ignored; /* parameters that were ignored (lenient) */
    size_t n_ignored;
} med_query_view;

/* Parameters of the HTTP layer (_format, _pretty) are skipped. Errors: MED_ISSUE_NOT_SUPPORTED
 * 400 for an unknown parameter or modifier with the nearest names; MED_ISSUE_VALUE with status
 * 400 for a bad value. Only parameters a conditional interaction may use are allowed when
 * `conditional` (no paging or result parameters). */
bool med_query_parse_search(const med_search_schema *s, med_arena *a, med_type type,
                            const med_pairs *pairs, bool conditional,
                            const med_search_options *options, const med_query **out,
                            med_err *err) MED_MUST_CHECK;
med_query_view med_query_describe(const med_query *q);
/* True when the query has no condition at all (a conditional interaction refuses that). */
bool med_query_is_empty(const med_query *q);
/* Estimated cost in microseconds; beyond some 1,000 it belongs on a worker. MED_COST_UNKNOWN when
 * the search does not even begin: running it says why. */
#define MED_COST_UNKNOWN UINT32_MAX
uint64_t med_query_cost(const med_search_schema *s, med_view *v, const med_query *q);

/* How a query would be run, in words: "code" (the rows of that parameter bring the candidates),
 * "patient", "patient+code" (the compartment, and that of one code in it), "type" (all), "order"
 * (all, by the date that is sorted by). Estimates only; nothing is searched. */
typedef struct med_search_plan {
    med_str driver;
    bool ordered;        /* candidates come in the order that is asked for */
    uint64_t rows, cost; /* candidates, and microseconds in all */
} med_search_plan;
bool med_query_plan(const med_search_schema *s, med_view *v, med_arena *a, const med_query *q,
                    med_search_plan *out, med_err *err) MED_MUST_CHECK;

enum med_entry_mode { MED_ENTRY_MATCH, MED_ENTRY_INCLUDE };
typedef struct med_contained {
    med_str id; /* inside of its container */
    med_str text;
} med_contained;

typedef struct med_search_entry {
    med_stored resource;
    const med_contained *contained; /* only this, out of `resource`; NULL: all of it */
    enum med_entry_mode mode;
    double score; /* of a match of _text or _content, above 0 and below 1; else 0 */
} med_search_entry;

typedef struct med_search_result {
    const med_search_entry *entries;
    size_t n;
    bool has_total;
    uint64_t total;
    bool total_is_estimate;
    bool includes_cut;   /* one match alone includes more than a page holds */
    bool early;          /* the page ended before it was full: see med_search_bound */
    const med_str *plan; /* explain=true: how it was run, a line each */
    size_t n_plan;
    med_str next; /* page token for the next page, empty at the end */
} med_search_result;

/* The same in two steps, for those who ask the price first: what is found out for it is not found
 * out again. `a`, `v` and `page` are those of both steps. NULL with *err. */
typedef struct med_run med_search;
med_search *med_search_begin(med_view *v, med_arena *a, const med_query *q, med_str page,
                             uint64_t *cost, med_err *err) MED_MUST_CHECK;
/* Would it cost less with full-text lists that are not made yet, or not as far as that, or never
 * of a parameter that was added? */
enum med_search_lacks { MED_LACKS_NOTHING, MED_LACKS_LISTS, MED_LACKS_LISTS_OF_ADDED };
enum med_search_lacks med_search_lacks(const med_search *begun);
/* A page that is not full by then (monotonic) ends there, with what it has, perhaps nothing, and
 * with a `next` behind the last candidate it looked at. Each page gets on, however late it is. What
 * has to see all matches (a total, an order that no index has) is not bounded by this. */
void med_search_bound(med_search *begun, int64_t until);
bool med_search_end(const med_search_schema *s, med_search *begun, med_search_result *out,
                    med_err *err) MED_MUST_CHECK;

/* `page`: token from an earlier result's `next`, or empty. */
bool med_search_run(const med_search_schema *s, med_view *v, med_arena *a, const med_query *q,
                    med_str page, med_search_result *out, med_err *err) MED_MUST_CHECK;
/* Only identities: at most `limit` matches, for conditional interactions (limit 2) and guards. */
typedef struct med_match {
    med_rid rid;
    uint32_t type;
    med_str id;
    uint32_t version;
} med_match;
bool med_search_match(const med_search_schema *s, med_view *v, med_arena *a, const med_query *q,
                      size_t limit, med_match **out, size_t *n, med_err *err) MED_MUST_CHECK;

#endif
