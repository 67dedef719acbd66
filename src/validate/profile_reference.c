/* profile_reference.c - what a Reference names, and what a profile asks of that.
 * https://hl7.org/fhir/R4/references.html https://hl7.org/fhir/R4/bundle.html#references
 *
 * Looked for in the resource itself and in the Bundle around it, then elsewhere
 * (profile_elsewhere.c). That something is stored under a reference is asked by fhir/validate.c. */
#include <stdio.h>

#include "model/reference.h"
#include "validate/profile_impl.h"

static med_str text_of(med_profile_run *r, uint32_t object, const char *key)
{
    const med_json *j = r->c->j;
    med_str text;
    uint32_t node = med_json_kind_at(j, object) == MED_JSON_OBJECT
                        ? med_json_member(j, object, med_str_from(key))
                        : 0;
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING)
        return MED_STR_EMPTY;
    if (!med_json_string(r->work, j, node, &text)) {
        r->c->out_of_memory = true;
        return MED_STR_EMPTY;
    }
    return text;
}

/* ---- resolving ---- */

/* In the container: "#id", or "#" for itself. */
static bool find_contained(med_profile_run *r, const med_profile_place *place, med_str id,
                           med_profile_item *out)
{
    const med_json *j = r->c->j;
    uint32_t end;
    *out = (med_profile_item){.node = place->root, .place = NULL};
    if (!med_profile_enter(r, out, false, place->entry))
        return false;
    if (id.len == 0)
        return true;
    for (uint32_t e = med_profile_first(j, place->root, "contained", &end); e < end;
         e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT || !med_str_eq(text_of(r, e, "id"), id))
            continue;
        out->node = e;
        return med_profile_enter(r, out, true, 0);
    }
    return false;
}

/* The server's part of an entry's address: "http://host/fhir/" of ".../Patient/1". */
static med_str base_of(const med_profile_run *r, med_str url)
{
    med_reference parsed;
    med_err err = {0};
    if (!med_reference_parse(r->c->p, url, MED_STR_EMPTY, &parsed, &err)
        || parsed.kind != MED_REFERENCE_ABSOLUTE || parsed.id.len == 0)
        return MED_STR_EMPTY;
    size_t tail = parsed.type.len + 1 + parsed.id.len;
    return url.len > tail ? med_str_sub(url, 0, url.len - tail) : MED_STR_EMPTY;
}

static bool is_at(med_str url, med_str base, med_str reference)
{
    if (med_str_eq(url, reference))
        return true;
    return base.len > 0 && url.len == base.len + reference.len && med_str_starts(url, base)
           && med_str_ends(url, reference);
}

/* Without an address of a server the type and id in the entry's resource are what is left. */
static bool names(med_profile_run *r, uint32_t resource, const med_reference *reference)
{
    return reference->kind == MED_REFERENCE_LOCAL
           && med_str_eq(text_of(r, resource, "id"), reference->id)
           && med_str_eq(text_of(r, resource, "resourceType"), reference->type);
}

static const med_profile_place *entry_place(const med_profile_place *place)
{
    while (place != NULL && place->entry == 0)
        place = place->outer;
    return place;
}

static bool find_entry(med_profile_run *r, const med_profile_place *place, med_str text,
                       med_profile_item *out)
{
    const med_json *j = r->c->j;
    uint32_t end;
    med_reference parsed;
    med_err err = {0};
    const med_profile_place *own = entry_place(place);
    med_str base = own == NULL ? MED_STR_EMPTY : base_of(r, text_of(r, own->entry, "fullUrl"));
    if (!med_reference_parse(r->c->p, text, MED_STR_EMPTY, &parsed, &err))
        return false;
    med_str bare = med_str_sub(text, 0, med_str_search(text, MED_STR("/_history/"), 0));
    for (uint32_t e = med_profile_first(j, r->c->root, "entry", &end); e < end;
         e = j->nodes[e].next) {
        uint32_t resource = med_json_kind_at(j, e) == MED_JSON_OBJECT
                                ? med_json_member(j, e, MED_STR("resource"))
                                : 0;
        if (resource == 0 || !med_profile_spend(r, 1))
            continue;
        if (!is_at(text_of(r, e, "fullUrl"), base, bare)
            && !(base.len == 0 && names(r, resource, &parsed)))
            continue;
        *out = (med_profile_item){.node = resource, .place = NULL};
        return med_profile_enter(r, out, false, e);
    }
    return false;
}

