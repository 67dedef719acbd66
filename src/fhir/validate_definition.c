/* validate_definition.c - see validate_definition.h. */
#include "fhir/validate_definition.h"
#include "package/snapshot.h"
#include "package/text.h"

bool med_validate_definition(med_arena *a, const med_json *j, uint32_t root,
                             const med_definition_source *source, med_problems *list, med_err *err)
{
    med_str ignored;
    med_err why = {0};
    if (!med_str_eqz(med_package_text(a, j, root, "resourceType"), "StructureDefinition")
        || med_package_member(j, root, "differential", MED_JSON_OBJECT) == 0
        || med_package_text(a, j, root, "baseDefinition").len == 0
        || med_snapshot_make(a, j, root, source, &ignored, &why))
        return true;
    if (why.issue == MED_ISSUE_TOO_COSTLY && why.status != 0) {
        *err = why;
        return false;
    }
    med_problem problem = {
        .issue = why.issue == MED_ISSUE_NOT_FOUND ? MED_ISSUE_NOT_FOUND : MED_ISSUE_INVALID,
        .is_warning = why.issue == MED_ISSUE_NOT_FOUND || why.issue == MED_ISSUE_TOO_COSTLY,
        .expression = MED_STR("StructureDefinition.differential"),
        .text = med_arena_printf(a, "no snapshot can be made: %s%s%s", why.expr,
                                 why.expr[0] != '\0' ? ": " : "", why.text),
    };
    return problem.text.len > 0 && med_problem_add(a, list, &problem) ? true : MED_FAIL_MEMORY(err);
}
