/* channel.c - see channel.h. */
#include "admin/channel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor; with more the kernel cuts the list, which is refused. */
union ancillary {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static bool wait_for(int socket, short events, int milliseconds)
{
    struct pollfd p = {.fd = socket, .events = events};
    int n;
    do
        n = poll(&p, 1, milliseconds);
    while (n < 0 && errno == EINTR && milliseconds < 0);
    return n > 0;
}

static bool send_packet(int socket, med_str text, int descriptor)
{
    union ancillary control = {0};
    struct iovec part = {.iov_base = (char *)(uintptr_t)text.ptr, .iov_len = text.len};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        packet.msg_control = &control;
        packet.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&packet);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
    }
    return sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)text.len;
}

bool med_channel_send(int socket, const med_message *m, int descriptor, enum med_send how,
                      int milliseconds, med_err *err)
{
    med_buf out;
    med_buf_init(&out, MED_MESSAGE_BYTES);
    med_message_write(&out, m);
    bool ok = !out.failed;
    if (!ok)
        (void)MED_FAIL(err, MED_ISSUE_TOO_LONG, "a message would be longer than %d bytes",
                       MED_MESSAGE_BYTES);
    while (ok && !send_packet(socket, med_buf_str(&out), descriptor)) {
        bool full = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        if (full && how == MED_SEND_OR_DROP)
            break;
        if (!full || !wait_for(socket, POLLOUT, milliseconds))
            ok = MED_FAIL(err, MED_ISSUE_TRANSIENT, "the other side of the admin socket is gone");
    }
    med_buf_free(&out);
    return ok;
}

/* The descriptor of a packet, or -1; *good is false when there was anything else. */
static int take_descriptor(struct msghdr *packet, bool *good)
{
    int fd = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(packet); c != NULL; c = CMSG_NXTHDR(packet, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS
            && c->cmsg_len == CMSG_LEN(sizeof fd) && fd < 0)
            memcpy(&fd, CMSG_DATA(c), sizeof fd);
        else
            *good = false;
    }
    return fd;
}

static enum med_receive read_packet(med_arena *a, struct msghdr *packet, size_t n, med_message *out,
                                    int *descriptor, med_err *err)
{
    bool good = (packet->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    *descriptor = take_descriptor(packet, &good);
    med_str text = {packet->msg_iov->iov_base, n};
    if (good && med_message_read(a, text, out, err)) {
        if (med_message_carries(out->kind) == (*descriptor >= 0))
            return MED_RECEIVED;
        (void)MED_FAIL(err, MED_ISSUE_STRUCTURE,
                       "a message came with no descriptor, or needlessly "
                       "with one");
    } else if (!good) {
        (void)MED_FAIL(err, MED_ISSUE_TOO_LONG, "a packet or its list of descriptors is too long");
    }
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
    return MED_RECEIVE_BAD;
}

enum med_receive med_channel_receive(int socket, med_arena *a, int milliseconds, med_message *out,
                                     int *descriptor, med_err *err)
{
    union ancillary control = {0};
    char *room = MED_TAKE(a, MED_MESSAGE_BYTES, char);
    struct iovec part = {.iov_base = room, .iov_len = MED_MESSAGE_BYTES};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    *descriptor = -1;
    if (room == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return MED_RECEIVE_BAD;
    }
    if (!wait_for(socket, POLLIN, milliseconds))
        return MED_RECEIVE_LATE;
    ssize_t n = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return MED_RECEIVE_LATE;
    if (n <= 0)
        return MED_RECEIVE_GONE;
    return read_packet(a, &packet, (size_t)n, out, descriptor, err);
}
