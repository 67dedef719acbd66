/* profile_check.c - a resource beside the trees of its profiles. See profile.h, profile_impl.h.
 *
 * A job is a value and a node; what it asks for inside of the value becomes jobs. A group is
 * what a sliced element holds: it is told apart into slices first (profile_slice.c). */
#include <stdio.h>

#include "validate/profile_impl.h"

enum { FIRST_ROOM = 64, STEPS = 1000000, STEPS_A_NODE = 256 };
#define WORK_LIMIT ((size_t)512 << 20)

/* ---- jobs ---- */

bool med_profile_over(const med_profile_run *r)
{
    const med_check *c = r->c;
    return r->stopped || c->out_of_memory || c->failed || c->list->more || (c->silent && c->found);
}

bool med_profile_spend(med_profile_run *r, uint64_t steps)
{
    r->steps += steps;
    if (r->steps <= r->max_steps)
        return true;
    r->stopped = true;
    return false;
}

bool med_profile_push(med_profile_run *r, const med_profile_job *job)
{
    if (!med_profile_spend(r, 1))
        return false;
    med_profile_job *jobs = MED_GROW(r->work, r->jobs, r->n, &r->room, FIRST_ROOM);
    if (jobs == NULL) {
        r->c->out_of_memory = true;
        return false;
    }
    r->jobs = jobs;
    r->jobs[r->n++] = *job;
    return true;
}

const med_profile *med_profile_known(med_profile_run *r, med_str canonical)
{
    const med_profile *found = NULL;
    if (!med_profile_set_find(r->set, r->use, canonical, &found, r->c->err))
        r->c->failed = true;
    return found;
}

bool med_profile_enter(med_profile_run *r, med_profile_item *item, bool contained, uint32_t entry)
{
    med_value v;
    med_err err = {0};
    if (item->node == MED_NO_NODE || med_json_kind_at(r->c->j, item->node) != MED_JSON_OBJECT
        || !med_value_of_resource(r->c->p, r->c->j, item->node, &v, &err))
        return false;
    med_profile_place *place = MED_TAKE(r->work, 1, med_profile_place);
    if (place == NULL) {
        r->c->out_of_memory = true;
        return false;
    }
    *place = (med_profile_place){
        .outer = item->place,
        .resource = item->node,
        .root = contained && item->place != NULL ? item->place->root : item->node,
        .entry = entry,
    };
    item->type = v.type;
    item->place = place;
    return true;
}

/* ---- one value ---- */

static bool allows_type(const med_profile_run *r, const med_profile_node *n, med_type type)
{
    for (size_t i = 0; i < n->n_types; i++) {
        if (n->types[i].type == MED_TYPE_NONE || med_type_is_a(r->c->p, type, n->types[i].type))
            return true;
    }
    return n->n_types == 0;
}

static void say_types(med_profile_run *r, const med_profile_node *n, const med_profile_item *v)
{
    char names[MED_CHECK_TEXT / 2];
    size_t len = 0;
    for (size_t i = 0; i < n->n_types && len + 1 < sizeof names; i++) {
        int more = snprintf(names + len, sizeof names - len, "%s%.*s", i == 0 ? "" : ", ",
                            MED_STR_ARG(n->types[i].code));
        len += more < 0 ? 0 : (size_t)more;
    }
    med_check_problem(r->c, med_profile_node_of(v), NULL, MED_ISSUE_STRUCTURE,
                      "a value of the type %.*s can not stand here; expected %s",
                      MED_STR_ARG(med_type_name(r->c->p, v->type)), names);
}

static void say_unknown(med_profile_run *r, const med_profile_item *v, med_str canonical)
{
    med_check_problem(r->c, med_profile_node_of(v), NULL, MED_ISSUE_NOT_FOUND,
                      "this should keep the profile %.*s, which is not installed here: whether it "
                      "does is not known; add its package (medulla package add)",
                      MED_STR_ARG(canonical));
}

/* Base definitions say nothing that the base check has not. */
static med_type base_of(const med_profile_run *r, med_str canonical)
{
    med_str version, url = med_str_cut(canonical, '|', &version);
    med_str prefix = MED_STR("http://hl7.org/fhir/StructureDefinition/");
    if (version.len > 0 && !med_str_starts(version, MED_STR("4.0")))
        return MED_TYPE_NONE;
    return med_str_starts(url, prefix) ? med_pack_type(r->c->p, med_str_skip(url, prefix.len))
                                       : MED_TYPE_NONE;
}

static bool is_base(const med_profile_run *r, med_str canonical)
{
    return base_of(r, canonical) != MED_TYPE_NONE;
}

