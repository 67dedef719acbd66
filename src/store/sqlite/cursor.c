/* cursor.c - one range of one index: the table's rows and the deferred ones, in one order. */
#include <math.h>

#include "base/mem.h"
#include "store/sqlite/sqlite_impl.h"

/* ---- what a view sees of the deferred rows ---- */

static bool read_snapshot(struct sqlite_view *v, struct overlay *o, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_STATE, err);
    if (stmt == NULL)
        return false;
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        o->t = sqlite3_column_int64(stmt, 0);
        o->merged = sqlite3_column_int64(stmt, 3);
    }
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || med_sqlite_read_failed(v, rc, err) == MED_FOUND;
}

/* Generations that hold rows of the snapshot. */
static void choose(struct overlay *o, const struct generation *g)
{
    for (; g != NULL && o->n < MED_OVERLAY_DEPTH;
         g = atomic_load_explicit(&g->next, memory_order_acquire)) {
        if (atomic_load(&g->end) > o->merged && g->start < o->t)
            o->of[o->n++] = g;
    }
}

const struct overlay *med_sqlite_overlay(struct sqlite_view *v, med_err *err)
{
    struct sqlite_store *s = v->store;
    if (v->overlay_known)
        return &v->overlay;
    v->overlay = (struct overlay){.t = MED_DEFERRED_VOID - 1};
    if (v->writer) { /* within a group; what a direct one writes is newer than all of them */
        v->overlay.merged = s->merged;
        if (!s->direct)
            choose(&v->overlay, atomic_load(&s->deferred.oldest));
        return &v->overlay;
    }
    if (!read_snapshot(v, &v->overlay, err))
        return NULL;
    choose(&v->overlay, v->generations);
    v->overlay_known = true;
    return &v->overlay;
}

/* ---- the range of a scan ---- */

static enum table table_of(enum med_index index)
{
    switch (index) {
    case MED_INDEX_TOKEN:
        return TABLE_TOKEN;
    case MED_INDEX_REFERENCE:
        return TABLE_REFERENCE;
    case MED_INDEX_DATE:
        return TABLE_DATE;
    case MED_INDEX_STRING:
        return TABLE_STRING;
    case MED_INDEX_QUANTITY:
        return TABLE_QUANTITY;
    case MED_INDEX_URI:
        return TABLE_URI;
    case MED_INDEX_UPDATED:
        return TABLE_UPDATED;
    case MED_INDEX_PATIENT:
        return TABLE_PATIENT;
    case MED_INDEX_PATIENT_TOKEN:
        break;
    }
    return TABLE_PTOK;
}

/* Where a row has the part that a range bounds; NULL for text, and where none is bounded. */
static int64_t *ordered_part(enum med_index index, struct index_row *row)
{
    switch (index) {
    case MED_INDEX_TOKEN:
    case MED_INDEX_REFERENCE:
    case MED_INDEX_STRING:
    case MED_INDEX_URI:
        return NULL;
    case MED_INDEX_UPDATED:
        return &row->b;
    case MED_INDEX_DATE:
    case MED_INDEX_QUANTITY:
    case MED_INDEX_PATIENT:
        return &row->c;
    case MED_INDEX_PATIENT_TOKEN:
        break;
    }
    return &row->d;
}

static struct index_row common_key(const med_scan *q)
{
    struct index_row key = {.table = (uint8_t)table_of(q->index), .text = MED_STR_EMPTY};
    bool by_key = q->index == MED_INDEX_REFERENCE || q->index == MED_INDEX_PATIENT
                  || q->index == MED_INDEX_PATIENT_TOKEN;
    bool keyed =
        q->index == MED_INDEX_TOKEN || q->index == MED_INDEX_DATE || q->index == MED_INDEX_QUANTITY;
    key.a = by_key ? (int64_t)q->key : q->param;
    if (keyed)
        key.b = (int64_t)q->key;
    else if (q->index == MED_INDEX_PATIENT)
        key.b = q->type;
    else if (by_key)
        key.b = q->param;
    if (q->index == MED_INDEX_PATIENT_TOKEN)
        key.c = (int64_t)q->key2;
    return key;
}

static bool has_text(enum med_index index)
{
    return index == MED_INDEX_STRING || index == MED_INDEX_URI;
}

static bool copy_texts(struct scan_range *r, const med_scan *q, med_err *err)
{
    r->low_text = r->high_text = MED_STR_EMPTY;
    if (!has_text(q->index))
        return true;
    r->texts = med_alloc(q->low_text.len + q->high_text.len + 1, 1);
    if (r->texts == NULL)
        return MED_FAIL_MEMORY(err);
    memcpy(r->texts, q->low_text.ptr, q->low_text.len);
    memcpy(r->texts + q->low_text.len, q->high_text.ptr, q->high_text.len);
    r->low_text = (med_str){r->texts, q->low_text.len};
    r->high_text = (med_str){r->texts + q->low_text.len, q->high_text.len};
    return true;
}

