/* Any JSON as a StructureDefinition: its snapshot is made, or refused with a reason; what is made
 * is JSON, and has a snapshot from which the same differential makes another. */
#include "demand.h"
#include "package/packages.h"
#include "package/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_arena *a = med_arena_new((size_t)256 << 20);
    med_definition_source source = med_packages_source(NULL);
    med_err err = {0};
    med_json j;
    med_json made;
    med_str text;
    if (a != NULL && size < 64 << 10 && med_json_parse(a, input_str(data, size), &j, NULL, &err)) {
        if (med_json_kind_at(&j, 0) == MED_JSON_OBJECT) {
            bool good = med_snapshot_make(a, &j, 0, &source, &text, &err);
            DEMAND(good || err.text[0] != '\0');
            if (good) {
                DEMAND(med_json_parse(a, text, &made, NULL, &err) || med_arena_exhausted(a));
            }
        }
    }
    med_arena_free(a);
    return 0;
}
