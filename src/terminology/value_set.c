/* value_set.c - compiling a value set, and looking codes up in it. See value_set.h.
 * https://hl7.org/fhir/R4/valueset.html#compositions */
#include "terminology/value_set.h"

#include "terminology/code_system_json.h"

typedef struct compiler {
    const med_term_context *x;
    const med_json *j;
    med_value_set *vs;
} compiler;

/* ---- listed concepts ---- */

static bool index_listed(const compiler *c, med_part *p, med_listed *listed)
{
    uint32_t n = 4;
    while (n < 2 * p->n_listed)
        n *= 2;
    uint32_t *slots = MED_TAKE(c->x->arena, n, uint32_t);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < p->n_listed; i++) {
        uint32_t at = med_image_hash(listed[i].code) & (n - 1);
        while (slots[at] != 0)
            at = (at + 1) & (n - 1);
        slots[at] = (uint32_t)i + 1;
    }
    p->listed = listed;
    p->slots = slots;
    p->slot_mask = n - 1;
    return true;
}

static const med_listed *find_listed(const med_part *p, med_str code, bool ignore_case)
{
    const med_listed *found = NULL;
    uint32_t at = med_image_hash(code) & p->slot_mask;
    for (; p->slots[at] != 0; at = (at + 1) & p->slot_mask) {
        const med_listed *l = &p->listed[p->slots[at] - 1];
        if (med_str_eq(l->code, code))
            return l;
        if (ignore_case && med_str_eq_ignore_case(l->code, code))
            found = l;
    }
    return found;
}

static bool add_listed(const compiler *c, med_part *p, med_listed *to, uint32_t e, med_err *err)
{
    to->node = e;
    if (!med_json_text(c->x->arena, c->j, e, "code", &to->code)
        || !med_json_text(c->x->arena, c->j, e, "display", &to->display))
        return MED_FAIL_MEMORY(err);
    to->concept = p->sys != NULL && p->sys->image != NULL ? med_image_find(p->sys->image, to->code)
                                                          : MED_CONCEPT_NONE;
    return true;
}

static bool list_concepts(const compiler *c, uint32_t list, med_part *p, med_err *err)
{
    med_listed *listed = MED_TAKE(c->x->arena, c->j->nodes[list].count, med_listed);
    if (listed == NULL)
        return MED_FAIL_MEMORY(err);
    p->kind = MED_PART_LIST;
    for (uint32_t e = list + 1; e < c->j->nodes[list].next; e = c->j->nodes[e].next) {
        if (med_json_kind_at(c->j, e) == MED_JSON_OBJECT
            && !add_listed(c, p, &listed[p->n_listed++], e, err))
            return false;
    }
    return index_listed(c, p, listed) ? true : MED_FAIL_MEMORY(err);
}

/* ---- filters ---- */

static bool filter_concepts(const compiler *c, uint32_t list, med_part *p, med_err *err)
{
    size_t n = med_image_words(p->sys->image);
    uint64_t *bits = MED_TAKE(c->x->arena, n + 1, uint64_t);
    uint64_t *one = MED_TAKE(c->x->arena, n + 1, uint64_t);
    bool first = true;
    if (bits == NULL || one == NULL)
        return MED_FAIL_MEMORY(err);
    for (uint32_t e = list + 1; e < c->j->nodes[list].next; e = c->j->nodes[e].next) {
        med_str property, op, value;
        if (!med_json_text(c->x->arena, c->j, e, "property", &property)
            || !med_json_text(c->x->arena, c->j, e, "op", &op)
            || !med_json_text(c->x->arena, c->j, e, "value", &value))
            return MED_FAIL_MEMORY(err);
        memset(one, 0, n * sizeof *one);
        if (!med_filter_apply(c->x, p->sys, property, op, value, one, &c->vs->broken, err))
            return false;
        for (size_t i = 0; i < n; i++)
            bits[i] = first ? one[i] : bits[i] & one[i];
        first = false;
    }
    p->kind = MED_PART_BITS;
    p->bits = bits;
    return true;
}

/* ---- parts ---- */

/* "#id": a value set that this one contains. */
static uint32_t contained(const compiler *c, med_str canonical)
{
    uint32_t list = med_json_member(c->j, c->vs->node, MED_STR("contained"));
    if (canonical.len == 0 || canonical.ptr[0] != '#' || list == 0)
        return 0;
    for (uint32_t e = list + 1; e < c->j->nodes[list].next; e = c->j->nodes[e].next) {
        uint32_t id = med_json_member(c->j, e, MED_STR("id"));
        if (id != 0 && med_json_string_is(c->j, id, med_str_skip(canonical, 1)))
            return e;
    }
    return 0;
}

