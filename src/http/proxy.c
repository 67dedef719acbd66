/* proxy.c - the client is the rightmost address of X-Forwarded-For that is no listed proxy:
 * everything left of it was written by the client itself and may be forged. */
#include "http/proxy.h"

/* Walks one header from its right end. True when the client was found. */
static bool walk(med_str list, const med_address_range *proxies, size_t n, med_address *client,
                 bool *known)
{
    while (list.len > 0) {
        size_t at = list.len;
        while (at > 0 && list.ptr[at - 1] != ',')
            at--;
        med_address a;
        if (!med_address_parse(med_str_trim(med_str_skip(list, at)), &a))
            return true; /* nobody can vouch for what is left of it */
        *client = a;
        *known = true;
        if (!med_address_listed(&a, proxies, n))
            return true;
        list = med_str_sub(list, 0, at == 0 ? 0 : at - 1);
    }
    return false;
}

void med_proxy_apply(med_arena *a, const med_address_range *proxies, size_t n, med_request *r)
{
    med_address client;
    bool known = false, done = false, proto = false;
    for (size_t i = r->n_headers; i > 0; i--) {
        const med_header *h = &r->headers[i - 1];
        if (!done && med_str_eq_ignore_case(h->name, MED_STR("X-Forwarded-For")))
            done = walk(h->value, proxies, n, &client, &known);
        if (!proto && med_str_eq_ignore_case(h->name, MED_STR("X-Forwarded-Proto"))) {
            r->secure = med_str_eq_ignore_case(h->value, MED_STR("https"));
            proto = true; /* the last one is the nearest proxy's */
        }
    }
    char text[MED_ADDRESS_TEXT];
    if (known) {
        med_address_format(&client, text);
        if (!med_arena_copy(a, med_str_from(text), &r->peer))
            r->peer = MED_STR("unknown");
    }
}
