/* added_rows.c - rows that a later format of the store has more of: which types have them, and
 * searches that do without until all that is stored has them. */
#include "search/schema.h"

const med_search_schema *med_search_schema_without(med_arena *a, const med_search_schema *s,
                                                   enum med_added_rows rows)
{
    med_search_schema *copy = MED_TAKE(a, 1, med_search_schema);
    if (copy == NULL)
        return NULL;
    *copy = *s;
    copy->has_rows[rows] = false;
    return copy;
}

static bool is_of(const med_param_info *info, enum med_added_rows rows)
{
    return info->pairs
           || (rows == MED_ROWS_MARKED
               && (info->type == MED_PARAM_QUANTITY || info->type == MED_PARAM_NUMBER));
}

static bool has_rows(const med_search_schema *s, med_type type, enum med_added_rows rows)
{
    size_t n;
    const uint32_t *params = med_type_params(s->pack, type, &n);
    if (rows == MED_ROWS_OF_HUBS)
        return s->hub_dates[type] != 0;
    for (size_t i = 0; i < n; i++) {
        if (is_of(med_schema_info(s, type, params[i]), rows))
            return true;
    }
    return false;
}

med_str med_search_types_with(med_arena *a, const med_search_schema *s, enum med_added_rows rows)
{
    size_t n;
    med_str all = MED_STR_EMPTY;
    const med_type *types = med_pack_resources(s->pack, &n);
    for (size_t i = 0; i < n; i++) {
        if (has_rows(s, types[i], rows))
            all = med_arena_printf(a, "%.*s%s%.*s", MED_STR_ARG(all), all.len > 0 ? " " : "",
                                   MED_STR_ARG(med_type_name(s->pack, types[i])));
    }
    return all;
}
