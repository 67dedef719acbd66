/* source.c - see source.h. */
#include "source.h"

#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

enum { INPUT_BYTES = 256 << 10, WAIT_SLICE = 200 /* ms */ };

enum codec { PLAIN, GZIP, ZSTD_STREAM, BZIP2 };

struct med_source {
    int fd;
    bool may_wait; /* a pipe, a socket, a terminal */
    bool (*stop)(void *arg);
    void *arg;
    enum codec codec;
    uint64_t size, position;
    char input[INPUT_BYTES];
    size_t at, have; /* unread part of input */
    bool ended, mid_stream;
    z_stream gzip;
    ZSTD_DStream *zstd;
    bz_stream bzip2;
};

static bool start_codec(med_source *s)
{
    switch (s->codec) {
    case PLAIN:
        return true;
    case GZIP:
        return inflateInit2(&s->gzip, 15 + 16) == Z_OK;
    case ZSTD_STREAM:
        s->zstd = ZSTD_createDStream();
        return s->zstd != NULL && !ZSTD_isError(ZSTD_initDStream(s->zstd));
    case BZIP2:
        return BZ2_bzDecompressInit(&s->bzip2, 0, 0) == BZ_OK;
    }
    return false;
}

static void stop_codec(med_source *s)
{
    if (s->codec == GZIP)
        (void)inflateEnd(&s->gzip);
    if (s->codec == ZSTD_STREAM)
        (void)ZSTD_freeDStream(s->zstd);
    if (s->codec == BZIP2)
        (void)BZ2_bzDecompressEnd(&s->bzip2);
}

static enum codec codec_of(med_str path)
{
    if (med_str_ends(path, MED_STR(".gz")))
        return GZIP;
    if (med_str_ends(path, MED_STR(".zst")))
        return ZSTD_STREAM;
    return med_str_ends(path, MED_STR(".bz2")) ? BZIP2 : PLAIN;
}

