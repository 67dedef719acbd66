/* stream.c - candidates of a driving clause: cursors over the index, merged in one order.
 *
 * A clause with several values, or a date range over four span classes, is several cursors;
 * they are merged by (value, rid), descending. A position names the last candidate, so that a
 * page goes on strictly behind it. */
#include <math.h>

#include "search/run.h"

enum { STREAM_CURSORS = 4096 };

enum order { BY_RID, BY_INT, BY_REAL, BY_TEXT };

typedef struct head {
    med_cursor *cursor;
    med_position at; /* rid 0: used up */
} head;

struct med_stream {
    med_run *run;
    head *heads;
    size_t n;
    enum order order;
    med_rid last;
    const med_rid *list; /* _id: no cursor at all */
    size_t n_list, next_in_list;
};

static enum order order_of(const med_run *r, size_t driver)
{
    if (driver == SIZE_MAX)
        return BY_INT;
    const med_clause *c = r->bound[driver].clause;
    if (c->modifier == MED_MODIFIER_IDENTIFIER)
        return BY_RID;
    switch (c->kind) {
    case MED_CLAUSE_TOKEN:
    case MED_CLAUSE_REFERENCE:
    case MED_CLAUSE_ID:
        return BY_RID;
    case MED_CLAUSE_DATE:
    case MED_CLAUSE_UPDATED:
        return BY_INT;
    case MED_CLAUSE_QUANTITY:
        return BY_REAL;
    case MED_CLAUSE_STRING:
    case MED_CLAUSE_URI:
        return BY_TEXT;
    }
    return BY_RID;
}

bool med_stream_repeats(const med_run *r, size_t driver)
{
    return driver != SIZE_MAX && order_of(r, driver) != BY_RID
           && r->bound[driver].clause->kind != MED_CLAUSE_UPDATED;
}

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare(enum order order, const med_position *a, const med_position *b)
{
    int by = 0;
    switch (order) {
    case BY_RID:
        break;
    case BY_INT:
        by = compare_int(a->value, b->value);
        break;
    case BY_REAL:
        by = (a->real > b->real) - (a->real < b->real);
        break;
    case BY_TEXT:
        by = med_str_compare(a->text, b->text);
        break;
    }
    return by != 0 ? by : (a->rid > b->rid) - (a->rid < b->rid);
}

/* ---- opening ---- */

static bool advance(med_run *r, med_stream *s, head *h, med_err *err)
{
    med_hit hit;
    enum med_found found = med_cursor_next(h->cursor, &hit, err);
    h->at = (med_position){.text = MED_STR_EMPTY};
    if (found != MED_FOUND)
        return found == MED_ABSENT;
    h->at = (med_position){hit.value, hit.real, MED_STR_EMPTY, hit.rid};
    return s->order != BY_TEXT || med_arena_copy(r->arena, hit.text, &h->at.text)
               ? true
               : MED_FAIL_MEMORY(err);
}

static bool add(med_run *r, med_stream *s, med_scan *scan, const med_position *after, med_err *err)
{
    scan->descending = true;
    if (after != NULL && after->rid != 0) {
        scan->after_int = after->value;
        scan->after_real = after->real;
        scan->after_text = after->text;
        scan->after_rid = after->rid;
    }
    if (s->n == STREAM_CURSORS)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the search has too many alternatives");
    head *h = &s->heads[s->n];
    h->cursor = med_view_scan(r->view, scan, err);
    if (h->cursor == NULL)
        return false;
    s->n++;
    return advance(r, s, h, err);
}

/* The range of `low` that rows of one span class can have to match the term. */
static med_interval date_range(const med_term *t, int64_t bound)
{
    const med_interval q = t->span;
    med_interval all = {MED_TIME_MIN, MED_TIME_MAX};
    int64_t reach;
    /* a row that ends after x starts after x - bound */
    if (__builtin_sub_overflow(q.low, bound, &reach) || bound == MED_TIME_MAX)
        reach = MED_TIME_MIN;
    switch (t->prefix) {
    case MED_PREFIX_EQ:
        return (med_interval){q.low, q.high};
    case MED_PREFIX_GT:
    case MED_PREFIX_GE:
        return (med_interval){reach, MED_TIME_MAX};
    case MED_PREFIX_SA:
        return (med_interval){q.high, MED_TIME_MAX};
    case MED_PREFIX_LT:
    case MED_PREFIX_EB:
        return (med_interval){MED_TIME_MIN, q.low};
    case MED_PREFIX_LE:
        return (med_interval){MED_TIME_MIN, q.high};
    case MED_PREFIX_AP:
        return (med_interval){reach, q.high};
    case MED_PREFIX_NE:
        break;
    }
    return all;
}

