/* verify_lists.c - the full-text lists against the resources (store/list_check.h). */
#include "store/postgres/verify.h"

static bool begin_page(struct verifying *x, void *arg, bool *more)
{
    (void)arg;
    *more = false;
    return med_list_check_begin(x->lists, &x->v->base, x->err);
}

bool med_pg_begin_lists(struct verifying *x)
{
    return med_pg_verify_pages(x, begin_page, NULL);
}

/* What its text was is not said. */
static bool check_block(struct verifying *x, const PGresult *r, int i)
{
    med_err err = {0};
    med_rid first = (med_rid)med_pg_int_at(r, i, 2);
    if (med_list_check_block(x->lists, (uint64_t)med_pg_int_at(r, i, 0), med_pg_bytes_at(r, i, 1),
                             first, med_pg_bytes_at(r, i, 3), &err))
        return true;
    x->to->list_faults += err.issue == MED_ISSUE_EXCEPTION;
    med_str where = med_list_fault_place(x->a, &x->s->names, NULL, first);
    return med_pg_fault_or_fail(x, "lists", where, &err);
}

static bool block_page(struct verifying *x, void *arg, bool *more)
{
    med_list_at *at = arg;
    struct pg_parameters p = {0};
    med_pg_int(&p, at->list);
    med_pg_bytes(&p, at->term);
    med_pg_int(&p, at->first);
    PGresult *r = med_pg_view_ask(x->v, STATEMENT_ALL_BLOCKS, &p, x->err);
    bool good = r != NULL;
    int n = good ? PQntuples(r) : 0;
    for (int i = 0; good && i < n; i++)
        good = check_block(x, r, i);
    *more = n > 0;
    good = good
           && (n == 0
               || med_list_at_keep(at, med_pg_int_at(r, n - 1, 0), med_pg_bytes_at(r, n - 1, 1),
                                   med_pg_int_at(r, n - 1, 2), x->err));
    PQclear(r);
    return good;
}

static void tell(void *arg, const med_stored *s, med_rid rid, const char *what)
{
    struct verifying *x = arg;
    x->to->list_faults++;
    med_pg_fault(x, "lists", med_list_fault_place(x->a, &x->s->names, s, rid), what);
}

static bool settle_page(struct verifying *x, void *arg, bool *more)
{
    (void)arg;
    return med_list_check_settle(x->lists, &x->v->base, tell, x, more, x->err);
}

bool med_pg_verify_lists(struct verifying *x)
{
    med_list_at at;
    med_list_at_begin(&at);
    if (!x->window_ends)
        med_list_check_last(x->lists);
    if (!med_list_check_is_on(x->lists))
        return true;
    return med_pg_verify_pages(x, block_page, &at) && med_pg_verify_pages(x, settle_page, NULL);
}