/* Sets that were compiled before are found ready, so each counts what is inside it. */
static bool count_inside(compiler *c, const med_value_set *vs, med_err *err)
{
    if (vs->depth >= MED_CONTEXT_DEPTH)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                        "value sets include one another more than %d deep", MED_CONTEXT_DEPTH);
    if (vs->depth >= c->vs->depth)
        c->vs->depth = vs->depth + 1;
    c->vs->weight += vs->weight;
    if (c->vs->weight <= MED_VALUE_SET_WEIGHT)
        return true;
    return MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                    "a code of this value set has to be looked for in more than %d others",
                    MED_VALUE_SET_WEIGHT);
}

/* NOLINTNEXTLINE(misc-no-recursion): what is contained contains nothing itself */
static bool import_sets(compiler *c, uint32_t list, med_part *p, med_err *err)
{
    const med_json *j = c->j;
    const med_value_set **sets = MED_TAKE(c->x->arena, j->nodes[list].count, const med_value_set *);
    if (sets == NULL)
        return MED_FAIL_MEMORY(err);
    p->sets = sets;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str canonical, url, version;
        if (!med_json_string(c->x->arena, j, e, &canonical))
            return MED_FAIL_MEMORY(err);
        med_canonical_split(canonical, &url, &version);
        const med_value_set *vs;
        uint32_t inside = contained(c, canonical);
        if (inside != 0 ? !med_value_set_compile(c->x, j, inside, &vs, err)
                        : !med_term_value_set(c->x, url, version, &vs, err))
            return false;
        if (vs == NULL) {
            c->vs->missing = med_term_chosen(c->x, MED_TERM_VALUE_SET, canonical);
            p->kind = MED_PART_UNKNOWN;
            continue;
        }
        if (!count_inside(c, vs, err))
            return false;
        if (vs->missing.len > 0)
            c->vs->missing = vs->missing;
        if (vs->missing_system.len > 0)
            c->vs->missing_system = vs->missing_system;
        if (vs->broken.len > 0)
            c->vs->broken = vs->broken;
        sets[p->n_sets++] = vs;
    }
    return true;
}

static uint32_t list_at(const med_json *j, uint32_t object, const char *key)
{
    uint32_t node = med_json_member(j, object, med_str_from(key));
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_ARRAY && j->nodes[node].count > 0
               ? node
               : 0;
}

static void miss_system(compiler *c, const med_part *p)
{
    c->vs->missing_system = p->version.len == 0
                                ? p->system
                                : med_arena_printf(c->x->arena, "%.*s|%.*s", MED_STR_ARG(p->system),
                                                   MED_STR_ARG(p->version));
}

static bool is_complete(const med_system *s)
{
    return s->rule != MED_RULE_NONE || med_image_content(s->image) == MED_CONTENT_COMPLETE
           || med_image_content(s->image) == MED_CONTENT_FRAGMENT
           || med_image_content(s->image) == MED_CONTENT_EXAMPLE;
}

/* NOLINTNEXTLINE(misc-no-recursion): see import_sets */
static bool compile_part(compiler *c, uint32_t e, med_part *p, med_err *err)
{
    const med_json *j = c->j;
    uint32_t concepts = list_at(j, e, "concept"), filters = list_at(j, e, "filter");
    uint32_t sets = list_at(j, e, "valueSet");
    if (!med_json_text(c->x->arena, j, e, "system", &p->system)
        || !med_json_text(c->x->arena, j, e, "version", &p->version))
        return MED_FAIL_MEMORY(err);
    p->kind = p->system.len > 0 ? MED_PART_ALL : MED_PART_SETS;
    if (p->system.len > 0 && !med_term_system(c->x, p->system, p->version, &p->sys, err))
        return false;
    if (concepts != 0 && !list_concepts(c, concepts, p, err))
        return false;
    if (concepts == 0 && p->system.len > 0
        && (p->sys == NULL || !is_complete(p->sys) || (filters != 0 && p->sys->image == NULL))) {
        p->kind = MED_PART_UNKNOWN;
        miss_system(c, p);
    } else if (concepts == 0 && filters != 0 && !filter_concepts(c, filters, p, err)) {
        return false;
    }
    return sets == 0 || import_sets(c, sets, p, err);
}

