/* reindex.c - see reindex.h. */
#include "reindex.h"

enum {
    BATCH = 64,
    ENOUGH = 64 << 20, /* bytes, after which a batch ends */
    ARENA = 512 << 20,
    VIEW_SECONDS = 20,
    SECOND = 1000000,
    TRIES = 8
};
/* Clocks of nodes may differ: what was written up to then is visited. */
#define MARGIN (INT64_C(60) * SECOND)

typedef struct batch {
    med_reindex *r;
    const med_fhir *f;
    med_arena *arena;
    med_type type;
    uint32_t param; /* number of the parameter in the store, 0 if it is gone */
    med_write writes[BATCH];
    med_rid rids[BATCH];
    bool valued[BATCH]; /* the parameter has a value */
    size_t n;
    size_t looked;
    bool is_last; /* of its type */
    int64_t after;
    med_rid after_rid;
} batch;

/* ---- where the pass stands ---- */

static med_str type_at(const med_task_note *t)
{
    med_str rest = t->types, name = MED_STR_EMPTY;
    for (int64_t i = 0; i <= t->type; i++)
        name = med_str_cut(rest, ' ', &rest);
    return name;
}

static bool open_view(batch *b, med_view **v, med_err *err)
{
    int64_t deadline = med_monotonic(b->f->clock) + (int64_t)VIEW_SECONDS * SECOND;
    *v = med_store_view(b->f->store, b->r->slot, deadline, err);
    return *v != NULL;
}

/* The first batch: how much there is. The note of the lease was written behind all commits that
 * did not know the parameter. */
static bool count_all(batch *b, med_view *v, med_err *err)
{
    med_task_note *t = b->r->task;
    med_str rest = t->types;
    t->total = 0;
    while (rest.len > 0) {
        uint64_t n = 0;
        med_type type = med_pack_type(b->f->pack, med_str_cut(rest, ' ', &rest));
        if (!med_view_count_type(v, med_schema_type(b->f->schema, type), &n, err))
            return false;
        t->total += (int64_t)n;
    }
    t->until = med_now(b->f->clock) + MARGIN;
    t->after = MED_TIME_MIN;
    return true;
}

/* ---- rows ---- */

#define HAS(rows, list, number)                                                                    \
    for (size_t i = 0; i < (rows)->n_##list; i++) {                                                \
        if ((rows)->list[i].param == (number))                                                     \
            return true;                                                                           \
    }

static bool has_param(const med_rows *rows, uint32_t number)
{
    HAS(rows, tokens, number)
    HAS(rows, references, number)
    HAS(rows, dates, number)
    HAS(rows, strings, number)
    HAS(rows, quantities, number)
    HAS(rows, uris, number)
    return false;
}

static bool add_write(batch *b, const med_stored *s, med_err *err)
{
    med_json j;
    med_write *w = &b->writes[b->n];
    const med_fhir *f = b->f;
    *w = (med_write){.kind = MED_WRITE_PUT,
                     .type = s->type,
                     .id = s->id,
                     .text = MED_STR_EMPTY,
                     .packed = MED_STR_EMPTY,
                     .index_only = true,
                     .expect_version = s->version};
    if (!med_json_parse(b->arena, s->text, &j, NULL, err)
        || !med_extract(f->schema, b->arena, &j, 0, b->type, s->id, f->base, &w->rows, err)
        || !med_store_prepare(f->store, b->arena, w, err))
        return false;
    b->rids[b->n] = s->rid;
    b->valued[b->n++] = has_param(&w->rows, b->param);
    return true;
}

static bool read_batch(batch *b, med_view *v, med_err *err)
{
    const med_task_note *t = b->r->task;
    med_scan scan = {.index = MED_INDEX_UPDATED,
                     .param = med_schema_type(b->f->schema, b->type),
                     .low_int = t->after > MED_TIME_MIN ? t->after : INT64_MIN,
                     .high_int = t->until,
                     .after_int = t->after,
                     .after_rid = (med_rid)t->after_rid};
    med_hit hit;
    enum med_found found = MED_ABSENT;
    med_cursor *c = med_view_scan(v, &scan, err);
    bool ok = c != NULL;
    while (ok && b->looked < BATCH && med_arena_used(b->arena) < ENOUGH
           && (found = med_cursor_next(c, &hit, err)) == MED_FOUND) {
        med_stored s;
        enum med_found is = med_view_by_rid(v, b->arena, hit.rid, &s, err);
        ok = is != MED_FAILED
             && (is == MED_ABSENT || s.change == MED_DELETED || add_write(b, &s, err));
        b->looked++;
        b->after = hit.value;
        b->after_rid = hit.rid;
    }
    b->is_last = found == MED_ABSENT;
    med_cursor_close(c);
    return ok && found != MED_FAILED;
}

