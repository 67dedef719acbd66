/* query_parse.h - private to search/: what the files that parse a query share. */
#ifndef MED_SEARCH_QUERY_PARSE_H
#define MED_SEARCH_QUERY_PARSE_H

#include "search/query.h"

typedef struct med_query_parser {
    med_arena *arena;
    const med_search_options *options;
    med_query *q;
    bool conditional;
    unsigned depth;                /* of chains */
    bool in_filter;                /* names may have what only _filter asks: ":equals", ":ends" */
    bool has_types;                /* _type was given */
    struct med_query_parser *each; /* of a search over several types: one a type */
    size_t n_each;
    enum med_contained_of contained;
    bool contained_alone; /* _containedType=contained */
    size_t n_before;      /* clauses before the parameter that is being read */
    med_buf self;
    med_str *ignored;
} med_query_parser;

/* What is searched, from _type and the options' scope; before all other parameters. */
bool med_query_read_scope(med_query_parser *p, const med_pairs *pairs, med_err *err) MED_MUST_CHECK;
/* A clause of every type that is searched. */
bool med_query_read_everywhere(med_query_parser *p, med_str name, med_str value,
                               med_err *err) MED_MUST_CHECK;
/* Joins the types' queries; after all other parameters. */
bool med_query_close_scope(med_query_parser *p, med_err *err) MED_MUST_CHECK;
/* With _contained, the question becomes one about containers; behind the others. */
bool med_query_close_contained(med_query_parser *p, med_err *err) MED_MUST_CHECK;
/* The query name=value on a type, as an alternative of p's; NULL with *err. */
const med_query *med_query_sub(const med_query_parser *p, med_type type, med_str name,
                               med_str value, med_err *err);
/* Says where: puts "PREFIX: " before the text of a failure. Returns false. */
bool med_query_err_in(med_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An empty query; NULL past the arena's ceiling. */
med_query *med_query_new(const med_search_schema *s, med_arena *a, med_type type, med_str base);
/* The clause a parameter makes, without its values. *param may be NULL. */
bool med_clause_of(med_query_parser *p, med_str name, med_clause *c, med_param *param,
                   med_err *err) MED_MUST_CHECK;
/* Adds the clause name=value to the query. */
bool med_query_read_clause(med_query_parser *p, med_str full, med_str value,
                           med_err *err) MED_MUST_CHECK;
bool med_query_read_include(med_query_parser *p, med_str modifier, med_str value, bool reverse,
                            med_err *err) MED_MUST_CHECK;
/* Refuses a parameter with the nearest name, or with those there are. */
bool med_query_unknown(med_query_parser *p, med_str name, med_err *err);
/* "exact" of a clause that has its kind. */
bool med_query_read_modifier(med_query_parser *p, const med_param *param, med_str modifier,
                             med_clause *c, med_err *err) MED_MUST_CHECK;
/* :above and :below of a reference: by which parameters its targets are part of each other. */
bool med_query_read_tree(med_query_parser *p, const med_param *param, med_clause *c,
                         med_err *err) MED_MUST_CHECK;
bool med_query_read_filter(med_query_parser *p, med_str text, med_err *err) MED_MUST_CHECK;
/* :above of a uri: all that the values are below. */
bool med_query_widen_uri(med_query_parser *p, med_clause *c, med_err *err) MED_MUST_CHECK;
/* May the reference point to that type? */
bool med_param_may_target(const med_param *param, med_type type);
/* Index rows of this parameter are looked at when candidates are decided. */
void med_query_want(med_query_parser *p, uint32_t row);

#endif
