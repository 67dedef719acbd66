/* edition.c - see edition.h. */
#include "edition.h"

#include <pthread.h>

#include "base/mem.h"
#include "fhir/interactions.h"
#include "fhir/search_parameter.h"
#include "parameter_set.h"

enum {
    ARENA = 96 << 20,
    SLOTS = 2 * MED_ADDED_PARAMETERS,
    ID_MAX = 64,
    VIEW_SECONDS = 10,
    SECOND = 1000000,
    TRIES = 5,
};

typedef struct edition {
    med_fhir fhir;
    med_arena *arena; /* it lives there itself */
    struct med_editions *of;
    size_t holders;
    uint64_t signature; /* of what it was made from */
} edition;

typedef struct progress {
    char id[ID_MAX + 1];
    uint64_t serial;
    med_param_progress figures;
} progress;

struct med_editions {
    const med_fhir *base;
    unsigned slot;
    pthread_mutex_t lock; /* of `current` and the holders */
    edition *current;
    pthread_mutex_t making; /* one at a time looks, with the reader */
    int64_t newest;         /* t of the newest change of a SearchParameter that was looked at */
    bool looked;
    progress figures[SLOTS]; /* stay as long as this: editions point to them */
    size_t next_figure;
};

/* ---- holding ---- */

static void release(void *arg)
{
    edition *x = arg;
    med_editions *e = x->of;
    pthread_mutex_lock(&e->lock);
    bool over = --x->holders == 0;
    pthread_mutex_unlock(&e->lock);
    if (over)
        med_arena_free(x->arena);
}

const med_fhir *med_editions_hold(med_editions *e, med_arena *a)
{
    pthread_mutex_lock(&e->lock);
    edition *x = e->current;
    x->holders++;
    pthread_mutex_unlock(&e->lock);
    return med_arena_defer(a, release, x) ? &x->fhir : NULL;
}

static void replace(med_editions *e, edition *fresh)
{
    pthread_mutex_lock(&e->lock);
    edition *old = e->current;
    e->current = fresh;
    pthread_mutex_unlock(&e->lock);
    if (old != NULL)
        release(old);
}

/* For a call that was overtaken. */
static const med_fhir *newest(void *arg, med_arena *a, med_err *err)
{
    med_editions *e = arg;
    if (!med_editions_refresh(e, true, err))
        return NULL;
    const med_fhir *f = med_editions_hold(e, a);
    if (f == NULL)
        (void)MED_FAIL_MEMORY(err);
    return f;
}

/* ---- figures ---- */

static bool is_used(const med_parameter_set *set, const char *id)
{
    for (size_t i = 0; i < set->n; i++) {
        if (med_str_eqz(set->at[i].id, id))
            return true;
    }
    return false;
}

static progress *find_figure(med_editions *e, med_str id)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (e->figures[i].id[0] != '\0' && med_str_eqz(id, e->figures[i].id))
            return &e->figures[i];
    }
    return NULL;
}

/* The oldest that nobody of the set uses: there are twice as many as the set can have. */
static progress *take_figure(med_editions *e, const med_parameter_set *set, med_str id)
{
    progress *p = find_figure(e, id);
    if (p != NULL)
        return p;
    for (size_t i = 0; i < SLOTS; i++) {
        p = &e->figures[e->next_figure++ % SLOTS];
        if (is_used(set, p->id))
            continue;
        size_t len = id.len < ID_MAX ? id.len : ID_MAX;
        p->serial = 0;
        memcpy(p->id, id.ptr, len);
        p->id[len] = '\0';
        return p;
    }
    return NULL;
}

void med_editions_progress(med_editions *e, med_str id, uint64_t done, uint64_t total)
{
    pthread_mutex_lock(&e->making);
    progress *p = find_figure(e, id);
    if (p != NULL) {
        atomic_store(&p->figures.done, done);
        atomic_store(&p->figures.total, total);
    }
    pthread_mutex_unlock(&e->making);
}

/* ---- making one ---- */

typedef struct look {
    med_arena *arena;
    med_view *view;
    med_note *notes;
    size_t n;
    med_parameter_set set;
} look;

/* A task by its name; a zeroed one if there is none yet. */
static bool find_note(const look *l, med_str name, med_task_note *out, med_err *err)
{
    *out = (med_task_note){.name = name};
    for (size_t i = 0; i < l->n; i++) {
        if (med_str_eq(l->notes[i].name, name))
            return med_task_note_read(l->arena, &l->notes[i], out, err);
    }
    return name.len > 0 || MED_FAIL_MEMORY(err);
}

