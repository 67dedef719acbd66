/* image.c - reading a compiled code system. See image.h. */
#include "base/unicode.h"
#include "terminology/image_format.h"

static const size_t row_sizes[IMAGE_SECTIONS] = {
    [IMAGE_STRINGS] = 1,
    [IMAGE_CODES] = 4,
    [IMAGE_DISPLAYS] = 4,
    [IMAGE_DEFINITIONS] = 4,
    [IMAGE_FLAGS] = 1,
    [IMAGE_SLOTS] = 4,
    [IMAGE_DESIGNATION_FIRST] = 4,
    [IMAGE_DESIGNATIONS] = sizeof(struct image_designation),
    [IMAGE_PROPERTY_FIRST] = 4,
    [IMAGE_PROPERTIES] = sizeof(struct image_property),
    [IMAGE_PARENT_FIRST] = 4,
    [IMAGE_PARENTS] = 4,
    [IMAGE_CHILD_FIRST] = 4,
    [IMAGE_CHILDREN] = 4,
    [IMAGE_PRE] = 4,
    [IMAGE_ORDER] = 4,
    [IMAGE_INTERVAL_FIRST] = 4,
    [IMAGE_INTERVALS] = sizeof(struct image_interval),
    [IMAGE_LANGUAGES] = 4,
    [IMAGE_USES] = sizeof(struct image_use),
    [IMAGE_PROPERTY_DEFS] = sizeof(struct image_property_def),
    [IMAGE_INDEXES] = sizeof(struct image_index),
    [IMAGE_WORDS] = sizeof(struct image_word),
    [IMAGE_POSTINGS] = 1,
    [IMAGE_NOTES] = sizeof(struct image_note),
};

size_t med_image_row_size(enum image_section_id id)
{
    return row_sizes[id];
}

uint32_t med_image_hash(med_str code)
{
    uint32_t h = 2166136261U;
    for (size_t i = 0; i < code.len; i++) {
        char c = med_is_upper(code.ptr[i]) ? (char)(code.ptr[i] + 32) : code.ptr[i];
        h = (h ^ (unsigned char)c) * 16777619U;
    }
    h ^= h >> 15;
    h *= 0x85EBCA6BU;
    return h ^ h >> 13;
}

static const void *rows(const med_image *m, enum image_section_id id)
{
    return (const char *)m + m->sections[id].at;
}

static uint32_t u32_at(const med_image *m, enum image_section_id id, uint64_t i)
{
    return i < m->sections[id].n ? ((const uint32_t *)rows(m, id))[i] : 0;
}

/* A number as LEB128; *at moves behind it. */
static uint32_t leb128(const unsigned char *bytes, uint64_t n, uint64_t *at)
{
    uint32_t value = 0;
    for (unsigned shift = 0; *at < n && shift < 32; shift += 7) {
        unsigned char b = bytes[(*at)++];
        value |= (uint32_t)(b & 0x7F) << shift;
        if (b < 0x80)
            break;
    }
    return value;
}

static med_str string(const med_image *m, uint32_t offset)
{
    uint64_t at = offset, n = m->sections[IMAGE_STRINGS].n;
    const unsigned char *bytes = rows(m, IMAGE_STRINGS);
    uint32_t len = leb128(bytes, n, &at);
    if (at > n || len > n - at)
        return MED_STR_EMPTY;
    return (med_str){(const char *)bytes + at, len};
}

/* ---- opening ---- */

static bool is_csr(const med_image *m, enum image_section_id first, enum image_section_id id)
{
    uint64_t n = m->sections[first].n;
    if (n == 0)
        return m->sections[id].n == 0;
    return n == (uint64_t)m->count + 1 && u32_at(m, first, n - 1) == m->sections[id].n;
}

