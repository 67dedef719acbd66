/* query_parse.h - private to search/: what the files that parse a query share. */
#ifndef MED_SEARCH_QUERY_PARSE_H
#define MED_SEARCH_QUERY_PARSE_H

#include "search/query.h"

typedef struct med_query_parser {
    med_arena *arena;
    const med_search_options *options;
    med_query *q;
    bool conditional;
    unsigned depth; /* of chains */
    med_buf self;
    med_str *ignored;
} med_query_parser;

/* An empty query; NULL past the arena's ceiling. */
med_query *med_query_new(const med_search_schema *s, med_arena *a, med_type type, med_str base);
/* The clause a parameter makes, without its values. *param may be NULL. */
bool med_clause_of(med_query_parser *p, med_str name, med_clause *c, med_param *param,
                   med_err *err) MED_MUST_CHECK;
/* Adds the clause name=value to the query. */
bool med_query_read_clause(med_query_parser *p, med_str full, med_str value,
                           med_err *err) MED_MUST_CHECK;
bool med_query_read_include(med_query_parser *p, med_str value, bool reverse,
                            med_err *err) MED_MUST_CHECK;
/* Index rows of this parameter are looked at when candidates are decided. */
void med_query_want(med_query_parser *p, uint32_t row);

#endif
