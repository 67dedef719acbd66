/* conditional_read.c - https://hl7.org/fhir/R4/http.html#cread */
#include "fhir/conditional_read.h"

#include "base/datetime.h"
#include "fhir/respond.h"

enum { SECOND = 1000000, MILLISECOND = 1000 };

/* Only valid dates count (RFC 9110, 13.1.3: an invalid one is ignored). */
static bool not_modified_since(med_str field, int64_t updated)
{
    int64_t since;
    return med_http_date_parse(field, &since) && updated / SECOND <= since / SECOND;
}

/* In a Bundle it is an instant, such as meta.lastUpdated. */
static bool not_modified_since_instant(med_str text, int64_t updated)
{
    med_datetime since;
    return med_datetime_parse(text, MED_KIND_INSTANT, 0, &since)
           && updated / MILLISECOND <= since.span.low / MILLISECOND;
}

bool med_conditional_read(med_call *call, const med_stored *s, bool *unchanged, med_err *err)
{
    const med_fhir_request *r = &call->request;
    *unchanged = false;
    if (r->if_none_match.len > 0) {
        if (!med_etag_list_has(r->if_none_match, s->version, unchanged, err))
            return false;
    } else if (r->if_modified_since.len > 0) {
        *unchanged = r->in_bundle ? not_modified_since_instant(r->if_modified_since, s->updated)
                                  : not_modified_since(r->if_modified_since, s->updated);
    }
    if (!*unchanged)
        return true;
    call->response.status = 304;
    call->response.last_modified = s->updated;
    return med_etag_format(call->arena, s->version, &call->response.etag) ? true
                                                                          : MED_FAIL_MEMORY(err);
}