/* ---- writing and reading back ---- */

static bool commit(batch *b, bool *stale, med_err *err)
{
    med_commit c = {
        .writes = b->writes, .n_writes = b->n, .trace = MED_STR_EMPTY, .epoch = b->f->epoch};
    *stale = false;
    if (b->n == 0 || med_store_commit_wait(b->f->store, &c, err))
        return true;
    *stale = c.stale;
    return false;
}

static bool check_one(batch *b, med_view *v, size_t i, med_err *err)
{
    med_stored s;
    med_rows rows = {0};
    if (b->param == 0 || b->writes[i].outcome != MED_OUTCOME_UNCHANGED)
        return true;
    enum med_found found = med_view_rows(v, b->arena, b->rids[i], &s, &rows, err);
    if (found == MED_FAILED)
        return false;
    if (found == MED_ABSENT || s.version != b->writes[i].expect_version
        || has_param(&rows, b->param) == b->valued[i])
        return true;
    return MED_FAIL(err, MED_ISSUE_EXCEPTION,
                    "the index rows that were written are not there: verify the store");
}

static bool check(batch *b, med_err *err)
{
    med_view *v;
    if (b->n == 0)
        return true;
    if (!open_view(b, &v, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < b->n; i++)
        ok = check_one(b, v, i, err);
    med_view_end(v);
    return ok;
}

/* ---- a batch ---- */

static void advance(batch *b)
{
    med_task_note *t = b->r->task;
    for (size_t i = 0; i < b->n; i++)
        t->valued += b->valued[i];
    t->done += (int64_t)b->looked;
    t->after = b->after;
    t->after_rid = (int64_t)b->after_rid;
    if (!b->is_last)
        return;
    t->type++; /* the type is through */
    t->after = MED_TIME_MIN;
    t->after_rid = 0;
    if (type_at(t).len == 0)
        t->state = MED_TASK_DONE;
}

static bool prepare(batch *b, med_err *err)
{
    med_view *v;
    med_param p;
    med_task_note *t = b->r->task;
    b->f = med_editions_hold(b->r->editions, b->arena);
    if (b->f == NULL)
        return MED_FAIL_MEMORY(err);
    if (b->f->epoch <= t->serial) /* this node does not know the parameter yet */
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "the set of search parameters is being made");
    b->type = med_pack_type(b->f->pack, type_at(t));
    if (b->type == MED_TYPE_NONE)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the note of the task is damaged");
    if (med_pack_find_param(b->f->pack, b->type, t->code, &p) && med_str_eqz(t->kind, "index"))
        b->param = med_schema_number(b->f->schema, b->type, p.index);
    if (!open_view(b, &v, err))
        return false;
    bool ok = (t->until != 0 || count_all(b, v, err)) && read_batch(b, v, err);
    med_view_end(v);
    return ok;
}

static bool run(med_reindex *r, bool *stale, med_err *err)
{
    batch *b;
    med_arena *a = med_arena_new(ARENA);
    *stale = false;
    if (a == NULL || (b = MED_TAKE(a, 1, batch)) == NULL) {
        med_arena_free(a);
        return MED_FAIL_MEMORY(err);
    }
    b->r = r;
    b->arena = a;
    bool ok = prepare(b, err) && commit(b, stale, err) && check(b, err);
    if (ok)
        advance(b);
    med_arena_free(a);
    return ok;
}

bool med_reindex_batch(med_reindex *r, med_err *err)
{
    bool stale = true, ok = false;
    for (int i = 0; !ok && stale && i < TRIES; i++) {
        *err = (med_err){0};
        ok = run(r, &stale, err);
        if (!ok && stale && !med_editions_refresh(r->editions, false, err))
            return false;
    }
    if (ok)
        med_editions_progress(r->editions, r->task->id, (uint64_t)r->task->done,
                              (uint64_t)r->task->total);
    if (!ok && stale) /* not a note's conflict: go on later */
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "the search parameters change all the time");
    return ok;
}