bool med_profile_resolve(med_profile_run *r, const med_profile_item *reference,
                         med_profile_item *out)
{
    const med_json *j = r->c->j;
    if (reference->node == MED_NO_NODE)
        return false;
    med_str text = MED_STR_EMPTY;
    if (med_json_kind_at(j, reference->node) == MED_JSON_OBJECT)
        text = text_of(r, reference->node, "reference");
    else if (med_json_kind_at(j, reference->node) == MED_JSON_STRING
             && !med_json_string(r->work, j, reference->node, &text))
        r->c->out_of_memory = true;
    if (text.len == 0)
        return false;
    if (text.ptr[0] == '#')
        return find_contained(r, reference->place, med_str_skip(text, 1), out);
    return find_entry(r, reference->place, text, out);
}

/* ---- targets ---- */

/* What is known of a target without seeing it. */
static med_type named_type(med_profile_run *r, const med_profile_item *v, med_str text)
{
    med_type type = text.len == 0 ? MED_TYPE_NONE : med_reference_type(r->c->p, text);
    if (type == MED_TYPE_NONE)
        type = med_pack_type(r->c->p, text_of(r, v->node, "type"));
    return type;
}

static med_type base_type(const med_profile_run *r, med_str canonical)
{
    med_str prefix = MED_STR("http://hl7.org/fhir/StructureDefinition/");
    return med_str_starts(canonical, prefix)
               ? med_pack_type(r->c->p, med_str_skip(canonical, prefix.len))
               : MED_TYPE_NONE;
}

static void say_target(med_profile_run *r, const med_profile_type *t, const med_profile_item *v,
                       med_type type)
{
    char names_of[MED_CHECK_TEXT / 2];
    size_t len = 0;
    names_of[0] = '\0';
    for (size_t i = 0; i < t->n_targets && len + 1 < sizeof names_of; i++) {
        int more = snprintf(names_of + len, sizeof names_of - len, "%s%.*s", i == 0 ? "" : ", ",
                            MED_STR_ARG(t->targets[i]));
        len += more < 0 ? 0 : (size_t)more;
    }
    med_check_problem(r->c, v->node, NULL, MED_ISSUE_VALUE,
                      "a reference to %.*s can not stand here; expected %s",
                      MED_STR_ARG(med_type_name(r->c->p, type)), names_of);
}

enum { CANDIDATES = 32 };

/* A profile that the target may keep. */
typedef struct candidate {
    const med_profile *profile;
    med_str canonical; /* as it was asked for */
} candidate;

typedef struct candidates {
    candidate at[CANDIDATES];
    size_t n;
    bool unknown; /* there are others, which nobody knows */
} candidates;

/* The targets that the type leaves. True: one of them asks for nothing more. */
static bool choose(med_profile_run *r, const med_profile_type *t, med_type type, candidates *out)
{
    out->n = 0;
    out->unknown = false;
    for (size_t i = 0; i < t->n_targets && !med_profile_over(r); i++) {
        med_type base = base_type(r, t->targets[i]);
        if (base != MED_TYPE_NONE) {
            if (type == MED_TYPE_NONE || med_type_is_a(r->c->p, type, base))
                return true;
            continue;
        }
        const med_profile *p = med_profile_known(r, t->targets[i]);
        if (p == NULL || p->broken.len > 0)
            out->unknown = true;
        else if (out->n < CANDIDATES
                 && (type == MED_TYPE_NONE || med_type_is_a(r->c->p, type, p->type)))
            out->at[out->n++] = (candidate){p, t->targets[i]};
    }
    return false;
}

/* `target` NULL: it is elsewhere. */
static bool keeps_one(med_profile_run *r, const candidates *fits, med_str text,
                      const med_profile_item *target, med_str *fault)
{
    *fault = MED_STR_EMPTY;
    for (size_t i = 0; i < fits->n; i++) {
        const med_profile *p = fits->at[i].profile;
        bool kept = target != NULL
                        ? med_profile_conforms(r, p, p->nodes, target)
                        : med_profile_kept_elsewhere(r, text, fits->at[i].canonical, fault);
        if (kept || med_profile_over(r))
            return true;
    }
    return false;
}