/* One profile: it speaks for itself. Several: one of them. */
static void check_type_profiles(med_profile_run *r, const med_profile_type *t,
                                const med_profile_item *v)
{
    const med_profile *known = NULL;
    for (size_t i = 0; i < t->n_profiles && !med_profile_over(r); i++) {
        if (is_base(r, t->profiles[i]))
            return;
        const med_profile *one = med_profile_known(r, t->profiles[i]);
        if (one == NULL) {
            if (t->n_profiles == 1 && !med_profile_over(r))
                say_unknown(r, v, t->profiles[i]);
            continue;
        }
        if (t->n_profiles == 1) {
            med_profile_apply(r, one, v);
            return;
        }
        known = one;
        if (med_profile_conforms(r, one, one->nodes, v))
            return;
    }
    if (t->n_profiles < 2 || med_profile_over(r))
        return;
    if (known == NULL)
        say_unknown(r, v, t->profiles[0]);
    else
        med_check_problem(r->c, med_profile_node_of(v), NULL, MED_ISSUE_STRUCTURE,
                          "this keeps none of the %zu profiles that are possible here; the last: "
                          "%.*s",
                          t->n_profiles, MED_STR_ARG(t->profiles[t->n_profiles - 1]));
}

static void check_types(med_profile_run *r, const med_profile_node *n, const med_profile_item *v)
{
    if (!allows_type(r, n, v->type) || (n->only != MED_TYPE_NONE && n->only != v->type)) {
        say_types(r, n, v);
        return;
    }
    for (size_t i = 0; i < n->n_types; i++) {
        const med_profile_type *t = &n->types[i];
        if (t->n_profiles > 0
            && (t->type == MED_TYPE_NONE || med_type_is_a(r->c->p, v->type, t->type))) {
            check_type_profiles(r, t, v);
            return;
        }
    }
}

/* ---- children ---- */

static void check_count(med_profile_run *r, const med_profile_node *n,
                        const med_profile_item *object, size_t count)
{
    uint32_t at = med_profile_node_of(object);
    if (count < n->min)
        med_check_problem(r->c, at, NULL, MED_ISSUE_REQUIRED,
                          "%.*s is required: at least %u, found %zu", MED_STR_ARG(n->path), n->min,
                          count);
    else if (count > n->max && n->max == 0)
        med_check_problem(r->c, at, NULL, MED_ISSUE_STRUCTURE, "%.*s may not be there",
                          MED_STR_ARG(n->path));
    else if (count > n->max)
        med_check_problem(r->c, at, NULL, MED_ISSUE_STRUCTURE,
                          "%.*s: %zu values, at most %u allowed", MED_STR_ARG(n->path), count,
                          n->max);
}

/* A resource inside gets its own place. `entry` is the object that holds it. */
static bool enter_resource(med_profile_run *r, const med_profile_item *object, med_profile_item *v)
{
    if (v->type == MED_TYPE_NONE || med_type_kind_of(r->c->p, v->type) != MED_TYPE_RESOURCE)
        return true;
    bool contained = med_type_kind_of(r->c->p, object->type) == MED_TYPE_RESOURCE;
    return med_profile_enter(r, v, contained, contained ? 0 : object->node);
}

static void push_values(med_profile_run *r, const med_profile_job *job, const med_profile_node *n,
                        med_profile_items *values)
{
    med_profile_item *at = (med_profile_item *)(uintptr_t)values->at; /* just made */
    size_t kept = 0;
    for (size_t i = 0; i < values->n; i++) {
        if (enter_resource(r, &job->item, &at[i]))
            at[kept++] = at[i];
    }
    values->n = kept;
    if (n->sliced || n->slices != 0) {
        med_profile_job group = {.profile = job->profile,
                                 .node = n,
                                 .item = job->item,
                                 .group = *values,
                                 .is_group = true};
        if (!med_profile_push(r, &group))
            return;
    }
    for (size_t i = kept; i-- > 0;) {
        med_profile_job one = {.profile = job->profile, .node = n, .item = at[i]};
        if (!med_profile_push(r, &one))
            return;
    }
}

static void check_children(med_profile_run *r, const med_profile_job *job)
{
    med_profile_member members[MED_PROFILE_MEMBERS] MED_UNINITIALIZED;
    const med_profile *p = job->profile;
    const med_profile_node *n = job->node;
    uint32_t child = n->child;
    if (child == 0 && n->reference != 0)
        child = p->nodes[n->reference].child;
    if (child == 0)
        return;
    size_t n_members = med_profile_members(r, &job->item, members);
    for (uint32_t i = child; i != 0 && !med_profile_over(r); i = p->nodes[i].next) {
        const med_profile_node *c = &p->nodes[i];
        med_profile_items values;
        if (!c->works && !c->checks_count)
            continue;
        if (!med_profile_values(r, &job->item, members, n_members, c->name,
                                c->checks_types ? MED_TYPE_NONE : c->only, &values))
            return;
        if (c->checks_count)
            check_count(r, c, &job->item, values.n);
        if (c->works)
            push_values(r, job, c, &values);
    }
}

