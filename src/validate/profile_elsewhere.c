/* profile_elsewhere.c - does what a reference names, and is not here, keep a profile?
 * https://hl7.org/fhir/R4/references.html#targetProfile See profile_impl.h.
 *
 * It is fetched and checked by itself: a check inside of the check, at most DEPTH of them inside
 * each other and TARGETS in all. Each is decided once. One that is asked for while it is being
 * decided counts as kept, and so does what lies beyond these bounds. */
#include "validate/profile_impl.h"

enum { DEPTH = 4, TARGETS = 1000, FIRST_ROOM = 16 };
#define TARGET_MEMORY ((size_t)256 << 20)

typedef struct target {
    med_str reference, profile;
    bool kept;
    med_str fault; /* the first, of one that is not kept */
} target;

struct med_profile_targets {
    med_arena *a;
    target *at;
    size_t n, room;
    int depth;
};

static struct med_profile_targets *targets_of(med_profile_run *r)
{
    if (r->targets != NULL)
        return r->targets;
    struct med_profile_targets *t = MED_TAKE(r->work, 1, struct med_profile_targets);
    if (t == NULL)
        r->c->out_of_memory = true;
    else
        *t = (struct med_profile_targets){.a = r->work};
    return r->targets = t;
}

/* Its number, for others may be added while it is decided; SIZE_MAX: too many, or no memory. */
static size_t remember(med_profile_run *r, med_str reference, med_str profile, bool *is_new)
{
    struct med_profile_targets *t = targets_of(r);
    *is_new = false;
    for (size_t i = 0; t != NULL && i < t->n; i++) {
        if (med_str_eq(t->at[i].reference, reference) && med_str_eq(t->at[i].profile, profile))
            return i;
    }
    if (t == NULL || t->n == TARGETS || t->depth == DEPTH)
        return SIZE_MAX;
    target *at = MED_GROW(t->a, t->at, t->n, &t->room, FIRST_ROOM);
    med_str copy;
    if (at == NULL || !med_arena_copy(t->a, reference, &copy)) {
        r->c->out_of_memory = true;
        return SIZE_MAX;
    }
    t->at = at;
    t->at[t->n] = (target){copy, profile, true, MED_STR_EMPTY};
    *is_new = true;
    return t->n++;
}

/* As a write would see it: what is only advised makes it no worse. */
static bool check_by_itself(med_profile_run *r, med_arena *a, const med_json *j, uint32_t root,
                            med_str profile, med_problems *list)
{
    med_type type;
    med_profile_use use = *r->use;
    med_structure_options options = *r->c->options;
    use.canonicals = &profile;
    use.n = 1;
    use.n_listed = 0;
    use.claimed = false;
    use.targets = r->targets;
    options.profiles = &use;
    options.quiet = true;
    options.strict = options.known_extensions = options.allow_conditional = false;
    options.find = NULL;
    r->targets->depth++;
    bool ok = med_structure_check_with(a, r->c->p, j, root, &options, &type, list, r->c->err);
    r->targets->depth--;
    return ok;
}

static bool decide(med_profile_run *r, med_arena *a, size_t at)
{
    const target *t = &r->targets->at[at];
    const med_json *j = NULL;
    uint32_t root = 0;
    med_problems list = {0};
    if (!r->c->options->fetch(r->c->options->arg, a, t->reference, &j, &root, r->c->err))
        return false;
    if (j == NULL)
        return true;
    if (!check_by_itself(r, a, j, root, t->profile, &list))
        return false;
    target *decided = &r->targets->at[at];
    decided->kept = list.n == 0;
    if (list.n > 0)
        decided->fault =
            med_arena_printf(r->targets->a, "%.*s: %.*s", MED_STR_ARG(list.at[0].expression),
                             MED_STR_ARG(list.at[0].text));
    return true;
}

bool med_profile_kept_elsewhere(med_profile_run *r, med_str reference, med_str profile,
                                med_str *fault)
{
    bool is_new;
    *fault = MED_STR_EMPTY;
    if (r->c->options->fetch == NULL)
        return true;
    size_t at = remember(r, reference, profile, &is_new);
    if (at == SIZE_MAX)
        return true;
    if (is_new) {
        med_arena *a = med_arena_new(TARGET_MEMORY);
        if (a == NULL)
            r->c->out_of_memory = true;
        else if (!decide(r, a, at))
            r->c->failed = true;
        med_arena_free(a);
    }
    *fault = r->targets->at[at].fault;
    return r->targets->at[at].kept;
}
