/* term_translate.c - https://hl7.org/fhir/R4/conceptmap-operation-translate.html */
#include <stdio.h>

#include "fhir/interactions.h"
#include "fhir/term_snomed_map.h"
#include "fhir/term_store.h"
#include "fhir/terms.h"
#include "terminology/code_system_json.h"
#include "terminology/library.h"

static const char *const known[] = {
    "url",        "conceptMap",  "conceptMapVersion", "code",   "system",       "version",
    "source",     "coding",      "codeableConcept",   "target", "targetsystem", "reverse",
    "dependency", "tx-resource", "cache-id",          NULL};

enum { DEPTH = 4, SOURCES = 64, MAPS = 100 };

typedef struct coded {
    med_str system, code;
} coded;

typedef struct named_map {
    const med_json *j;
    uint32_t node;
} named_map;

typedef struct translation {
    med_term_call t;
    named_map maps[MAPS]; /* those to ask: one that was named, or all that fit */
    size_t n_maps;
    const med_json *j; /* the map in use */
    uint32_t map;
    coded asked[SOURCES];
    size_t n_asked;
    med_str target_system;
    bool reverse, found; /* found: one that is neither unmatched nor disjoint */
    med_json_writer w;   /* the matches, while they are found */
    bool any;
} translation;

static uint32_t list_at(const med_json *j, uint32_t object, const char *key)
{
    uint32_t node = med_json_member(j, object, med_str_from(key));
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_ARRAY ? node : 0;
}

static med_str text(const translation *x, uint32_t object, const char *key)
{
    med_str out;
    return med_json_text(x->t.call->arena, x->j, object, key, &out) ? out : MED_STR_EMPTY;
}

/* ---- the question ---- */

static bool add_coding(translation *x, uint32_t node)
{
    coded c;
    med_arena *a = x->t.call->arena;
    if (x->n_asked == SOURCES)
        return true;
    if (!med_json_text(a, x->t.json, node, "system", &c.system)
        || !med_json_text(a, x->t.json, node, "code", &c.code))
        return false;
    x->asked[x->n_asked++] = c;
    return true;
}

static bool read_codes(translation *x, med_err *err)
{
    const med_term_param *one = med_term_param_at(&x->t, "coding", 0);
    const med_term_param *many = med_term_param_at(&x->t, "codeableConcept", 0);
    med_str code = med_term_param_text(&x->t, "code");
    bool ok = true;
    if (code.len > 0)
        x->asked[x->n_asked++] = (coded){med_term_param_text(&x->t, "system"), code};
    if (one != NULL && one->node != 0)
        ok = add_coding(x, one->node);
    uint32_t list = many == NULL || many->node == 0 ? 0 : list_at(x->t.json, many->node, "coding");
    for (uint32_t e = list + 1; ok && list != 0 && e < x->t.json->nodes[list].next;
         e = x->t.json->nodes[e].next)
        ok = add_coding(x, e);
    if (!ok)
        return MED_FAIL_MEMORY(err);
    if (x->n_asked > 0)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_REQUIRED,
                   "$translate needs code (with system), coding or codeableConcept");
    return med_err_status(err, 400);
}