static void check_target(med_profile_run *r, const med_profile_type *t, const med_profile_item *v,
                         const med_profile_item *target, med_str text, med_type type)
{
    candidates fits;
    med_str fault;
    if (t->n_targets == 0 || choose(r, t, type, &fits) || med_profile_over(r))
        return;
    if (fits.n == 0 && !fits.unknown) {
        if (type != MED_TYPE_NONE)
            say_target(r, t, v, type);
        return;
    }
    if ((target == NULL && (text.len == 0 || fits.n == 0))
        || keeps_one(r, &fits, text, target, &fault))
        return;
    if (fits.unknown) {
        med_check_warning(r->c, v->node, NULL, MED_ISSUE_NOT_FOUND,
                          "a profile that the target may keep is not installed here: whether it "
                          "does is not known");
        return;
    }
    bool one = fits.n == 1;
    med_check_problem(r->c, v->node, NULL, MED_ISSUE_VALUE,
                      "what it refers to does not keep %s: %.*s%s%s%.*s",
                      one ? "the profile that is asked for" : "any profile that is possible",
                      MED_STR_ARG(fits.at[0].profile->canonical), one ? "" : " or others",
                      fault.len > 0 ? "; there " : "", MED_STR_ARG(fault));
    if (one && target != NULL)
        med_profile_once(r, fits.at[0].profile, target);
}

/* ---- how it refers ---- */

static void check_aggregation(med_profile_run *r, const med_profile_type *t,
                              const med_profile_item *v, med_str text, bool found)
{
    bool contained = text.len > 0 && text.ptr[0] == '#';
    bool bundled = !contained && found;
    if (t->aggregation == 0 || text.len == 0)
        return;
    bool ok = contained ? (t->aggregation & MED_AGGREGATION_CONTAINED) != 0
              : bundled
                  ? (t->aggregation & (MED_AGGREGATION_BUNDLED | MED_AGGREGATION_REFERENCED)) != 0
                  : (t->aggregation & MED_AGGREGATION_REFERENCED) != 0;
    if (!ok)
        med_check_problem(
            r->c, v->node, NULL, MED_ISSUE_VALUE,
            "a reference to a resource that is %s can not stand here; expected:%s%s%s",
            contained ? "contained"
            : bundled ? "in the same Bundle"
                      : "elsewhere",
            (t->aggregation & MED_AGGREGATION_CONTAINED) != 0 ? " contained" : "",
            (t->aggregation & MED_AGGREGATION_BUNDLED) != 0 ? " bundled" : "",
            (t->aggregation & MED_AGGREGATION_REFERENCED) != 0 ? " referenced" : "");
}

static void check_versioning(med_profile_run *r, const med_profile_type *t,
                             const med_profile_item *v, med_str text)
{
    bool specific = med_str_search(text, MED_STR("/_history/"), 0) < text.len;
    if (text.len == 0 || t->versioning == MED_VERSIONING_EITHER
        || specific == (t->versioning == MED_VERSIONING_SPECIFIC))
        return;
    med_check_problem(r->c, v->node, NULL, MED_ISSUE_VALUE,
                      specific ? "the reference may not name a version"
                               : "the reference must name a version: .../_history/...");
}

void med_profile_check_reference(med_profile_run *r, const med_profile_node *n,
                                 const med_profile_item *v)
{
    med_profile_item target;
    const med_profile_type *t = NULL;
    for (size_t i = 0; i < n->n_types && t == NULL; i++)
        t = n->types[i].type == r->c->reference ? &n->types[i] : NULL;
    if (t == NULL || v->node == MED_NO_NODE
        || med_json_kind_at(r->c->j, v->node) != MED_JSON_OBJECT)
        return;
    med_str text = text_of(r, v->node, "reference");
    bool found = text.len > 0 && med_profile_resolve(r, v, &target);
    if (med_profile_over(r))
        return;
    check_aggregation(r, t, v, text, found);
    check_versioning(r, t, v, text);
    check_target(r, t, v, found ? &target : NULL, text,
                 found ? target.type : named_type(r, v, text));
}
