/* write.c - https://hl7.org/fhir/R4/http.html#concurrency */
#include "fhir/write.h"

#include <stdio.h>

#include "fhir/respond.h"

bool med_write_check_type(const med_call *call, med_err *err)
{
    const med_fhir_request *r = &call->request;
    uint32_t node = med_json_member(r->json, r->root, MED_STR("resourceType"));
    if (node == 0 || med_str_eq(med_json_raw(r->json, node), r->type_name))
        return true; /* a missing one is the structure check's to name */
    return MED_FAIL(err, MED_ISSUE_INVALID, "the body's resourceType is not %.*s",
                    MED_STR_ARG(r->type_name));
}

bool med_write_expect(const med_call *call, med_write *w, med_err *err)
{
    const med_fhir_request *r = &call->request;
    if (med_str_eqz(med_str_trim(r->if_none_match), "*")) {
        w->expect = MED_EXPECT_NEW;
        return true;
    }
    if (r->if_none_match.len > 0)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                        "If-None-Match on a write may only be '*' (create, never replace)");
    if (r->if_match.len == 0)
        return true;
    if (med_str_eqz(med_str_trim(r->if_match), "*")) {
        w->expect = MED_EXPECT_EXISTS;
        return true;
    }
    w->expect = MED_EXPECT_VERSION;
    return med_etag_parse(r->if_match, &w->expect_version, err);
}

/* In place of randomness: what the store's key makes of the place in the import. */
static void fill_from_source(void *self, void *bytes, size_t n)
{
    const med_call *call = self;
    for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
        char place[32];
        int len = snprintf(place, sizeof place, "%u#%zu", call->request.source_entry, at);
        uint64_t hash = med_store_hash2(call->fhir->store, call->request.source, '#',
                                        (med_str){place, (size_t)len});
        memcpy((char *)bytes + at, &hash, n - at < sizeof hash ? n - at : sizeof hash);
    }
}

bool med_write_new_id(med_call *call, med_err *err)
{
    char uuid[MED_UUID_LEN];
    const med_random from_source = {fill_from_source, call};
    if (call->request.id.len > 0)
        return true;
    med_random_uuid(call->request.source.len > 0 ? &from_source : call->fhir->random, uuid);
    return med_arena_copy(call->arena, (med_str){uuid, sizeof uuid}, &call->request.id)
               ? true
               : MED_FAIL_MEMORY(err);
}

enum med_step med_write_finish(med_call *call, med_err *err)
{
    if (call->write == SIZE_MAX)
        return MED_STEP_OK; /* answered while preparing: If-None-Exist found one */
    const med_write *w = &call->change->writes[call->write];
    return med_respond_write(call, w, err) ? MED_STEP_OK : MED_STEP_FAILED;
}
