/* fuzz_filter.c - the grammar of _filter: no text crashes it; each refusal says where; what is
 * understood has no more tests than the limit. */
#include "demand.h"
#include "search/filter_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ROOM = 1 << 20 };
    med_arena *a = med_arena_new(ROOM);
    const med_filter *f = NULL;
    med_err err = {0};
    bool ok = med_filter_parse(a, (med_str){size > 0 ? (const char *)data : "", size}, &f, &err);
    DEMAND(ok ? f->n > 0 && f->n <= MED_FILTER_TESTS : err.issue != MED_ISSUE_NONE);
    med_arena_free(a);
    return 0;
}
