/* term_store.c - see term_store.h.
 *
 * The generation is the number of the last commit that changed one of the three types, as this
 * view sees it. One look at the newest commit of all tells most of the time that nothing is new,
 * also when another process wrote to the same database. */
#include "fhir/term_store.h"

#include <pthread.h>

#include "base/mem.h"
#include "fhir/searchset.h"
#include "package/packages.h"
#include "terminology/terms.h"

enum { PACKAGES_SHIFT = 40 }; /* commits stay far below */

struct med_term_watch {
    pthread_mutex_t lock;
    int64_t newest;      /* commit of anything */
    uint64_t generation; /* then */
};

med_term_watch *med_term_watch_new(void)
{
    med_term_watch *w = MED_NEW(1, med_term_watch);
    if (w != NULL && pthread_mutex_init(&w->lock, NULL) != 0) {
        med_free(w);
        return NULL;
    }
    if (w != NULL)
        w->newest = -1;
    return w;
}

void med_term_watch_free(med_term_watch *w)
{
    if (w != NULL)
        (void)pthread_mutex_destroy(&w->lock);
    med_free(w);
}

static const char *const names[MED_TERM_KINDS] = {"CodeSystem", "ValueSet", "ConceptMap"};

typedef struct stored {
    med_call *call;
    uint64_t generation;
} stored;

static bool newest_of(med_call *call, uint32_t type, int64_t *out, med_err *err)
{
    med_history h = {.type = type, .since = MED_TIME_MIN, .until = MED_TIME_MAX, .limit = 1};
    med_stored *at;
    size_t n;
    if (!med_view_history(call->view, call->arena, &h, &at, &n, err))
        return false;
    *out = n > 0 ? at[0].t : 0;
    return true;
}

static bool read_generation(med_call *call, uint64_t *out, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_term_watch *w = f->term_watch;
    int64_t newest, t;
    if (!newest_of(call, 0, &newest, err))
        return false;
    (void)pthread_mutex_lock(&w->lock);
    bool known = w->newest == newest;
    *out = w->generation;
    (void)pthread_mutex_unlock(&w->lock);
    if (known)
        return true;
    *out = 0;
    for (int i = 0; i < MED_TERM_KINDS; i++) {
        med_type type = med_pack_type(f->pack, med_str_from(names[i]));
        if (!newest_of(call, med_schema_type(f->schema, type), &t, err))
            return false;
        *out = (uint64_t)t > *out ? (uint64_t)t : *out;
    }
    (void)pthread_mutex_lock(&w->lock);
    if (newest > w->newest) {
        w->newest = newest;
        w->generation = *out;
    }
    (void)pthread_mutex_unlock(&w->lock);
    return true;
}

/* Of what is stored, and of what packages bring. */
static uint64_t generation(void *self)
{
    const stored *s = self;
    return s->generation + (med_packages_epoch(s->call->fhir->packages) << PACKAGES_SHIFT);
}

/* A resource of an installed package: found behind what users stored. */
static bool find_in_packages(const stored *s, med_arena *a, enum med_term_kind kind, med_str url,
                             med_str version, med_term_resource *out, med_err *err)
{
    med_package_found found;
    if (s->call->fhir->packages == NULL)
        return true;
    if (!med_packages_find(s->call->fhir->packages, a, med_str_from(names[kind]), url, version,
                           &found, err))
        return false;
    if (found.json.len == 0)
        return true;
    out->json = found.json;
    out->key = med_arena_printf(a, "%.*s/%.*s", MED_STR_ARG(found.package), MED_STR_ARG(found.id));
    return out->key.len > 0 ? true : MED_FAIL_MEMORY(err);
}

/* FHIR escapes: a comma in a canonical is no list. */
static med_str escaped(med_arena *a, med_str s)
{
    char *to = MED_TAKE(a, 2 * s.len + 1, char);
    size_t n = 0;
    if (to == NULL)
        return MED_STR_EMPTY;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == ',' || s.ptr[i] == '$' || s.ptr[i] == '|' || s.ptr[i] == '\\')
            to[n++] = '\\';
        to[n++] = s.ptr[i];
    }
    return (med_str){to, n};
}

static bool search(med_call *call, med_arena *a, const char *type, const char *param, med_str value,
                   med_search_result *out, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_search_options options = med_searchset_options(call);
    med_pair pairs[] = {{med_str_from(param), escaped(a, value)},
                        {MED_STR("_count"), MED_STR("100")},
                        {MED_STR("_total"), MED_STR("none")}};
    med_pairs all = {pairs, sizeof pairs / sizeof *pairs};
    const med_query *q;
    options.max_count = 100;
    return med_query_parse_search(f->schema, a, med_pack_type(f->pack, med_str_from(type)), &all,
                                  false, &options, &q, err)
           && med_search_run(f->schema, call->view, a, q, MED_STR_EMPTY, out, err);
}

bool med_term_store_search(med_call *call, const char *type, const char *param, med_str value,
                           med_search_result *out, med_err *err)
{
    return search(call, call->arena, type, param, value, out, err);
}

static bool version_of(med_arena *a, med_str text, med_str *out, med_err *err)
{
    med_json j;
    *out = MED_STR_EMPTY;
    if (!med_json_parse(a, text, &j, NULL, err))
        return false;
    uint32_t node = med_json_member(&j, 0, MED_STR("version"));
    return node == 0 || med_json_kind_at(&j, node) != MED_JSON_STRING
           || med_json_string(a, &j, node, out);
}

static bool find(void *self, med_arena *a, enum med_term_kind kind, med_str url, med_str version,
                 med_term_resource *out, med_err *err)
{
    const stored *s = self;
    med_search_result r = {0};
    med_str best = MED_STR_EMPTY;
    *out = (med_term_resource){MED_STR_EMPTY, MED_STR_EMPTY};
    /* 0: none of the three types was ever stored */
    if (s->generation != 0 && !search(s->call, a, names[kind], "url", url, &r, err))
        return false;
    for (size_t i = 0; i < r.n; i++) {
        const med_stored *at = &r.entries[i].resource;
        med_str have;
        if (!version_of(a, at->text, &have, err))
            return false;
        if (!med_version_fits(have, version)
            || (out->json.len > 0 && med_version_compare(have, best) <= 0))
            continue;
        best = have;
        out->json = at->text;
        out->key = at->id;
    }
    return out->json.len > 0 || find_in_packages(s, a, kind, url, version, out, err);
}

static bool supplement(void *self, med_arena *a, med_str system, size_t index,
                       med_term_resource *out, med_err *err)
{
    const stored *s = self;
    med_search_result r = {0};
    *out = (med_term_resource){MED_STR_EMPTY, MED_STR_EMPTY};
    if (s->generation == 0)
        return true;
    if (!search(s->call, a, "CodeSystem", "supplements", system, &r, err))
        return false;
    if (index < r.n)
        *out = (med_term_resource){r.entries[index].resource.id, r.entries[index].resource.text};
    return true;
}

bool med_term_store_of(med_call *call, med_terminology_source *out, med_err *err)
{
    stored *s = MED_TAKE(call->arena, 1, stored);
    if (s == NULL)
        return MED_FAIL_MEMORY(err);
    s->call = call;
    *out = (med_terminology_source){s, generation, find, supplement};
    return read_generation(call, &s->generation, err);
}