static void check_node(med_profile_run *r, const med_profile_job *job)
{
    const med_profile_node *n = job->node;
    const med_profile_item *v = &job->item;
    if (n->checks_types)
        check_types(r, n, v);
    med_profile_check_value(r, n, v);
    if (n->checks_references && v->type == r->c->reference)
        med_profile_check_reference(r, n, v);
    if (n->n_rules > 0) {
        /* of a resource inside: what its element says is said by the resource around it */
        bool inside = n != job->profile->nodes;
        const med_profile_place *place = v->place;
        if (inside && v->node == place->resource && place->outer != NULL)
            place = place->outer;
        med_profile_check_rules(r, n->rules, n->n_rules, v, place);
    }
    check_children(r, job);
}

/* Each problem says which profile it is about. */
static void sign(med_profile_run *r, size_t from, const med_profile *profile)
{
    med_problems *list = r->c->list;
    for (size_t i = from; i < list->n && !r->c->out_of_memory; i++) {
        med_problem *p = &list->at[i];
        if (p->issue == MED_ISSUE_INCOMPLETE)
            continue;
        p->text = med_arena_printf(r->c->a, "%.*s (profile %.*s)", MED_STR_ARG(p->text),
                                   MED_STR_ARG(profile->canonical));
        r->c->out_of_memory = p->text.len == 0;
    }
}

static bool same(const med_problem *a, const med_problem *b)
{
    return a->issue == b->issue && med_str_eq(a->expression, b->expression)
           && med_str_eq(a->text, b->text);
}

/* An element and a slice of it may ask for the same: it is told once. */
static void drop_repeated(med_problems *list, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < list->n; i++) {
        size_t k = 0;
        while (k < kept && !same(&list->at[k], &list->at[i]))
            k++;
        if (k == kept)
            list->at[kept++] = list->at[i];
        else
            list->n_warnings -= list->at[i].is_warning;
    }
    list->n = kept;
}

void med_profile_work(med_profile_run *r, size_t floor)
{
    while (r->n > floor && !med_profile_over(r)) {
        med_profile_job job = r->jobs[--r->n];
        size_t from = r->c->list->n;
        if (job.is_group)
            med_profile_check_group(r, &job);
        else
            check_node(r, &job);
        if (r->c->list->n > from) {
            sign(r, from, job.profile);
            drop_repeated(r->c->list, from);
        }
    }
    r->n = r->n < floor ? r->n : floor;
}

/* ---- which profiles ---- */

static void say_misfit(med_profile_run *r, const med_profile *p, const med_profile_item *v)
{
    if (p->broken.len > 0)
        med_check_problem(r->c, med_profile_node_of(v), NULL, MED_ISSUE_PROCESSING,
                          "the profile %.*s can not be used: %.*s", MED_STR_ARG(p->canonical),
                          MED_STR_ARG(p->broken));
    else
        med_check_problem(r->c, med_profile_node_of(v), NULL, MED_ISSUE_STRUCTURE,
                          "a %.*s does not keep a profile of %.*s: %.*s",
                          MED_STR_ARG(med_type_name(r->c->p, v->type)),
                          MED_STR_ARG(med_type_name(r->c->p, p->type)), MED_STR_ARG(p->canonical));
}

void med_profile_apply(med_profile_run *r, const med_profile *profile, const med_profile_item *item)
{
    if (profile->broken.len > 0 || item->type == MED_TYPE_NONE
        || !med_type_is_a(r->c->p, item->type, profile->type)) {
        say_misfit(r, profile, item);
        return;
    }
    med_profile_job job = {.profile = profile, .node = profile->nodes, .item = *item};
    if (profile->nodes->works)
        (void)med_profile_push(r, &job);
}