/* *found is false when no such map is known. */
static bool parse_map(translation *x, med_str canonical, bool *found, med_err *err)
{
    med_str url, version, body;
    med_json *j = MED_TAKE(x->t.call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    med_canonical_split(canonical, &url, &version);
    if (version.len == 0)
        version = med_term_param_text(&x->t, "conceptMapVersion");
    if (!med_term_text(&x->t.x, MED_TERM_CONCEPT_MAP, url, version, &body, err))
        return false;
    *found = body.len > 0;
    if (!*found)
        return true;
    x->j = j;
    x->map = 0;
    return med_json_parse(x->t.call->arena, body, j, NULL, err);
}

static med_str canonical_of(const translation *x, const char *key)
{
    uint32_t node;
    char name[32];
    med_str type[] = {MED_STR("Canonical"), MED_STR("Uri")};
    for (size_t i = 0; i < 2; i++) {
        int n = snprintf(name, sizeof name, "%s%.*s", key, MED_STR_ARG(type[i]));
        node = med_json_member(x->j, x->map, (med_str){name, n < 0 ? 0 : (size_t)n});
        if (node != 0)
            return med_json_raw(x->j, node);
    }
    return MED_STR_EMPTY;
}

/* Does the map speak of the value set that the question names as its source (target)? */
static bool is_between(const translation *x, const char *key)
{
    med_str url, version, have, of = med_term_param_text(&x->t, key);
    if (of.len == 0)
        return true;
    med_canonical_split(of, &url, &version);
    med_canonical_split(canonical_of(x, key), &have, &version);
    return med_str_eq(url, have);
}

static bool is_retired(const translation *x)
{
    return med_str_eqz(text(x, x->map, "status"), "retired");
}

static bool add_map(translation *x, med_str json, med_err *err)
{
    med_json *j = MED_TAKE(x->t.call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_json_parse(x->t.call->arena, json, j, NULL, err))
        return false;
    x->j = j;
    x->map = 0;
    if (!is_retired(x) && is_between(x, "source") && is_between(x, "target"))
        x->maps[x->n_maps++] = (named_map){j, 0};
    return true;
}

static bool is_stored(const med_search_result *r, med_arena *a, med_str url)
{
    med_str quoted = med_arena_printf(a, "\"url\":\"%.*s\"", MED_STR_ARG(url));
    for (size_t i = 0; i < r->n; i++) {
        med_str json = r->entries[i].resource.text;
        if (med_str_search(json, quoted, 0) < json.len)
            return true;
    }
    return false;
}

/* "The server may know by itself": every map from the system of a code, or to it. What is stored
 * stands for what is built in by the same url. */
static bool find_known_maps(translation *x, med_err *err)
{
    med_search_result r = {0};
    med_call *call = x->t.call;
    med_str system = x->asked[0].system, url, json;
    size_t cursor = 0;
    if (system.len == 0) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED,
                       "name the map (url, conceptMap, or its id), or the system of the code");
        return med_err_status(err, 400);
    }
    if (!med_term_store_search(call, "ConceptMap", x->reverse ? "target-system" : "source-system",
                               system, &r, err))
        return false;
    for (size_t i = 0; i < r.n && x->n_maps < MAPS; i++) {
        if (!add_map(x, r.entries[i].resource.text, err))
            return false;
    }
    while (x->n_maps < MAPS && med_library_next_map(&cursor, system, &url, &json)) {
        if (!is_stored(&r, call->arena, url) && !add_map(x, json, err))
            return false;
    }
    return true;
}

/* A map that SNOMED CT defines by itself, as far as it is about the codes of the question. */
static bool snomed_map(translation *x, med_str url, bool *found, med_err *err)
{
    med_str body, codes[SOURCES];
    med_json *j = MED_TAKE(x->t.call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < x->n_asked; i++)
        codes[i] = x->asked[i].code;
    if (!med_snomed_map(&x->t, url, codes, x->n_asked, x->reverse, &body, err))
        return false;
    *found = body.len > 0;
    x->j = j;
    x->map = 0;
    return !*found || med_json_parse(x->t.call->arena, body, j, NULL, err);
}

static bool find_named_map(translation *x, med_err *err)
{
    const med_term_param *p = med_term_param_at(&x->t, "conceptMap", 0);
    med_str url = med_term_param_text(&x->t, "url");
    bool found;
    if (x->t.call->request.level == MED_LEVEL_INSTANCE)
        return med_term_call_resource(&x->t, &x->j, &x->map, err);
    if (p != NULL && p->node != 0 && med_json_kind_at(x->t.json, p->node) == MED_JSON_OBJECT) {
        x->j = x->t.json;
        x->map = p->node;
        return true;
    }
    if (!(med_is_snomed_map(url) ? snomed_map(x, url, &found, err)
                                 : parse_map(x, url, &found, err)))
        return false;
    if (found)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                   "the ConceptMap '%.*s' could not be found; store it first", MED_STR_ARG(url));
    return med_err_status(err, 404);
}