static bool open_dates(med_run *r, med_stream *s, const med_clause *c, const med_term *t,
                       const med_position *after, med_err *err)
{
    for (uint64_t class = 0; class < MED_SPAN_CLASSES; class ++) {
        med_interval range = date_range(t, med_span_class_bound[class]);
        med_scan scan = {.index = MED_INDEX_DATE,
                         .param = c->number,
                         .key = class,
                         .low_int = range.low,
                         .high_int = range.high,
                         .low_text = MED_STR_EMPTY,
                         .high_text = MED_STR_EMPTY,
                         .after_text = MED_STR_EMPTY};
        if (!add(r, s, &scan, after, err))
            return false;
    }
    return true;
}

static bool open_updated(med_run *r, med_stream *s, const med_term *t, const med_position *after,
                         med_err *err)
{
    med_scan scan = {
        .index = MED_INDEX_UPDATED,
        .param = r->q->type == MED_TYPE_NONE ? 0 : med_schema_type(r->q->schema, r->q->type),
        .low_int = MED_TIME_MIN,
        .high_int = MED_TIME_MAX,
        .low_text = MED_STR_EMPTY,
        .high_text = MED_STR_EMPTY,
        .after_text = MED_STR_EMPTY};
    if (t != NULL) {
        med_interval range = date_range(t, 0);
        scan.low_int = range.low;
        scan.high_int = range.high;
    }
    return add(r, s, &scan, after, err);
}

/* Doubles are compared exactly later; the range is one step wider on each side. */
static bool open_quantities(med_run *r, med_stream *s, const med_clause *c, const med_term *t,
                            const med_position *after, med_err *err)
{
    med_scan scan = {.index = MED_INDEX_QUANTITY,
                     .param = c->number,
                     .key = t->unit,
                     .low_real = -INFINITY,
                     .high_real = INFINITY,
                     .low_text = MED_STR_EMPTY,
                     .high_text = MED_STR_EMPTY,
                     .after_text = MED_STR_EMPTY};
    switch (t->prefix) {
    case MED_PREFIX_EQ:
        scan.low_real = nextafter(t->low, -INFINITY);
        scan.high_real = nextafter(t->high, INFINITY);
        break;
    case MED_PREFIX_SA:
        scan.low_real = t->value;
        break;
    case MED_PREFIX_LT:
    case MED_PREFIX_LE:
    case MED_PREFIX_EB:
        scan.high_real = nextafter(t->value, INFINITY);
        break;
    case MED_PREFIX_AP:
        scan.high_real = nextafter(t->high, INFINITY);
        break;
    case MED_PREFIX_GT:
    case MED_PREFIX_GE:
    case MED_PREFIX_NE:
        break; /* a Range may begin anywhere below */
    }
    return add(r, s, &scan, after, err);
}

static bool open_texts(med_run *r, med_stream *s, const med_clause *c, med_str low, med_str high,
                       enum med_index index, const med_position *after, med_err *err)
{
    med_scan scan = {.index = index,
                     .param = c->number,
                     .low_text = low,
                     .high_text = high,
                     .after_text = MED_STR_EMPTY};
    return add(r, s, &scan, after, err);
}

static bool open_term(med_run *r, med_stream *s, const med_clause *c, const med_term *t,
                      const med_position *after, med_err *err)
{
    switch (c->kind) {
    case MED_CLAUSE_DATE:
        return open_dates(r, s, c, t, after, err);
    case MED_CLAUSE_UPDATED:
        return open_updated(r, s, t, after, err);
    case MED_CLAUSE_QUANTITY:
        return open_quantities(r, s, c, t, after, err);
    case MED_CLAUSE_STRING:
        return open_texts(r, s, c, med_str_sub(t->folded, 0, MED_STRING_KEY), MED_STR_EMPTY,
                          MED_INDEX_STRING, after, err);
    case MED_CLAUSE_URI:
        return open_texts(r, s, c, t->text, MED_STR_EMPTY, MED_INDEX_URI, after, err);
    case MED_CLAUSE_TOKEN:
    case MED_CLAUSE_REFERENCE:
    case MED_CLAUSE_ID:
        break;
    }
    return true;
}

