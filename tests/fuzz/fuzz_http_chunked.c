/* fuzz_http_chunked.c - a chunked body is the same however it is cut, never longer than what
 * was sent, and ends at the same byte. */
#include "base/buf.h"
#include "demand.h"
#include "http/chunked.h"

/* Gives the bytes used, SIZE_MAX for a refused body. */
static size_t decode(med_str s, size_t step, med_buf *out, bool *ended)
{
    med_chunked c = {0};
    size_t used = 0;
    while (used < s.len && c.state != MED_CHUNK_END) {
        med_str data;
        size_t n = med_chunked_feed(&c, med_str_sub(s, used, used + step), &data);
        DEMAND(n > 0 && n <= step);
        DEMAND(data.len <= n);
        DEMAND(c.extensions <= MED_CHUNK_EXTENSION_BYTES + 1);
        DEMAND(c.trailers <= MED_CHUNK_TRAILER_BYTES + 1);
        if (c.state == MED_CHUNK_BAD)
            return SIZE_MAX;
        med_buf_add(out, data);
        used += n;
    }
    *ended = c.state == MED_CHUNK_END;
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_str s = input_str(data, size);
    med_buf whole, pieces;
    med_buf_init(&whole, 1 << 24);
    med_buf_init(&pieces, 1 << 24);
    bool ended = false, ended_too = false;
    size_t used = decode(s, s.len + 1, &whole, &ended);
    for (size_t step = 1; step < 9; step += 3) {
        med_buf_clear(&pieces);
        DEMAND(decode(s, step, &pieces, &ended_too) == used);
        if (used == SIZE_MAX)
            continue;
        DEMAND(ended == ended_too && med_str_eq(med_buf_str(&whole), med_buf_str(&pieces)));
    }
    DEMAND(whole.len <= size);
    med_buf_free(&whole);
    med_buf_free(&pieces);
    return 0;
}
