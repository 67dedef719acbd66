/* Any JSON is checked, walked and named without harm; what the check calls legal has a type,
 * and its problems name places that can be written down. */
#include "demand.h"
#include "model/walk.h"
#include "validate/structure.h"

struct seen {
    const med_pack *p;
    const med_json *j;
    size_t n;
};

static bool see_value(void *arg, const med_walk_value *v, med_err *err)
{
    struct seen *s = arg;
    (void)err;
    DEMAND(v->node < s->j->n && v->extension < s->j->n && v->param < med_pack_param_count(s->p));
    DEMAND(med_type_name(s->p, v->type).len > 0);
    s->n++;
    return true;
}

static bool see_reference(void *arg, const med_reference_walk *at, uint32_t reference,
                          uint32_t property, med_err *err)
{
    struct seen *s = arg;
    (void)at;
    (void)err;
    DEMAND(med_json_kind_at(s->j, reference) == MED_JSON_OBJECT && property > reference);
    DEMAND(med_json_kind_at(s->j, property) == MED_JSON_STRING);
    return true;
}

static void walk(med_arena *a, const med_pack *p, const med_json *j, med_type type)
{
    struct seen s = {p, j, 0};
    med_err err = {0};
    med_str expression;
    DEMAND(med_walk(p, j, 0, type, see_value, &s, &err));
    DEMAND(med_walk_references(p, j, 0, type, see_reference, &s, &err));
    DEMAND(!med_node_expression(a, p, j, 0, j->n / 2, &expression) || expression.len > 0);
}

/* All that base R4 says: never less than structure alone. */
static void check_base(med_arena *a, const med_pack *p, const med_json *j, size_t least)
{
    static med_rules *rules; /* as long as the process */
    med_type type;
    med_err err = {0};
    med_problems list = {0};
    if (rules == NULL)
        DEMAND(med_rules_new(p, &rules, &err));
    med_structure_options options = {.base = MED_STR_EMPTY, .rules = rules, .strict = true};
    if (!med_structure_check_with(a, p, j, 0, &options, &type, &list, &err))
        return;
    DEMAND(list.n >= least || list.n_warnings == MED_STRUCTURE_WARNINGS || list.more);
    DEMAND(list.n_warnings <= MED_STRUCTURE_WARNINGS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const med_pack *p = med_pack_core();
    med_arena *a = med_arena_new((size_t)1 << 24);
    med_json j;
    med_err err = {0};
    med_type type = MED_TYPE_NONE;
    med_problems list = {0};
    if (med_json_parse(a, (med_str){(const char *)data, size}, &j, NULL, &err)
        && med_structure_check(a, p, &j, 0, &type, &list, &err)) {
        DEMAND(list.n > 0 || type != MED_TYPE_NONE);
        DEMAND(list.n <= MED_STRUCTURE_PROBLEMS + MED_STRUCTURE_WARNINGS + 1);
        for (size_t i = 0; i < list.n; i++)
            DEMAND(list.at[i].text.len > 0 && list.at[i].issue != MED_ISSUE_NONE);
        if (type != MED_TYPE_NONE)
            walk(a, p, &j, type);
        check_base(a, p, &j, list.n);
    }
    med_arena_free(a);
    return 0;
}
