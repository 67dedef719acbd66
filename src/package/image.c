/* image.c - see image.h. */
#include "package/image.h"

#include <zstd.h>

#include "package/image_format.h"

enum { PLAIN_MAX = 128 << 20 };

static const struct med_package_row *row_at(const med_package_image *p, size_t i)
{
    return (const struct med_package_row *)(const void *)(p + 1) + i;
}

static med_str text_at(const med_package_image *p, uint32_t at, uint16_t len)
{
    return (med_str){(const char *)p + p->strings + at, len};
}

static bool head_is_sound(const med_package_image *p, med_str bytes)
{
    if (bytes.len < sizeof *p || memcmp(p->magic, MED_PACKAGE_MAGIC, sizeof p->magic) != 0)
        return false;
    uint64_t rows = (uint64_t)p->n * sizeof(struct med_package_row);
    return p->format == MED_PACKAGE_FORMAT && p->size == bytes.len && p->n <= MED_PACKAGE_ROWS_MAX
           && p->strings == sizeof *p + rows && p->strings <= p->manifest
           && p->manifest <= p->dictionary && p->dictionary <= p->data && p->data <= p->size;
}

static bool row_is_sound(const med_package_image *p, const struct med_package_row *r)
{
    uint64_t room = p->manifest - p->strings;
    return r->at >= p->data && r->at <= p->size && r->packed <= p->size - r->at
           && r->plain <= PLAIN_MAX && (uint64_t)r->type + r->type_len <= room
           && (uint64_t)r->url + r->url_len <= room && (uint64_t)r->version + r->version_len <= room
           && (uint64_t)r->id + r->id_len <= room;
}

bool med_package_image_open(med_str bytes, const med_package_image **out, med_err *err)
{
    const med_package_image *p = (const void *)bytes.ptr;
    bool ok = head_is_sound(p, bytes);
    if (ok) {
        med_str index = {bytes.ptr + sizeof *p, (size_t)p->dictionary - sizeof *p};
        ok = med_siphash(MED_PACKAGE_KEY, index) == p->check;
    }
    for (size_t i = 0; ok && i < p->n; i++)
        ok = row_is_sound(p, row_at(p, i));
    if (!ok)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION,
                        "the package file is damaged or of another format: add the package again");
    *out = p;
    return true;
}

med_str med_package_image_manifest(const med_package_image *p)
{
    return (med_str){(const char *)p + p->manifest, (size_t)(p->dictionary - p->manifest)};
}

size_t med_package_image_size(const med_package_image *p)
{
    return (size_t)p->size;
}

size_t med_package_image_count(const med_package_image *p)
{
    return p->n;
}

void med_package_image_entry(const med_package_image *p, size_t i, med_package_entry *out)
{
    const struct med_package_row *r = row_at(p, i);
    *out = (med_package_entry){
        .type = text_at(p, r->type, r->type_len),
        .url = text_at(p, r->url, r->url_len),
        .version = text_at(p, r->version, r->version_len),
        .id = text_at(p, r->id, r->id_len),
        .flags = r->flags,
    };
}

size_t med_package_image_find(const med_package_image *p, med_str url)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct med_package_row *r = row_at(p, mid);
        if (med_str_compare(text_at(p, r->url, r->url_len), url) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < p->n && url.len > 0
        && med_str_eq(text_at(p, row_at(p, low)->url, row_at(p, low)->url_len), url))
        return low;
    return p->n;
}

bool med_package_image_text(const med_package_image *p, med_arena *a, size_t i, med_str *out,
                            med_err *err)
{
    const struct med_package_row *r = row_at(p, i);
    size_t dictionary = (size_t)(p->data - p->dictionary);
    char *to = MED_TAKE(a, (size_t)r->plain + 1, char);
    ZSTD_DCtx *z = ZSTD_createDCtx();
    if (to == NULL || z == NULL) {
        (void)ZSTD_freeDCtx(z);
        return MED_FAIL_MEMORY(err);
    }
    size_t n = ZSTD_decompress_usingDict(z, to, r->plain, (const char *)p + r->at, r->packed,
                                         (const char *)p + p->dictionary, dictionary);
    (void)ZSTD_freeDCtx(z);
    if (ZSTD_isError(n) || n != r->plain)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION,
                        "a resource in a package file is damaged: add the package again");
    *out = (med_str){to, n};
    return true;
}

/* ---- versions ---- */

static med_str next_part(med_str *s)
{
    size_t n = 0;
    while (n < s->len && s->ptr[n] != '.' && s->ptr[n] != '-')
        n++;
    med_str part = med_str_sub(*s, 0, n);
    *s = med_str_skip(*s, n);
    return part;
}

static int compare_part(med_str a, med_str b)
{
    int64_t x, y;
    bool a_number = med_str_to_int64(a, &x), b_number = med_str_to_int64(b, &y);
    if (a_number && b_number)
        return x < y ? -1 : x > y;
    if (a_number != b_number)
        return a_number ? 1 : -1;
    return med_str_compare(a, b);
}

/* What follows a hyphen comes before its release. */
static int compare_end(med_str a, med_str b)
{
    bool a_early = a.len > 0 && a.ptr[0] == '-', b_early = b.len > 0 && b.ptr[0] == '-';
    if (a_early != b_early)
        return a_early ? -1 : 1;
    return a.len == 0 ? -(b.len > 0) : b.len == 0;
}

int med_package_version_compare(med_str a, med_str b)
{
    for (;;) {
        int d = compare_part(next_part(&a), next_part(&b));
        if (d != 0)
            return d;
        if (a.len == 0 || b.len == 0 || a.ptr[0] != b.ptr[0])
            return compare_end(a, b);
        a = med_str_skip(a, 1);
        b = med_str_skip(b, 1);
    }
}
