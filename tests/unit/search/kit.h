/* kit.h - what the tests of search/ share: a store in a temporary directory with a schema. */
#ifndef MED_TESTS_SEARCH_KIT_H
#define MED_TESTS_SEARCH_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "search/search.h"
#include "store/sqlite/sqlite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct kit {
    char path[64], dir[48];
    med_store *store;
    med_arena *arena, *forever;
    const med_search_schema *schema;
    med_terms terms, all_terms;
    med_terms_known known;
    int64_t skew;
    size_t include_limit;
    const med_search_codes *codes; /* or NULL */
    med_clock clock;
    bool postgres; /* in a database of its own */
    char database[200];
};

struct kit *kit_new(bool postgres);
void kit_free(struct kit *k);
void kit_open_again(struct kit *k);
/* One as MEDULLA_TEST_STORE says. */

int kit_setup(void **state);
int kit_teardown(void **state);
/* JSON with ' for ". */
med_str kit_json(struct kit *k, const char *text);
med_rows kit_rows(struct kit *k, med_str json, med_str *type, med_str *id);
void kit_put(struct kit *k, const char *json);
void kit_delete(struct kit *k, const char *type, const char *id);
/* "Patient?name=x&...", "?_type=..." or "Patient/1/Observation?..." */
const med_query *kit_query(struct kit *k, const char *url, med_err *err);
/* All pages; ids joined by ",", includes in brackets; "" when nothing. */
med_str kit_search(struct kit *k, const char *url, med_search_result *first);
med_view *kit_view(struct kit *k);
/* Brings the full-text lists to the end of the feed. */
void kit_list(struct kit *k);

/* A table of searches: ids joined by "," sorted by name (checked at once, page by page, and
 * against the total), ids in the answer's order with includes in brackets, or a part of what a
 * refusal says. */
struct kit_case {
    const char *url, *expected;
};
void kit_check_finds(struct kit *k, const struct kit_case *cases, size_t n);
void kit_check_orders(struct kit *k, const struct kit_case *cases, size_t n);
void kit_check_refuses(struct kit *k, const struct kit_case *cases, size_t n);

#endif