static bool find_maps(translation *x, med_err *err)
{
    bool is_named = x->t.call->request.level == MED_LEVEL_INSTANCE
                    || med_term_param_at(&x->t, "conceptMap", 0) != NULL
                    || med_term_param_text(&x->t, "url").len > 0;
    if (!is_named)
        return find_known_maps(x, err);
    if (!find_named_map(x, err))
        return false;
    x->maps[x->n_maps++] = (named_map){x->j, x->map};
    return true;
}

/* ---- what a target depends on, and what comes with it ---- */

/* A code in the CodeableConcept at that node, of that system if it is said, or its text. */
static bool concept_says(const translation *x, uint32_t concept, med_str system, med_str value)
{
    const med_json *j = x->t.json;
    med_str have;
    uint32_t list = list_at(j, concept, "coding");
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str of;
        if (med_json_text(x->t.call->arena, j, e, "code", &have)
            && med_json_text(x->t.call->arena, j, e, "system", &of) && med_str_eq(have, value)
            && (system.len == 0 || med_str_eq(of, system)))
            return true;
    }
    return med_json_text(x->t.call->arena, j, concept, "text", &have) && have.len > 0
           && med_str_eq(have, value);
}

/* Is one of the question's dependencies this element, with that value? */
static bool is_given(const translation *x, med_str element, med_str system, med_str value)
{
    const med_json *j = x->t.json;
    const med_term_param *p;
    for (size_t i = 0; (p = med_term_param_at(&x->t, "dependency", i)) != NULL; i++) {
        uint32_t concept = 0;
        bool same = false;
        if (p->node == 0 || med_json_kind_at(j, p->node) != MED_JSON_ARRAY)
            continue;
        for (uint32_t e = p->node + 1; e < j->nodes[p->node].next; e = j->nodes[e].next) {
            med_str name, uri;
            uint32_t found = med_json_member(j, e, MED_STR("valueCodeableConcept"));
            if (!med_json_text(x->t.call->arena, j, e, "name", &name)
                || !med_json_text(x->t.call->arena, j, e, "valueUri", &uri))
                return false;
            same = same || (med_str_eqz(name, "element") && med_str_eq(uri, element));
            if (med_str_eqz(name, "concept") && found != 0
                && med_json_kind_at(j, found) == MED_JSON_OBJECT)
            concept = found;
        }
        if (same && concept != 0 && concept_says(x, concept, system, value))
            return true;
    }
    return false;
}

static bool depends_on_what_is_given(const translation *x, uint32_t target)
{
    uint32_t list = list_at(x->j, target, "dependsOn");
    for (uint32_t e = list + 1; list != 0 && e < x->j->nodes[list].next; e = x->j->nodes[e].next) {
        if (!is_given(x, text(x, e, "property"), text(x, e, "system"), text(x, e, "value")))
            return false;
    }
    return true;
}

static void write_products(translation *x, uint32_t target)
{
    med_json_writer *w = &x->w;
    uint32_t list = target == 0 ? 0 : list_at(x->j, target, "product");
    for (uint32_t e = list + 1; list != 0 && e < x->j->nodes[list].next; e = x->j->nodes[e].next) {
        med_json_open(w, '{');
        med_json_pair(w, "name", MED_STR("product"));
        med_json_key(w, MED_STR("part"));
        med_json_open(w, '[');
        med_term_write_text(w, "element", "valueUri", text(x, e, "property"));
        med_json_open(w, '{');
        med_json_pair(w, "name", MED_STR("concept"));
        med_json_key(w, MED_STR("valueCoding"));
        med_term_write_coding(w, text(x, e, "system"), MED_STR_EMPTY, text(x, e, "value"),
                              text(x, e, "display"));
        med_json_close(w, '}');
        med_json_close(w, ']');
        med_json_close(w, '}');
    }
}