/* Of an entry. */
static bool find_task(const look *l, const med_added_param *p, med_task_note *out, med_err *err)
{
    return find_note(l, med_arena_printf(l->arena, "task:index:%.*s", MED_STR_ARG(p->id)), out,
                     err);
}

/* Rows that a later format has more of: their notes come with an upgrade, to a store that has
 * resources. */
static const med_str rows_tasks[MED_ADDED_ROWS] = {
    [MED_ROWS_OF_HUBS] = MED_LIT("task:rows:hubs"),
    [MED_ROWS_OF_PAIRS] = MED_LIT("task:rows:pairs"),
    [MED_ROWS_MARKED] = MED_LIT("task:rows:decimals"),
};

static bool find_rows(const look *l, enum med_added_rows rows, med_task_note *out, bool *lacking,
                      med_err *err)
{
    if (!find_note(l, rows_tasks[rows], out, err))
        return false;
    *lacking = out->revision != 0 && out->state != MED_TASK_DONE;
    return true;
}

static bool take_state(med_editions *e, const look *l, const med_added_param *p, progress **out,
                       bool *ready, med_err *err)
{
    med_task_note t;
    progress *g = take_figure(e, &l->set, p->id);
    if (g == NULL)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "too many search parameters were added");
    if (!find_task(l, p, &t, err))
        return false;
    bool of_this = t.revision != 0 && t.serial == p->serial;
    *ready = of_this && t.state == MED_TASK_DONE;
    atomic_store(&g->figures.stopped,
                 of_this && (t.state == MED_TASK_FAILED || t.state == MED_TASK_CANCELLED));
    if (g->serial != p->serial || t.done > (int64_t)atomic_load(&g->figures.done)) {
        atomic_store(&g->figures.done, of_this ? (uint64_t)t.done : 0);
        atomic_store(&g->figures.total, of_this ? (uint64_t)t.total : 0);
    }
    g->serial = p->serial;
    *out = g;
    return true;
}

static bool extend(med_editions *e, edition *x, const look *l, med_err *err)
{
    size_t n = 0;
    med_pack_param_extra *extra = MED_TAKE(x->arena, l->set.n, med_pack_param_extra);
    bool *ready = MED_TAKE(x->arena, l->set.n, bool);
    const med_param_progress **figures = MED_TAKE(x->arena, l->set.n, const med_param_progress *);
    if (extra == NULL || figures == NULL || ready == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < l->set.n; i++) {
        med_json j;
        bool active = false;
        progress *g;
        med_str text;
        if (l->set.at[i].removed)
            continue;
        if (!med_arena_copy(x->arena, l->set.at[i].definition, &text))
            return MED_FAIL_MEMORY(err);
        if (!take_state(e, l, &l->set.at[i], &g, &ready[n], err)
            || !med_json_parse(x->arena, text, &j, NULL, err)
            || !med_search_parameter_read(x->arena, e->base->pack, &j, 0, &active, &extra[n], err))
            return false;
        figures[n++] = &g->figures;
    }
    uint32_t first = (uint32_t)med_pack_param_count(e->base->pack);
    return n == 0
           || (med_pack_extend(x->arena, e->base->pack, extra, n, &x->fhir.pack, err)
               && med_search_schema_extended(x->arena, x->fhir.pack, x->fhir.store,
                                             x->fhir.zone_minutes, first, figures, ready,
                                             &x->fhir.schema, err)
               && med_capabilities_text(x->arena, &x->fhir, &x->fhir.capabilities, err));
}

