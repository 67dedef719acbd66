/* page.h - private to search/: page tokens. A token names the place of the last candidate in
 * the stream of its plan (or its place in the sorted list), sealed by the store: it shows nothing,
 * can not be made up, and is good for its query and caller only. */
#ifndef MED_SEARCH_PAGE_H
#define MED_SEARCH_PAGE_H

#include "search/run.h"

typedef struct med_page {
    med_plan plan;
    med_position place;
} med_page;

bool med_page_write(const med_run *r, const med_page *page, med_str *out,
                    med_err *err) MED_MUST_CHECK;
/* MED_ISSUE_VALUE (400) when the token is not of this query and store. */
bool med_page_read(const med_query *q, med_arena *a, med_str token, med_page *out,
                   med_err *err) MED_MUST_CHECK;

/* A page of a query with _sort whose plan has no order (sorted.c): `page` is NULL for the
 * first. Entries are read in full only for the page. */
bool med_run_sorted(med_run *r, const med_page *page, size_t room, med_search_entry *entries,
                    size_t *n, med_position *last, size_t *total, bool *more,
                    med_err *err) MED_MUST_CHECK;

#endif
