/* run.h - private to search/: a query bound to a view, its candidates and their verification. */
#ifndef MED_SEARCH_RUN_H
#define MED_SEARCH_RUN_H

#include "search/extract.h"
#include "search/query.h"

struct med_run;
typedef struct med_rid_set med_rid_set;

/* A clause with its keys as this view knows them. */
typedef struct med_bound {
    const med_clause *clause;
    const uint64_t
        *keys; /* TOKEN: hashes; REFERENCE, ID, CHAIN, HAS: rids (the last three sorted) */
    size_t n_keys;
    const uint64_t *hubs; /* REFERENCE: the hashes of `keys`, when all of them are hubs */
    size_t n_hubs;
    uint64_t estimate;       /* rows */
    bool guessed;            /* the estimate is a guess */
    uint16_t probes;         /* so far; see med_run_check */
    const uint64_t *members; /* all that have the clause's rows, sorted, once it was worth it */
    size_t n_members;
    struct med_rid_set *having; /* MISSING: those that have a value, once it was worth it */
    bool looked;                /* rows were looked at for it */
    bool known;                 /* the estimate is of those that match, though it can not drive */
    bool exact;                 /* the estimate is the number of resources that match */
    bool can_drive;             /* its rows in the index include all that match */
    bool can_probe;             /* a probe a candidate decides it */
    bool needs_body;            /* only the resource decides it */
    bool decided;               /* the plan's stream brings only what matches */
    bool by_rows;               /* could be probed, but the candidate's rows tell it as well */
    bool listed;          /* the keys are rids of candidates (lookup.c), which drive and probe */
    bool unlisted;        /* lists would serve it, but are not made, or not as far as that */
    bool listless;        /* unlisted for ever: of a parameter that was added */
    bool blind;           /* TOKEN: there may be rows under keys that nobody knows */
    struct med_run *sub;  /* HAS that is decided candidate by candidate */
    struct med_run **any; /* ANY that is: n_any runs, of which one must match */
    size_t n_any;
    bool no_any;                      /* or none */
    const struct med_pair_key *pairs; /* COMPOSITE whose rows have code and value (pair.h) */
    size_t n_pairs;
    bool paired;       /* it is one */
    uint64_t of_codes; /* and that many have its codes */
} med_bound;

/* What brings the candidates. */
enum med_drive {
    MED_DRIVE_TYPE,          /* the type's list, by last update */
    MED_DRIVE_CLAUSE,        /* rows of one clause */
    MED_DRIVE_PATIENT,       /* a patient's compartment, by time */
    MED_DRIVE_PATIENT_TOKEN, /* the same, of one code */
    MED_DRIVE_DATE,          /* all rows of the date that is sorted by */
};

typedef struct med_plan {
    enum med_drive how;
    uint8_t clause;  /* CLAUSE, PATIENT_TOKEN */
    uint8_t patient; /* PATIENT, PATIENT_TOKEN: the clause that names the patient */
    uint8_t hub;     /* CLAUSE, of a date: of what refers to the hubs of clause hub - 1 (hub.h) */
    bool ordered;    /* candidates come in the order that is asked for */
    bool ascending;
    bool by_key;       /* CLAUSE: one target after the other, not merged */
    uint64_t cost;     /* microseconds, about */
    uint64_t rows;     /* candidates in all, about */
    uint64_t expected; /* candidates that will do, about */
} med_plan;

typedef struct med_run {
    const med_query *q;
    med_view *view;
    med_arena *arena;   /* the caller's: for results */
    med_arena *scratch; /* for one candidate */
    med_bound bound[MED_CLAUSES];
    uint64_t of_type; /* resources of the type */
    bool as_set;      /* only which resources match counts, so a resource may come repeatedly */
    med_plan plan;
    bool hub_counted;  /* a hub and a date may drive together (med_hub_find), and: */
    uint64_t of_hub;   /* rows that they have, about */
    uint64_t before;   /* microseconds that inner queries take, about */
    uint64_t examined; /* candidates so far */
    int64_t began;     /* monotonic: when it was asked to explain itself, 0 else */
    int64_t until;     /* monotonic: when a page ends even if it is not full; 0: never */
    bool kept;         /* the resource that was read last is in `arena` */
    size_t wanted;     /* of the stream at hand, 0 when not known; see med_scan */
    size_t first; /* `wanted` of the stream that will be the first; 0: nothing is known of it */
    med_str page; /* where it goes on; empty: at the beginning */
} med_run;

