/* pack_extensions.c - reading the compiled definitions: extensions. */
#include "model/pack_format.h"

static med_extension extension_from(const med_pack *p, const struct pack_extension *r)
{
    return (med_extension){
        .url = pack_string(p, r->url),
        .is_modifier = (r->flags & PACK_EXTENSION_MODIFIER) != 0,
        .may_have_value = (r->flags & PACK_EXTENSION_VALUE) != 0,
        .may_have_parts = (r->flags & PACK_EXTENSION_PARTS_TOO) != 0,
        .types = pack_type_list_at(p, r->types.first),
        .n_types = r->types.n,
        .n_contexts = r->contexts.n,
        .n_parts = r->parts.n,
        .min = r->min,
        .max = r->max,
        .contexts = r->contexts.first,
        .parts = r->parts.first,
    };
}

bool med_pack_extension(const med_pack *p, med_str url, med_extension *out)
{
    size_t low = 0;
    size_t high = p->sections[PACK_EXTENSIONS].n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct pack_extension *row = pack_extension_at(p, middle);
        int order = med_str_compare(pack_string(p, row->url), url);
        if (order == 0) {
            *out = extension_from(p, row);
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

med_str med_extension_context(const med_pack *p, const med_extension *e, size_t index)
{
    return pack_string(p, *pack_context_at(p, e->contexts + index));
}

void med_extension_part(const med_pack *p, const med_extension *e, size_t index, med_extension *out)
{
    *out = extension_from(p, pack_extension_part_at(p, e->parts + index));
}

/* Urls of a site share their beginning: only the last word is compared. */
static med_str last_word(med_str url)
{
    size_t from = url.len;
    while (from > 0 && url.ptr[from - 1] != '/')
        from--;
    return med_str_skip(url, from);
}

med_str med_pack_nearest_extension(const med_pack *p, med_str url)
{
    med_str word = last_word(url);
    size_t distance = (word.len + 1) / 3 + 1;
    med_str best = MED_STR_EMPTY;
    for (size_t i = 0; i < p->sections[PACK_EXTENSIONS].n; i++) {
        med_str candidate = pack_string(p, pack_extension_at(p, i)->url);
        size_t d = med_str_distance(word, last_word(candidate));
        if (d < distance) {
            distance = d;
            best = candidate;
        }
    }
    return best;
}
