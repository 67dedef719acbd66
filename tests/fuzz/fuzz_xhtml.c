/* Any text is a narrative or is refused with a reason; what is taken holds nothing that could
 * run, however it is written. */
#include "demand.h"
#include "model/xhtml.h"

static bool holds(med_str text, const char *word)
{
    med_str w = med_str_from(word);
    for (size_t i = 0; i + w.len <= text.len; i++) {
        if (med_str_eq_ignore_case(med_str_sub(text, i, i + w.len), w))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[MED_XHTML_TEXT];
    med_str text = input_str(data, size);
    if (!med_xhtml_check(text, why)) {
        DEMAND(why[0] != '\0');
        return 0;
    }
    DEMAND(why[0] == '\0' && holds(text, "<div"));
    DEMAND(!holds(text, "<script") || holds(text, "<!--"));
    DEMAND(!holds(text, "<iframe") || holds(text, "<!--"));
    return 0;
}
