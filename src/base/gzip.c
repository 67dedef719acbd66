/* gzip.c - https://www.rfc-editor.org/rfc/rfc1952 by zlib, held short. */
#include "base/gzip.h"

#include <limits.h>
#include <zlib.h>

#include "base/mem.h"

/* zlib's windowBits: + 16 means gzip and nothing else. */
enum { SMALLEST_WINDOW = 9, LARGEST_WINDOW = 15, GZIP = 16, ROOM = 16 << 10 };

static voidpf take_memory(voidpf self, uInt n, uInt size)
{
    (void)self;
    return med_realloc(NULL, n, size); /* not zeroed: zlib asks for 256 KiB and writes it itself */
}

static void give_memory(voidpf self, voidpf ptr)
{
    (void)self;
    med_free(ptr);
}

static uInt at_most_uint(size_t n)
{
    return n > UINT_MAX ? UINT_MAX : (uInt)n;
}

/* Appends; a buffer may refuse at its ceiling or for want of memory. */
static bool append(med_buf *out, med_str s, med_err *err)
{
    bool too_long = out->len > out->limit || s.len > out->limit - out->len;
    med_buf_add(out, s);
    if (!out->failed)
        return true;
    if (too_long)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "more than %zu bytes", out->limit);
    return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory for %zu bytes more", s.len);
}

/* zlib wants a pointer to bytes it may change, and does not change them. */
static Bytef *input_bytes(med_str s)
{
    return (Bytef *)(uintptr_t)s.ptr;
}

/* ---- in ---- */

struct med_gunzip {
    z_stream z;
    med_gunzip_limits limits;
    uint64_t taken, written;
    bool inside; /* a member has begun and not ended */
    bool failed;
};

med_gunzip *med_gunzip_new(const med_gunzip_limits *limits)
{
    med_gunzip *g = MED_NEW(1, med_gunzip);
    if (g == NULL)
        return NULL;
    g->limits = *limits;
    g->z = (z_stream){.zalloc = take_memory, .zfree = give_memory};
    if (inflateInit2(&g->z, LARGEST_WINDOW + GZIP) != Z_OK) {
        med_free(g);
        return NULL;
    }
    return g;
}

void med_gunzip_free(med_gunzip *g)
{
    if (g == NULL)
        return;
    (void)inflateEnd(&g->z);
    med_free(g);
}

static bool within_limits(const med_gunzip *g, med_err *err)
{
    if (g->written > g->limits.max_bytes)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "inflates to more than %llu bytes",
                        (unsigned long long)g->limits.max_bytes);
    if (g->limits.max_ratio != 0 && g->written > MED_GZIP_RATIO_FREE
        && g->written / g->limits.max_ratio > g->taken)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "inflates to more than %u times its size",
                        (unsigned)g->limits.max_ratio);
    return true;
}

/* One call of inflate. Never asks for more than one byte beyond the ceiling, so that a bomb is
 * found before it is written. */
static int inflate_once(med_gunzip *g, med_str *in, char *to, size_t room, size_t *written)
{
    uint64_t left = g->limits.max_bytes - g->written;
    if (room > left)
        room = (size_t)left + 1;
    g->z.next_in = input_bytes(*in);
    g->z.avail_in = at_most_uint(in->len);
    g->z.next_out = (Bytef *)to;
    g->z.avail_out = at_most_uint(room);
    uInt in_before = g->z.avail_in;
    uInt out_before = g->z.avail_out;
    int state = inflate(&g->z, Z_NO_FLUSH);
    size_t taken = in_before - g->z.avail_in;
    *written = out_before - g->z.avail_out;
    *in = med_str_skip(*in, taken);
    g->taken += taken;
    g->written += *written;
    if (state == Z_STREAM_END) {
        g->inside = false;
        return inflateReset(&g->z);
    }
    return taken == 0 && *written == 0 && state == Z_OK ? Z_BUF_ERROR : state;
}

static bool read_members(med_gunzip *g, med_str *in, char *to, size_t room, size_t *written,
                         med_err *err)
{
    /* zlib may hold output when the input is used up, so an open member is asked once more */
    while (*written < room && (in->len > 0 || g->inside)) {
        bool asked_again = in->len == 0;
        g->inside = true;
        size_t n = 0;
        int state = inflate_once(g, in, to + *written, room - *written, &n);
        *written += n;
        if (state == Z_BUF_ERROR && asked_again)
            break;
        if (state == Z_MEM_ERROR)
            return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to inflate");
        if (state != Z_OK)
            return MED_FAIL(err, MED_ISSUE_INVALID, "not gzip, or damaged, near its byte %llu",
                            (unsigned long long)g->taken);
        if (!within_limits(g, err))
            return false;
    }
    return true;
}