static bool take_rows(edition *x, const look *l, med_err *err)
{
    for (enum med_added_rows i = 0; i < MED_ADDED_ROWS; i++) {
        med_task_note t;
        bool lacking;
        if (!find_rows(l, i, &t, &lacking, err))
            return false;
        if (lacking)
            x->fhir.schema = med_search_schema_without(x->arena, x->fhir.schema, i);
        if (x->fhir.schema == NULL)
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

static edition *make(med_editions *e, const look *l, uint64_t signature, med_err *err)
{
    med_arena *a = med_arena_new(ARENA);
    edition *x = a == NULL ? NULL : MED_TAKE(a, 1, edition);
    if (x == NULL) {
        med_arena_free(a);
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    *x = (edition){.fhir = *e->base, .arena = a, .of = e, .holders = 1, .signature = signature};
    x->fhir.epoch = l->set.revision + 1;
    x->fhir.since = med_monotonic(e->base->clock); /* its rows were made by now */
    x->fhir.newest = newest;
    x->fhir.newest_arg = e;
    if (extend(e, x, l, err) && take_rows(x, l, err))
        return x;
    med_arena_free(a);
    return NULL;
}

/* ---- looking ---- */

/* A change of any SearchParameter since the last look? */
static bool has_changed(med_editions *e, const look *l, bool *changed, med_err *err)
{
    const med_fhir *f = e->base;
    const med_history q = {
        .type = med_schema_type(f->schema, med_pack_type(f->pack, MED_STR("SearchParameter"))),
        .since = MED_TIME_MIN,
        .until = MED_TIME_MAX,
        .limit = 1};
    size_t n = 0;
    med_stored *newest_of = NULL;
    if (!med_view_history(l->view, l->arena, &q, &newest_of, &n, err))
        return false;
    int64_t t = n > 0 ? newest_of[0].t : 0;
    *changed = !e->looked || t != e->newest;
    e->looked = true;
    e->newest = t;
    return true;
}

static bool open_look(med_editions *e, med_arena *a, look *l, med_err *err)
{
    int64_t deadline = med_monotonic(e->base->clock) + (int64_t)VIEW_SECONDS * SECOND;
    *l = (look){.arena = a};
    if (a == NULL)
        return MED_FAIL_MEMORY(err);
    l->view = med_store_view(e->base->store, e->slot, deadline, err);
    return l->view != NULL && med_view_notes(l->view, l->arena, &l->notes, &l->n, err)
           && med_parameter_set_read(l->arena, l->notes, l->n, &l->set, err);
}

static void close_look(look *l)
{
    if (l->view != NULL)
        med_view_end(l->view);
}

/* Which entries' rows are gone? *any: one is. */
static bool find_over(const look *l, bool *over, bool *any, med_err *err)
{
    for (size_t i = 0; i < l->set.n; i++) {
        med_task_note t;
        const med_added_param *p = &l->set.at[i];
        if (!find_task(l, p, &t, err))
            return false;
        over[i] = p->removed && t.serial == p->serial && t.state == MED_TASK_DONE;
        *any = *any || over[i];
    }
    return true;
}

static bool sync_set(med_editions *e, look *l, bool *again, med_err *err)
{
    bool changed = false, any = false;
    bool *over = MED_TAKE(l->arena, l->set.n + 1, bool);
    *again = false;
    if (over == NULL)
        return MED_FAIL_MEMORY(err);
    if (!has_changed(e, l, &changed, err) || !find_over(l, over, &any, err))
        return false;
    if (!changed && !any)
        return true;
    bool ok = med_parameter_set_sync(e->base, l->view, l->arena, &l->set, over, again, err);
    if (!ok)
        e->looked = false;
    return ok;
}

/* The revision of the set, and which of it are ready. */
static bool sign(const look *l, uint64_t *out, med_err *err)
{
    static const med_hash_key key = {3, 4};
    med_hasher h;
    med_hasher_begin(&h, key);
    for (enum med_added_rows i = 0; i < MED_ADDED_ROWS; i++) {
        med_task_note t;
        bool lacking;
        if (!find_rows(l, i, &t, &lacking, err))
            return false;
        med_hasher_add(&h, lacking ? MED_STR("lacking") : MED_STR("there"));
    }
    for (size_t i = 0; i < l->set.n; i++) {
        med_task_note t;
        if (!find_task(l, &l->set.at[i], &t, err))
            return false;
        const uint64_t state[] = {t.serial, (uint64_t)t.state};
        med_hasher_add(&h, (med_str){(const char *)state, sizeof state});
    }
    med_hasher_add(&h, (med_str){(const char *)&l->set.revision, sizeof l->set.revision});
    *out = med_hasher_end(&h);
    return true;
}

static bool take_look(med_editions *e, bool sync, bool *again, med_err *err)
{
    look l;
    uint64_t signature = 0;
    *again = false;
    med_arena *a = med_arena_new(ARENA);
    bool ok = open_look(e, a, &l, err) && (!sync || sync_set(e, &l, again, err))
              && (*again || sign(&l, &signature, err));
    if (ok && !*again && (e->current == NULL || e->current->signature != signature)) {
        edition *x = make(e, &l, signature, err);
        ok = x != NULL;
        if (ok)
            replace(e, x);
    }
    close_look(&l);
    med_arena_free(a);
    return ok;
}

bool med_editions_refresh(med_editions *e, bool sync, med_err *err)
{
    bool ok = true, again = true;
    pthread_mutex_lock(&e->making);
    for (int i = 0; ok && again && i < TRIES; i++)
        ok = take_look(e, sync, &again, err);
    pthread_mutex_unlock(&e->making);
    return ok;
}

/* A task nobody has begun. */
static bool new_task(const med_editions *e, med_arena *a, const med_added_param *p,
                     med_task_note *t, med_err *err)
{
    med_json j;
    bool active = false;
    med_pack_param_extra x;
    *t = (med_task_note){.name = t->name,
                         .revision = t->revision,
                         .unwritten = true,
                         .kind = p->removed ? MED_STR("remove") : MED_STR("index"),
                         .id = p->id,
                         .serial = p->serial,
                         .owner = MED_STR_EMPTY,
                         .types = MED_STR_EMPTY,
                         .text = MED_STR_EMPTY,
                         .created = med_now(e->base->clock)};
    if (!med_json_parse(a, p->definition, &j, NULL, err)
        || !med_search_parameter_read(a, e->base->pack, &j, 0, &active, &x, err))
        return false;
    t->code = x.code;
    for (size_t i = 0; i < x.n_bases; i++)
        t->types = med_arena_printf(a, "%.*s%s%.*s", MED_STR_ARG(t->types), i > 0 ? " " : "",
                                    MED_STR_ARG(med_type_name(e->base->pack, x.bases[i])));
    return t->types.len > 0 || MED_FAIL_MEMORY(err);
}

/* An upgrade knows no types, nor which parameters were added. */
static bool list_rows(const med_editions *e, const look *l, enum med_added_rows rows,
                      med_task_note *all, size_t *n, med_err *err)
{
    bool lacking;
    med_task_note *out = &all[*n];
    if (!find_rows(l, rows, out, &lacking, err))
        return false;
    *n += out->revision != 0;
    if (out->types.len > 0 || out->revision == 0)
        return true;
    out->unwritten = true;
    out->created = med_now(e->base->clock);
    out->types = med_search_types_with(l->arena, e->current->fhir.schema, rows);
    return out->types.len > 0 || MED_FAIL_MEMORY(err);
}

static bool list_tasks(const med_editions *e, const look *l, med_task_note **out, size_t *n,
                       med_err *err)
{
    *n = 0;
    *out = MED_TAKE(l->arena, l->set.n + MED_ADDED_ROWS + 1, med_task_note);
    if (*out == NULL)
        return MED_FAIL_MEMORY(err);
    for (enum med_added_rows i = 0; i < MED_ADDED_ROWS; i++) {
        if (!list_rows(e, l, i, *out, n, err))
            return false;
    }
    for (size_t i = 0; i < l->set.n; i++) {
        const med_added_param *p = &l->set.at[i];
        med_task_note *t = &(*out)[(*n)++];
        if (!find_task(l, p, t, err)
            || ((t->revision == 0 || t->serial != p->serial) && !new_task(e, l->arena, p, t, err)))
            return false;
    }
    return true;
}

bool med_editions_tasks(med_editions *e, med_arena *a, med_task_note **out, size_t *n, med_err *err)
{
    look l;
    *n = 0;
    pthread_mutex_lock(&e->making);
    bool ok = open_look(e, a, &l, err) && list_tasks(e, &l, out, n, err);
    close_look(&l);
    pthread_mutex_unlock(&e->making);
    return ok;
}

/* ---- life ---- */

med_editions *med_editions_new(const med_fhir *base, unsigned slot, med_err *err)
{
    med_editions *e = MED_NEW(1, med_editions);
    if (e == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    e->base = base;
    e->slot = slot;
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->making, NULL);
    if (med_editions_refresh(e, false, err))
        return e;
    med_editions_free(e);
    return NULL;
}

void med_editions_free(med_editions *e)
{
    if (e == NULL)
        return;
    if (e->current != NULL)
        med_arena_free(e->current->arena);
    pthread_mutex_destroy(&e->lock);
    pthread_mutex_destroy(&e->making);
    med_free(e);
}