static bool is_sound(const med_image *m, size_t len)
{
    if (memcmp(m->magic, IMAGE_MAGIC, 8) != 0 || m->byte_order != IMAGE_BYTE_ORDER || m->format < 1
        || m->format > MED_IMAGE_FORMAT || m->size > len)
        return false;
    for (int i = 0; i < (m->format == 1 ? IMAGE_SECTIONS_1 : IMAGE_SECTIONS); i++) {
        const struct image_section *s = &m->sections[i];
        if (s->at % 8 != 0 || s->at > m->size || s->n > (m->size - s->at) / row_sizes[i])
            return false;
    }
    uint64_t slots = (uint64_t)m->slot_mask + 1;
    const struct image_section *s = m->sections;
    return (slots & (slots - 1)) == 0 && s[IMAGE_SLOTS].n == slots && slots > m->count
           && s[IMAGE_CODES].n == m->count && s[IMAGE_DISPLAYS].n == m->count
           && s[IMAGE_FLAGS].n == m->count && s[IMAGE_STRINGS].n > 0
           && is_csr(m, IMAGE_DESIGNATION_FIRST, IMAGE_DESIGNATIONS)
           && is_csr(m, IMAGE_PROPERTY_FIRST, IMAGE_PROPERTIES)
           && is_csr(m, IMAGE_PARENT_FIRST, IMAGE_PARENTS)
           && is_csr(m, IMAGE_CHILD_FIRST, IMAGE_CHILDREN)
           && is_csr(m, IMAGE_INTERVAL_FIRST, IMAGE_INTERVALS) && s[IMAGE_PRE].n == s[IMAGE_ORDER].n
           && (s[IMAGE_PARENT_FIRST].n == 0 || s[IMAGE_PRE].n == m->count);
}

bool med_image_open(med_str bytes, const med_image **out, med_err *err)
{
    const med_image *m = (const med_image *)(const void *)bytes.ptr;
    if (bytes.len < sizeof *m || (uintptr_t)bytes.ptr % 8 != 0 || !is_sound(m, bytes.len))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION,
                        "this is no compiled code system of this program's format, or damaged");
    *out = m;
    return true;
}

/* ---- the system ---- */

med_str med_image_url(const med_image *m)
{
    return string(m, m->url);
}
med_str med_image_version(const med_image *m)
{
    return string(m, m->version);
}
med_str med_image_language(const med_image *m)
{
    return string(m, m->language);
}
med_str med_image_supplements(const med_image *m)
{
    return string(m, m->supplements);
}
med_str med_image_meta(const med_image *m)
{
    return string(m, m->meta);
}
enum med_content med_image_content(const med_image *m)
{
    return (enum med_content)m->content;
}
bool med_image_case_sensitive(const med_image *m)
{
    return m->case_sensitive != 0;
}
uint32_t med_image_count(const med_image *m)
{
    return m->count;
}
bool med_image_has_hierarchy(const med_image *m)
{
    return m->sections[IMAGE_PARENT_FIRST].n > 0;
}
size_t med_image_size(const med_image *m)
{
    return m->size;
}

/* ---- concepts ---- */

med_concept med_image_find(const med_image *m, med_str code)
{
    const uint32_t *slots = rows(m, IMAGE_SLOTS);
    uint32_t at = med_image_hash(code) & m->slot_mask;
    med_concept found = MED_CONCEPT_NONE;
    for (uint32_t step = 0; step <= m->slot_mask && slots[at] != 0; step++) {
        med_concept c = slots[at] - 1;
        med_str have = med_concept_code(m, c);
        if (c < m->count && med_str_eq(have, code))
            return c;
        if (c < m->count && m->case_sensitive == 0 && med_str_eq_ignore_case(have, code))
            found = c;
        at = (at + 1) & m->slot_mask;
    }
    return found;
}

med_str med_concept_code(const med_image *m, med_concept c)
{
    return string(m, u32_at(m, IMAGE_CODES, c));
}
med_str med_concept_display(const med_image *m, med_concept c)
{
    return string(m, u32_at(m, IMAGE_DISPLAYS, c));
}
med_str med_concept_definition(const med_image *m, med_concept c)
{
    return string(m, u32_at(m, IMAGE_DEFINITIONS, c));
}
unsigned med_concept_flags(const med_image *m, med_concept c)
{
    return c < m->count ? ((const uint8_t *)rows(m, IMAGE_FLAGS))[c] : 0;
}

