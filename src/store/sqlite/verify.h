/* verify.h - what the parts of verify share. Private to store/sqlite/. */
#ifndef MED_STORE_SQLITE_VERIFY_H
#define MED_STORE_SQLITE_VERIFY_H

#include "store/list_check.h"
#include "store/sqlite/sqlite_impl.h"

struct verifying {
    struct sqlite_store *s;
    struct sqlite_view *v;
    med_verify *to;
    med_arena *a; /* emptied for each page */
    med_err *err;
    med_list_check *lists;
    bool window_ends; /* before going on, the lists are to be read */
    size_t rows;      /* of the page */
};

/* One look at the store: false when it could not go on. */
typedef bool (*verify_page)(struct verifying *x, void *at, bool *more);
/* Looks page by page, each in a snapshot of its own, and again when one was cut off. */
bool med_verify_pages(struct verifying *x, verify_page page, void *at);
/* Steps to the next row of the page. False behind its last one, and when the page has taken its
 * time or memory: then, too, *rc is SQLITE_DONE, and the next page goes on. */
bool med_verify_step(struct verifying *x, sqlite3_stmt *stmt, int *rc);
bool med_verify_is_enough(const struct verifying *x);

void med_verify_fault(struct verifying *x, const char *kind, med_str where, const char *what);
/* *err says what is wrong with one row: a fault if it is damage, else the end (false). */
bool med_verify_failed(struct verifying *x, const char *kind, med_str where, const med_err *err);

/* verify_index.c: index rows, counters and the map of ids against the resources. */
bool med_verify_index(struct verifying *x);
/* verify_lists.c: the full-text lists against the window of resources. */
bool med_verify_begin_lists(struct verifying *x);
bool med_verify_lists(struct verifying *x);
/* verify_parts.c: long values against the versions that hold them. */
bool med_verify_parts(struct verifying *x);

#endif
