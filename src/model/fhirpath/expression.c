/* expression.c - where a value stands, for messages */
#include "model/fhirpath.h"
#include "model/walk.h"

bool med_value_expression(med_arena *a, const med_pack *p, const med_value *v, med_str *out)
{
    *out = MED_STR_EMPTY;
    if (v->kind != MED_VALUE_NODE || v->json == NULL)
        return true;
    bool absent = v->node == 0 && v->extension != 0;
    return med_node_expression(a, p, v->json, 0, absent ? v->extension : v->node, out);
}