/* NOLINTNEXTLINE(misc-no-recursion): see import_sets */
static bool compile_parts(compiler *c, uint32_t compose, const char *key, const med_part **out,
                          size_t *n, med_err *err)
{
    uint32_t list = list_at(c->j, compose, key);
    *n = 0;
    if (list == 0)
        return true;
    med_part *parts = MED_TAKE(c->x->arena, c->j->nodes[list].count, med_part);
    if (parts == NULL)
        return MED_FAIL_MEMORY(err);
    *out = parts;
    for (uint32_t e = list + 1; e < c->j->nodes[list].next; e = c->j->nodes[e].next) {
        if (med_json_kind_at(c->j, e) == MED_JSON_OBJECT
            && !compile_part(c, e, &parts[(*n)++], err))
            return false;
    }
    return true;
}

/* ---- a value set that has nothing but an expansion ---- */

/* All entries of the expansion, nested ones included, in the order of the text: an iterative walk
 * of the tape, since `contains` lists are the only arrays of objects with a code. */
static bool entries_of(const compiler *c, uint32_t list, uint32_t *nodes, size_t *n)
{
    const med_json *j = c->j;
    uint32_t ends[MED_JSON_DEPTH], at[MED_JSON_DEPTH];
    size_t depth = 1;
    at[0] = list + 1;
    ends[0] = j->nodes[list].next;
    while (depth > 0) {
        uint32_t e = at[depth - 1];
        if (e >= ends[depth - 1]) {
            depth--;
            continue;
        }
        at[depth - 1] = j->nodes[e].next;
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT)
            continue;
        nodes[(*n)++] = e;
        uint32_t inner = list_at(j, e, "contains");
        if (inner != 0 && depth < MED_JSON_DEPTH) {
            at[depth] = inner + 1;
            ends[depth++] = j->nodes[inner].next;
        }
    }
    return true;
}

static bool part_of_system(const compiler *c, const uint32_t *nodes, size_t n, med_str system,
                           med_part *p, med_err *err)
{
    med_listed *listed = MED_TAKE(c->x->arena, n + 1, med_listed);
    if (listed == NULL)
        return MED_FAIL_MEMORY(err);
    p->kind = MED_PART_LIST;
    p->system = system;
    p->version = MED_STR_EMPTY;
    if (!med_term_system(c->x, system, MED_STR_EMPTY, &p->sys, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        med_str s;
        if (!med_json_text(c->x->arena, c->j, nodes[i], "system", &s))
            return MED_FAIL_MEMORY(err);
        if (med_str_eq(s, system) && !add_listed(c, p, &listed[p->n_listed++], nodes[i], err))
            return false;
    }
    return index_listed(c, p, listed) ? true : MED_FAIL_MEMORY(err);
}

static bool compile_expansion(compiler *c, uint32_t expansion, med_err *err)
{
    enum { SYSTEMS = 64 };
    uint32_t list = list_at(c->j, expansion, "contains");
    c->vs->from_expansion = true;
    if (list == 0)
        return true;
    uint32_t *nodes = MED_TAKE(c->x->arena, c->j->nodes[list].next - list, uint32_t);
    med_part *parts = MED_TAKE(c->x->arena, SYSTEMS, med_part);
    size_t n = 0;
    if (nodes == NULL || parts == NULL)
        return MED_FAIL_MEMORY(err);
    if (!entries_of(c, list, nodes, &n))
        return false;
    c->vs->includes = parts;
    for (size_t i = 0; i < n; i++) {
        med_str system;
        bool seen = false;
        if (!med_json_text(c->x->arena, c->j, nodes[i], "system", &system))
            return MED_FAIL_MEMORY(err);
        for (size_t k = 0; k < c->vs->n_includes; k++)
            seen = seen || med_str_eq(parts[k].system, system);
        if (seen || system.len == 0 || c->vs->n_includes == SYSTEMS)
            continue;
        if (!part_of_system(c, nodes, n, system, &parts[c->vs->n_includes++], err))
            return false;
    }
    return true;
}

/* ---- versions ---- */

static bool have_many_versions(const med_part *a, size_t n, const med_part *b, size_t m)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < m; k++) {
            const med_part *p = &a[i], *q = &b[k];
            if (p != q && p->sys != NULL && q->sys != NULL && med_str_eq(p->system, q->system)
                && !med_str_eq(p->sys->version, q->sys->version))
                return true;
        }
    }
    return false;
}

/* A value set may say whether versions matter ("versionsMatch"). One that draws on several
 * versions of a system itself means their codes to be apart. */
static bool settle_versions(compiler *c, uint32_t compose, med_err *err)
{
    med_value_set *vs = c->vs;
    med_str said = MED_STR_EMPTY;
    vs->many_versions =
        have_many_versions(vs->includes, vs->n_includes, vs->includes, vs->n_includes);
    vs->crosses_versions =
        vs->many_versions
        || have_many_versions(vs->includes, vs->n_includes, vs->excludes, vs->n_excludes);
    if (!med_value_set_parameter(c->x->arena, c->j, compose, "versionsMatch", &said))
        return MED_FAIL_MEMORY(err);
    vs->versions_match = said.len > 0 ? med_str_eqz(said, "true") : !vs->many_versions;
    return true;
}

