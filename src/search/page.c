/* page.c - see page.h. */
#include "search/page.h"

#include "base/base64.h"

enum { FIXED = 40, TEXT_MAX = MED_STRING_KEY };

/* mac, driver, value, real, rid, then the text. */
typedef struct wire {
    uint64_t mac, driver, rid;
    int64_t value;
    double real;
} wire;

static uint64_t mac_of(const med_query *q, const wire *w, med_str text)
{
    uint64_t parts[] = {q->fingerprint, w->driver, w->rid, (uint64_t)w->value, 0};
    memcpy(&parts[4], &w->real, sizeof parts[4]);
    return med_store_hash2(q->schema->store, (med_str){(const char *)parts, sizeof parts}, '#',
                           text);
}

bool med_page_write(const med_run *r, const med_page *page, med_str *out, med_err *err)
{
    char bytes[sizeof(wire) + TEXT_MAX];
    med_str text = med_str_sub(page->place.text, 0, TEXT_MAX);
    wire w = {.driver = page->driver,
              .rid = page->place.rid,
              .value = page->place.value,
              .real = page->place.real};
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
    if (w.mac != mac_of(q, &w, text) || (w.driver != SIZE_MAX && w.driver >= q->n))
        return foreign(err);
    *out = (med_page){w.driver, {w.value, w.real, text, w.rid}};
    return true;
}