/* Row `index` of concept c in a list, or UINT64_MAX. */
static uint64_t listed(const med_image *m, enum image_section_id first, enum image_section_id id,
                       med_concept c, size_t index)
{
    if (c >= m->count || m->sections[first].n == 0)
        return UINT64_MAX;
    uint64_t at = (uint64_t)u32_at(m, first, c) + index;
    return at < u32_at(m, first, (uint64_t)c + 1) && at < m->sections[id].n ? at : UINT64_MAX;
}

/* The extensions of a designation, by its row. */
static med_str note_of(const med_image *m, uint64_t designation)
{
    uint64_t low = 0, high = m->format == 1 ? 0 : m->sections[IMAGE_NOTES].n;
    const struct image_note *notes = high == 0 ? NULL : rows(m, IMAGE_NOTES);
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (notes[mid].designation == designation)
            return string(m, notes[mid].text);
        if (notes[mid].designation < designation)
            low = mid + 1;
        else
            high = mid;
    }
    return MED_STR_EMPTY;
}

bool med_concept_designation(const med_image *m, med_concept c, size_t index, med_designation *out)
{
    uint64_t at = listed(m, IMAGE_DESIGNATION_FIRST, IMAGE_DESIGNATIONS, c, index);
    if (at == UINT64_MAX)
        return false;
    const struct image_designation *d =
        (const struct image_designation *)rows(m, IMAGE_DESIGNATIONS) + at;
    *out = (med_designation){string(m, u32_at(m, IMAGE_LANGUAGES, d->language)),
                             MED_STR_EMPTY,
                             MED_STR_EMPTY,
                             MED_STR_EMPTY,
                             string(m, d->value),
                             note_of(m, at)};
    if (d->use < m->sections[IMAGE_USES].n) {
        const struct image_use *u = (const struct image_use *)rows(m, IMAGE_USES) + d->use;
        out->use_system = string(m, u->system);
        out->use_code = string(m, u->code);
        out->use_display = string(m, u->display);
    }
    return true;
}

bool med_image_property_def(const med_image *m, size_t index, med_concept_property *out)
{
    if (index >= m->sections[IMAGE_PROPERTY_DEFS].n)
        return false;
    const struct image_property_def *d =
        (const struct image_property_def *)rows(m, IMAGE_PROPERTY_DEFS) + index;
    *out = (med_concept_property){string(m, d->code), string(m, d->uri), string(m, d->description),
                                  (enum med_property_type)(d->type % MED_PROPERTY_TYPES)};
    return true;
}

bool med_concept_property_at(const med_image *m, med_concept c, size_t index,
                             med_concept_property *out)
{
    uint64_t at = listed(m, IMAGE_PROPERTY_FIRST, IMAGE_PROPERTIES, c, index);
    if (at == UINT64_MAX)
        return false;
    const struct image_property *p = (const struct image_property *)rows(m, IMAGE_PROPERTIES) + at;
    *out = (med_concept_property){MED_STR_EMPTY, MED_STR_EMPTY, MED_STR_EMPTY, MED_PROPERTY_STRING};
    (void)med_image_property_def(m, p->def, out);
    out->value = string(m, p->value);
    out->type = (enum med_property_type)(p->type % MED_PROPERTY_TYPES);
    return true;
}

/* ---- hierarchy ---- */

static const med_concept *neighbours(const med_image *m, enum image_section_id first,
                                     enum image_section_id id, med_concept c, size_t *n)
{
    static const med_concept none = MED_CONCEPT_NONE;
    *n = 0;
    if (c >= m->count || m->sections[first].n == 0)
        return &none;
    uint32_t from = u32_at(m, first, c), to = u32_at(m, first, (uint64_t)c + 1);
    if (from > to || to > m->sections[id].n)
        return &none;
    *n = to - from;
    return (const med_concept *)rows(m, id) + from;
}

