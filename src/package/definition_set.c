/* definition_set.c - see definition_set.h. */
#include "package/definition_set.h"

#include "package/image.h"
#include "package/text.h"

#define SCRATCH_BYTES ((size_t)512 << 20)

enum { UNMADE, BEING_MADE, READY };
enum { FIRST_ROOM = 64 };

typedef struct loose {
    med_definition d;
    int state;
    bool made;
} loose;

struct med_definition_set {
    med_arena *a;
    const med_definition_source *behind;
    loose **at;
    size_t n, room;
    unsigned depth;
};

med_definition_set *med_definition_set_new(med_arena *a, const med_definition_source *behind)
{
    med_definition_set *s = MED_TAKE(a, 1, med_definition_set);
    if (s == NULL)
        return NULL;
    s->a = a;
    s->behind = behind;
    return s;
}

size_t med_definition_set_count(const med_definition_set *s)
{
    return s->n;
}

static bool grow(med_definition_set *s)
{
    loose **at = MED_GROW(s->a, s->at, s->n, &s->room, FIRST_ROOM);
    if (at != NULL)
        s->at = at;
    return at != NULL;
}

static bool has_snapshot(const med_json *j)
{
    uint32_t end, at = med_package_member(j, 0, "snapshot", MED_JSON_OBJECT);
    return at != 0 && med_package_first(j, at, "element", &end) < end;
}

bool med_definition_set_add(med_definition_set *s, med_str text, med_str package, med_err *err)
{
    loose *l = MED_TAKE(s->a, 1, loose);
    if (l == NULL || !grow(s))
        return MED_FAIL_MEMORY(err);
    if (!med_json_parse(s->a, text, &l->d.json, NULL, err))
        return false;
    l->d.url = med_package_text(s->a, &l->d.json, 0, "url");
    l->d.version = med_package_text(s->a, &l->d.json, 0, "version");
    l->d.package = package;
    l->state = has_snapshot(&l->d.json) ? READY : UNMADE;
    if (l->d.url.len == 0)
        return MED_FAIL(err, MED_ISSUE_REQUIRED, "a StructureDefinition has no url");
    s->at[s->n++] = l;
    return true;
}

/* The tree it takes is larger than what comes out of it, and ends here. */
static bool make_text(med_definition_set *s, const loose *l, med_str *out,
                      med_err *err) /* NOLINT(misc-no-recursion) */
{
    med_definition_source source = med_definition_set_source(s);
    med_arena *scratch = med_arena_new(SCRATCH_BYTES);
    med_str text;
    bool ok = scratch != NULL ? med_snapshot_make(scratch, &l->d.json, 0, &source, &text, err)
                              : MED_FAIL_MEMORY(err);
    if (ok && !med_arena_copy(s->a, text, out))
        ok = MED_FAIL_MEMORY(err);
    med_arena_free(scratch);
    return ok;
}

static bool make(med_definition_set *s, loose *l, med_err *err) /* NOLINT(misc-no-recursion) */
{
    med_str text;
    if (l->state == READY)
        return true;
    if (l->state == BEING_MADE || s->depth == MED_DEFINITION_DEPTH)
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        l->state == BEING_MADE ? "its bases are a circle: it is derived from itself"
                                               : "its chain of bases is too long (at most %d)",
                        MED_DEFINITION_DEPTH);
    l->state = BEING_MADE;
    s->depth++; /* MED_DEFINITION_DEPTH bounds the recursion through the source */
    bool ok = make_text(s, l, &text, err) && med_json_parse(s->a, text, &l->d.json, NULL, err);
    s->depth--;
    l->state = ok ? READY : UNMADE;
    l->made = ok;
    return ok;
}

bool med_definition_set_at(med_definition_set *s, size_t i, const med_definition **out, bool *made,
                           med_err *err)
{
    loose *l = s->at[i];
    *out = &l->d;
    if (!make(s, l, err))
        return false;
    *made = l->made;
    return true;
}

static bool fits(const loose *l, med_str url, med_str version)
{
    return med_str_eq(l->d.url, url)
           && (version.len == 0 || med_str_eq(l->d.version, version)
               || (med_str_starts(l->d.version, version) && l->d.version.ptr[version.len] == '.'));
}

static bool find(void *self, med_arena *a, med_str canonical, const med_definition **out,
                 med_err *err) /* NOLINT(misc-no-recursion) */
{
    med_definition_set *s = self;
    med_str version, url = med_str_cut(canonical, '|', &version);
    loose *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (fits(s->at[i], url, version)
            && (best == NULL
                || med_package_version_compare(s->at[i]->d.version, best->d.version) > 0))
            best = s->at[i];
    }
    if (best == NULL)
        return med_definition_find(s->behind, a, canonical, out, err);
    *out = &best->d;
    return make(s, best, err);
}

static uint64_t epoch(void *self)
{
    const med_definition_set *s = self;
    return s->behind == NULL ? 1 : s->behind->epoch(s->behind->self);
}

med_definition_source med_definition_set_source(med_definition_set *s)
{
    return (med_definition_source){s, epoch, find};
}