/* ---- matches ---- */

/* `target`: the node of the map that says so; 0 none. */
static void write_match(translation *x, uint32_t target, med_str equivalence, coded to,
                        med_str display)
{
    med_json_writer *w = &x->w;
    x->any = true;
    if (!med_str_eqz(equivalence, "unmatched") && !med_str_eqz(equivalence, "disjoint"))
        x->found = true;
    med_json_open(w, '{');
    med_json_pair(w, "name", MED_STR("match"));
    med_json_key(w, MED_STR("part"));
    med_json_open(w, '[');
    med_term_write_text(w, "equivalence", "valueCode", equivalence);
    if (to.code.len > 0) {
        med_json_open(w, '{');
        med_json_pair(w, "name", MED_STR("concept"));
        med_json_key(w, MED_STR("valueCoding"));
        med_term_write_coding(w, to.system, MED_STR_EMPTY, to.code, display);
        med_json_close(w, '}');
    }
    write_products(x, target);
    med_term_write_text(w, "source", "valueUri", text(x, x->map, "url"));
    med_json_close(w, ']');
    med_json_close(w, '}');
}

static bool target_fits(const translation *x, med_str system)
{
    return x->target_system.len == 0 || med_str_eq(x->target_system, system);
}

/* Read backwards, wider is narrower. */
static med_str turned(med_str equivalence)
{
    static const char *const pairs[][2] = {{"wider", "narrower"},
                                           {"narrower", "wider"},
                                           {"subsumes", "specializes"},
                                           {"specializes", "subsumes"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (med_str_eqz(equivalence, pairs[i][0]))
            return med_str_from(pairs[i][1]);
    }
    return equivalence;
}

static bool element_forward(translation *x, uint32_t group, uint32_t element, const coded *c)
{
    med_str target = text(x, group, "target");
    if (!med_str_eq(text(x, element, "code"), c->code))
        return false;
    uint32_t list = list_at(x->j, element, "target");
    for (uint32_t e = list + 1; list != 0 && e < x->j->nodes[list].next; e = x->j->nodes[e].next) {
        if (target_fits(x, target) && depends_on_what_is_given(x, e))
            write_match(x, e, text(x, e, "equivalence"), (coded){target, text(x, e, "code")},
                        text(x, e, "display"));
    }
    return true;
}

static void element_backward(translation *x, uint32_t group, uint32_t element, const coded *c)
{
    uint32_t list = list_at(x->j, element, "target");
    for (uint32_t e = list + 1; list != 0 && e < x->j->nodes[list].next; e = x->j->nodes[e].next) {
        if (med_str_eq(text(x, e, "code"), c->code) && target_fits(x, text(x, group, "source")))
            write_match(x, 0, turned(text(x, e, "equivalence")),
                        (coded){text(x, group, "source"), text(x, element, "code")},
                        text(x, element, "display"));
    }
}

/* What the map says of codes it does not list. *other is a map to go on with. */
static void unmapped(translation *x, uint32_t group, const coded *c, med_str *other)
{
    uint32_t node = med_json_member(x->j, group, MED_STR("unmapped"));
    med_str mode = node == 0 ? MED_STR_EMPTY : text(x, node, "mode");
    med_str target = text(x, group, "target");
    if (!target_fits(x, target))
        return;
    if (med_str_eqz(mode, "provided"))
        write_match(x, 0, MED_STR("equal"), (coded){target, c->code}, MED_STR_EMPTY);
    else if (med_str_eqz(mode, "fixed"))
        write_match(x, 0, MED_STR("inexact"), (coded){target, text(x, node, "code")},
                    text(x, node, "display"));
    else if (med_str_eqz(mode, "other-map"))
        *other = text(x, node, "url");
}

static void translate_in(translation *x, const coded *c, med_str *other)
{
    uint32_t groups = list_at(x->j, x->map, "group");
    for (uint32_t g = groups + 1; groups != 0 && g < x->j->nodes[groups].next;
         g = x->j->nodes[g].next) {
        med_str side = text(x, g, x->reverse ? "target" : "source");
        bool listed = false;
        if (c->system.len > 0 && !med_str_eq(side, c->system))
            continue;
        uint32_t list = list_at(x->j, g, "element");
        for (uint32_t e = list + 1; list != 0 && e < x->j->nodes[list].next;
             e = x->j->nodes[e].next) {
            if (x->reverse)
                element_backward(x, g, e, c);
            else
                listed = element_forward(x, g, e, c) || listed;
        }
        if (!listed && !x->reverse)
            unmapped(x, g, c, other);
    }
}

static bool translate(translation *x, const coded *c, med_err *err)
{
    for (int depth = 0; depth < DEPTH; depth++) {
        med_str other = MED_STR_EMPTY;
        bool found;
        translate_in(x, c, &other);
        if (other.len == 0)
            break;
        if (!parse_map(x, other, &found, err))
            return false;
        if (!found)
            break;
    }
    return true;
}

static bool answer(translation *x, med_err *err)
{
    med_buf matches, b;
    med_json_writer w;
    med_buf_init(&matches, 16 << 20);
    x->w = med_json_writer_to(&matches);
    bool ok = true;
    med_json_open(&x->w, '[');
    for (size_t i = 0; ok && i < x->n_asked * x->n_maps; i++) {
        const named_map *map = &x->maps[i % x->n_maps];
        x->j = map->j;
        x->map = map->node;
        ok = translate(x, &x->asked[i / x->n_maps], err);
    }
    med_json_close(&x->w, ']');
    med_term_write_begin(&b, &w);
    med_term_write_bool(&w, "result", x->found);
    if (!x->any)
        med_term_write_text(&w, "message", "valueString",
                            x->n_maps > 0
                                ? MED_STR("no map that was asked says anything of this code")
                                : MED_STR("no ConceptMap is known for this system"));
    if (x->any) /* the list without its brackets */
        med_json_raw_value(&w, med_str_sub(med_buf_str(&matches), 1, matches.len - 1));
    ok = ok && !matches.failed;
    med_buf_free(&matches);
    if (!ok) {
        med_buf_free(&b);
        return err->issue != MED_ISSUE_NONE ? false : MED_FAIL_MEMORY(err);
    }
    return med_term_write_end(x->t.call, &b, &w, err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    translation *x = MED_TAKE(call->arena, 1, translation);
    if (x == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return MED_STEP_FAILED;
    }
    if (!med_term_call_begin(call, known, &x->t, err))
        return MED_STEP_FAILED;
    x->target_system = med_term_param_text(&x->t, "targetsystem");
    x->reverse = med_term_param_is(&x->t, "reverse", false);
    return read_codes(x, err) && find_maps(x, err) && answer(x, err) ? MED_STEP_OK
                                                                     : MED_STEP_FAILED;
}

#define TRANSLATE(variable, how, where)                                                            \
    const med_interaction variable = {.name = "translate",                                         \
                                      .method = (how),                                             \
                                      .level = (where),                                            \
                                      .operation = "$translate",                                   \
                                      .types = "ConceptMap",                                       \
                                      .prepare = prepare}
TRANSLATE(med_interaction_translate, MED_GET, MED_LEVEL_TYPE);
TRANSLATE(med_interaction_translate_post, MED_POST, MED_LEVEL_TYPE);
TRANSLATE(med_interaction_translate_instance, MED_GET, MED_LEVEL_INSTANCE);
TRANSLATE(med_interaction_translate_instance_post, MED_POST, MED_LEVEL_INSTANCE);
