/* verify_lists.c - the full-text lists against the resources (store/list_check.h). */
#include "store/sqlite/verify.h"

static bool begin_page(struct verifying *x, void *arg, bool *more)
{
    (void)arg;
    *more = false;
    return med_list_check_begin(x->lists, &x->v->base, x->err);
}

bool med_verify_begin_lists(struct verifying *x)
{
    return med_verify_pages(x, begin_page, NULL);
}

/* What its text was is not said. */
static bool check_block(struct verifying *x, sqlite3_stmt *stmt)
{
    med_err err = {0};
    med_rid first = (med_rid)sqlite3_column_int64(stmt, 2);
    if (med_list_check_block(x->lists, (uint64_t)sqlite3_column_int64(stmt, 0),
                             med_statement_str(stmt, 1), first, med_statement_str(stmt, 3), &err))
        return true;
    x->to->list_faults += err.issue == MED_ISSUE_EXCEPTION;
    med_str where = med_list_fault_place(x->a, &x->s->names, NULL, first);
    return med_verify_failed(x, "lists", where, &err);
}

static bool block_page(struct verifying *x, void *arg, bool *more)
{
    med_list_at *at = arg;
    *more = false;
    if (!med_sqlite_enter(x->v, x->err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, STATEMENT_ALL_BLOCKS, x->err);
    med_str term = MED_STR_EMPTY;
    bool good = stmt != NULL && med_arena_copy(x->a, at->term, &term)
                && sqlite3_bind_int64(stmt, 1, at->list) == SQLITE_OK
                && med_statement_bind_str(stmt, 2, term)
                && sqlite3_bind_int64(stmt, 3, at->first) == SQLITE_OK;
    int rc = SQLITE_DONE;
    while (good && med_verify_step(x, stmt, &rc)) {
        good = check_block(x, stmt)
               && med_list_at_keep(at, sqlite3_column_int64(stmt, 0), med_statement_str(stmt, 1),
                                   sqlite3_column_int64(stmt, 2), x->err);
        *more = true;
    }
    (void)sqlite3_reset(stmt);
    if (stmt != NULL)
        (void)sqlite3_clear_bindings(stmt);
    if (good && rc != SQLITE_DONE)
        good = med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
    med_sqlite_leave(x->v);
    return good;
}

static void tell(void *arg, const med_stored *s, med_rid rid, const char *what)
{
    struct verifying *x = arg;
    x->to->list_faults++;
    med_verify_fault(x, "lists", med_list_fault_place(x->a, &x->s->names, s, rid), what);
}

static bool settle_page(struct verifying *x, void *arg, bool *more)
{
    (void)arg;
    return med_list_check_settle(x->lists, &x->v->base, tell, x, more, x->err);
}

bool med_verify_lists(struct verifying *x)
{
    med_list_at at;
    med_list_at_begin(&at);
    if (!x->window_ends)
        med_list_check_last(x->lists);
    if (!med_list_check_is_on(x->lists))
        return true;
    return med_verify_pages(x, block_page, &at) && med_verify_pages(x, settle_page, NULL);
}
