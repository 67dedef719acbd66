/* term_closure.c - https://hl7.org/fhir/R4/conceptmap-operation-closure.html
 *
 * A closure table is a ConceptMap of the store, "closure-" and the hash of its name: so it
 * survives restarts, is the same on every node, and two clients that add at once do not lose
 * codes. Its `version` counts the additions, one version of the resource each: what was added
 * since a version is the difference to that one. An element is a code, its targets are the codes
 * above it. */
#include "base/hash.h"
#include "fhir/change.h"
#include "fhir/interactions.h"
#include "fhir/terms.h"
#include "terminology/code_system_json.h"

enum { NAME_MAX_BYTES = 256, VERSION_BYTES = 16, ANSWER_BYTES = 64 << 20 };

static const char *const known[] = {"name", "concept", "version", "tx-resource", "cache-id", NULL};

typedef struct entry {
    med_str system, version, code;
    med_concept concept;
    const med_image *image; /* of its system now; NULL: has none, or is not known any more */
} entry;

typedef struct relation {
    uint32_t below, above; /* entries */
} relation;

typedef struct table {
    entry *entries;
    size_t n, room;
    relation *relations; /* in the order in which they were added */
    size_t n_relations, room_relations;
    uint64_t version;
} table;

typedef struct closure {
    med_term_call t;
    med_str name, id;
    med_stored stored;
    bool exists;
    table all;
    med_str answer;
} closure;

/* ---- the table in memory ---- */

static bool add_entry(med_arena *a, table *t, entry e)
{
    entry *more = MED_GROW(a, t->entries, t->n, &t->room, 64);
    if (more == NULL)
        return false;
    t->entries = more;
    t->entries[t->n++] = e;
    return true;
}

static bool add_relation(med_arena *a, table *t, size_t below, size_t above)
{
    relation *more = MED_GROW(a, t->relations, t->n_relations, &t->room_relations, 64);
    if (more == NULL)
        return false;
    t->relations = more;
    t->relations[t->n_relations++] = (relation){(uint32_t)below, (uint32_t)above};
    return true;
}

static size_t find_entry(const table *t, med_str system, med_str code)
{
    for (size_t i = 0; i < t->n; i++) {
        if (med_str_eq(t->entries[i].code, code) && med_str_eq(t->entries[i].system, system))
            return i;
    }
    return t->n;
}

/* ---- out of the stored ConceptMap ---- */

static uint32_t list_at(const med_json *j, uint32_t object, const char *key)
{
    uint32_t node = med_json_member(j, object, med_str_from(key));
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_ARRAY ? node : 0;
}

static bool read_codes(med_arena *a, const med_json *j, uint32_t group, table *t)
{
    entry e = {.concept = MED_CONCEPT_NONE};
    uint32_t list = list_at(j, group, "element");
    if (!med_json_text(a, j, group, "source", &e.system))
        return false;
    for (uint32_t k = list + 1; list != 0 && k < j->nodes[list].next; k = j->nodes[k].next) {
        if (!med_json_text(a, j, k, "code", &e.code) || !add_entry(a, t, e))
            return false;
    }
    return true;
}

static bool read_relations(med_arena *a, const med_json *j, uint32_t group, table *t)
{
    med_str system, code;
    uint32_t list = list_at(j, group, "element");
    if (!med_json_text(a, j, group, "source", &system))
        return false;
    for (uint32_t k = list + 1; list != 0 && k < j->nodes[list].next; k = j->nodes[k].next) {
        uint32_t targets = list_at(j, k, "target");
        if (!med_json_text(a, j, k, "code", &code))
            return false;
        size_t below = find_entry(t, system, code);
        for (uint32_t e = targets + 1; targets != 0 && e < j->nodes[targets].next;
             e = j->nodes[e].next) {
            if (!med_json_text(a, j, e, "code", &code))
                return false;
            size_t above = find_entry(t, system, code);
            if (above < t->n && !add_relation(a, t, below, above))
                return false;
        }
    }
    return true;
}

static bool read_table(med_arena *a, med_str text, table *t, med_err *err)
{
    med_json j;
    med_str version;
    int64_t n = 0;
    if (!med_json_parse(a, text, &j, NULL, err))
        return false;
    uint32_t groups = list_at(&j, 0, "group");
    bool ok = med_json_text(a, &j, 0, "version", &version);
    for (uint32_t g = groups + 1; ok && groups != 0 && g < j.nodes[groups].next;
         g = j.nodes[g].next)
        ok = read_codes(a, &j, g, t);
    for (uint32_t g = groups + 1; ok && groups != 0 && g < j.nodes[groups].next;
         g = j.nodes[g].next)
        ok = read_relations(a, &j, g, t);
    if (ok && med_str_to_int64(version, &n))
        t->version = (uint64_t)n;
    return ok ? true : MED_FAIL_MEMORY(err);
}

