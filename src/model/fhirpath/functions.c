/* functions.c - http://hl7.org/fhirpath/N1/#functions and
 * https://hl7.org/fhir/R4/fhirpath.html#functions */
#include "model/fhirpath/functions.h"

#define VALUES(word, handler, low, high, shape)                                                    \
    {                                                                                              \
        .name = (word), .call = med_fp_call_##handler, .form = MED_FP_FORM_VALUES,                 \
        .result = MED_FP_SHAPE_##shape, .least = (low), .most = (high)                             \
    }
#define STRINGS(word, handler, low, high, shape)                                                   \
    {                                                                                              \
        .name = (word), .call = med_fp_call_##handler, .form = MED_FP_FORM_VALUES,                 \
        .result = MED_FP_SHAPE_##shape, .least = (low), .most = (high), .of_strings = true         \
    }
#define LOOP(word, kind, shape)                                                                    \
    {                                                                                              \
        .name = (word), .form = MED_FP_FORM_LOOP, .result = MED_FP_SHAPE_##shape, .least = 1,      \
        .most = 1, .loop = (kind)                                                                  \
    }
#define FORM(word, how, low, high, shape)                                                          \
    {                                                                                              \
        .name = (word), .form = MED_FP_FORM_##how, .result = MED_FP_SHAPE_##shape, .least = (low), \
        .most = (high)                                                                             \
    }

