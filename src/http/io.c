/* io.c - one read and one write, plain or through TLS. */
#include <errno.h>
#include <sys/socket.h>

#include "http/http_impl.h"

static ssize_t judge(med_conn *c, bool writing)
{
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        return MED_IO_FAILED;
    c->io_wants_write = writing;
    return MED_IO_AGAIN;
}

ssize_t med_io_read(med_conn *c, void *to, size_t n)
{
    ssize_t got =
        c->tls != NULL ? med_tls_read(c->tls, to, n, &c->io_wants_write) : recv(c->fd, to, n, 0);
    if (got > 0)
        med_count(&c->loop->bytes_in, (uint64_t)got);
    else if (got < 0 && c->tls == NULL)
        got = judge(c, false);
    return got;
}

/* One call copies all that the socket has room for, which may be megabytes. */
static void bound(struct iovec *to, const struct iovec *from, size_t n)
{
    size_t left = MED_HTTP_WRITE_TURN;
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        if (to[i].iov_len > left)
            to[i].iov_len = left;
        left -= to[i].iov_len;
    }
}

ssize_t med_io_write(med_conn *c, const struct iovec *from, size_t n)
{
    ssize_t put = 0;
    if (c->tls != NULL) {
        size_t at = from[0].iov_len == 0 && n > 1 ? 1 : 0;
        put = med_tls_write(c->tls, from[at].iov_base, from[at].iov_len, &c->io_wants_write);
    } else {
        struct iovec part[MED_IO_PARTS];
        struct msghdr m = {.msg_iov = part, .msg_iovlen = n};
        bound(part, from, n);
        put = sendmsg(c->fd, &m, MSG_NOSIGNAL);
        if (put < 0)
            put = judge(c, true);
    }
    if (put > 0)
        med_count(&c->loop->bytes_out, (uint64_t)put);
    return put;
}