static bool make_range(struct scan_range *r, const med_scan *q, med_err *err)
{
    bool real = q->index == MED_INDEX_QUANTITY;
    *r = (struct scan_range){.index = q->index,
                             .down = q->descending,
                             .all_types = q->index == MED_INDEX_PATIENT && q->type == 0,
                             .key = common_key(q),
                             .low = real ? med_double_to_key(q->low_real) : q->low_int,
                             .high = real ? med_double_to_key(q->high_real) : q->high_int};
    return copy_texts(r, q, err);
}

static bool text_in_range(const struct scan_range *r, med_str text)
{
    if (r->down)
        return med_str_compare(text, r->low_text) >= 0;
    return r->high_text.len > 0 ? med_str_compare(text, r->high_text) < 0
                                : med_str_starts(text, r->low_text);
}

/* Only the end that the walk goes towards: it began at the other. */
static bool in_range(const struct scan_range *r, const struct index_row *row)
{
    struct index_row copy = *row;
    if (row->a != r->key.a || (r->index != MED_INDEX_UPDATED && row->b != r->key.b)
        || (r->index == MED_INDEX_PATIENT_TOKEN && row->c != r->key.c))
        return false;
    if (has_text(r->index))
        return text_in_range(r, row->text);
    const int64_t *part = ordered_part(r->index, &copy);
    return part == NULL || (r->down ? *part >= r->low : *part <= r->high);
}

/* The text that is behind all that begins with `low`, in `room`; false when nothing is. */
static bool prefix_end(med_str low, char *room, med_str *out)
{
    while (low.len > 0 && (unsigned char)low.ptr[low.len - 1] == 0xff)
        low.len--;
    if (low.len == 0)
        return false;
    memcpy(room, low.ptr, low.len);
    room[low.len - 1] = (char)((unsigned char)room[low.len - 1] + 1);
    *out = (med_str){room, low.len};
    return true;
}

static void walk_from(struct cursor_overlay *o, const med_scan *q, const struct overlay *over,
                      const struct index_row *start)
{
    struct index_row from = *start;
    int64_t *part = ordered_part(q->index, &from);
    bool after = q->after_rid != 0;
    from.rid = after ? q->after_rid : q->descending ? INT64_MAX : 0;
    if (part != &from.d)
        from.d = q->descending ? INT64_MIN : INT64_MAX;
    if (part != NULL && after)
        *part = q->index == MED_INDEX_QUANTITY ? med_double_to_key(q->after_real) : q->after_int;
    else if (part != NULL)
        *part = q->descending ? o->range.high : o->range.low;
    med_overlay_walk(&o->walk, over, &from, q->descending);
}

static bool walk_texts(struct cursor_overlay *o, const med_scan *q, const struct overlay *over,
                       med_err *err)
{
    struct index_row from = o->range.key;
    char *room = NULL;
    if (q->after_rid != 0) {
        from.text = q->after_text;
    } else if (!q->descending) {
        from.text = q->low_text;
    } else if (q->high_text.len > 0) {
        from.text = q->high_text;
    } else {
        room = med_alloc(q->low_text.len + 1, 1);
        if (room == NULL)
            return MED_FAIL_MEMORY(err);
        if (!prefix_end(q->low_text, room, &from.text))
            from.a++; /* before the next parameter's first */
    }
    bool whole = q->after_rid != 0;
    from.rid = whole ? q->after_rid : 0;
    from.d = q->descending ? INT64_MIN : INT64_MAX;
    med_overlay_walk(&o->walk, over, &from, q->descending);
    med_free(room);
    return true;
}

/* ---- all types of a patient: by time ---- */

static int by_moment(const void *a, const void *b)
{
    return med_index_row_compare(a, b);
}

static int by_moment_down(const void *a, const void *b)
{
    return med_index_row_compare(b, a);
}

static bool is_wanted(const struct cursor_overlay *o, const med_scan *q,
                      const struct index_row *row)
{
    if (row->c < o->range.low || row->c > o->range.high)
        return false;
    if (q->after_rid == 0)
        return true;
    bool behind = row->c != q->after_int ? row->c > q->after_int : row->rid > q->after_rid;
    bool before = row->c != q->after_int ? row->c < q->after_int : row->rid < q->after_rid;
    return q->descending ? before : behind;
}

