/* target.c - see target.h. */
#include "bench/target.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static bool look_up(med_str name, med_str port, med_target *out, med_err *err)
{
    char host[256], service[8];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (name.len >= sizeof host || port.len >= sizeof service)
        return MED_FAIL(err, MED_ISSUE_VALUE, "the URL's host or port is too long");
    (void)snprintf(host, sizeof host, "%.*s", MED_STR_ARG(name));
    (void)snprintf(service, sizeof service, "%.*s", MED_STR_ARG(port));
    int fault = getaddrinfo(host, service, &hints, &found);
    if (fault != 0 || found == NULL)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "can not find %s port %s: %s", host, service,
                        gai_strerror(fault));
    memcpy(&out->address, found->ai_addr, found->ai_addrlen);
    out->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

/* "[::1]:8080" -> "::1", "8080"; the port defaults to 80. */
static void split_host(med_str host, med_str *name, med_str *port)
{
    size_t bracket = med_str_find(host, ']', 0);
    if (bracket < host.len) {
        *name = med_str_sub(host, 1, bracket);
        *port = med_str_skip(host, bracket + 2);
    } else {
        *name = med_str_cut(host, ':', port);
    }
    if (port->len == 0)
        *port = MED_STR("80");
}

bool med_target_parse(med_arena *a, med_str url, med_str token, med_target *out, med_err *err)
{
    static const med_str scheme = MED_LIT("http://");
    med_str name, port, rest = med_str_skip(url, scheme.len);
    *out = (med_target){0};
    if (med_str_starts(url, MED_STR("https://")))
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                        "https is not spoken here: measure in front of the TLS proxy");
    if (!med_str_starts(url, scheme))
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "a URL such as http://127.0.0.1:8080/fhir is expected");
    size_t slash = med_str_find(rest, '/', 0);
    med_str base = med_str_skip(rest, slash);
    while (med_str_ends(base, MED_STR("/")))
        base.len--;
    if (!med_arena_copy(a, med_str_sub(rest, 0, slash), &out->host)
        || !med_arena_copy(a, base, &out->base) || !med_arena_copy(a, token, &out->token))
        return MED_FAIL_MEMORY(err);
    split_host(out->host, &name, &port);
    return look_up(name, port, out, err);
}

med_str med_target_path(med_str url)
{
    size_t from = med_str_search(url, MED_STR("://"), 0);
    return from == url.len ? url : med_str_skip(url, med_str_find(url, '/', from + 3));
}

void med_target_request(const med_target *t, const char *method, med_str path, med_str headers,
                        med_str body, med_buf *out)
{
    bool absolute = path.len > 0 && path.ptr[0] == '/';
    bool query = path.len > 0 && path.ptr[0] == '?';
    med_buf_addz(out, method);
    med_buf_addc(out, ' ');
    if (!absolute)
        med_buf_add(out, t->base);
    if (!absolute && !query && (path.len > 0 || t->base.len == 0))
        med_buf_addc(out, '/');
    med_buf_add(out, path);
    med_buf_printf(out, " HTTP/1.1\r\nHost: %.*s\r\nAccept: application/fhir+json\r\n",
                   MED_STR_ARG(t->host));
    if (t->token.len > 0)
        med_buf_printf(out, "Authorization: Bearer %.*s\r\n", MED_STR_ARG(t->token));
    med_buf_add(out, headers);
    if (body.len > 0)
        med_buf_printf(out, "Content-Type: application/fhir+json\r\nContent-Length: %zu\r\n",
                       body.len);
    med_buf_addz(out, "\r\n");
    med_buf_add(out, body);
}

int med_target_connect(const med_target *t)
{
    const int on = 1;
    int fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)&t->address, t->address_len) == 0
        || errno == EINPROGRESS)
        return fd;
    (void)close(fd);
    return -1;
}