const med_concept *med_concept_parents(const med_image *m, med_concept c, size_t *n)
{
    return neighbours(m, IMAGE_PARENT_FIRST, IMAGE_PARENTS, c, n);
}

const med_concept *med_concept_children(const med_image *m, med_concept c, size_t *n)
{
    return neighbours(m, IMAGE_CHILD_FIRST, IMAGE_CHILDREN, c, n);
}

static const struct image_interval *intervals(const med_image *m, med_concept c, size_t *n)
{
    static const struct image_interval none = {1, 0};
    *n = 0;
    if (c >= m->count || m->sections[IMAGE_INTERVAL_FIRST].n == 0)
        return &none;
    uint32_t from = u32_at(m, IMAGE_INTERVAL_FIRST, c);
    uint32_t to = u32_at(m, IMAGE_INTERVAL_FIRST, (uint64_t)c + 1);
    if (from > to || to > m->sections[IMAGE_INTERVALS].n)
        return &none;
    *n = to - from;
    return (const struct image_interval *)rows(m, IMAGE_INTERVALS) + from;
}

bool med_concept_is_a(const med_image *m, med_concept below, med_concept above)
{
    if (below == above)
        return true;
    size_t n, low = 0;
    const struct image_interval *at = intervals(m, above, &n);
    uint32_t pre = u32_at(m, IMAGE_PRE, below);
    while (low < n) { /* the first interval that does not end before `pre` */
        size_t mid = low + (n - low) / 2;
        if (at[mid].high < pre)
            low = mid + 1;
        else if (at[mid].low <= pre)
            return below < m->count;
        else
            n = mid;
    }
    return false;
}

void med_image_add_below(const med_image *m, med_concept c, uint64_t *bits)
{
    size_t n;
    const struct image_interval *at = intervals(m, c, &n);
    if (c < m->count)
        med_bit_set(bits, c);
    for (size_t i = 0; i < n; i++) {
        for (uint32_t pre = at[i].low; pre <= at[i].high && pre < m->count; pre++) {
            med_concept below = u32_at(m, IMAGE_ORDER, pre);
            if (below < m->count)
                med_bit_set(bits, below);
        }
    }
}

bool med_image_add_above(const med_image *m, med_arena *a, med_concept c, uint64_t *bits)
{
    /* Each concept is put on the stack once: when its bit is set here. */
    uint64_t *seen = MED_TAKE(a, med_image_words(m) + 1, uint64_t);
    if (seen == NULL || c >= m->count)
        return seen != NULL;
    size_t room = 64, top = 0;
    med_concept *stack = MED_TAKE(a, room, med_concept);
    if (stack == NULL)
        return false;
    stack[top++] = c;
    med_bit_set(seen, c);
    while (top > 0) {
        med_concept at = stack[--top];
        size_t n;
        const med_concept *up = med_concept_parents(m, at, &n);
        med_bit_set(bits, at);
        if (top + n > room) {
            med_concept *more = MED_TAKE(a, 2 * (room + n), med_concept);
            if (more == NULL)
                return false;
            memcpy(more, stack, top * sizeof *more);
            stack = more;
            room = 2 * (room + n);
        }
        for (size_t i = 0; i < n; i++) {
            if (up[i] < m->count && !med_bit(seen, up[i])) {
                med_bit_set(seen, up[i]);
                stack[top++] = up[i];
            }
        }
    }
    return true;
}

/* ---- text ---- */

static const struct image_word *words_of(const med_image *m, med_str language, uint32_t *n)
{
    const struct image_index *at = rows(m, IMAGE_INDEXES);
    for (uint64_t i = 0; i < m->sections[IMAGE_INDEXES].n; i++) {
        if (!med_str_eq_ignore_case(string(m, at[i].language), language)
            || at[i].first > m->sections[IMAGE_WORDS].n
            || at[i].n > m->sections[IMAGE_WORDS].n - at[i].first)
            continue;
        *n = at[i].n;
        return (const struct image_word *)rows(m, IMAGE_WORDS) + at[i].first;
    }
    *n = 0;
    return NULL;
}

