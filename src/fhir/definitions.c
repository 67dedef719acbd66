/* definitions.c - see definitions.h. */
#include "fhir/definitions.h"

#include "fhir/searchset.h"
#include "package/packages.h"
#include "package/snapshot.h"
#include "package/text.h"

enum { FOUND = 50, BASES = 16, PACKAGES_SHIFT = 40 };

typedef struct stored {
    med_call *call;
    med_definition_source self, packages;
    uint64_t newest;     /* commit that last changed a stored StructureDefinition; 0: none ever */
    med_str open[BASES]; /* whose snapshots are being made */
    unsigned depth;
} stored;

static uint64_t epoch(void *self)
{
    const stored *s = self;
    return s->newest + (s->packages.epoch(s->packages.self) << PACKAGES_SHIFT);
}

static bool read_newest(med_call *call, uint64_t *out, med_err *err)
{
    med_type type = med_pack_type(call->fhir->pack, MED_STR("StructureDefinition"));
    med_history h = {.type = med_schema_type(call->fhir->schema, type),
                     .since = MED_TIME_MIN,
                     .until = MED_TIME_MAX,
                     .limit = 1};
    med_stored *at;
    size_t n;
    if (!med_view_history(call->view, call->arena, &h, &at, &n, err))
        return false;
    *out = n > 0 ? (uint64_t)at[0].t : 0;
    return true;
}

/* FHIR escapes: a comma in a canonical is no list. */
static med_str escaped(med_arena *a, med_str s)
{
    char *to = MED_TAKE(a, 2 * s.len + 1, char);
    size_t n = 0;
    if (to == NULL)
        return MED_STR_EMPTY;
    for (size_t i = 0; i < s.len; i++) {
        if (strchr(",$|\\", s.ptr[i]) != NULL && s.ptr[i] != '\0')
            to[n++] = '\\';
        to[n++] = s.ptr[i];
    }
    return (med_str){to, n};
}

static bool search(const stored *s, med_arena *a, med_str url, med_search_result *out, med_err *err)
{
    const med_fhir *f = s->call->fhir;
    med_search_options options = med_searchset_options(s->call);
    med_pair pairs[] = {{MED_STR("url"), escaped(a, url)},
                        {MED_STR("_count"), MED_STR("50")},
                        {MED_STR("_total"), MED_STR("none")}};
    med_pairs all = {pairs, sizeof pairs / sizeof *pairs};
    const med_query *q;
    options.max_count = FOUND;
    return med_query_parse_search(f->schema, a,
                                  med_pack_type(f->pack, MED_STR("StructureDefinition")), &all,
                                  false, &options, &q, err)
           && med_search_run(f->schema, s->call->view, a, q, MED_STR_EMPTY, out, err);
}

static bool fits(med_str have, med_str asked)
{
    return asked.len == 0 || med_str_eq(have, asked)
           || (med_str_starts(have, asked) && have.ptr[asked.len] == '.');
}

/* The newest stored one; *out NULL when there is none. */
static bool find_stored(const stored *s, med_arena *a, med_str url, med_str version,
                        med_definition **out, med_err *err)
{
    med_search_result r = {0};
    *out = NULL;
    if (s->newest == 0)
        return true;
    if (!search(s, a, url, &r, err))
        return false;
    for (size_t i = 0; i < r.n; i++) {
        med_definition *d = MED_TAKE(a, 1, med_definition);
        if (d == NULL)
            return MED_FAIL_MEMORY(err);
        if (!med_json_parse(a, r.entries[i].resource.text, &d->json, NULL, err))
            return false;
        d->url = url;
        d->version = med_package_text(a, &d->json, 0, "version");
        d->package = MED_STR_EMPTY;
        if (fits(d->version, version)
            && (*out == NULL || med_package_version_compare(d->version, (*out)->version) > 0))
            *out = d;
    }
    return true;
}

static bool has_snapshot(const med_json *j)
{
    uint32_t end, at = med_package_member(j, 0, "snapshot", MED_JSON_OBJECT);
    return at != 0 && med_package_first(j, at, "element", &end) < end;
}

/* Bases are asked of this source, too: BASES bounds how deep that goes, `open` finds circles. */
static bool complete(stored *s, med_arena *a, med_definition *d, med_err *err)
{
    med_str text;
    if (has_snapshot(&d->json))
        return true;
    for (unsigned i = 0; i < s->depth; i++) {
        if (med_str_eq(s->open[i], d->url))
            return MED_FAIL(err, MED_ISSUE_INVALID,
                            "a stored StructureDefinition is derived from itself");
    }
    if (s->depth == BASES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "a chain of more than %d bases", BASES);
    s->open[s->depth++] = d->url;
    bool ok = med_snapshot_make(a, &d->json, 0, &s->self, &text, err)
              && med_json_parse(a, text, &d->json, NULL, err);
    s->depth--;
    return ok;
}

static bool find(void *self, med_arena *a, med_str canonical, const med_definition **out,
                 med_err *err)
{
    stored *s = self;
    med_definition *d;
    med_str version, url = med_str_cut(canonical, '|', &version);
    if (!find_stored(s, a, url, version, &d, err))
        return false;
    if (d == NULL)
        return med_definition_find(&s->packages, a, canonical, out, err);
    *out = d;
    return complete(s, a, d, err);
}

bool med_definition_source_of(med_call *call, med_definition_source *out, med_err *err)
{
    stored *s = MED_TAKE(call->arena, 1, stored);
    if (s == NULL)
        return MED_FAIL_MEMORY(err);
    s->call = call;
    s->packages = med_packages_source(call->fhir->packages);
    s->self = *out = (med_definition_source){s, epoch, find};
    return read_newest(call, &s->newest, err);
}
