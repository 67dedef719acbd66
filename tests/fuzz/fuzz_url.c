/* fuzz_url.c - what a URL decodes to is UTF-8 without NUL, and survives encoding. */
#include "base/url.h"

#include "base/utf8.h"
#include "demand.h"

static void check_text(med_arena *a, med_str text)
{
    DEMAND(med_utf8_valid(text) && memchr(text.ptr, '\0', text.len) == NULL);
    med_str encoded, back;
    med_err err = {0};
    DEMAND(med_percent_encode(a, text, &encoded));
    DEMAND(med_percent_decode(a, encoded, true, &back, &err));
    DEMAND(med_str_eq(back, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_str s = input_str(data, size);
    med_arena *a = med_arena_new(64 << 20);
    DEMAND(a != NULL);
    med_err err = {0};
    med_str text;
    med_pairs pairs;
    if (med_percent_decode(a, s, false, &text, &err))
        check_text(a, text);
    if (med_query_parse(a, s, &pairs, &err)) {
        DEMAND(pairs.n <= MED_QUERY_PAIRS);
        for (size_t i = 0; i < pairs.n; i++) {
            check_text(a, pairs.at[i].name);
            check_text(a, pairs.at[i].value);
        }
    }
    med_arena_free(a);
    return 0;
}