static bool name_table(closure *c, med_err *err)
{
    static const med_hash_key key = {0x636c6f7375726531U, 0x7461626c65736964U};
    c->name = med_term_param_text(&c->t, "name");
    if (c->name.len == 0 || c->name.len > NAME_MAX_BYTES) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED, "$closure needs a name of 1 to %d bytes",
                       NAME_MAX_BYTES);
        return med_err_status(err, 400);
    }
    c->id = med_arena_printf(c->t.call->arena, "closure-%016llx",
                             (unsigned long long)med_siphash(key, c->name));
    return c->id.len > 0 ? true : MED_FAIL_MEMORY(err);
}

static uint32_t map_type(const med_call *call)
{
    return med_schema_type(call->fhir->schema,
                           med_pack_type(call->fhir->pack, MED_STR("ConceptMap")));
}

static bool find_table(closure *c, med_err *err)
{
    med_call *call = c->t.call;
    enum med_found found =
        med_view_latest(call->view, call->arena, map_type(call), c->id, &c->stored, err);
    c->exists = found == MED_FOUND && c->stored.change != MED_DELETED;
    return found != MED_FAILED
           && (!c->exists || read_table(call->arena, c->stored.text, &c->all, err));
}

/* ---- as a ConceptMap ---- */

/* Elements of a system from that relation on; with `codes` also those that nothing is above. */
static void write_elements(med_json_writer *w, const table *t, size_t system, size_t from,
                           bool codes)
{
    for (size_t i = system; i < t->n; i++) {
        bool any = false;
        if (!med_str_eq(t->entries[i].system, t->entries[system].system))
            continue;
        for (size_t r = from; r < t->n_relations; r++) {
            if (t->relations[r].below != i)
                continue;
            if (!any) {
                med_json_open(w, '{');
                med_json_pair(w, "code", t->entries[i].code);
                med_json_key(w, MED_STR("target"));
                med_json_open(w, '[');
            }
            any = true;
            med_json_open(w, '{');
            med_json_pair(w, "code", t->entries[t->relations[r].above].code);
            med_json_pair(w, "equivalence", MED_STR("subsumes"));
            med_json_close(w, '}');
        }
        if (any) {
            med_json_close(w, ']');
            med_json_close(w, '}');
        } else if (codes) {
            med_json_open(w, '{');
            med_json_pair(w, "code", t->entries[i].code);
            med_json_close(w, '}');
        }
    }
}

static bool has_relations(const table *t, med_str system, size_t from)
{
    for (size_t r = from; r < t->n_relations; r++) {
        if (med_str_eq(t->entries[t->relations[r].below].system, system))
            return true;
    }
    return false;
}

static void write_groups(med_json_writer *w, const table *t, size_t from, bool codes)
{
    bool any = false;
    for (size_t i = 0; i < t->n; i++) {
        med_str system = t->entries[i].system;
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = !med_str_eq(t->entries[k].system, system);
        if (!first || (!codes && !has_relations(t, system, from)))
            continue;
        if (!any) {
            med_json_key(w, MED_STR("group"));
            med_json_open(w, '[');
        }
        any = true;
        med_json_open(w, '{');
        med_json_pair(w, "source", system);
        med_json_pair(w, "target", system);
        med_json_key(w, MED_STR("element"));
        med_json_open(w, '[');
        write_elements(w, t, i, from, codes);
        med_json_close(w, ']');
        med_json_close(w, '}');
    }
    if (any)
        med_json_close(w, ']');
}