static void ask_for(med_profile_run *r, med_str canonical, const med_profile_item *item,
                    bool claimed)
{
    med_type base = base_of(r, canonical);
    if (base != MED_TYPE_NONE) {
        if (!claimed && !med_type_is_a(r->c->p, item->type, base))
            say_misfit(
                r, &(med_profile){.canonical = canonical, .type = base, .broken = MED_STR_EMPTY},
                item);
        return;
    }
    const med_profile *p = med_profile_known(r, canonical);
    if (p != NULL) {
        med_profile_apply(r, p, item);
    } else if (!med_profile_over(r)) {
        void (*say)(med_check *, uint32_t, const char *, enum med_issue, const char *, ...) =
            claimed && !r->use->need_claimed ? med_check_warning : med_check_problem;
        say(r->c, item->node, NULL, MED_ISSUE_NOT_FOUND,
            "the profile %.*s is not installed here: whether it is kept is not known; add its "
            "package (medulla package add), or store the StructureDefinition",
            MED_STR_ARG(med_str_sub(canonical, 0, 200)));
    }
    med_profile_work(r, 0);
}

static bool has_asked(const med_profile_use *use, med_str canonical)
{
    for (size_t i = 0; i < use->n; i++) {
        if (med_str_eq(use->canonicals[i], canonical))
            return true;
    }
    return false;
}

static void ask_for_claims(med_profile_run *r, const med_profile_item *item, bool outermost)
{
    const med_json *j = r->c->j;
    uint32_t list = med_json_path(j, item->node, "meta.profile");
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return;
    for (uint32_t e = list + 1; e < j->nodes[list].next && !med_profile_over(r);
         e = j->nodes[e].next) {
        med_str canonical;
        if (med_json_kind_at(j, e) != MED_JSON_STRING || j->nodes[e].len == 0
            || !med_json_string(r->c->a, j, e, &canonical)
            || (outermost && has_asked(r->use, canonical)))
            continue;
        ask_for(r, canonical, item, true);
    }
}

/* Listed profiles are asked of all resources of their type. */
static void ask_for_listed(med_profile_run *r, const med_profile_item *item)
{
    for (size_t i = 0; i < r->use->n_listed && !med_profile_over(r); i++) {
        const med_profile *p = med_profile_known(r, r->use->listed[i]);
        if (p == NULL) {
            if (!med_profile_over(r))
                ask_for(r, r->use->listed[i], item, false);
        } else if (p->broken.len > 0 || med_type_is_a(r->c->p, item->type, p->type)) {
            med_profile_apply(r, p, item);
            med_profile_work(r, 0);
        }
    }
}

static void check_noted(med_profile_run *r, const med_check_noted *noted)
{
    bool contained = noted->resource != noted->root;
    med_profile_item item = {.node = noted->root};
    if (!med_profile_enter(r, &item, false, noted->entry))
        return;
    if (contained) {
        item.node = noted->resource;
        if (!med_profile_enter(r, &item, true, 0))
            return;
    }
    if (noted->profile != NULL) {
        item.node = noted->node;
        item.type = r->c->extension;
        med_profile_apply(r, noted->profile, &item);
        med_profile_work(r, 0);
        return;
    }
    if (noted->node == r->c->root) {
        for (size_t i = 0; i < r->use->n && !med_profile_over(r); i++)
            ask_for(r, r->use->canonicals[i], &item, false);
    }
    if (r->use->claimed)
        ask_for_claims(r, &item, noted->node == r->c->root);
    if (!contained)
        ask_for_listed(r, &item);
}

void med_check_profiles(med_check *c)
{
    med_profile_run r = {
        .c = c,
        .use = c->options->profiles,
        .set = c->profiles,
        .targets = c->options->profiles->targets,
        .max_steps = STEPS + (uint64_t)STEPS_A_NODE * c->j->n,
    };
    r.work = med_arena_new(WORK_LIMIT);
    if (r.work == NULL)
        c->out_of_memory = true;
    c->run = &r;
    for (size_t i = 0; i < c->n_noted && !med_profile_over(&r); i++)
        check_noted(&r, &c->noted[i]);
    if (r.stopped && !c->list->more)
        med_check_problem(c, c->root, NULL, MED_ISSUE_TOO_COSTLY,
                          "the profiles ask for more work than is done here: the check was given "
                          "up");
    c->run = NULL;
    med_arena_free(r.work);
}

void med_check_note(med_check *c, const med_check_noted *noted)
{
    med_check_noted *at = MED_GROW(c->a, c->noted, c->n_noted, &c->room_noted, FIRST_ROOM);
    if (at == NULL) {
        c->out_of_memory = true;
        return;
    }
    c->noted = at;
    c->noted[c->n_noted++] = *noted;
}

const med_profile *med_check_extension_profile(med_check *c, med_str url)
{
    const med_profile *p = NULL;
    if (c->profiles == NULL)
        return NULL;
    if (!med_profile_set_find(c->profiles, c->options->profiles, url, &p, c->err))
        c->failed = true;
    return p != NULL && p->broken.len == 0 && p->type == c->extension ? p : NULL;
}
