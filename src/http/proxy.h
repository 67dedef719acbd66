/* proxy.h - what a listed proxy says about the client: X-Forwarded-For and -Proto. */
#ifndef MED_HTTP_PROXY_H
#define MED_HTTP_PROXY_H

#include "http/address.h"
#include "http/message.h"

/* Sets r->peer (in `a`) and r->secure from the headers of r. Call it only when the connection
 * comes from a listed proxy; from others these headers are just headers. */
void med_proxy_apply(med_arena *a, const med_address_range *proxies, size_t n, med_request *r);

#endif
