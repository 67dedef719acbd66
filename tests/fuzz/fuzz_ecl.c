/* fuzz_ecl.c - expression constraints of SNOMED CT: no text crashes it or takes long; what is
 * refused says why; what is understood means concepts that there are. */
#include "demand.h"
#include "terminology/ecl.h"
#include "terminology/image_builder.h"

static void relate(med_image_builder *b, med_concept c, const char *attribute, const char *value,
                   enum med_property_type type)
{
    uint16_t def = med_image_builder_property_def(b, med_str_from(attribute), MED_STR_EMPTY,
                                                  MED_STR_EMPTY, type);
    med_image_builder_property(b, c, def, type, med_str_from(value));
}

/* 1 > 2 > 3 > 4, 1 > 5; 4: { 6 = 3, 7 = #10 }, { 6 = 5 }; 2 is in the reference set 9. */
static const med_image *make(void)
{
    static med_buf bytes;
    const med_image *m;
    med_err err;
    med_image_builder *b = med_image_builder_new();
    med_image_head head = {.url = MED_STR("http://snomed.info/sct"), .meta = MED_STR("{}")};
    head.version = head.language = head.supplements = MED_STR_EMPTY;
    head.case_sensitive = true;
    for (const char *code = "1234567"; *code != '\0'; code++)
        (void)med_image_builder_concept(b, (med_str){code, 1}, NULL);
    for (med_concept c = 1; c < 4; c++)
        med_image_builder_parent(b, c, c - 1);
    med_image_builder_parent(b, 4, 0);
    relate(b, 1, "refset", "9", MED_PROPERTY_CODE);
    relate(b, 3, MED_ECL_GROUP, "1", MED_PROPERTY_INTEGER);
    relate(b, 3, "6", "3", MED_PROPERTY_CODE);
    relate(b, 3, "7", "10", MED_PROPERTY_DECIMAL);
    relate(b, 3, MED_ECL_GROUP, "2", MED_PROPERTY_INTEGER);
    relate(b, 3, "6", "5", MED_PROPERTY_CODE);
    med_buf_init(&bytes, 1 << 20);
    DEMAND(med_image_builder_finish(b, &head, &bytes, &err));
    med_image_builder_free(b);
    DEMAND(med_image_open(med_buf_str(&bytes), &m, &err));
    return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ROOM = 8 << 20 };
    static const med_image *m;
    med_arena *a = med_arena_new(ROOM);
    uint64_t bits[1] = {0};
    med_str broken = MED_STR_EMPTY;
    med_err err = {0};
    if (m == NULL)
        m = make();
    if (med_ecl_apply(m, a, input_str(data, size), bits, &broken, &err))
        DEMAND(broken.len == 0 ? bits[0] >> med_image_count(m) == 0 : bits[0] == 0);
    else
        DEMAND(err.issue != MED_ISSUE_NONE);
    med_arena_free(a);
    return 0;
}