/* Rows counted by looking at them; more are an estimate. */
enum { MED_PROBE_ROWS = 32 };

/* Keys and estimates of all clauses. `dry`: only what is cheap, to know the cost. */
bool med_run_bind(med_run *r, bool dry, med_err *err) MED_MUST_CHECK;
/* Asks at once for what binding will look up, where questions are dear (foresee.c). */
bool med_run_foresee(const med_run *r, med_err *err) MED_MUST_CHECK;
/* Chooses how to bring candidates; `sorted`: the order that is asked for counts. */
void med_run_choose(med_run *r, bool sorted);
/* Does the clause bound the search by one patient's compartment? A chain does once it has led to
 * one patient. */
bool med_clause_names_patient(const med_query *q, const med_clause *c);
bool med_bound_names_patient(const med_run *r, const med_bound *b);
/* Is the order that is asked for that of a patient's rows? */
bool med_run_sorts_by_when(const med_run *r);
/* Takes a plan, and notes which clauses it decides. */
void med_run_use(med_run *r, med_plan plan);
/* The plan that clause i drives, and clause `date` among what refers to the hubs of another. */
med_plan med_plan_of_clause(const med_run *r, size_t i);
med_plan med_plan_of_hub(const med_run *r, size_t date, size_t reference);
/* Counters know the total of a type, and of one code. */
bool med_run_knows_total(const med_run *r, uint64_t *total);
/* Counts rows of the clauses whose estimates are guesses, each up to a limit. */
bool med_run_look_deeper(med_run *r, uint64_t limit, med_err *err) MED_MUST_CHECK;
/* When more candidates were examined than expected: is there a plan that costs less, all in all,
 * than what was spent already? Then it is taken; the page begins anew. */
bool med_run_reconsider(med_run *r, bool sorted, bool *better, med_err *err) MED_MUST_CHECK;
/* A run of another query in the same view. NULL with *err. */
med_run *med_run_sub(const med_run *r, const med_query *q, bool dry, med_err *err);

/* ---- stream: candidates in the driver's order ---- */
typedef struct med_stream med_stream;
/* All of an index's rows of a parameter, to be narrowed. */
med_scan med_stream_scan(enum med_index index, uint32_t param);
typedef struct med_position {
    int64_t value;
    double real;
    med_str text;
    med_rid rid;   /* 0 = from the start */
    uint8_t phase; /* 1: those without the date that is sorted by */
    bool unsure;   /* whether the driver's clause holds must be decided on the resource */
} med_position;

med_stream *med_stream_open(med_run *r, const med_position *after, med_err *err) MED_MUST_CHECK;
/* The text of *out is valid until the next call. */
enum med_found med_stream_next(med_stream *s, med_position *out, med_err *err);
void med_stream_close(med_stream *s);
/* Does one resource come up several times in this stream (several names, several dates)? */
bool med_stream_repeats(const med_run *r);

/* ---- verification ---- */
/* Does the candidate match all clauses (probes first, then the body if any clause needs it)?
 * The body is read into *out when it was needed or `want_body`. `at` is its place in the
 * stream, for the rule that a resource counts at its first place only. */
bool med_run_check(med_run *r, const med_position *at, bool want_body, med_stored *out,
                   bool *matches, med_err *err) MED_MUST_CHECK;
/* Does the parameter's index say that a candidate has the value that it is to lack (missing.c)? */
bool med_missing_rules_out(med_run *r, med_bound *b, med_rid rid, bool *out,
                           med_err *err) MED_MUST_CHECK;
/* One clause on the rows that the index has of the candidate: yes, no, or only its text can say. */
enum med_verdict { MED_VERDICT_NO, MED_VERDICT_YES, MED_VERDICT_OPEN };
bool med_rows_have(const med_rows *rows, uint32_t number, const uint32_t also[2]);
enum med_verdict med_rows_verdict(const med_bound *b, const med_rows *rows);
/* A resource, or one inside of it, whose rows are taken out when they are asked for. */
typedef struct med_candidate {
    const med_json *j;
    uint32_t root;
    med_type type;
    med_rows folded, raw;
    bool has_folded, has_raw;
} med_candidate;
bool med_candidate_rows(const med_run *r, med_candidate *c, med_err *err) MED_MUST_CHECK;
/* Does a clause that is not about the store's columns hold of it? */
bool med_clause_holds(med_run *r, const med_bound *b, med_candidate *c, bool *yes,
                      med_err *err) MED_MUST_CHECK;
