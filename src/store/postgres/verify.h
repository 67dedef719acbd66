/* verify.h - what the parts of verify share. Private to store/postgres/. */
#ifndef MED_STORE_POSTGRES_VERIFY_H
#define MED_STORE_POSTGRES_VERIFY_H

#include "base/portion.h"
#include "store/list_check.h"
#include "store/postgres/postgres_impl.h"

struct verifying {
    struct pg_store *s;
    struct pg_view *v;
    med_verify *to;
    med_arena *a;     /* emptied for each page */
    med_portion rows; /* of a page of versions or resources */
    med_err *err;
    med_list_check *lists;
    bool window_ends; /* before going on, the lists are to be read */
};

/* One look at the store: false when it could not go on. */
typedef bool (*verify_page)(struct verifying *x, void *at, bool *more);
/* Looks page by page, each in a snapshot of its own, and again when one was too much. */
bool med_pg_verify_pages(struct verifying *x, verify_page page, void *at);

void med_pg_fault(struct verifying *x, const char *kind, med_str where, const char *what);
/* *err says what is wrong with one row: a fault if it is damage, else the end (false). */
bool med_pg_fault_or_fail(struct verifying *x, const char *kind, med_str where, const med_err *err);

/* verify_index.c: index rows, counters and the map of ids against the resources. */
bool med_pg_verify_all_rows(struct verifying *x);
/* verify_lists.c: the full-text lists against the window of resources. */
bool med_pg_begin_lists(struct verifying *x);
bool med_pg_verify_lists(struct verifying *x);

#endif