static bool open_keys(med_run *r, med_stream *s, const med_bound *b, const med_position *after,
                      med_err *err)
{
    bool token =
        b->clause->kind == MED_CLAUSE_TOKEN || b->clause->modifier == MED_MODIFIER_IDENTIFIER;
    for (size_t i = 0; i < b->n_keys; i++) {
        med_scan scan = {.index = token ? MED_INDEX_TOKEN : MED_INDEX_REFERENCE,
                         .param = b->clause->number,
                         .key = b->keys[i],
                         .low_text = MED_STR_EMPTY,
                         .high_text = MED_STR_EMPTY,
                         .after_text = MED_STR_EMPTY};
        if (!add(r, s, &scan, after, err))
            return false;
    }
    return true;
}

/* The rids of _id, highest first. */
static bool open_list(med_run *r, med_stream *s, const med_bound *b, const med_position *after,
                      med_err *err)
{
    med_rid *list = MED_TAKE(r->arena, b->n_keys, med_rid);
    if (list == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < b->n_keys; i++) {
        size_t k = s->n_list;
        if (after != NULL && after->rid != 0 && b->keys[i] >= after->rid)
            continue;
        for (; k > 0 && list[k - 1] < b->keys[i]; k--)
            list[k] = list[k - 1];
        list[k] = b->keys[i];
        s->n_list++;
    }
    s->list = list;
    return true;
}

static bool open_driver(med_run *r, med_stream *s, size_t driver, const med_position *after,
                        med_err *err)
{
    if (driver == SIZE_MAX)
        return open_updated(r, s, NULL, after, err);
    const med_bound *b = &r->bound[driver];
    if (b->clause->kind == MED_CLAUSE_ID)
        return open_list(r, s, b, after, err);
    if (order_of(r, driver) == BY_RID)
        return open_keys(r, s, b, after, err);
    for (size_t i = 0; i < b->clause->n; i++) {
        if (!open_term(r, s, b->clause, &b->clause->terms[i], after, err))
            return false;
    }
    return true;
}

med_stream *med_stream_open(med_run *r, size_t driver, const med_position *after, med_err *err)
{
    size_t room = 1;
    med_stream *s = MED_TAKE(r->arena, 1, med_stream);
    if (driver != SIZE_MAX)
        room = r->bound[driver].n_keys + r->bound[driver].clause->n * MED_SPAN_CLASSES + 1;
    head *heads = room > STREAM_CURSORS ? NULL : MED_TAKE(r->arena, room, head);
    if (s == NULL || heads == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the search has too many alternatives");
        return NULL;
    }
    s->run = r;
    s->heads = heads;
    s->order = order_of(r, driver);
    if (open_driver(r, s, driver, after, err))
        return s;
    med_stream_close(s);
    return NULL;
}

/* ---- reading ---- */

static head *highest(med_stream *s)
{
    head *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        head *h = &s->heads[i];
        if (h->at.rid != 0 && (best == NULL || compare(s->order, &h->at, &best->at) > 0))
            best = h;
    }
    return best;
}

static enum med_found next_in_list(med_stream *s, med_position *out)
{
    if (s->next_in_list == s->n_list)
        return MED_ABSENT;
    *out = (med_position){.text = MED_STR_EMPTY, .rid = s->list[s->next_in_list++]};
    return MED_FOUND;
}

enum med_found med_stream_next(med_stream *s, med_position *out, med_err *err)
{
    if (s->list != NULL)
        return next_in_list(s, out);
    for (;;) {
        head *h = highest(s);
        if (h == NULL)
            return MED_ABSENT;
        *out = h->at;
        if (!advance(s->run, s, h, err))
            return MED_FAILED;
        if (out->rid != s->last)
            break;
    }
    s->last = out->rid;
    return MED_FOUND;
}

void med_stream_close(med_stream *s)
{
    for (size_t i = 0; s != NULL && i < s->n; i++)
        med_cursor_close(s->heads[i].cursor);
}
