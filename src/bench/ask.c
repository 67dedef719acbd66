/* ask.c - see ask.h. */
#include "bench/ask.h"

#include <errno.h>
#include <poll.h>

enum { PATIENCE_MS = 120000, REPLY_BYTES = 512 << 20, READ_BYTES = 64 << 10 };

void med_asker_init(med_asker *k, const med_target *target)
{
    *k = (med_asker){.target = target, .fd = -1, .patience = PATIENCE_MS};
    med_buf_init(&k->in, REPLY_BYTES);
    med_buf_init(&k->out, REPLY_BYTES);
}

static void hang_up(med_asker *k)
{
    if (k->fd >= 0)
        (void)close(k->fd);
    k->fd = -1;
}

void med_asker_end(med_asker *k)
{
    hang_up(k);
    med_buf_free(&k->in);
    med_buf_free(&k->out);
}

static bool await(const med_asker *k, short events)
{
    struct pollfd p = {.fd = k->fd, .events = events};
    return poll(&p, 1, k->patience) == 1;
}

static bool send_all(med_asker *k)
{
    size_t sent = 0;
    while (sent < k->out.len) {
        ssize_t n = send(k->fd, k->out.ptr + sent, k->out.len - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (errno != EINTR && !(errno == EAGAIN && await(k, POLLOUT)))
            return false;
    }
    return true;
}

static bool receive(med_asker *k, med_reply *out)
{
    med_reply_reader r = {0};
    enum med_reply_state state = MED_REPLY_MORE;
    while (state == MED_REPLY_MORE) {
        if (!await(k, POLLIN) || !med_buf_reserve(&k->in, READ_BYTES))
            return false;
        ssize_t n = read(k->fd, k->in.ptr + k->in.len, READ_BYTES);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (n >= 0) {
            k->in.len += (size_t)n;
            state = med_reply_read(&r, &k->in, n == 0, out);
        }
    }
    return state == MED_REPLY_DONE;
}

static bool ask_once(med_asker *k, med_reply *out)
{
    med_buf_clear(&k->in);
    if (k->fd < 0)
        k->fd = med_target_connect(k->target);
    bool ok = k->fd >= 0 && send_all(k) && receive(k, out);
    if (!ok || out->close)
        hang_up(k);
    return ok;
}

bool med_ask(med_asker *k, const char *method, med_str path, med_str headers, med_str body,
             med_reply *out, med_err *err)
{
    bool kept = k->fd >= 0;
    med_buf_clear(&k->out);
    med_target_request(k->target, method, path, headers, body, &k->out);
    k->asked++;
    if (ask_once(k, out) || (kept && k->in.len == 0 && ask_once(k, out)))
        return true;
    return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no answer from %.*s", MED_STR_ARG(k->target->host));
}