static int open_file(med_str path)
{
    char name[4096];
    if (med_str_eqz(path, "-"))
        return dup(STDIN_FILENO);
    if (path.len >= sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    return open(name, O_RDONLY | O_CLOEXEC);
}

med_source *med_source_of(med_str name, int fd, bool (*stop)(void *arg), void *arg, med_err *err)
{
    struct stat st = {0};
    med_source *s = med_alloc(1, sizeof *s);
    if (s == NULL) {
        (void)close(fd);
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to read files with");
        return NULL;
    }
    s->codec = codec_of(name);
    s->fd = fd;
    s->stop = stop;
    s->arg = arg;
    bool known = fstat(fd, &st) == 0;
    s->may_wait = !known || !S_ISREG(st.st_mode);
    if (!s->may_wait)
        s->size = (uint64_t)st.st_size;
    if (start_codec(s))
        return s;
    (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to decompress with");
    med_source_close(s);
    return NULL;
}

med_source *med_source_open(med_str path, med_err *err)
{
    int fd = open_file(path);
    if (fd >= 0)
        return med_source_of(path, fd, NULL, NULL, err);
    (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND, "can not open %.*s: %s", MED_STR_ARG(path),
                   strerrordesc_np(errno));
    return NULL;
}

/* A pipe may be silent for ever: the reader must be able to think again. */
static bool wait_for_bytes(const med_source *s, med_err *err)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    if (!s->may_wait)
        return true;
    while (poll(&p, 1, WAIT_SLICE) == 0) {
        if (s->stop != NULL && s->stop(s->arg))
            return MED_FAIL(err, MED_ISSUE_INCOMPLETE, "cancelled");
    }
    return true;
}

static bool read_input(med_source *s, med_err *err)
{
    ssize_t n;
    do {
        if (!wait_for_bytes(s, err))
            return false;
        n = read(s->fd, s->input, sizeof s->input);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    s->have = n > 0 ? (size_t)n : 0;
    return n >= 0
           || MED_FAIL(err, MED_ISSUE_EXCEPTION, "reading failed: %s", strerrordesc_np(errno));
}

static bool refill(med_source *s, med_err *err)
{
    if (s->at < s->have || s->ended)
        return true;
    if (!read_input(s, err))
        return false;
    s->at = 0;
    s->position += s->have;
    s->ended = s->have == 0;
    return true;
}

static bool damaged(med_err *err)
{
    return MED_FAIL(err, MED_ISSUE_INVALID, "the compressed data is damaged");
}

/* Each returns how much it wrote; the stream may be several members one behind the other. */
static bool read_gzip(med_source *s, char *to, size_t room, size_t *n, med_err *err)
{
    s->gzip.next_in = (Bytef *)(s->input + s->at);
    s->gzip.avail_in = (uInt)(s->have - s->at);
    s->gzip.next_out = (Bytef *)to;
    s->gzip.avail_out = (uInt)room;
    int rc = inflate(&s->gzip, Z_NO_FLUSH);
    s->at = s->have - s->gzip.avail_in;
    *n = room - s->gzip.avail_out;
    s->mid_stream = rc == Z_OK || rc == Z_BUF_ERROR;
    if (rc == Z_STREAM_END)
        return inflateReset(&s->gzip) == Z_OK ? true : damaged(err);
    return s->mid_stream ? true : damaged(err);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): its address is kept and written through */
static bool read_zstd(med_source *s, char *to, size_t room, size_t *n, med_err *err)
{
    ZSTD_inBuffer in = {s->input, s->have, s->at};
    ZSTD_outBuffer out = {to, room, 0};
    size_t rc = ZSTD_decompressStream(s->zstd, &out, &in);
    s->at = in.pos;
    *n = out.pos;
    s->mid_stream = rc != 0;
    return ZSTD_isError(rc) ? damaged(err) : true;
}

static bool read_bzip2(med_source *s, char *to, size_t room, size_t *n, med_err *err)
{
    s->bzip2.next_in = s->input + s->at;
    s->bzip2.avail_in = (unsigned)(s->have - s->at);
    s->bzip2.next_out = to;
    s->bzip2.avail_out = (unsigned)room;
    int rc = BZ2_bzDecompress(&s->bzip2);
    s->at = s->have - s->bzip2.avail_in;
    *n = room - s->bzip2.avail_out;
    s->mid_stream = rc == BZ_OK;
    if (rc != BZ_STREAM_END)
        return s->mid_stream ? true : damaged(err);
    (void)BZ2_bzDecompressEnd(&s->bzip2);
    s->bzip2 = (bz_stream){0};
    return BZ2_bzDecompressInit(&s->bzip2, 0, 0) == BZ_OK ? true : damaged(err);
}

static bool read_plain(med_source *s, char *to, size_t room, size_t *n)
{
    *n = s->have - s->at < room ? s->have - s->at : room;
    memcpy(to, s->input + s->at, *n);
    s->at += *n;
    return true;
}

static bool read_some(med_source *s, char *to, size_t room, size_t *n, med_err *err)
{
    switch (s->codec) {
    case PLAIN:
        return read_plain(s, to, room, n);
    case GZIP:
        return read_gzip(s, to, room, n, err);
    case ZSTD_STREAM:
        return read_zstd(s, to, room, n, err);
    case BZIP2:
        return read_bzip2(s, to, room, n, err);
    }
    return false;
}

bool med_source_read(med_source *s, char *to, size_t room, size_t *n, med_err *err)
{
    *n = 0;
    while (*n == 0) {
        if (!refill(s, err))
            return false;
        if (s->ended && s->mid_stream)
            return MED_FAIL(err, MED_ISSUE_INVALID, "the compressed data ends too early");
        if (s->ended)
            return true;
        if (!read_some(s, to, room, n, err))
            return false;
    }
    return true;
}

uint64_t med_source_position(const med_source *s)
{
    return s->position;
}

uint64_t med_source_size(const med_source *s)
{
    return s->size;
}

void med_source_close(med_source *s)
{
    stop_codec(s);
    (void)close(s->fd);
    med_free(s);
}