static void add_postings(const med_image *m, const struct image_word *w, uint64_t *bits)
{
    const unsigned char *bytes = rows(m, IMAGE_POSTINGS);
    uint64_t at = w->at, n = m->sections[IMAGE_POSTINGS].n;
    uint32_t c = 0;
    for (uint32_t i = 0; i < w->n && at < n; i++) {
        c += leb128(bytes, n, &at);
        if (c < m->count)
            med_bit_set(bits, c);
    }
}

/* All concepts with a word that begins so. */
static void add_prefix(const med_image *m, med_str language, med_str prefix, uint64_t *bits)
{
    uint32_t n, low = 0;
    const struct image_word *w = words_of(m, language, &n);
    for (uint32_t high = n; low < high;) {
        uint32_t mid = low + (high - low) / 2;
        if (med_str_compare(string(m, w[mid].text), prefix) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < n && med_str_starts(string(m, w[low].text), prefix); low++)
        add_postings(m, &w[low], bits);
}

bool med_words_begin(med_str folded, med_str in)
{
    while (folded.len > 0) {
        med_str word = med_str_cut(folded, ' ', &folded);
        med_str rest = in;
        bool found = word.len == 0;
        while (!found && rest.len > 0)
            found = med_str_starts(med_str_cut(rest, ' ', &rest), word);
        if (!found)
            return false;
    }
    return true;
}

static bool language_fits(med_str have, med_str wanted)
{
    return have.len == 0 || med_str_eq_ignore_case(have, wanted)
           || (have.len > wanted.len && have.ptr[wanted.len] == '-'
               && med_str_eq_ignore_case(med_str_sub(have, 0, wanted.len), wanted));
}

static bool read_all(const med_image *m, med_str folded, med_str language, uint64_t *bits,
                     med_err *err)
{
    med_buf b;
    med_buf_init(&b, (size_t)1 << 20);
    for (med_concept c = 0; c < m->count; c++) {
        med_designation d;
        med_buf_clear(&b);
        med_fold_to(&b, med_concept_display(m, c));
        bool found = med_words_begin(folded, med_buf_str(&b));
        for (size_t i = 0; !found && med_concept_designation(m, c, i, &d); i++) {
            if (!language_fits(d.language, language))
                continue;
            med_buf_clear(&b);
            med_fold_to(&b, d.value);
            found = med_words_begin(folded, med_buf_str(&b));
        }
        if (found)
            med_bit_set(bits, c);
    }
    bool ok = !b.failed;
    med_buf_free(&b);
    return ok ? true : MED_FAIL_MEMORY(err);
}

static bool search_index(const med_image *m, med_arena *a, med_str folded, med_str language,
                         uint64_t *bits, med_err *err)
{
    size_t n = med_image_words(m);
    uint64_t *hits = MED_TAKE(a, n + 1, uint64_t);
    bool first = true;
    if (hits == NULL)
        return MED_FAIL_MEMORY(err);
    while (folded.len > 0) {
        med_str word = med_str_cut(folded, ' ', &folded);
        memset(hits, 0, n * sizeof *hits);
        add_prefix(m, language, word, hits);
        if (!med_str_eq_ignore_case(language, med_image_language(m)))
            add_prefix(m, med_image_language(m), word, hits);
        for (size_t i = 0; i < n; i++)
            bits[i] = first ? hits[i] : bits[i] & hits[i];
        first = false;
    }
    return true;
}

bool med_image_search(const med_image *m, med_arena *a, med_str text, med_str language,
                      uint64_t *bits, med_err *err)
{
    med_str folded;
    if (!med_fold(a, text, &folded))
        return MED_FAIL_MEMORY(err);
    if (language.len == 0)
        language = med_image_language(m);
    memset(bits, 0, med_image_words(m) * sizeof *bits);
    if (m->sections[IMAGE_INDEXES].n == 0 || folded.len == 0)
        return read_all(m, folded, language, bits, err);
    return search_index(m, a, folded, language, bits, err);
}
