/* Any bytes as XML: either an error, or JSON that parses and, said as XML again, comes back. */
#include "demand.h"
#include "model/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_arena *a = med_arena_new((size_t)64 << 20);
    med_err err = {0};
    med_buf json, xml, back;
    med_json j;
    med_json k;
    med_buf_init(&json, (size_t)16 << 20);
    med_buf_init(&xml, (size_t)16 << 20);
    med_buf_init(&back, (size_t)16 << 20);
    med_str text = input_str(data, size);
    if (a != NULL && med_xml_read(med_pack_core(), a, text, &json, &err)) {
        bool parsed = med_json_parse(a, med_buf_str(&json), &j, NULL, &err);
        /* an unknown element may carry an attribute and a child of one name */
        if (parsed && med_xml_write(med_pack_core(), &j, 0, &xml, &err)) {
            DEMAND(med_xml_read(med_pack_core(), a, med_buf_str(&xml), &back, &err));
            DEMAND(med_json_parse(a, med_buf_str(&back), &k, NULL, &err));
        }
    }
    med_buf_free(&json);
    med_buf_free(&xml);
    med_buf_free(&back);
    med_arena_free(a);
    return 0;
}