const struct med_fp_function med_fp_functions[] = {
    /* existence */
    VALUES("empty", empty, 0, 0, BOOLEAN),
    {.name = "exists",
     .call = med_fp_call_exists,
     .form = MED_FP_FORM_EXISTS,
     .result = MED_FP_SHAPE_BOOLEAN,
     .most = 1},
    LOOP("all", MED_FP_ALL, BOOLEAN),
    VALUES("not", not, 0, 0, BOOLEAN),
    VALUES("allTrue", all_true, 0, 0, BOOLEAN),
    VALUES("anyTrue", any_true, 0, 0, BOOLEAN),
    VALUES("allFalse", all_false, 0, 0, BOOLEAN),
    VALUES("anyFalse", any_false, 0, 0, BOOLEAN),
    VALUES("subsetOf", subset_of, 1, 1, BOOLEAN),
    VALUES("supersetOf", superset_of, 1, 1, BOOLEAN),
    VALUES("count", count, 0, 0, INTEGER),
    VALUES("distinct", distinct, 0, 0, SAME),
    VALUES("isDistinct", is_distinct, 0, 0, BOOLEAN),
    /* filtering and projection */
    LOOP("where", MED_FP_WHERE, SAME),
    LOOP("select", MED_FP_SELECT, ANY),
    LOOP("repeat", MED_FP_REPEAT, ANY),
    LOOP("repeatAll", MED_FP_REPEAT_ALL, ANY),
    FORM("ofType", TYPE, 1, 1, ANY),
    /* subsetting and combining */
    VALUES("single", single, 0, 0, SAME),
    VALUES("first", first, 0, 0, SAME),
    VALUES("last", last, 0, 0, SAME),
    VALUES("tail", tail, 0, 0, SAME),
    VALUES("skip", skip, 1, 1, SAME),
    VALUES("take", take, 1, 1, SAME),
    VALUES("intersect", intersect, 1, 1, SAME),
    VALUES("exclude", exclude, 1, 1, SAME),
    VALUES("union", union, 1, 1, UNION),
    VALUES("combine", combine, 1, 2, UNION),
    /* conversion */
    FORM("iif", IIF, 2, 3, ANY),
    VALUES("toBoolean", to_boolean, 0, 0, BOOLEAN),
    VALUES("toInteger", to_integer, 0, 0, INTEGER),
    VALUES("toLong", to_long, 0, 0, INTEGER),
    VALUES("toDecimal", to_decimal, 0, 0, DECIMAL),
    VALUES("toString", to_string, 0, 0, STRING),
    VALUES("toDate", to_date, 0, 0, DATE),
    VALUES("toDateTime", to_datetime, 0, 0, DATETIME),
    VALUES("toTime", to_time, 0, 0, TIME),
    VALUES("toQuantity", to_quantity, 0, 1, QUANTITY),
    VALUES("convertsToBoolean", converts_to_boolean, 0, 0, BOOLEAN),
    VALUES("convertsToInteger", converts_to_integer, 0, 0, BOOLEAN),
    VALUES("convertsToLong", converts_to_long, 0, 0, BOOLEAN),
    VALUES("convertsToDecimal", converts_to_decimal, 0, 0, BOOLEAN),
    VALUES("convertsToString", converts_to_string, 0, 0, BOOLEAN),
    VALUES("convertsToDate", converts_to_date, 0, 0, BOOLEAN),
    VALUES("convertsToDateTime", converts_to_datetime, 0, 0, BOOLEAN),
    VALUES("convertsToTime", converts_to_time, 0, 0, BOOLEAN),
    VALUES("convertsToQuantity", converts_to_quantity, 0, 1, BOOLEAN),
    /* strings */
    STRINGS("indexOf", index_of, 1, 1, INTEGER),
    STRINGS("lastIndexOf", last_index_of, 1, 1, INTEGER),
    STRINGS("substring", substring, 1, 2, STRING),
    STRINGS("startsWith", starts_with, 1, 1, BOOLEAN),
    STRINGS("endsWith", ends_with, 1, 1, BOOLEAN),
    STRINGS("contains", contains, 1, 1, BOOLEAN),
    STRINGS("upper", upper, 0, 0, STRING),
    STRINGS("lower", lower, 0, 0, STRING),
    STRINGS("replace", replace, 2, 2, STRING),
    STRINGS("matches", matches, 1, 2, BOOLEAN),
    STRINGS("matchesFull", matches_full, 1, 2, BOOLEAN),
    STRINGS("replaceMatches", replace_matches, 2, 3, STRING),
    STRINGS("length", length, 0, 0, INTEGER),
    STRINGS("toChars", to_chars, 0, 0, STRING),
    STRINGS("trim", trim, 0, 0, STRING),
    STRINGS("split", split, 1, 1, STRING),
    STRINGS("join", join, 0, 1, STRING),
    STRINGS("encode", encode, 1, 1, STRING),
    STRINGS("decode", decode, 1, 1, STRING),
    STRINGS("escape", escape, 1, 1, STRING),
    STRINGS("unescape", unescape, 1, 1, STRING),
    /* math */
    VALUES("abs", abs, 0, 0, ANY),
    VALUES("ceiling", ceiling, 0, 0, INTEGER),
    VALUES("exp", exp, 0, 0, DECIMAL),
    VALUES("floor", floor, 0, 0, INTEGER),
    VALUES("ln", ln, 0, 0, DECIMAL),
    VALUES("log", log, 1, 1, DECIMAL),
    VALUES("power", power, 1, 1, ANY),
    VALUES("round", round, 0, 1, DECIMAL),
    VALUES("sqrt", sqrt, 0, 0, DECIMAL),
    VALUES("truncate", truncate, 0, 0, INTEGER),
    FORM("aggregate", AGGREGATE, 1, 2, ANY),
    VALUES("sum", sum, 0, 0, ANY),
    VALUES("min", min, 0, 0, ANY),
    VALUES("max", max, 0, 0, ANY),
    VALUES("avg", avg, 0, 0, ANY),
    FORM("sort", SORT, 0, 8, SAME),
    /* tree and utility */
    VALUES("children", children, 0, 0, ANY),
    VALUES("descendants", descendants, 0, 0, ANY),
    FORM("trace", TRACE, 1, 2, SAME),
    FORM("defineVariable", DEFINE, 1, 2, SAME),
    VALUES("now", now, 0, 0, DATETIME),
    VALUES("today", today, 0, 0, DATE),
    VALUES("timeOfDay", time_of_day, 0, 0, TIME),
    VALUES("lowBoundary", low_boundary, 0, 1, ANY),
    VALUES("highBoundary", high_boundary, 0, 1, ANY),
    VALUES("precision", precision, 0, 0, INTEGER),
    VALUES("comparable", comparable, 1, 1, BOOLEAN),
    VALUES("yearOf", year_of, 0, 0, INTEGER),
    VALUES("monthOf", month_of, 0, 0, INTEGER),
    VALUES("dayOf", day_of, 0, 0, INTEGER),
    VALUES("hourOf", hour_of, 0, 0, INTEGER),
    VALUES("minuteOf", minute_of, 0, 0, INTEGER),
    VALUES("secondOf", second_of, 0, 0, INTEGER),
    VALUES("millisecondOf", millisecond_of, 0, 0, INTEGER),
    VALUES("timezoneOffsetOf", timezone_offset_of, 0, 0, DECIMAL),
    VALUES("dateOf", date_of, 0, 0, DATE),
    VALUES("timeOf", time_of, 0, 0, TIME),
    /* types */
    FORM("is", TYPE, 1, 1, BOOLEAN),
    FORM("as", TYPE, 1, 1, ANY),
    VALUES("type", type, 0, 0, TYPE),
    /* FHIR */
    VALUES("extension", extension, 1, 1, EXTENSION),
    VALUES("hasExtension", has_extension, 1, 1, BOOLEAN),
    VALUES("hasValue", has_value, 0, 0, BOOLEAN),
    VALUES("getValue", get_value, 0, 0, ANY),
    VALUES("resolve", resolve, 0, 0, ANY),
    VALUES("memberOf", member_of, 1, 1, BOOLEAN),
    VALUES("htmlChecks", html_checks, 0, 0, BOOLEAN),
    VALUES("conformsTo", conforms_to, 1, 1, BOOLEAN),
    VALUES("checkModifiers", check_modifiers, 0, 8, SAME),
    VALUES("subsumes", subsumes, 1, 1, BOOLEAN),
    VALUES("subsumedBy", subsumed_by, 1, 1, BOOLEAN),
    VALUES("elementDefinition", element_definition, 0, 0, ANY),
    VALUES("slice", slice, 2, 2, ANY),
};
const size_t med_fp_function_count = sizeof med_fp_functions / sizeof *med_fp_functions;
