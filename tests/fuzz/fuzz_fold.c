/* fuzz_fold.c - folding twice is folding once, and gives valid text of promised length. */
#include "base/unicode.h"
#include "base/utf8.h"
#include "demand.h"

/* med_utf8_check against med_utf8_decode, which looks at one character at a time. */
static void check_utf8(med_str s)
{
    size_t at = 0;
    size_t n = 0;
    for (uint32_t c = 0; at < s.len; at += n) {
        n = med_utf8_decode(s, at, &c);
        if (n == 0)
            break;
        char bytes[4];
        DEMAND(med_utf8_encode(c, bytes) == n && memcmp(bytes, s.ptr + at, n) == 0);
    }
    DEMAND(med_utf8_check(s) == at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_str s = input_str(data, size);
    check_utf8(s);
    med_arena *a = med_arena_new(30 * size + (64 << 10));
    med_str once = MED_STR_EMPTY;
    med_str twice = MED_STR_EMPTY;
    DEMAND(med_fold(a, s, &once));
    DEMAND(once.len <= 11 * s.len);
    DEMAND(med_utf8_valid(once));
    DEMAND(med_fold(a, once, &twice));
    DEMAND(med_str_eq(once, twice));
    DEMAND(once.len == 0 || (once.ptr[0] != ' ' && once.ptr[once.len - 1] != ' '));
    DEMAND(med_str_search(once, MED_STR("  "), 0) == once.len);
    med_arena_free(a);
    return 0;
}
