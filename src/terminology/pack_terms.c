/* pack_terms.c - see pack_terms.h. */
#include "terminology/pack_terms.h"

#include "terms_embedded.h"

const struct med_term_pack *med_term_pack_core(void)
{
    return (const struct med_term_pack *)(const void *)med_embedded_terms().ptr;
}

size_t med_term_pack_count(const struct med_term_pack *p)
{
    return p->n;
}

const struct med_term_row *med_term_pack_row(const struct med_term_pack *p, size_t i)
{
    return (const struct med_term_row *)(const void *)(p + 1) + i;
}

med_str med_term_row_url(const struct med_term_pack *p, const struct med_term_row *r)
{
    return (med_str){(const char *)p + r->url, r->url_len};
}

med_str med_term_row_version(const struct med_term_pack *p, const struct med_term_row *r)
{
    return (med_str){(const char *)p + r->version, r->version_len};
}

med_str med_term_row_bytes(const struct med_term_pack *p, const struct med_term_row *r)
{
    return (med_str){(const char *)p + r->at, r->len};
}

size_t med_term_pack_find(const struct med_term_pack *p, med_str url)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (med_str_compare(med_term_row_url(p, med_term_pack_row(p, mid)), url) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < p->n && med_str_eq(med_term_row_url(p, med_term_pack_row(p, low)), url) ? low
                                                                                         : p->n;
}
