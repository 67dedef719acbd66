/* page.c - see page.h. */
#include "search/page.h"

#include "base/base64.h"

enum { TEXT_MAX = 2048 };

/* The text follows. A place with a longer text (of a uri) can not be named. */
typedef struct wire {
    uint64_t mac, rid;
    int64_t value;
    double real;
    uint8_t how, clause, patient, flags, phase, spare[3];
} wire;

enum { FLAG_ORDERED = 1, FLAG_ASCENDING = 2, FLAG_BY_KEY = 4 };

static uint64_t mac_of(const med_query *q, const wire *w, med_str text)
{
    wire copy = *w;
    copy.mac = q->fingerprint;
    return med_store_hash2(q->schema->store, (med_str){(const char *)&copy, sizeof copy}, '#',
                           text);
}

bool med_page_write(const med_run *r, const med_page *page, med_str *out, med_err *err)
{
    char bytes[sizeof(wire) + TEXT_MAX];
    med_str text = page->place.text;
    if (text.len > TEXT_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the search can not go on behind so long a URI");
    wire w = {.rid = page->place.rid,
              .value = page->place.value,
              .real = page->place.real,
              .how = (uint8_t)page->plan.how,
              .clause = page->plan.clause,
              .patient = page->plan.patient,
              .flags = (uint8_t)((page->plan.ordered ? FLAG_ORDERED : 0)
                                 | (page->plan.ascending ? FLAG_ASCENDING : 0)
                                 | (page->plan.by_key ? FLAG_BY_KEY : 0)),
              .phase = page->place.phase};
    w.mac = mac_of(r->q, &w, text);
    memcpy(bytes, &w, sizeof w);
    memcpy(bytes + sizeof w, text.ptr, text.len);
    med_buf buf;
    med_buf_init(&buf, 2 * sizeof bytes);
    med_base64url_encode(&buf, (med_str){bytes, sizeof w + text.len});
    bool kept = !buf.failed && med_arena_copy(r->arena, med_buf_str(&buf), out);
    med_buf_free(&buf);
    return kept ? true : MED_FAIL_MEMORY(err);
}

static bool foreign(med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_VALUE, "_page is no link of this server for this query");
    return med_err_status(err, 400);
}

bool med_page_read(const med_query *q, med_arena *a, med_str token, med_page *out, med_err *err)
{
    med_str bytes;
    wire w;
    if (!med_base64url_decode(a, token, &bytes, err) || bytes.len < sizeof w
        || bytes.len > sizeof w + TEXT_MAX)
        return foreign(err);
    memcpy(&w, bytes.ptr, sizeof w);
    med_str text = med_str_skip(bytes, sizeof w);
    if (w.mac != mac_of(q, &w, text))
        return foreign(err);
    *out = (med_page){
        .plan = {.how = (enum med_drive)w.how,
                 .clause = w.clause,
                 .patient = w.patient,
                 .ordered = (w.flags & FLAG_ORDERED) != 0,
                 .ascending = (w.flags & FLAG_ASCENDING) != 0,
                 .by_key = (w.flags & FLAG_BY_KEY) != 0},
        .place = {w.value, w.real, text, w.rid, w.phase},
    };
    return true;
}