/* ---- the whole ---- */

bool med_value_set_parameter(med_arena *a, const med_json *j, uint32_t compose, const char *wanted,
                             med_str *out)
{
    uint32_t list = compose == 0 ? 0 : med_json_member(j, compose, MED_STR("extension"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str name = MED_STR_EMPTY, value = MED_STR_EMPTY;
        uint32_t parts = med_json_member(j, e, MED_STR("extension"));
        for (uint32_t p = parts + 1; parts != 0 && p < j->nodes[parts].next; p = j->nodes[p].next) {
            med_str url, code, text;
            if (!med_json_text(a, j, p, "url", &url) || !med_json_text(a, j, p, "valueCode", &code)
                || !med_json_text(a, j, p, "valueString", &text))
                return false;
            if (med_str_eqz(url, "name"))
                name = code;
            else if (med_str_eqz(url, "value"))
                value = code.len > 0 ? code : text;
        }
        if (med_str_eqz(name, wanted))
            *out = value;
    }
    return true;
}

/* A supplement that the value set asks for by an extension must be there; it is used then. */
static bool check_supplements(compiler *c, med_term_context *inner, med_err *err)
{
    const med_json *j = c->j;
    uint32_t list = list_at(j, c->vs->node, "extension");
    if (list == 0)
        return true;
    med_str *names = MED_TAKE(c->x->arena, inner->n_supplements + j->nodes[list].count, med_str);
    if (names == NULL)
        return MED_FAIL_MEMORY(err);
    if (inner->n_supplements > 0)
        memcpy(names, inner->supplements, inner->n_supplements * sizeof *names);
    inner->supplements = names;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str url, value, v_url, v_version, text;
        if (!med_json_text(c->x->arena, j, e, "url", &url)
            || !med_json_text(c->x->arena, j, e, "valueCanonical", &value))
            return MED_FAIL_MEMORY(err);
        if (!med_str_eqz(url, "http://hl7.org/fhir/StructureDefinition/valueset-supplement"))
            continue;
        med_canonical_split(value, &v_url, &v_version);
        if (!med_term_text(c->x, MED_TERM_CODE_SYSTEM, v_url, v_version, &text, err))
            return false;
        if (text.len == 0)
            c->vs->missing_supplement = value;
        else
            names[inner->n_supplements++] = value;
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): see import_sets */
bool med_value_set_compile(const med_term_context *x, const med_json *j, uint32_t node,
                           const med_value_set **out, med_err *err)
{
    med_value_set *vs = MED_TAKE(x->arena, 1, med_value_set);
    med_str inactive = MED_STR_EMPTY;
    if (vs == NULL)
        return MED_FAIL_MEMORY(err);
    vs->json = j;
    vs->node = node;
    vs->depth = 1;
    vs->weight = 1;
    vs->missing = vs->missing_system = vs->broken = vs->missing_supplement = MED_STR_EMPTY;
    if (!med_json_text(x->arena, j, node, "url", &vs->url)
        || !med_json_text(x->arena, j, node, "version", &vs->version))
        return MED_FAIL_MEMORY(err);
    struct med_context_link link = {vs->url, vs->version, x->inside, 0};
    med_term_context inner = *x;
    inner.inside = &link;
    compiler c = {&inner, j, vs};
    uint32_t compose = med_json_member(j, node, MED_STR("compose"));
    uint32_t expansion = med_json_member(j, node, MED_STR("expansion"));
    *out = vs;
    if (!check_supplements(&c, &inner, err))
        return false;
    if (compose == 0 && expansion != 0)
        return compile_expansion(&c, expansion, err);
    if (compose == 0)
        return true;
    if (!med_json_text(x->arena, j, compose, "inactive", &inactive))
        return MED_FAIL_MEMORY(err);
    vs->active_only = med_str_eqz(inactive, "false");
    return compile_parts(&c, compose, "include", &vs->includes, &vs->n_includes, err)
           && compile_parts(&c, compose, "exclude", &vs->excludes, &vs->n_excludes, err)
           && settle_versions(&c, compose, err);
}

/* ---- looking up ---- */

static bool part_has(const med_part *p, med_arena *a, med_str code, med_code_hit *hit)
{
    const med_image *m = p->sys == NULL ? NULL : p->sys->image;
    *hit = (med_code_hit){.part = p,
                          .sys = p->sys,
                          .concept = MED_CONCEPT_NONE,
                          .system = p->system,
                          .code = code,
                          .rule_display = MED_STR_EMPTY};
    if (p->kind == MED_PART_UNKNOWN || p->kind == MED_PART_SETS)
        return false;
    if (p->kind == MED_PART_LIST) {
        hit->listed = find_listed(p, code, m != NULL && !med_image_case_sensitive(m));
        if (hit->listed == NULL)
            return false;
        hit->concept = hit->listed->concept;
        hit->code = hit->listed->code;
        return true;
    }
    if (m == NULL)
        return p->sys != NULL && med_rule_has(p->sys->rule, a, code, &hit->rule_display);
    hit->concept = med_image_find(m, code);
    if (hit->concept == MED_CONCEPT_NONE)
        return false;
    hit->code = med_concept_code(m, hit->concept);
    return p->kind == MED_PART_ALL || med_bit(p->bits, hit->concept);
}

static bool system_fits(const med_part *p, const med_value_set *of, med_str system, med_str version,
                        bool exclude)
{
    if (system.len > 0 && !med_str_eq(p->system, system))
        return false;
    if (exclude && (p->version.len == 0 || of->versions_match))
        return true; /* no version is named, or none matters: out with it in all */
    med_str have = p->sys != NULL ? p->sys->version : p->version;
    return version.len == 0 || have.len == 0 || med_str_eq(have, version);
}

/* NOLINTNEXTLINE(misc-no-recursion): value sets nest MED_CONTEXT_DEPTH deep, no more */
static bool in_part(const med_part *p, const med_value_set *of, med_arena *a, med_str system,
                    med_str version, med_str code, bool exclude, med_code_hit *hit)
{
    bool own = p->kind != MED_PART_SETS;
    if (own && (!system_fits(p, of, system, version, exclude) || !part_has(p, a, code, hit)))
        return false;
    if (own)
        hit->set = of;
    for (size_t i = 0; i < p->n_sets; i++) {
        med_code_hit inner;
        if (!med_value_set_has(p->sets[i], a, own ? p->system : system, version, code, &inner))
            return false;
        if (!own && i == 0)
            *hit = inner;
    }
    return own || p->n_sets > 0;
}

/* Of several versions of a system that have the code, the latest. */
/* NOLINTNEXTLINE(misc-no-recursion): see in_part */
bool med_value_set_includes(const med_value_set *vs, med_arena *a, med_str system, med_str version,
                            med_str code, med_code_hit *hit)
{
    bool found = false;
    for (size_t i = 0; i < vs->n_includes; i++) {
        med_code_hit one;
        if (!in_part(&vs->includes[i], vs, a, system, version, code, false, &one))
            continue;
        if (!found
            || (one.sys != NULL && hit->sys != NULL && med_str_eq(one.system, hit->system)
                && med_version_compare(one.sys->version, hit->sys->version) > 0))
            *hit = one;
        found = true;
        if (!vs->many_versions)
            break;
    }
    return found;
}

/* NOLINTNEXTLINE(misc-no-recursion): see in_part */
bool med_value_set_has(const med_value_set *vs, med_arena *a, med_str system, med_str version,
                       med_str code, med_code_hit *hit)
{
    return med_value_set_includes(vs, a, system, version, code, hit)
           && !med_value_set_excludes(vs, a, hit)
           && (!vs->active_only || (med_code_hit_flags(hit) & MED_CONCEPT_INACTIVE) == 0);
}

/* NOLINTNEXTLINE(misc-no-recursion): see in_part */
bool med_value_set_excludes(const med_value_set *vs, med_arena *a, const med_code_hit *hit)
{
    med_code_hit out;
    med_str found = hit->sys != NULL ? hit->sys->version : MED_STR_EMPTY;
    for (size_t i = 0; i < vs->n_excludes; i++) {
        if (in_part(&vs->excludes[i], vs, a, hit->system, found, hit->code, true, &out))
            return true;
    }
    return false;
}

med_str med_code_hit_display(const med_code_hit *h)
{
    if (h->listed != NULL && h->listed->display.len > 0)
        return h->listed->display;
    if (h->sys != NULL && h->sys->image != NULL && h->concept != MED_CONCEPT_NONE)
        return med_concept_display(h->sys->image, h->concept);
    return h->rule_display;
}

unsigned med_code_hit_flags(const med_code_hit *h)
{
    return h->sys != NULL && h->sys->image != NULL && h->concept != MED_CONCEPT_NONE
               ? med_concept_flags(h->sys->image, h->concept)
               : 0;
}