static bool write_map(closure *c, size_t from, bool codes, med_str *out, med_err *err)
{
    char version[VERSION_BYTES + 8];
    med_buf b;
    med_buf_init(&b, ANSWER_BYTES);
    med_json_writer w = med_json_writer_to(&b);
    int n = snprintf(version, sizeof version, "%llu", (unsigned long long)c->all.version);
    med_json_open(&w, '{');
    med_json_pair(&w, "resourceType", MED_STR("ConceptMap"));
    med_json_pair(&w, "id", c->id);
    med_json_pair(&w, "version", (med_str){version, n > 0 ? (size_t)n : 0});
    med_json_pair(&w, "name", c->name);
    med_json_pair(&w, "status", MED_STR("active"));
    med_json_key(&w, MED_STR("experimental"));
    med_json_bool(&w, true);
    write_groups(&w, &c->all, from, codes);
    med_json_close(&w, '}');
    bool ok = !b.failed && med_arena_copy(c->t.call->arena, med_buf_str(&b), out);
    med_buf_free(&b);
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* ---- adding ---- */

static bool find_concept(closure *c, entry *e, bool is_new, med_err *err)
{
    const med_system *s;
    if (!med_term_system(&c->t.x, e->system, e->version, &s, err))
        return false;
    e->image = s != NULL ? s->image : NULL;
    e->concept = e->image != NULL ? med_image_find(e->image, e->code) : MED_CONCEPT_NONE;
    med_str ignored;
    bool has = e->concept != MED_CONCEPT_NONE
               || (s != NULL && s->image == NULL
                   && med_rule_has(s->rule, c->t.call->arena, e->code, &ignored));
    if (!is_new || has)
        return true;
    if (s == NULL)
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                       "a concept is of a code system that is not known here; %.*s",
                       MED_STR_ARG(med_term_hint(MED_TERM_CODE_SYSTEM, e->system)));
    else
        (void)MED_FAIL(err, MED_ISSUE_CODE_INVALID, "a concept is none of its code system");
    return med_err_status(err, 422);
}

/* How the newest entry stands to all before it. */
static bool relate(closure *c, med_err *err)
{
    table *t = &c->all;
    size_t last = t->n - 1;
    const entry *one = &t->entries[last];
    for (size_t i = 0; i < last; i++) {
        const entry *two = &t->entries[i];
        bool ok = true;
        if (one->image == NULL || two->image != one->image || two->concept == MED_CONCEPT_NONE)
            continue;
        if (med_concept_is_a(one->image, one->concept, two->concept))
            ok = add_relation(c->t.call->arena, t, last, i);
        else if (med_concept_is_a(one->image, two->concept, one->concept))
            ok = add_relation(c->t.call->arena, t, i, last);
        if (!ok)
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

static bool add_concept(closure *c, const med_term_param *p, med_err *err)
{
    med_arena *a = c->t.call->arena;
    entry e = {.concept = MED_CONCEPT_NONE};
    if (p->node == 0 || med_json_kind_at(c->t.json, p->node) != MED_JSON_OBJECT
        || !med_json_text(a, c->t.json, p->node, "system", &e.system)
        || !med_json_text(a, c->t.json, p->node, "version", &e.version)
        || !med_json_text(a, c->t.json, p->node, "code", &e.code) || e.system.len == 0
        || e.code.len == 0) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED, "a concept is a Coding with system and code");
        return med_err_status(err, 400);
    }
    if (find_entry(&c->all, e.system, e.code) < c->all.n)
        return true;
    if (c->all.n == MED_CLOSURE_CODES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "a closure table holds at most %d codes",
                        MED_CLOSURE_CODES);
    if (!find_concept(c, &e, true, err))
        return false;
    return add_entry(a, &c->all, e) ? relate(c, err) : MED_FAIL_MEMORY(err);
}

static bool store_table(closure *c, med_err *err)
{
    med_call *call = c->t.call;
    med_str text;
    med_write *w;
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!write_map(c, 0, true, &text, err) || !med_json_parse(call->arena, text, j, NULL, err))
        return false;
    med_call inner = *call;
    inner.request.type_name = MED_STR("ConceptMap");
    inner.request.type = med_pack_type(call->fhir->pack, inner.request.type_name);
    inner.request.json = j;
    inner.request.root = 0;
    inner.request.checked = true; /* it is our own */
    bool ok = med_change_put(&inner, c->id, NULL, &w, err);
    call->write = inner.write;
    call->n_writes = inner.n_writes;
    if (!ok)
        return false;
    w->expect = c->exists ? MED_EXPECT_VERSION : MED_EXPECT_NEW;
    w->expect_version = c->exists ? c->stored.version : 0;
    call->change->rests_on_versions = true;
    return true;
}

static bool begin_table(closure *c, med_err *err)
{
    c->all = (table){0};
    return store_table(c, err) && write_map(c, 0, false, &c->answer, err);
}

