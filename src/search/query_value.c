/* query_value.c - prefixes and escapes of query values.
 * https://hl7.org/fhir/R4/search.html#escaping */
#include "search/query.h"

enum med_prefix med_prefix_cut(med_str *value)
{
    static const med_str names[] = {MED_LIT("eq"), MED_LIT("ne"), MED_LIT("gt"),
                                    MED_LIT("lt"), MED_LIT("ge"), MED_LIT("le"),
                                    MED_LIT("sa"), MED_LIT("eb"), MED_LIT("ap")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (med_str_starts(*value, names[i])) {
            *value = med_str_skip(*value, 2);
            return (enum med_prefix)i;
        }
    }
    return MED_PREFIX_EQ;
}

size_t med_find_bare(med_str value, char c, size_t from)
{
    for (size_t i = from; i < value.len; i++) {
        if (value.ptr[i] == '\\')
            i++; /* what follows a backslash is never a separator */
        else if (value.ptr[i] == c)
            return i;
    }
    return value.len;
}

bool med_unescape(med_arena *a, med_str value, med_str *out)
{
    *out = value;
    if (med_str_find(value, '\\', 0) == value.len)
        return true;
    char *to = MED_TAKE(a, value.len + 1, char);
    size_t n = 0;
    if (to == NULL)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        bool escape = value.ptr[i] == '\\' && i + 1 < value.len;
        to[n++] = value.ptr[escape ? ++i : i];
    }
    *out = (med_str){to, n};
    return true;
}