bool med_gunzip_read(med_gunzip *g, med_str *in, char *to, size_t room, size_t *written,
                     med_err *err)
{
    *written = 0;
    if (g->failed)
        return MED_FAIL(err, MED_ISSUE_INVALID, "not gzip, or damaged");
    g->failed = !read_members(g, in, to, room, written, err);
    return !g->failed;
}

bool med_gunzip_end(const med_gunzip *g, med_err *err)
{
    if (!g->failed && !g->inside && g->taken > 0)
        return true;
    return MED_FAIL(err, MED_ISSUE_INVALID, "the gzip stream is cut short");
}

static bool gunzip_into(med_gunzip *g, med_str in, med_buf *out, med_err *err)
{
    char room[ROOM];
    size_t n = 0;
    do {
        if (!med_gunzip_read(g, &in, room, sizeof room, &n, err))
            return false;
        if (!append(out, (med_str){room, n}, err))
            return false;
    } while (n == sizeof room);
    return med_gunzip_end(g, err);
}

bool med_gunzip_all(med_str compressed, const med_gunzip_limits *limits, med_buf *out, med_err *err)
{
    med_gunzip *g = med_gunzip_new(limits);
    if (g == NULL)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to inflate");
    bool good = gunzip_into(g, compressed, out, err);
    med_gunzip_free(g);
    return good;
}

/* ---- out ---- */

struct med_gzip {
    z_stream z;
};

/* A window no larger than the text: a small answer is not worth a quarter of a megabyte. */
static med_gzip *gzip_new(int level, int window_bits)
{
    med_gzip *z = MED_NEW(1, med_gzip);
    if (z == NULL)
        return NULL;
    z->z = (z_stream){.zalloc = take_memory, .zfree = give_memory};
    int memory_level = window_bits - 7; /* 8, zlib's own choice, for its own window */
    if (deflateInit2(&z->z,
                     level < 1   ? 1
                     : level > 9 ? 9
                                 : level,
                     Z_DEFLATED, window_bits + GZIP, memory_level, Z_DEFAULT_STRATEGY)
        != Z_OK) {
        med_free(z);
        return NULL;
    }
    return z;
}

med_gzip *med_gzip_new(int level)
{
    return gzip_new(level, LARGEST_WINDOW);
}

void med_gzip_free(med_gzip *z)
{
    if (z == NULL)
        return;
    (void)deflateEnd(&z->z); /* says Z_DATA_ERROR when the stream was left unfinished: we know */
    med_free(z);
}

static bool deflate_into(med_gzip *z, med_str bytes, int flush, med_buf *out, med_err *err)
{
    int state = Z_OK;
    do {
        char room[ROOM];
        z->z.next_in = input_bytes(bytes);
        z->z.avail_in = at_most_uint(bytes.len);
        z->z.next_out = (Bytef *)room;
        z->z.avail_out = sizeof room;
        uInt before = z->z.avail_in;
        /* Z_FINISH only with the last piece of an input that is larger than zlib can count */
        state = deflate(&z->z, before < bytes.len ? Z_NO_FLUSH : flush);
        if (state == Z_STREAM_ERROR)
            return MED_FAIL(err, MED_ISSUE_EXCEPTION, "zlib lost its state");
        bytes = med_str_skip(bytes, before - z->z.avail_in);
        if (!append(out, (med_str){room, sizeof room - z->z.avail_out}, err))
            return false;
    } while (bytes.len > 0 || (z->z.avail_out == 0 && state != Z_STREAM_END));
    return true;
}

bool med_gzip_add(med_gzip *z, med_str bytes, med_buf *out, med_err *err)
{
    return bytes.len == 0 || deflate_into(z, bytes, Z_NO_FLUSH, out, err);
}

bool med_gzip_end(med_gzip *z, med_buf *out, med_err *err)
{
    return deflate_into(z, MED_STR_EMPTY, Z_FINISH, out, err);
}

bool med_gzip_all(med_str bytes, int level, med_buf *out, med_err *err)
{
    int window_bits = SMALLEST_WINDOW;
    while (window_bits < LARGEST_WINDOW && (size_t)1 << window_bits < bytes.len)
        window_bits++;
    med_gzip *z = gzip_new(level, window_bits);
    if (z == NULL)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to compress");
    bool good = deflate_into(z, bytes, Z_FINISH, out, err);
    med_gzip_free(z);
    return good;
}
