/* code_compiler.c - see code_compiler.h. */
#include "model/compile/code_compiler.h"

#include <stdlib.h>

enum { CODES_MAX = 2000, DEPTH_MAX = 16 };

struct coded {
    med_str code, system;
};

struct code_list {
    struct coded at[CODES_MAX];
    size_t n;
    bool too_many;
};

static int by_code(const void *left, const void *right)
{
    const struct coded *a = left, *b = right;
    int by = med_str_compare(a->code, b->code);
    return by != 0 ? by : med_str_compare(a->system, b->system);
}

/* A system that HL7 does not keep itself may have grown since the expansion was made, unless the
 * value set names its codes one by one. */
static bool draws_on_others(med_arena *a, const med_json *j, uint32_t value_set)
{
    uint32_t compose = med_json_member(j, value_set, MED_STR("compose"));
    uint32_t end = 0;
    if (compose == 0)
        return false;
    for (uint32_t i = med_source_first(j, compose, "include", &end); i < end;
         i = j->nodes[i].next) {
        med_str system = med_source_text(a, j, i, "system");
        if (system.len > 0 && med_json_member(j, i, MED_STR("concept")) == 0
            && !med_str_starts(system, MED_STR("http://hl7.org/"))
            && !med_str_starts(system, MED_STR("http://terminology.hl7.org/")))
            return true;
    }
    return false;
}

/* Codes of `contains` and of what it contains, on an explicit stack. */
static void collect(med_arena *a, const med_json *j, uint32_t expansion, struct code_list *list)
{
    struct {
        uint32_t at, end;
    } stack[DEPTH_MAX];
    int depth = 0;
    stack[0].at = med_source_first(j, expansion, "contains", &stack[0].end);
    while (depth >= 0) {
        uint32_t entry = stack[depth].at;
        if (entry >= stack[depth].end) {
            depth--;
            continue;
        }
        stack[depth].at = j->nodes[entry].next;
        med_str code = med_source_text(a, j, entry, "code");
        if (list->n == CODES_MAX || depth + 1 == DEPTH_MAX)
            list->too_many = true;
        else if (code.len > 0 && !med_source_true(j, entry, "abstract"))
            list->at[list->n++] = (struct coded){code, med_source_text(a, j, entry, "system")};
        if (depth + 1 < DEPTH_MAX) {
            depth++;
            stack[depth].at = med_source_first(j, entry, "contains", &stack[depth].end);
        }
    }
}

static uint32_t add_value_set(med_pack_writer *w, med_str url, struct code_list *list)
{
    qsort(list->at, list->n, sizeof list->at[0], by_code);
    struct pack_value_set row = {
        .url = med_pack_writer_string(w, url),
        .codes = {med_pack_writer_count(w, PACK_CODES), 0},
    };
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0 && by_code(&list->at[i], &list->at[i - 1]) == 0)
            continue;
        struct pack_code code = {.code = med_pack_writer_string(w, list->at[i].code),
                                 .system = med_pack_writer_string(w, list->at[i].system)};
        (void)MED_PACK_ADD(w, PACK_CODES, &code);
        row.codes.n++;
    }
    return MED_PACK_ADD(w, PACK_VALUE_SETS, &row);
}

static uint32_t find_expansion(med_arena *a, const med_json *j, med_str url)
{
    uint32_t entry = 0;
    for (uint32_t r; (r = med_source_next(j, &entry)) != 0;) {
        if (med_str_eq(med_source_text(a, j, r, "url"), url))
            return r;
    }
    return 0;
}

bool med_codes_compile(med_pack_writer *w, const med_json *expansions, const med_str *urls,
                       size_t n, uint32_t *rows, med_err *err)
{
    struct code_list *list = MED_TAKE(w->arena, 1, struct code_list);
    if (list == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++) {
        uint32_t value_set = find_expansion(w->arena, expansions, urls[i]);
        rows[i] = PACK_NONE;
        if (value_set == 0)
            continue; /* of somebody else: LOINC answers, DICOM tables */
        list->n = 0;
        list->too_many = false;
        uint32_t expansion = med_json_member(expansions, value_set, MED_STR("expansion"));
        if (expansion == 0 || draws_on_others(w->arena, expansions, value_set))
            continue;
        collect(w->arena, expansions, expansion, list);
        if (list->n > 0 && !list->too_many)
            rows[i] = add_value_set(w, urls[i], list);
    }
    return true;
}
