/* stream.c - candidates of a plan: cursors over the index, merged in one order.
 *
 * A clause with several values, or a date range over four span classes, is several cursors;
 * they are merged by (value, rid), descending unless the plan says otherwise. Rows that a scan
 * covers but no value of the clause matches are left out here. A position names the last
 * candidate, so that a page goes on strictly behind it. */
#include <assert.h>
#include <math.h>

#include "search/hub.h"
#include "search/pair.h"

enum { STREAM_CURSORS = 4096 };

enum order {
    BY_RID,
    BY_INT,
    BY_REAL,
    BY_TEXT,
    BY_KEY,  /* one cursor after the other, by target */
    BY_LIST, /* rids that are known: no cursor */
};

typedef struct text_room {
    char *at;
    size_t room;
} text_room;

typedef struct head {
    med_cursor *cursor;
    med_position at; /* rid 0: used up */
    text_room texts[2];
    uint8_t turn;
    uint16_t term;   /* whose row it is: DATE, QUANTITY, UPDATED; of a COMPOSITE the pair */
    uint8_t measure; /* QUANTITY */
} head;

struct med_stream {
    med_run *run;
    head *heads;
    size_t n, room;
    enum order order;
    bool down;
    uint8_t phase;
    med_rid last;
    med_position after; /* BY_KEY: where the page before ended */
    size_t next;        /* BY_LIST, BY_KEY: index of the next key + 1, counted down */
};

static const med_bound *driver_of(const med_run *r)
{
    return &r->bound[r->plan.clause];
}

static bool is_keyed(const med_clause *c)
{
    return c->kind == MED_CLAUSE_TOKEN || c->kind == MED_CLAUSE_REFERENCE
           || c->kind == MED_CLAUSE_CHAIN || c->modifier == MED_MODIFIER_IDENTIFIER;
}

static enum order order_of_clause(const med_bound *b)
{
    const med_clause *c = b->clause;
    if (b->listed)
        return BY_LIST;
    if (is_keyed(c))
        return BY_RID;
    switch (c->kind) {
    case MED_CLAUSE_DATE:
    case MED_CLAUSE_UPDATED:
        return BY_INT;
    case MED_CLAUSE_QUANTITY:
    case MED_CLAUSE_COMPOSITE:
        return BY_REAL;
    case MED_CLAUSE_STRING:
    case MED_CLAUSE_URI:
        return BY_TEXT;
    case MED_CLAUSE_ID:
    case MED_CLAUSE_HAS:
    case MED_CLAUSE_ANY:
        return BY_LIST;
    case MED_CLAUSE_TOKEN:
    case MED_CLAUSE_REFERENCE:
    case MED_CLAUSE_CHAIN:
    case MED_CLAUSE_COMPARTMENT:
    case MED_CLAUSE_SPECIAL:
        break;
    }
    return BY_RID;
}

static enum order order_of(const med_run *r)
{
    if (r->plan.how != MED_DRIVE_CLAUSE)
        return BY_INT;
    return r->plan.by_key ? BY_KEY : order_of_clause(driver_of(r));
}

static bool one_unit(const med_clause *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->terms[i].n_measures > 1
            || c->terms[i].measures[0].unit != c->terms[0].measures[0].unit)
            return false;
    }
    return true;
}

