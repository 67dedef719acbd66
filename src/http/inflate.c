/* inflate.c - see inflate.h. Every turn of the loop either takes input or gives output, else
 * the data is refused; so no stream, however cut, can hold it. */
#include "http/inflate.h"

#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"

enum { FREE_OF_RATIO = 64 << 10, PIECE = 32 << 10 };

static void drop_buf(void *arg)
{
    med_buf_free(arg);
}

static void *zlib_take(void *arena, unsigned n, unsigned size)
{
    return med_arena_take(arena, n, size, 16);
}

static void zlib_drop(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static bool fail_damaged(med_err *err, const char *how)
{
    return MED_FAIL(err, MED_ISSUE_INVALID, "the gzip body is %s", how);
}

/* Is what came out so far still within the limits? */
static bool within(size_t out, size_t used, size_t limit, uint32_t ratio, med_err *err)
{
    if (out > limit)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG,
                        "the gzip body is longer than %zu bytes when inflated", limit);
    if (out > FREE_OF_RATIO && out / ratio > used)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG,
                        "the gzip body inflates to more than %u times "
                        "its length",
                        (unsigned)ratio);
    return true;
}

/* One member, from z->next_in on. */
static bool member(z_stream *z, med_str in, med_buf *b, size_t limit, uint32_t ratio, med_err *err)
{
    for (int status = Z_OK; status != Z_STREAM_END;) {
        if (!med_buf_reserve(b, b->limit - b->len < PIECE ? b->limit - b->len : PIECE))
            return MED_FAIL_MEMORY(err);
        uInt room = (uInt)(b->cap - b->len > UINT32_MAX ? UINT32_MAX : b->cap - b->len);
        z->next_out = (Bytef *)b->ptr + b->len;
        z->avail_out = room;
        uInt before = z->avail_in;
        status = inflate(z, Z_NO_FLUSH);
        size_t made = room - z->avail_out;
        b->len += made;
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return fail_damaged(err, "damaged");
        if (!within(b->len, in.len - z->avail_in, limit, ratio, err))
            return false;
        if (status != Z_STREAM_END && made == 0 && z->avail_in == before)
            return fail_damaged(err, "cut off");
    }
    return true;
}

static bool members(z_stream *z, med_str in, med_buf *b, size_t limit, uint32_t ratio, med_err *err)
{
    z->next_in = (Bytef *)(uintptr_t)in.ptr;
    z->avail_in = (uInt)in.len;
    do {
        if (!member(z, in, b, limit, ratio, err))
            return false;
        if (inflateReset(z) != Z_OK)
            return fail_damaged(err, "damaged");
    } while (z->avail_in > 0);
    return true;
}

bool med_inflate(med_arena *a, med_str in, size_t limit, uint32_t ratio, med_str *out, med_err *err)
{
    med_buf *b = MED_TAKE(a, 1, med_buf);
    if (b == NULL)
        return MED_FAIL_MEMORY(err);
    med_buf_init(b, limit + 1); /* one byte more, to see that it does not end */
    if (!med_arena_defer(a, drop_buf, b))
        return MED_FAIL_MEMORY(err);
    if (in.len > UINT32_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a gzip body has at most 4 GiB");
    z_stream z = {.zalloc = zlib_take, .zfree = zlib_drop, .opaque = a};
    enum { GZIP_ONLY = 16 };
    if (inflateInit2(&z, MAX_WBITS + GZIP_ONLY) != Z_OK)
        return MED_FAIL_MEMORY(err);
    bool ok = members(&z, in, b, limit, ratio == 0 ? UINT32_MAX : ratio, err);
    (void)inflateEnd(&z);
    *out = med_buf_str(b);
    return ok;
}
