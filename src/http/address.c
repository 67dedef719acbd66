/* address.c - reading, writing and matching addresses. */
#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const med_address *a)
{
    return memcmp(a->ip, mapped, sizeof mapped) == 0;
}

med_address med_address_of_socket(const struct sockaddr *sa)
{
    med_address a = {0};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, sa, sizeof v4);
        memcpy(a.ip, mapped, sizeof mapped);
        memcpy(a.ip + 12, &v4.sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, sa, sizeof v6);
        memcpy(a.ip, &v6.sin6_addr, 16);
    } else {
        a.local = true;
    }
    return a;
}

bool med_address_parse(med_str text, med_address *out)
{
    if (text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
        text = med_str_sub(text, 1, text.len - 1);
    char z[MED_ADDRESS_TEXT];
    if (text.len == 0 || text.len >= sizeof z)
        return false;
    memcpy(z, text.ptr, text.len);
    z[text.len] = '\0';
    *out = (med_address){0};
    if (inet_pton(AF_INET, z, out->ip + 12) == 1) {
        memcpy(out->ip, mapped, sizeof mapped);
        return true;
    }
    return inet_pton(AF_INET6, z, out->ip) == 1;
}

void med_address_format(const med_address *a, char out[MED_ADDRESS_TEXT])
{
    if (a->local)
        memcpy(out, "unix", 5);
    else if (is_v4(a))
        (void)inet_ntop(AF_INET, a->ip + 12, out, MED_ADDRESS_TEXT);
    else
        (void)inet_ntop(AF_INET6, a->ip, out, MED_ADDRESS_TEXT);
}

bool med_address_range_parse(med_str text, med_address_range *out, med_err *err)
{
    *out = (med_address_range){.bits = 128};
    if (med_str_eqz(text, "unix")) {
        out->base.local = true;
        return true;
    }
    med_str bits, address = med_str_cut(text, '/', &bits);
    bool ranged = address.len < text.len;
    if (!med_address_parse(address, &out->base))
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "a proxy must be an IP address, ADDRESS/BITS or \"unix\"");
    int64_t n = 0, most = is_v4(&out->base) ? 32 : 128;
    if (!ranged)
        return true;
    if (!med_str_to_int64(bits, &n) || n < 0 || n > most)
        return MED_FAIL(err, MED_ISSUE_VALUE, "the bits of a proxy's range must be 0 to %d",
                        (int)most);
    out->bits = (unsigned)(n + 128 - most);
    return true;
}

static bool in_range(const med_address *a, const med_address_range *r)
{
    if (a->local || r->base.local)
        return a->local && r->base.local;
    unsigned whole = r->bits / 8, rest = r->bits % 8;
    if (memcmp(a->ip, r->base.ip, whole) != 0)
        return false;
    return rest == 0 || (a->ip[whole] ^ r->base.ip[whole]) >> (8 - rest) == 0;
}

bool med_address_listed(const med_address *a, const med_address_range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (in_range(a, &ranges[i]))
            return true;
    }
    return false;
}