bool med_stream_repeats(const med_run *r)
{
    if (r->plan.how != MED_DRIVE_CLAUSE)
        return false;
    const med_clause *c = driver_of(r)->clause;
    switch (order_of(r)) {
    case BY_INT:
        return !c->single;
    case BY_REAL:
        return !c->single
               || (c->kind == MED_CLAUSE_COMPOSITE ? driver_of(r)->n_pairs > 1 : !one_unit(c));
    case BY_TEXT:
        return !c->single;
    case BY_RID:
    case BY_KEY:
    case BY_LIST:
        break;
    }
    return false;
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
    case BY_KEY:
    case BY_LIST:
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

/* ---- reading one cursor ---- */

static bool keep_text(med_run *r, head *h, med_str text, med_str *out)
{
    enum { TEXT_ROOM = 128 };
    text_room *t = &h->texts[h->turn ^= 1];
    if (t->room < text.len || t->at == NULL) {
        t->room = text.len > TEXT_ROOM ? text.len : TEXT_ROOM;
        t->at = MED_TAKE(r->arena, t->room, char);
    }
    if (t->at == NULL)
        return false;
    memcpy(t->at, text.ptr, text.len);
    *out = (med_str){t->at, text.len};
    return true;
}

static bool term_has(const med_clause *c, const head *h, size_t term, const med_hit *hit,
                     bool *sure)
{
    const med_term *t = &c->terms[term];
    bool this_sure = true;
    bool yes = c->kind == MED_CLAUSE_QUANTITY
                   ? med_measure_may_match(t->prefix, &t->measures[h->measure], hit->real,
                                           hit->real_high, &this_sure)
                   : med_term_matches_date(t, (med_interval){hit->value, hit->value_high});
    *sure = *sure && this_sure;
    return yes;
}

/* Of a parameter with one value at most, every other clause about it must hold of this row. */
static bool others_match(const med_run *r, const head *h, const med_hit *hit, bool *sure)
{
    for (size_t i = 0; i < r->q->n; i++) {
        const med_clause *other = r->bound[i].clause;
        bool any = i == r->plan.clause || !r->bound[i].decided;
        for (size_t k = 0; !any && k < other->n; k++)
            any = term_has(other, h, k, hit, sure);
        if (!any)
            return false;
    }
    return true;
}

static bool row_matches(const med_run *r, const head *h, const med_hit *hit, bool *sure)
{
    const med_clause *c = driver_of(r)->clause;
    *sure = true;
    if (r->plan.how == MED_DRIVE_CLAUSE && c->kind == MED_CLAUSE_COMPOSITE)
        return med_pair_may_match(&driver_of(r)->pairs[h->term], hit->real, hit->real_high, sure);
    if (r->plan.how != MED_DRIVE_CLAUSE
        || (c->kind != MED_CLAUSE_DATE && c->kind != MED_CLAUSE_QUANTITY))
        return true;
    return term_has(c, h, h->term, hit, sure) && others_match(r, h, hit, sure);
}

static bool advance(med_stream *s, head *h, med_err *err)
{
    med_hit hit;
    bool hub = s->run->plan.hub != 0, sure = !hub;
    enum med_found found;
    do {
        found = med_cursor_next(h->cursor, &hit, err);
    } while (found == MED_FOUND && !hub && !row_matches(s->run, h, &hit, &sure));
    if (hub)
        hit.value = found == MED_FOUND ? med_hub_moment(hit.real) : 0;
    h->at = (med_position){.text = MED_STR_EMPTY};
    if (found != MED_FOUND)
        return found == MED_ABSENT;
    h->at = (med_position){hit.value, hit.real, MED_STR_EMPTY, hit.rid, s->phase, !sure};
    return s->order != BY_TEXT || keep_text(s->run, h, hit.text, &h->at.text)
               ? true
               : MED_FAIL_MEMORY(err);
}

/* ---- opening ---- */

static bool too_many(med_err *err)
{
    return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the search has too many alternatives; narrow it");
}

/* A cursor whose range lies behind the place as a whole begins at its own start: a place outside
 * would let in what is between. (A range that lies before the place is empty then, by itself.) */
static bool is_all_behind(const med_stream *s, const med_scan *scan, const med_position *after)
{
    switch (s->order) {
    case BY_INT:
        return s->down ? after->value > scan->high_int : after->value < scan->low_int;
    case BY_REAL:
        return s->down ? after->real > scan->high_real : after->real < scan->low_real;
    case BY_TEXT:
        if (med_str_starts(after->text, scan->low_text)
            && (scan->high_text.len == 0 || after->text.len == scan->low_text.len))
            return false;
        return s->down == (med_str_compare(after->text, scan->low_text) > 0);
    case BY_RID:
    case BY_KEY:
    case BY_LIST:
        break;
    }
    return false;
}

static bool add(med_stream *s, med_scan *scan, size_t term, size_t measure,
                const med_position *after, med_err *err)
{
    scan->descending = s->down;
    scan->wanted = s->run->wanted;
    if (after != NULL && after->rid != 0 && !is_all_behind(s, scan, after)) {
        scan->after_int = after->value;
        scan->after_real = after->real;
        scan->after_text = after->text;
        scan->after_rid = after->rid;
    }
    if (s->n == s->room)
        return too_many(err);
    head *h = &s->heads[s->n];
    h->term = (uint16_t)term;
    h->measure = (uint8_t)measure;
    h->cursor = med_view_scan(s->run->view, scan, err);
    if (h->cursor == NULL)
        return false;
    s->n++;
    return true;
}

med_scan med_stream_scan(enum med_index index, uint32_t param)
{
    return (med_scan){.index = index,
                      .param = param,
                      .low_int = MED_TIME_MIN,
                      .high_int = MED_TIME_MAX,
                      .low_real = -(double)INFINITY,
                      .high_real = (double)INFINITY,
                      .low_text = MED_STR_EMPTY,
                      .high_text = MED_STR_EMPTY,
                      .after_text = MED_STR_EMPTY};
}

/* The range of `low` that rows of one span class can have to match the term. */
static med_interval date_range(const med_term *t, int64_t bound)
{
    assert(t != NULL);
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

static void narrow(med_interval *range, med_interval by)
{
    range->low = by.low > range->low ? by.low : range->low;
    range->high = by.high < range->high ? by.high : range->high;
}

/* What all clauses about this one date leave over. */
static void narrow_by_others(const med_run *r, const med_clause *c, int64_t bound,
                             med_interval *range)
{
    for (size_t i = 0; i < r->q->n; i++) {
        const med_clause *other = r->bound[i].clause;
        if (other != c && r->bound[i].decided && other->n == 1)
            narrow(range, date_range(&other->terms[0], bound));
    }
}

/* The rows of one span class: all, or those of the hubs that drive, too. */
static bool open_class(med_stream *s, const med_clause *c, size_t term, unsigned class,
                       med_interval range, const med_position *after, med_err *err)
{
    const med_run *r = s->run;
    bool hub = r->plan.hub != 0;
    med_scan scan = med_stream_scan(hub ? MED_INDEX_QUANTITY : MED_INDEX_DATE, c->number);
    scan.low_int = range.low;
    scan.high_int = range.high;
    scan.low_real = med_hub_number(range.low);
    scan.high_real = med_hub_number(range.high);
    scan.key = class;
    if (!hub)
        return add(s, &scan, term, 0, after, err);
    const med_bound *b = &r->bound[r->plan.hub - 1];
    for (size_t i = 0; i < b->n_hubs; i++) {
        scan.key = med_hub_unit(b->hubs[i], class);
        if (!add(s, &scan, term, 0, after, err))
            return false;
    }
    return true;
}

static bool open_dates(med_stream *s, const med_clause *c, size_t term, const med_position *after,
                       med_err *err)
{
    for (unsigned class = 0; class < MED_SPAN_CLASSES; class ++) {
        int64_t bound = med_span_class_bound[class];
        med_interval range = {MED_TIME_MIN, MED_TIME_MAX};
        if (s->run->plan.how == MED_DRIVE_CLAUSE) {
            range = date_range(&c->terms[term], bound);
            narrow_by_others(s->run, c, bound, &range);
        }
        if (range.low <= range.high && !open_class(s, c, term, class, range, after, err))
            return false;
    }
    return true;
}

static bool open_updated(med_stream *s, const med_term *t, size_t term, const med_position *after,
                         med_err *err)
{
    const med_query *q = s->run->q;
    med_scan scan = med_stream_scan(MED_INDEX_UPDATED, 0);
    bool several = q->type == MED_TYPE_NONE;
    const med_type *types = several ? q->types : &q->type;
    if (t != NULL) {
        /* shown to the millisecond: the column may be up to one later */
        med_interval range = date_range(t, 1000);
        scan.low_int = range.low;
        scan.high_int = range.high > MED_TIME_MAX - 1000 ? range.high : range.high + 1000;
    }
    for (size_t i = 0; i < (several ? q->n_types : 1); i++) {
        med_scan one = scan;
        one.param = med_schema_type(q->schema, types[i]);
        if (!add(s, &one, term, 0, after, err))
            return false;
    }
    return true;
}

typedef struct real_range {
    double low, high;
} real_range;

/* The range of `low` that matching rows have. A Range may begin anywhere below what it reaches; a
 * plain number begins where it ends. */
static real_range range_of(const med_clause *c, enum med_prefix prefix, const med_measure *m)
{
    real_range all = {-(double)INFINITY, (double)INFINITY};
    switch (prefix) {
    case MED_PREFIX_EQ:
        return (real_range){m->near_low, m->near_high};
    case MED_PREFIX_SA:
        all.low = m->near_value;
        break;
    case MED_PREFIX_LT:
    case MED_PREFIX_LE:
    case MED_PREFIX_EB:
        all.high = m->near_value;
        break;
    case MED_PREFIX_AP:
        all.high = m->near_high;
        all.low = c->ranges ? all.low : m->near_low;
        break;
    case MED_PREFIX_GT:
    case MED_PREFIX_GE:
        all.low = c->ranges ? all.low : m->near_value;
        break;
    case MED_PREFIX_NE:
        break;
    }
    return all;
}

/* What all clauses about this one number leave over. */
static real_range narrowed(const med_run *r, const med_clause *c, const med_term *t, size_t measure)
{
    real_range range = range_of(c, t->prefix, &t->measures[measure]);
    for (size_t i = 0; i < r->q->n; i++) {
        const med_clause *other = r->bound[i].clause;
        if (other == c || !r->bound[i].decided || other->n != 1)
            continue;
        real_range by = range_of(c, other->terms[0].prefix, &other->terms[0].measures[measure]);
        range.low = by.low > range.low ? by.low : range.low;
        range.high = by.high < range.high ? by.high : range.high;
    }
    return range;
}

/* The rows of one unit: those of the clause's parameter, or of the two that it is made of. */
static bool open_unit(med_stream *s, const med_clause *c, uint64_t unit, real_range range,
                      size_t term, size_t measure, const med_position *after, med_err *err)
{
    const uint32_t params[] = {c->also[0] != 0 ? c->also[0] : c->number, c->also[1]};
    for (size_t i = 0; i < 2 && params[i] != 0; i++) {
        med_scan scan = med_stream_scan(MED_INDEX_QUANTITY, params[i]);
        scan.key = unit;
        scan.low_real = range.low;
        scan.high_real = range.high;
        if (!add(s, &scan, term, measure, after, err))
            return false;
    }
    return true;
}

static bool open_quantities(med_stream *s, const med_clause *c, size_t term,
                            const med_position *after, med_err *err)
{
    const med_term *t = &c->terms[term];
    for (size_t i = 0; i < t->n_measures; i++) {
        if (!open_unit(s, c, t->measures[i].unit, narrowed(s->run, c, t, i), term, i, after, err))
            return false;
    }
    return true;
}

static bool open_pairs(med_stream *s, const med_bound *b, const med_position *after, med_err *err)
{
    for (size_t i = 0; i < b->n_pairs; i++) {
        const med_pair_key *p = &b->pairs[i];
        const med_term *t = &p->value->terms[0];
        real_range range = range_of(p->value, t->prefix, &t->measures[p->measure]);
        if (!open_unit(s, b->clause, p->unit, range, i, p->measure, after, err))
            return false;
    }
    return true;
}

static bool open_text(med_stream *s, const med_clause *c, size_t term, const med_position *after,
                      med_err *err)
{
    const med_term *t = &c->terms[term];
    bool uri = c->kind == MED_CLAUSE_URI;
    med_scan scan = med_stream_scan(uri ? MED_INDEX_URI : MED_INDEX_STRING, c->number);
    med_str low = t->folded;
    if (low.len > MED_STRING_KEY) { /* cut where rows are cut: not inside a character */
        low.len = MED_STRING_KEY;
        while (low.len > 0 && ((unsigned char)low.ptr[low.len] & 0xC0) == 0x80)
            low.len--;
    }
    scan.low_text = uri ? t->text : low;
    bool below = uri && c->modifier == MED_MODIFIER_BELOW; /* all that begins with the text */
    if (uri && !below && !med_arena_copy(s->run->arena, t->text, &scan.high_text))
        return MED_FAIL_MEMORY(err);
    if (uri && !below) /* up to the same text with a zero byte behind it */
        scan.high_text.len++;
    return add(s, &scan, term, 0, after, err);
}

static med_scan key_scan(const med_bound *b, uint64_t key)
{
    bool token =
        b->clause->kind == MED_CLAUSE_TOKEN || b->clause->modifier == MED_MODIFIER_IDENTIFIER;
    med_scan scan =
        med_stream_scan(token ? MED_INDEX_TOKEN : MED_INDEX_REFERENCE, b->clause->number);
    scan.key = key;
    return scan;
}

static bool open_keys(med_stream *s, const med_bound *b, const med_position *after, med_err *err)
{
    for (size_t i = 0; i < b->n_keys; i++) {
        med_scan scan = key_scan(b, b->keys[i]);
        if (!add(s, &scan, 0, 0, after, err))
            return false;
    }
    return true;
}

/* Lists and targets go down from the highest key, or from the one a page ended with. */
static void start_list(med_stream *s, const med_bound *b, const med_position *after)
{
    s->next = b->n_keys;
    s->after = after != NULL ? *after : (med_position){.text = MED_STR_EMPTY};
    if (after == NULL || after->rid == 0)
        return;
    uint64_t key = s->order == BY_LIST ? after->rid : (uint64_t)after->value;
    while (s->next > 0 && b->keys[s->next - 1] > key)
        s->next--;
    if (s->order == BY_LIST && s->next > 0 && b->keys[s->next - 1] == key)
        s->next--;
}

static bool open_clause(med_stream *s, const med_position *after, med_err *err)
{
    const med_bound *b = driver_of(s->run);
    const med_clause *c = b->clause;
    if (s->order == BY_LIST || s->order == BY_KEY) {
        start_list(s, b, after);
        return true;
    }
    if (s->order == BY_RID)
        return open_keys(s, b, after, err);
    if (c->kind == MED_CLAUSE_COMPOSITE)
        return open_pairs(s, b, after, err);
    for (size_t i = 0; i < c->n; i++) {
        bool ok = c->kind == MED_CLAUSE_DATE       ? open_dates(s, c, i, after, err)
                  : c->kind == MED_CLAUSE_UPDATED  ? open_updated(s, &c->terms[i], i, after, err)
                  : c->kind == MED_CLAUSE_QUANTITY ? open_quantities(s, c, i, after, err)
                                                   : open_text(s, c, i, after, err);
        if (!ok)
            return false;
    }
    return true;
}

static bool open_patient(med_stream *s, const med_position *after, med_err *err)
{
    const med_run *r = s->run;
    if (r->bound[r->plan.patient].n_keys == 0)
        return true;
    uint64_t patient = r->bound[r->plan.patient].keys[0];
    if (r->plan.how == MED_DRIVE_PATIENT) {
        med_scan scan = med_stream_scan(MED_INDEX_PATIENT, 0);
        scan.type = med_schema_type(r->q->schema, r->q->type);
        scan.key = patient;
        return add(s, &scan, 0, 0, after, err);
    }
    const med_bound *b = driver_of(r);
    for (size_t i = 0; i < b->n_keys; i++) {
        med_scan scan = med_stream_scan(MED_INDEX_PATIENT_TOKEN, b->clause->number);
        scan.key = patient;
        scan.key2 = b->keys[i];
        if (!add(s, &scan, 0, 0, after, err))
            return false;
    }
    return true;
}

static bool open_plan(med_stream *s, const med_position *after, med_err *err)
{
    switch (s->run->plan.how) {
    case MED_DRIVE_CLAUSE:
        return open_clause(s, after, err);
    case MED_DRIVE_PATIENT:
    case MED_DRIVE_PATIENT_TOKEN:
        return open_patient(s, after, err);
    case MED_DRIVE_DATE:
        if (s->phase == 0) {
            const med_clause all = {.number = s->run->q->sort[0].number};
            return open_dates(s, &all, 0, after, err);
        }
        break;
    case MED_DRIVE_TYPE:
        break;
    }
    return open_updated(s, NULL, 0, after, err);
}

/* All cursors are there before the first is read: where the store is a network away, their first
 * rows come together. */
static bool start(med_stream *s, const med_position *after, med_err *err)
{
    bool good = open_plan(s, after, err);
    for (size_t i = 0; good && i < s->n; i++)
        good = advance(s, &s->heads[i], err);
    return good;
}

static size_t cursors(const med_run *r, enum order order)
{
    size_t types = r->q->type == MED_TYPE_NONE ? r->q->n_types : 1;
    if (r->plan.how == MED_DRIVE_PATIENT_TOKEN)
        return driver_of(r)->n_keys;
    if (r->plan.how != MED_DRIVE_CLAUSE)
        return types > MED_SPAN_CLASSES ? types : MED_SPAN_CLASSES;
    if (order == BY_KEY || order == BY_LIST)
        return 1;
    const med_bound *b = driver_of(r);
    size_t hubs = r->plan.hub != 0 ? r->bound[r->plan.hub - 1].n_hubs : 1;
    size_t each = b->clause->kind == MED_CLAUSE_DATE       ? MED_SPAN_CLASSES * hubs
                  : b->clause->kind == MED_CLAUSE_UPDATED  ? types
                  : b->clause->kind == MED_CLAUSE_QUANTITY ? 2 * MED_TERM_MEASURES
                                                           : 1;
    if (b->clause->kind == MED_CLAUSE_COMPOSITE)
        return 2 * b->n_pairs;
    return order == BY_RID ? b->n_keys : b->clause->n * each;
}

med_stream *med_stream_open(med_run *r, const med_position *after, med_err *err)
{
    med_stream *s = MED_TAKE(r->arena, 1, med_stream);
    enum order order = order_of(r);
    size_t room = cursors(r, order);
    head *heads = room > STREAM_CURSORS ? NULL : MED_TAKE(r->arena, room, head);
    if (s == NULL || heads == NULL) {
        (void)too_many(err);
        return NULL;
    }
    *s = (med_stream){.run = r,
                      .heads = heads,
                      .room = room,
                      .order = order,
                      .down = !r->plan.ascending,
                      .phase = after != NULL ? after->phase : 0};
    if (start(s, after, err))
        return s;
    med_stream_close(s);
    return NULL;
}

/* ---- reading ---- */

static head *best_head(med_stream *s)
{
    head *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        head *h = &s->heads[i];
        if (h->at.rid == 0)
            continue;
        int by = best == NULL ? 1 : compare(s->order, &h->at, &best->at);
        if (best == NULL || (s->down ? by > 0 : by < 0))
            best = h;
    }
    return best;
}

static enum med_found next_in_list(med_stream *s, med_position *out)
{
    if (s->next == 0)
        return MED_ABSENT;
    *out = (med_position){.text = MED_STR_EMPTY, .rid = driver_of(s->run)->keys[--s->next]};
    return MED_FOUND;
}

/* One target's rows after the other; the first may be continued behind `last`. */
static enum med_found next_by_key(med_stream *s, const med_position *after, med_position *out,
                                  med_err *err)
{
    const med_bound *b = driver_of(s->run);
    while (s->n == 0 || s->heads[0].at.rid == 0) {
        if (s->n > 0)
            med_cursor_close(s->heads[0].cursor);
        s->n = 0;
        if (s->next == 0)
            return MED_ABSENT;
        uint64_t key = b->keys[--s->next];
        med_scan scan = key_scan(b, key);
        bool same = after != NULL && (uint64_t)after->value == key;
        if (!add(s, &scan, 0, 0, same ? after : NULL, err) || !advance(s, &s->heads[0], err))
            return MED_FAILED;
    }
    *out = s->heads[0].at;
    out->value = (int64_t)b->keys[s->next];
    return advance(s, &s->heads[0], err) ? MED_FOUND : MED_FAILED;
}

/* The date that is sorted by may be missing: those come last, in the stream's second phase. */
static bool has_phases(const med_run *r)
{
    return r->plan.ordered && r->q->n_sort > 0 && r->q->sort[0].kind == MED_CLAUSE_DATE
           && r->plan.how != MED_DRIVE_CLAUSE;
}

static enum med_found next_merged(med_stream *s, med_position *out, med_err *err)
{
    for (;;) {
        head *h = best_head(s);
        if (h == NULL)
            return MED_ABSENT;
        *out = h->at;
        if (!advance(s, h, err))
            return MED_FAILED;
        if (out->rid != s->last)
            break;
    }
    s->last = out->rid;
    return MED_FOUND;
}

enum med_found med_stream_next(med_stream *s, med_position *out, med_err *err)
{
    if (s->order == BY_LIST)
        return next_in_list(s, out);
    if (s->order == BY_KEY)
        return next_by_key(s, s->after.rid != 0 ? &s->after : NULL, out, err);
    enum med_found found = next_merged(s, out, err);
    if (found != MED_ABSENT || s->phase != 0 || !has_phases(s->run))
        return found;
    med_stream_close(s);
    s->n = 0;
    s->last = 0;
    s->phase = 1;
    return start(s, NULL, err) ? next_merged(s, out, err) : MED_FAILED;
}

void med_stream_close(med_stream *s)
{
    for (size_t i = 0; s != NULL && i < s->n; i++)
        med_cursor_close(s->heads[i].cursor);
    if (s != NULL)
        s->n = 0;
}
