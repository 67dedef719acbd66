/* text.c - see text.h. */
#include "package/text.h"

uint32_t med_package_member(const med_json *j, uint32_t object, const char *key,
                            enum med_json_kind kind)
{
    if (med_json_kind_at(j, object) != MED_JSON_OBJECT)
        return 0;
    uint32_t at = med_json_member(j, object, med_str_from(key));
    return at != 0 && med_json_kind_at(j, at) == kind ? at : 0;
}

med_str med_package_text(med_arena *a, const med_json *j, uint32_t object, const char *key)
{
    med_str text;
    uint32_t at = med_package_member(j, object, key, MED_JSON_STRING);
    return at != 0 && med_json_string(a, j, at, &text) ? text : MED_STR_EMPTY;
}

uint32_t med_package_first(const med_json *j, uint32_t object, const char *key, uint32_t *end)
{
    uint32_t at = med_package_member(j, object, key, MED_JSON_ARRAY);
    *end = at == 0 ? 0 : j->nodes[at].next;
    return at == 0 ? 0 : at + 1;
}