static bool collect(struct cursor_overlay *o, const med_scan *q, const struct overlay *over,
                    med_err *err)
{
    struct overlay_walk walk;
    struct index_row from = o->range.key;
    from.b = from.c = INT64_MIN;
    size_t cap = 0;
    const struct index_row *row = NULL;
    med_overlay_walk(&walk, over, &from, false);
    while ((row = med_overlay_next(&walk)) != NULL && row->a == o->range.key.a) {
        if (!is_wanted(o, q, row))
            continue;
        if (o->n == cap) {
            cap = cap == 0 ? 64 : cap * 2;
            struct index_row *bigger = med_realloc(o->list, cap, sizeof *bigger);
            if (bigger == NULL)
                return MED_FAIL_MEMORY(err);
            o->list = bigger;
        }
        o->list[o->n] = *row;
        o->list[o->n++].b = 0; /* the table's rows do not tell their type here */
    }
    if (o->n > 1)
        qsort(o->list, o->n, sizeof *o->list, q->descending ? by_moment_down : by_moment);
    return true;
}

/* ---- the cursor ---- */

static void take_deferred(struct cursor_overlay *o)
{
    if (o->range.all_types) {
        o->deferred = o->at < o->n ? &o->list[o->at++] : NULL;
        return;
    }
    o->deferred = med_overlay_next(&o->walk);
    if (o->deferred != NULL && !in_range(&o->range, o->deferred))
        o->deferred = NULL;
}

bool med_sqlite_cursor_begin(struct sqlite_cursor *c, const med_scan *q, const struct overlay *over,
                             med_err *err)
{
    struct cursor_overlay *o = &c->over;
    *o = (struct cursor_overlay){0};
    if (!make_range(&o->range, q, err))
        return false;
    o->on = over->n > 0;
    if (!o->on)
        return true;
    if (o->range.all_types) {
        if (!collect(o, q, over, err))
            return false;
    } else if (has_text(q->index)) {
        if (!walk_texts(o, q, over, err))
            return false;
    } else {
        walk_from(o, q, over, &o->range.key);
    }
    take_deferred(o);
    o->on = o->deferred != NULL;
    return true;
}

void med_sqlite_cursor_end(struct sqlite_cursor *c)
{
    med_free(c->over.range.texts);
    med_free(c->over.list);
    c->over = (struct cursor_overlay){0};
}

static void read_row(const struct sqlite_cursor *c, struct index_row *row)
{
    *row = c->over.range.key;
    row->rid = (med_rid)sqlite3_column_int64(c->stmt, 0);
    int64_t *part = ordered_part(c->index, row);
    if (has_text(c->index)) {
        row->text = med_statement_str(c->stmt, 1);
    } else if (c->index == MED_INDEX_QUANTITY) {
        row->c = med_double_to_key(sqlite3_column_double(c->stmt, 1));
        row->d = med_double_to_key(sqlite3_column_double(c->stmt, 2));
    } else if (part != NULL) {
        *part = sqlite3_column_int64(c->stmt, 1);
        if (c->index == MED_INDEX_DATE)
            row->d = sqlite3_column_int64(c->stmt, 2);
    }
}

static enum med_found step(struct sqlite_cursor *c, struct index_row *row, med_err *err)
{
    int rc = sqlite3_step(c->stmt);
    if (rc == SQLITE_ROW) {
        read_row(c, row);
        return MED_FOUND;
    }
    enum med_found found = rc == SQLITE_DONE
                               ? MED_ABSENT
                               : med_sqlite_read_failed(med_sqlite_of_view(c->base.view), rc, err);
    (void)sqlite3_reset(c->stmt);
    return found;
}

/* The order of the two rows at hand, as the scan goes; a missing one comes last. */
static int order_at_hand(const struct cursor_overlay *o)
{
    if (o->deferred == NULL || !o->has_row)
        return o->deferred == NULL ? -1 : 1;
    int order = med_index_row_compare(&o->row, o->deferred);
    return o->range.down ? -order : order;
}

enum med_found med_sqlite_cursor_next(struct sqlite_cursor *c, struct index_row *out, med_err *err)
{
    struct cursor_overlay *o = &c->over;
    if (!o->on)
        return step(c, out, err);
    for (;;) {
        if (!o->has_row && !o->row_over) {
            enum med_found found = step(c, &o->row, err);
            if (found == MED_FAILED)
                return found;
            o->has_row = found == MED_FOUND;
            o->row_over = !o->has_row;
        }
        if (!o->has_row && o->deferred == NULL)
            return MED_ABSENT;
        int order = order_at_hand(o);
        bool cut = order >= 0 && o->deferred->cut;
        *out = order < 0 ? o->row : *o->deferred;
        if (order <= 0)
            o->has_row = false;
        if (order >= 0)
            take_deferred(o);
        if (!cut)
            return MED_FOUND;
    }
}