/* One clause on extracted rows. */
bool med_clause_matches(const med_clause *c, const med_rows *rows);
/* Composites: on the tape. */
bool med_composite_matches(med_run *r, const med_clause *c, const med_candidate *at, bool *yes,
                           med_err *err) MED_MUST_CHECK;
/* _text, _content, near: on the tape (special.c). */
bool med_special_matches(med_arena *a, const med_clause *c, const med_json *j, bool *yes,
                         med_err *err) MED_MUST_CHECK;
/* How well a text answers _text and _content, and all of a page (score.c). */
bool med_query_has_score(const med_query *q);
bool med_run_score(const med_run *r, med_str text, double *out, med_err *err) MED_MUST_CHECK;
bool med_run_score_page(const med_run *r, med_search_entry *entries, size_t n,
                        med_err *err) MED_MUST_CHECK;
/* How it ran, in words, into out->plan (explain.c). */
bool med_run_explain(const med_run *r, med_search_result *out, med_err *err) MED_MUST_CHECK;
/* CHAIN and HAS: keys, and the verdict on a candidate. */
bool med_bind_chain(med_run *r, med_bound *b, bool dry, med_err *err) MED_MUST_CHECK;
bool med_bind_has(med_run *r, med_bound *b, bool dry, med_err *err) MED_MUST_CHECK;
bool med_chain_matches(med_run *r, const med_bound *b, const med_rows *rows, bool *yes,
                       med_err *err) MED_MUST_CHECK;
bool med_has_matches(med_run *r, const med_bound *b, med_rid rid, bool *yes,
                     med_err *err) MED_MUST_CHECK;
/* ANY: the list of those that match one of the queries, or runs to ask candidate by candidate
 * (any.c). */
bool med_bind_any(med_run *r, med_bound *b, bool dry, med_err *err) MED_MUST_CHECK;
bool med_any_matches(med_run *r, const med_bound *b, med_rid rid, bool *yes,
                     med_err *err) MED_MUST_CHECK;
/* The same without what it contains (contained.c asks). */
bool med_any_itself(const med_bound *b, const med_stored *stored, med_arena *scratch, bool *yes,
                    med_err *err) MED_MUST_CHECK;
/* _contained: does one inside of a resource match; and what matched in place of what contains it
 * (contained.c). */
bool med_contained_matches(med_run *sub, const med_stored *container, bool *yes,
                           med_err *err) MED_MUST_CHECK;
bool med_run_take_contained(med_run *r, med_search_result *out, med_err *err) MED_MUST_CHECK;
/* Words and parts of strings: candidates out of the full-text lists (lookup.c). */
bool med_bind_lists(med_run *r, med_bound *b, med_err *err) MED_MUST_CHECK;
/* :above and :below: the keys, and all that is over or under them (hierarchy.c). */
bool med_bind_tree(med_run *r, med_bound *b, med_err *err) MED_MUST_CHECK;
bool med_sorted_has(const uint64_t *keys, size_t n, uint64_t key);

/* A growing list of rids. */
typedef struct med_rid_list {
    med_arena *arena;
    uint64_t *at;
    size_t n, room;
} med_rid_list;

/* Sorted, each once, of all that match; as_set must be set. */
bool med_run_rids(med_run *r, med_rid_list *out, med_err *err) MED_MUST_CHECK;
bool med_rid_list_add(med_rid_list *l, uint64_t rid, med_err *err) MED_MUST_CHECK;
void med_rid_list_finish(med_rid_list *l);

/* ---- includes ---- */
/* Adds what the query includes of the matches matches[0, *n_matches), of which only the first
 * *n_matches stay where all of them would include too much. */
bool med_run_include(med_run *r, const med_search_entry *matches, size_t *n_matches,
                     med_search_result *out, med_err *err) MED_MUST_CHECK;

#endif
