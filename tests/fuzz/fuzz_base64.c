/* fuzz_base64.c - a text that is read is the one that would be written. */
#include "base/base64.h"
#include "demand.h"

static void check_standard(med_arena *a, med_buf *b, med_str s)
{
    med_err err = {0};
    med_str bytes = MED_STR_EMPTY;
    size_t n = 0;
    bool good = med_base64_decode(a, s, &bytes, &err);
    DEMAND(med_base64_check(s, &n) == good);
    if (!good) {
        DEMAND(n <= s.len);
        return;
    }
    DEMAND(n == bytes.len);
    med_base64_encode(b, bytes);
    size_t at = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_space(s.ptr[i]))
            DEMAND(at < b->len && b->ptr[at++] == s.ptr[i]);
    }
    DEMAND(at == b->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_str s = input_str(data, size);
    med_arena *a = med_arena_new(size + (64 << 10));
    med_buf b;
    med_buf_init(&b, 2 * size + 8);
    check_standard(a, &b, s);
    med_err err = {0};
    med_str bytes = MED_STR_EMPTY;
    med_buf_clear(&b);
    if (med_base64url_decode(a, s, &bytes, &err)) {
        med_base64url_encode(&b, bytes);
        DEMAND(med_str_eq(med_buf_str(&b), s));
    }
    med_buf_clear(&b);
    med_base64_encode(&b, s);
    DEMAND(!b.failed);
    DEMAND(size == 0 || med_base64_decode(a, med_buf_str(&b), &bytes, &err));
    DEMAND(size == 0 || med_str_eq(bytes, s));
    med_buf_free(&b);
    med_arena_free(a);
    return 0;
}