static bool add_all(closure *c, med_err *err)
{
    size_t before = c->all.n, from = c->all.n_relations;
    const med_term_param *p;
    for (size_t i = 0; i < c->all.n; i++) {
        if (!find_concept(c, &c->all.entries[i], false, err))
            return false;
    }
    for (size_t i = 0; (p = med_term_param_at(&c->t, "concept", i)) != NULL; i++) {
        if (!add_concept(c, p, err))
            return false;
    }
    if (c->all.n > before) {
        c->all.version++;
        if (!store_table(c, err))
            return false;
    }
    return write_map(c, from, false, &c->answer, err);
}

/* ---- what came since ---- */

static bool has_relation(const table *t, const table *of, const relation *r)
{
    const entry *below = &of->entries[r->below], *above = &of->entries[r->above];
    size_t b = find_entry(t, below->system, below->code);
    size_t u = find_entry(t, above->system, above->code);
    for (size_t i = 0; b < t->n && u < t->n && i < t->n_relations; i++) {
        if (t->relations[i].below == b && t->relations[i].above == u)
            return true;
    }
    return false;
}

static bool read_old(closure *c, uint64_t version, table *old, med_err *err)
{
    med_call *call = c->t.call;
    med_stored s;
    uint64_t back = c->all.version - version;
    enum med_found found = version > c->all.version || back >= c->stored.version
                               ? MED_ABSENT
                               : med_view_version(call->view, call->arena, map_type(call), c->id,
                                                  c->stored.version - (uint32_t)back, &s, err);
    if (found == MED_FAILED || (found == MED_FOUND && !read_table(call->arena, s.text, old, err)))
        return false;
    if (found == MED_FOUND && old->version == version)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                   "the closure table has no such version; begin it again (name alone)");
    return med_err_status(err, 404);
}

static bool resynchronise(closure *c, med_err *err)
{
    int64_t version;
    table old = {0};
    size_t kept = 0;
    if (!med_str_to_int64(med_term_param_text(&c->t, "version"), &version) || version < 0) {
        (void)MED_FAIL(err, MED_ISSUE_VALUE, "version is a number that $closure has told");
        return med_err_status(err, 400);
    }
    if (!read_old(c, (uint64_t)version, &old, err))
        return false;
    for (size_t i = 0; i < c->all.n_relations; i++) {
        if (!has_relation(&old, &c->all, &c->all.relations[i]))
            c->all.relations[kept++] = c->all.relations[i];
    }
    c->all.n_relations = kept;
    return write_map(c, 0, false, &c->answer, err);
}

/* ---- the operation ---- */

static bool run(closure *c, med_err *err)
{
    bool adds = med_term_param_at(&c->t, "concept", 0) != NULL;
    bool resyncs = med_term_param_at(&c->t, "version", 0) != NULL;
    if (!adds && !resyncs)
        return begin_table(c, err);
    if (adds && resyncs) {
        (void)MED_FAIL(err, MED_ISSUE_INVALID, "$closure takes concepts or a version, not both");
        return med_err_status(err, 400);
    }
    if (!c->exists) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                       "there is no closure table of this name; begin it first (name alone)");
        return med_err_status(err, 404);
    }
    return adds ? add_all(c, err) : resynchronise(c, err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    closure *c = MED_TAKE(call->arena, 1, closure);
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    if (c == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return MED_STEP_FAILED;
    }
    if (!med_term_call_begin(call, known, &c->t, err))
        return MED_STEP_FAILED;
    if (c->t.refused)
        return MED_STEP_OK;
    if (!name_table(c, err) || !find_table(c, err) || !run(c, err))
        return MED_STEP_FAILED;
    call->state = c;
    call->response.status = 200;
    call->response.body = c->answer;
    return MED_STEP_OK;
}

static enum med_step finish(med_call *call, med_err *err)
{
    (void)err;
    call->response.status = 200;
    call->response.body = ((const closure *)call->state)->answer;
    return MED_STEP_OK;
}

#define CLOSURE(variable, where, of)                                                               \
    const med_interaction variable = {.name = "closure",                                           \
                                      .method = MED_POST,                                          \
                                      .level = (where),                                            \
                                      .operation = "$closure",                                     \
                                      .types = (of),                                               \
                                      .definition = "http://hl7.org/fhir/OperationDefinition/"     \
                                                    "ConceptMap-closure",                          \
                                      .writes = true,                                              \
                                      .prepare = prepare,                                          \
                                      .finish = finish}
CLOSURE(med_interaction_closure, MED_LEVEL_TYPE, "ConceptMap");
CLOSURE(med_interaction_closure_system, MED_LEVEL_SYSTEM, NULL);
