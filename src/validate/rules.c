/* rules.c - see rules.h. */
#include "validate/rules.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"

enum { FOUND_MAX = 128 };
#define MEMORY ((size_t)64 << 20)

struct med_rules {
    const med_pack *p;
    med_arena *a;         /* of the programs; under the lock */
    pthread_mutex_t lock; /* of compiling */
    _Atomic(const med_type_rules *) types[];
};

bool med_rules_new(const med_pack *p, med_rules **out, med_err *err)
{
    med_arena *a = med_arena_new(MEMORY);
    size_t n = med_pack_type_count(p);
    size_t size = sizeof(med_rules) + n * sizeof(_Atomic(const med_type_rules *));
    med_rules *rules = a == NULL ? NULL : med_arena_take(a, 1, size, _Alignof(max_align_t));
    if (rules == NULL || pthread_mutex_init(&rules->lock, NULL) != 0) {
        med_arena_free(a);
        return MED_FAIL_MEMORY(err);
    }
    rules->p = p;
    rules->a = a;
    for (size_t i = 0; i < n; i++)
        atomic_init(&rules->types[i], NULL);
    *out = rules;
    return true;
}

void med_rules_free(med_rules *rules)
{
    if (rules == NULL)
        return;
    (void)pthread_mutex_destroy(&rules->lock);
    med_arena_free(rules->a);
}

const med_pack *med_rules_pack(const med_rules *rules)
{
    return rules->p;
}

/* ---- compiling ---- */

/* What the structure check sees to itself: it says so with these keys, or refuses what would
 * break them (a resource inside a contained one, a narrative with active content). */
static bool is_structural(med_str key)
{
    static const char *const all[] = {"ele-1", "ext-1", "dom-2", "txt-1", "txt-2"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (med_str_eqz(key, all[i]))
            return true;
    }
    return false;
}

static med_type context_of(const med_pack *p, med_type t, size_t element)
{
    med_element e;
    med_property property;
    if (element == SIZE_MAX)
        return t;
    med_type_element(p, t, element, &e);
    if (e.is_choice || !med_type_property(p, t, e.name, &property))
        return MED_TYPE_NONE;
    return property.type;
}

/* The build has compiled every expression with these types: what fails here is memory. */
static bool compile_rule(const med_rules *rules, const med_invariant *says, med_type context,
                         bool on_type, med_rule *out)
{
    med_err err;
    *out = (med_rule){.says = *says};
    if (med_str_eqz(says->key, "ref-1"))
        out->kind = MED_RULE_REFERENCE;
    if (med_str_eqz(says->key, "dom-3"))
        out->kind = MED_RULE_CONTAINED;
    if (med_str_eqz(says->key, "dom-6"))
        out->kind = MED_RULE_NARRATIVE;
    med_type known = on_type ? context : MED_TYPE_NONE;
    if (known == MED_TYPE_NONE)
        known = med_pack_type(rules->p, MED_STR("Element"));
    if (!med_presence_compile(rules->a, rules->p, known, says->expression, &out->presence))
        return false;
    return med_fhirpath_compile(rules->a, rules->p, says->expression, context, &out->program, &err)
           || med_fhirpath_compile(rules->a, rules->p, says->expression, MED_TYPE_NONE,
                                   &out->program, &err);
}

/* Invariants to check, errors first. */
static size_t find(const med_pack *p, med_type t, size_t element, med_invariant *out,
                   size_t *n_errors)
{
    med_invariant all[FOUND_MAX];
    size_t n = 0;
    size_t n_all = med_element_invariants(p, t, element, 0, all, FOUND_MAX);
    for (int warnings = 0; warnings < 2; warnings++) {
        for (size_t i = 0; i < n_all && i < FOUND_MAX; i++) {
            if (all[i].is_warning == (warnings == 1) && all[i].expression.len > 0
                && !is_structural(all[i].key))
                out[n++] = all[i];
        }
        if (warnings == 0)
            *n_errors = n;
    }
    return n;
}

static bool compile_elements(const med_rules *rules, med_type t, med_type_rules *out)
{
    med_invariant found[FOUND_MAX];
    med_element_rule *room = NULL;
    size_t n_errors;
    size_t elements = med_type_element_count(rules->p, t);
    size_t total = 0;
    for (size_t e = 0; e < elements; e++)
        total += find(rules->p, t, e, found, &n_errors);
    if (total > 0 && (room = MED_TAKE(rules->a, total, med_element_rule)) == NULL)
        return false;
    for (size_t e = 0; e < elements && total > 0; e++) {
        size_t n = find(rules->p, t, e, found, &n_errors);
        for (size_t i = 0; i < n; i++) {
            med_element_rule *r = &room[out->n_elements++];
            r->element = (uint16_t)e;
            if (!compile_rule(rules, &found[i], context_of(rules->p, t, e), false, &r->rule))
                return false;
        }
    }
    out->elements = room;
    return true;
}

static const med_type_rules *compile(const med_rules *rules, med_type t)
{
    med_invariant found[FOUND_MAX];
    med_type_rules *out = MED_TAKE(rules->a, 1, med_type_rules);
    if (out == NULL)
        return NULL;
    size_t n = find(rules->p, t, SIZE_MAX, found, &out->n_errors);
    med_rule *at = MED_TAKE(rules->a, n, med_rule);
    if (at == NULL)
        return NULL;
    for (; out->n < n; out->n++) {
        if (!compile_rule(rules, &found[out->n], t, true, &at[out->n]))
            return NULL;
    }
    out->at = at;
    return compile_elements(rules, t, out) ? out : NULL;
}

const med_type_rules *med_rules_of(const med_rules *rules, med_type type)
{
    med_rules *own = (med_rules *)(uintptr_t)rules; /* the cache is its own affair */
    const med_type_rules *found = atomic_load_explicit(&own->types[type], memory_order_acquire);
    if (found != NULL)
        return found;
    (void)pthread_mutex_lock(&own->lock);
    found = atomic_load_explicit(&own->types[type], memory_order_relaxed);
    if (found == NULL) {
        found = compile(own, type);
        atomic_store_explicit(&own->types[type], found, memory_order_release);
    }
    (void)pthread_mutex_unlock(&own->lock);
    return found;
}
