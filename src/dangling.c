/* dangling.c - see dangling.h. */
#include "dangling.h"

enum { VIEW_SECONDS = 20, SECOND = 1000000, REFERRERS_MAX = 10000 };
#define ARENA_BYTES ((size_t)512 << 20)

typedef struct looking {
    med_dangling *d;
    med_arena *a, *one; /* of a page, of one referrer */
    med_view *view;
    med_err *err;
} looking;

static bool open_view(looking *x)
{
    const med_fhir *f = x->d->fhir;
    int64_t deadline = med_monotonic(f->clock) + (int64_t)VIEW_SECONDS * SECOND;
    x->view = med_store_view(f->store, x->d->slot, deadline, x->err);
    return x->view != NULL;
}

static void close_view(looking *x)
{
    if (x->view != NULL)
        med_view_end(x->view);
    x->view = NULL;
}

/* The local references of a resource. False only when that can not be told. */
static bool read_targets(looking *x, med_rid rid, med_stored *out, med_rows *rows)
{
    med_json j;
    const med_fhir *f = x->d->fhir;
    enum med_found found = med_view_by_rid(x->view, x->one, rid, out, x->err);
    *rows = (med_rows){0};
    if (found != MED_FOUND || out->change == MED_DELETED)
        return found != MED_FAILED;
    return med_json_parse(x->one, out->text, &j, NULL, x->err)
           && med_extract(f->schema, x->one, &j, 0, med_schema_pack_type(f->schema, out->type),
                          out->id, f->base, rows, x->err);
}

static med_str name_of(const looking *x, uint32_t type)
{
    const med_fhir *f = x->d->fhir;
    return med_type_name(f->pack, med_schema_pack_type(f->schema, type));
}

/* Tells the references of one resource to `target`; *n of them. */
static bool look_at(looking *x, med_rid referrer, med_rid target, uint64_t *n)
{
    med_stored from;
    med_rows rows;
    *n = 0;
    med_arena_reset(x->one);
    if (!read_targets(x, referrer, &from, &rows))
        return false;
    for (size_t i = 0; i < rows.n_targets; i++) {
        const med_target_row *t = &rows.targets[i];
        med_rid rid = 0;
        if (!med_view_rid(x->view, t->ident, &rid, x->err))
            return false;
        if (rid != target)
            continue;
        ++*n;
        if (x->d->found != NULL && x->d->references + *n <= x->d->most)
            x->d->found(x->d->arg, name_of(x, from.type), from.id, t->expression,
                        name_of(x, t->type), t->id);
    }
    return true;
}

/* All that refer to one target do it in the same way: what the first does not hold as a local
 * reference is a URL or canonical. */
static bool look_for(looking *x, med_rid target)
{
    med_rid *referrers;
    size_t n;
    if (!med_view_referrers(x->view, x->a, target, REFERRERS_MAX, &referrers, &n, x->err))
        return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t found = 0;
        if (!look_at(x, referrers[i], target, &found))
            return false;
        if (i == 0 && found == 0)
            return true;
        x->d->targets += i == 0;
        x->d->references += found;
    }
    return true;
}

static bool look_page(looking *x, med_rid *after, bool *done)
{
    med_rid *missing;
    size_t n;
    med_arena_reset(x->a);
    bool good = open_view(x) && med_view_missing(x->view, x->a, after, &missing, &n, done, x->err);
    close_view(x);
    for (size_t i = 0; good && i < n; i++) {
        if (x->d->go_on != NULL && !x->d->go_on(x->d->arg))
            return MED_FAIL(x->err, MED_ISSUE_INCOMPLETE, "cancelled");
        good = open_view(x) && look_for(x, missing[i]);
        close_view(x);
    }
    return good;
}

bool med_dangling_find(med_dangling *d, med_err *err)
{
    looking x = {
        .d = d, .a = med_arena_new(ARENA_BYTES), .one = med_arena_new(ARENA_BYTES), .err = err};
    bool good = x.a != NULL && x.one != NULL ? true : MED_FAIL_MEMORY(err);
    med_rid after = 0;
    d->references = 0;
    d->targets = 0;
    for (bool done = false; good && !done;)
        good = look_page(&x, &after, &done);
    med_arena_free(x.a);
    med_arena_free(x.one);
    return good;
}
