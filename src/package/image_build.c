/* image_build.c - writes what image.c reads. */
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "package/image_format.h"

enum { LEVEL = 12, STRINGS_MAX = 256 << 20, TEXT_MAX = 0xFFFF };
#define DATA_MAX ((size_t)2 << 30)

struct med_package_builder {
    struct med_package_row *rows;
    size_t n, room;
    med_buf strings, data, dictionary;
    ZSTD_CCtx *z;
};

med_package_builder *med_package_builder_new(med_str dictionary)
{
    med_package_builder *b = MED_NEW(1, med_package_builder);
    if (b == NULL)
        return NULL;
    med_buf_init(&b->strings, STRINGS_MAX);
    med_buf_init(&b->data, DATA_MAX);
    med_buf_init(&b->dictionary, (size_t)1 << 24);
    med_buf_add(&b->dictionary, dictionary);
    b->z = ZSTD_createCCtx();
    if (b->z == NULL || b->dictionary.failed
        || ZSTD_isError(ZSTD_CCtx_setParameter(b->z, ZSTD_c_compressionLevel, LEVEL))
        || ZSTD_isError(ZSTD_CCtx_setParameter(b->z, ZSTD_c_checksumFlag, 1))
        || ZSTD_isError(ZSTD_CCtx_loadDictionary(b->z, b->dictionary.ptr, b->dictionary.len))) {
        med_package_builder_free(b);
        return NULL;
    }
    return b;
}

void med_package_builder_free(med_package_builder *b)
{
    if (b == NULL)
        return;
    (void)ZSTD_freeCCtx(b->z);
    med_buf_free(&b->strings);
    med_buf_free(&b->data);
    med_buf_free(&b->dictionary);
    med_free(b->rows);
    med_free(b);
}

static bool grow(med_package_builder *b, med_err *err)
{
    size_t room = b->room == 0 ? 256 : 2 * b->room;
    if (b->n < b->room)
        return true;
    if (b->n == MED_PACKAGE_ROWS_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a package holds at most %d resources",
                        MED_PACKAGE_ROWS_MAX);
    struct med_package_row *rows = med_realloc(b->rows, room, sizeof *rows);
    if (rows == NULL)
        return MED_FAIL_MEMORY(err);
    b->rows = rows;
    b->room = room;
    return true;
}

static uint32_t keep(med_package_builder *b, med_str s)
{
    uint32_t at = (uint32_t)b->strings.len;
    med_buf_add(&b->strings, s);
    return at;
}

bool med_package_builder_add(med_package_builder *b, const med_package_entry *e, med_str json,
                             med_err *err)
{
    size_t bound = ZSTD_compressBound(json.len);
    if (e->url.len > TEXT_MAX || e->version.len > TEXT_MAX || e->id.len > TEXT_MAX
        || e->type.len > TEXT_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a url, version or id is too long");
    if (!grow(b, err))
        return false;
    if (!med_buf_reserve(&b->data, bound))
        return MED_FAIL_MEMORY(err);
    size_t n = ZSTD_compress2(b->z, b->data.ptr + b->data.len, bound, json.ptr, json.len);
    if (ZSTD_isError(n))
        return MED_FAIL_MEMORY(err);
    b->rows[b->n++] = (struct med_package_row){
        .at = b->data.len, /* of the data: the place in the file is known at the end */
        .packed = (uint32_t)n,
        .plain = (uint32_t)json.len,
        .type = keep(b, e->type),
        .url = keep(b, e->url),
        .version = keep(b, e->version),
        .id = keep(b, e->id),
        .type_len = (uint16_t)e->type.len,
        .url_len = (uint16_t)e->url.len,
        .version_len = (uint16_t)e->version.len,
        .id_len = (uint16_t)e->id.len,
        .flags = e->flags,
    };
    b->data.len += n;
    return b->strings.failed ? MED_FAIL_MEMORY(err) : true;
}

static int by_canonical(const void *left, const void *right, void *strings)
{
    const struct med_package_row *x = left, *y = right;
    const char *s = strings;
    int d = med_str_compare((med_str){s + x->url, x->url_len}, (med_str){s + y->url, y->url_len});
    if (d == 0)
        d = med_str_compare((med_str){s + x->type, x->type_len},
                            (med_str){s + y->type, y->type_len});
    if (d == 0)
        d = med_package_version_compare((med_str){s + y->version, y->version_len},
                                        (med_str){s + x->version, x->version_len});
    return d != 0
               ? d
               : med_str_compare((med_str){s + x->id, x->id_len}, (med_str){s + y->id, y->id_len});
}

bool med_package_builder_end(med_package_builder *b, med_str manifest, med_buf *out, med_err *err)
{
    struct med_package_image head = {.format = MED_PACKAGE_FORMAT, .n = (uint32_t)b->n};
    size_t first = out->len;
    memcpy(head.magic, MED_PACKAGE_MAGIC, sizeof head.magic);
    head.strings = sizeof head + b->n * sizeof *b->rows;
    head.manifest = head.strings + b->strings.len;
    head.dictionary = head.manifest + manifest.len;
    head.data = head.dictionary + b->dictionary.len;
    head.size = head.data + b->data.len;
    if (b->n > 0)
        qsort_r(b->rows, b->n, sizeof *b->rows, by_canonical, b->strings.ptr);
    for (size_t i = 0; i < b->n; i++)
        b->rows[i].at += head.data;
    med_buf_add(out, (med_str){(const char *)&head, sizeof head});
    if (b->n > 0)
        med_buf_add(out, (med_str){(const char *)b->rows, b->n * sizeof *b->rows});
    med_buf_add(out, med_buf_str(&b->strings));
    med_buf_add(out, manifest);
    med_buf_add(out, med_buf_str(&b->dictionary));
    med_buf_add(out, med_buf_str(&b->data));
    if (out->failed)
        return MED_FAIL_MEMORY(err);
    med_str index = {out->ptr + first + sizeof head, (size_t)head.dictionary - sizeof head};
    head.check = med_siphash(MED_PACKAGE_KEY, index);
    memcpy(out->ptr + first, &head, sizeof head);
    return true;
}
