/* profile_slice.c - what a sliced element holds, told apart. See profile_impl.h.
 * https://hl7.org/fhir/R4/profiling.html#slicing */
#include <stdio.h>

#include "validate/profile_impl.h"

struct sorted {
    const med_profile_node **of; /* the slice of each value; NULL: none */
    size_t *counts;              /* of each slice, in the order of the profile */
    size_t n_slices;
};

static const med_profile_node *slice_of(med_profile_run *r, const med_profile_job *job,
                                        const med_profile_item *v)
{
    const med_profile *p = job->profile;
    const med_profile_node *otherwise = NULL;
    for (uint32_t i = job->node->slices; i != 0; i = p->nodes[i].next_slice) {
        const med_profile_node *s = &p->nodes[i];
        if (med_str_eqz(s->slice, "@default"))
            otherwise = s;
        else if (med_profile_matches(r, job, s, v))
            return s;
        if (!med_profile_spend(r, 1) || med_profile_over(r))
            return NULL;
    }
    return otherwise;
}

/* ---- what slicing itself asks ---- */

static void say_extra(med_profile_run *r, const med_profile_job *job, const med_profile_item *v)
{
    char names[MED_CHECK_TEXT / 2];
    size_t len = 0;
    const med_profile *p = job->profile;
    names[0] = '\0';
    for (uint32_t i = job->node->slices; i != 0 && len + 1 < sizeof names;
         i = p->nodes[i].next_slice) {
        int more = snprintf(names + len, sizeof names - len, "%s%.*s", len == 0 ? "" : ", ",
                            MED_STR_ARG(p->nodes[i].slice));
        len += more < 0 ? 0 : (size_t)more;
    }
    med_check_problem(r->c, med_profile_node_of(v), NULL, MED_ISSUE_STRUCTURE,
                      "this is none of the slices of %.*s, and others may not be there; they are: "
                      "%s",
                      MED_STR_ARG(job->node->path), names);
}

static size_t position(const med_profile *p, const med_profile_node *node,
                       const med_profile_node *slice)
{
    size_t n = 0;
    for (uint32_t i = node->slices; i != 0 && &p->nodes[i] != slice; i = p->nodes[i].next_slice)
        n++;
    return n;
}

static void check_order(med_profile_run *r, const med_profile_job *job, const struct sorted *s)
{
    const med_profile_node *n = job->node;
    size_t last = 0;
    bool other = false;
    for (size_t i = 0; i < job->group.n; i++) {
        uint32_t at = med_profile_node_of(&job->group.at[i]);
        if (s->of[i] == NULL) {
            other = true;
            continue;
        }
        size_t now = position(job->profile, n, s->of[i]);
        if (other && n->slicing == MED_SLICING_OPEN_AT_END)
            med_check_problem(r->c, at, NULL, MED_ISSUE_STRUCTURE,
                              "what is of no slice stands at the end, behind the slice %.*s",
                              MED_STR_ARG(s->of[i]->slice));
        if (n->ordered && now < last)
            med_check_problem(r->c, at, NULL, MED_ISSUE_STRUCTURE,
                              "the slices have an order: the slice %.*s stands further ahead",
                              MED_STR_ARG(s->of[i]->slice));
        last = now > last ? now : last;
    }
}

static void check_counts(med_profile_run *r, const med_profile_job *job, const struct sorted *s)
{
    const med_profile *p = job->profile;
    size_t k = 0;
    uint32_t at = med_profile_node_of(&job->item);
    for (uint32_t i = job->node->slices; i != 0; i = p->nodes[i].next_slice, k++) {
        const med_profile_node *slice = &p->nodes[i];
        if (s->counts[k] < slice->min)
            med_check_problem(
                r->c, at, NULL, MED_ISSUE_REQUIRED, "%.*s:%.*s is required: at least %u, found %zu",
                MED_STR_ARG(slice->path), MED_STR_ARG(slice->slice), slice->min, s->counts[k]);
        else if (s->counts[k] > slice->max)
            med_check_problem(r->c, at, NULL, MED_ISSUE_STRUCTURE,
                              "%.*s:%.*s: %zu values, at most %u allowed", MED_STR_ARG(slice->path),
                              MED_STR_ARG(slice->slice), s->counts[k], slice->max);
    }
}

/* ---- the values of each slice ---- */

static void push_slice(med_profile_run *r, const med_profile_job *job, const struct sorted *s,
                       const med_profile_node *slice, size_t count)
{
    size_t n = 0;
    bool has_slices = slice->sliced || slice->slices != 0;
    med_profile_item *own = has_slices ? MED_TAKE(r->work, count, med_profile_item) : NULL;
    if (has_slices && own == NULL) {
        r->c->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < job->group.n; i++) {
        if (s->of[i] != slice)
            continue;
        if (has_slices)
            own[n++] = job->group.at[i];
        med_profile_job one = {.profile = job->profile, .node = slice, .item = job->group.at[i]};
        if (slice->works && !med_profile_push(r, &one))
            return;
    }
    med_profile_job again = {.profile = job->profile,
                             .node = slice,
                             .item = job->item,
                             .group = {own, n},
                             .is_group = true};
    if (has_slices)
        (void)med_profile_push(r, &again);
}

void med_profile_check_group(med_profile_run *r, const med_profile_job *job)
{
    const med_profile *p = job->profile;
    struct sorted s = {.n_slices = 0};
    size_t k = 0;
    for (uint32_t i = job->node->slices; i != 0; i = p->nodes[i].next_slice)
        s.n_slices++;
    s.of = MED_TAKE(r->work, job->group.n, const med_profile_node *);
    s.counts = MED_TAKE(r->work, s.n_slices, size_t);
    if (s.of == NULL || s.counts == NULL) {
        r->c->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < job->group.n && !med_profile_over(r); i++) {
        s.of[i] = slice_of(r, job, &job->group.at[i]);
        if (s.of[i] != NULL)
            s.counts[position(p, job->node, s.of[i])]++;
        else if (job->node->slicing == MED_SLICING_CLOSED && !med_profile_over(r))
            say_extra(r, job, &job->group.at[i]);
    }
    if (med_profile_over(r))
        return;
    check_order(r, job, &s);
    check_counts(r, job, &s);
    for (uint32_t i = job->node->slices; i != 0; i = p->nodes[i].next_slice, k++) {
        if (s.counts[k] > 0)
            push_slice(r, job, &s, &p->nodes[i], s.counts[k]);
    }
}
