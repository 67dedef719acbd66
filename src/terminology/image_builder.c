/* image_builder.c - taking in the concepts of a code system. See image_builder.h. */
#include "base/mem.h"
#include "terminology/image_builder_impl.h"

enum { PROBES = 4096, CONCEPTS = 1 << 26 };

/* ---- lists ---- */

void *med_row_add(row_list *l)
{
    if (l->n == l->room) {
        size_t room = l->room < 16 ? 16 : 2 * l->room;
        char *at = med_realloc(l->at, room, l->size);
        if (at == NULL)
            return NULL;
        memset(at + l->n * l->size, 0, (room - l->n) * l->size);
        l->at = at;
        l->room = room;
    }
    return l->at + l->size * l->n++;
}

bool med_row_resize(row_list *l, size_t n, size_t size)
{
    med_free(l->at);
    *l = (row_list){.at = med_alloc(n + 1, size), .n = n, .room = n + 1, .size = size};
    return l->at != NULL;
}

void med_row_free(row_list *l)
{
    med_free(l->at);
    l->at = NULL;
    l->n = l->room = 0;
}

bool med_builder_group(uint32_t count, const row_list *rows, size_t concept_at, row_list *first,
                       row_list *place)
{
    if (!med_row_resize(first, (size_t)count + 1, 4) || !med_row_resize(place, rows->n, 4))
        return false;
    uint32_t *start = (uint32_t *)(void *)first->at;
    for (size_t i = 0; i < rows->n; i++) {
        uint32_t c;
        memcpy(&c, rows->at + i * rows->size + concept_at, 4);
        start[c + 1]++;
    }
    for (uint32_t c = 0; c < count; c++)
        start[c + 1] += start[c];
    for (size_t i = 0; i < rows->n; i++) {
        uint32_t c;
        memcpy(&c, rows->at + i * rows->size + concept_at, 4);
        ROW(*place, uint32_t, i) = start[c]++;
    }
    for (uint32_t c = count; c > 0; c--) /* each start stands one concept too far now */
        start[c] = start[c - 1];
    start[0] = 0;
    return true;
}

void med_builder_fail_memory(med_image_builder *b)
{
    if (!b->failed)
        (void)MED_FAIL_MEMORY(&b->err);
    b->failed = true;
}

static void fail(med_image_builder *b, const char *what)
{
    if (!b->failed)
        (void)MED_FAIL(&b->err, MED_ISSUE_TOO_COSTLY, "%s", what);
    b->failed = true;
}

/* ---- strings: each text once ---- */

med_str med_builder_text(const med_image_builder *b, uint32_t offset)
{
    const unsigned char *at = (const unsigned char *)b->strings.at + offset;
    size_t len = 0;
    unsigned shift = 0;
    for (; *at >= 0x80; at++, shift += 7)
        len |= (size_t)(*at & 0x7F) << shift;
    len |= (size_t)*at << shift;
    return (med_str){(const char *)at + 1, len};
}

static uint32_t text_hash(med_str s)
{
    uint64_t h = 0x9E3779B97F4A7C15U ^ s.len;
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.ptr + i, 8);
        h = (h ^ word) * 0xFF51AFD7ED558CCDU;
        h ^= h >> 32;
    }
    for (; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 0xC4CEB9FE1A85EC53U;
    return (uint32_t)(h ^ h >> 29);
}

static bool add_bytes(med_image_builder *b, med_str s)
{
    row_list *l = &b->strings;
    size_t need = l->n + s.len + 5;
    if (need > UINT32_MAX)
        return false;
    if (need > l->room) {
        size_t room = need * 2 + 4096;
        char *at = med_realloc(l->at, room, 1);
        if (at == NULL)
            return false;
        l->at = at;
        l->room = room;
    }
    size_t len = s.len;
    for (; len >= 0x80; len >>= 7)
        l->at[l->n++] = (char)((len & 0x7F) | 0x80);
    l->at[l->n++] = (char)len;
    memcpy(l->at + l->n, s.ptr, s.len);
    l->n += s.len;
    return true;
}

static bool string_slots_grow(med_image_builder *b)
{
    row_list old = b->string_slots;
    row_list next = {0};
    if (!med_row_resize(&next, old.n == 0 ? 1024 : 2 * old.n, 4))
        return false;
    for (size_t i = 0; i < old.n; i++) {
        uint32_t slot = ROW(old, uint32_t, i);
        if (slot == 0)
            continue;
        size_t at = text_hash(med_builder_text(b, slot - 1)) & (next.n - 1);
        while (ROW(next, uint32_t, at) != 0)
            at = (at + 1) & (next.n - 1);
        ROW(next, uint32_t, at) = slot;
    }
    med_row_free(&old);
    b->string_slots = next;
    return true;
}

uint32_t med_builder_string(med_image_builder *b, med_str s)
{
    if (b->failed || s.len == 0)
        return 0;
    if (2 * b->n_strings >= b->string_slots.n && !string_slots_grow(b)) {
        med_builder_fail_memory(b);
        return 0;
    }
    size_t mask = b->string_slots.n - 1, at = text_hash(s) & mask;
    for (size_t step = 0; ROW(b->string_slots, uint32_t, at) != 0; step++) {
        uint32_t have = ROW(b->string_slots, uint32_t, at) - 1;
        if (med_str_eq(med_builder_text(b, have), s))
            return have;
        if (step == PROBES) {
            fail(b, "the texts of the code system were chosen to collide");
            return 0;
        }
        at = (at + 1) & mask;
    }
    uint32_t offset = (uint32_t)b->strings.n;
    if (!add_bytes(b, s)) {
        med_builder_fail_memory(b);
        return 0;
    }
    ROW(b->string_slots, uint32_t, at) = offset + 1;
    b->n_strings++;
    return offset;
}

/* ---- life ---- */

med_image_builder *med_image_builder_new(void)
{
    med_image_builder *b = MED_NEW(1, med_image_builder);
    if (b == NULL)
        return NULL;
    b->strings.size = b->flags.size = 1;
    b->codes.size = b->displays.size = b->definitions.size = b->languages.size = 4;
    b->designations.size = sizeof(struct built_designation);
    b->properties.size = sizeof(struct built_property);
    b->parents.size = sizeof(struct built_parent);
    b->uses.size = sizeof(struct image_use);
    b->property_defs.size = sizeof(struct image_property_def);
    if (!add_bytes(b, MED_STR_EMPTY) || !med_row_resize(&b->slots, 64, 4)) {
        med_image_builder_free(b);
        return NULL;
    }
    return b;
}

void med_image_builder_free(med_image_builder *b)
{
    if (b == NULL)
        return;
    row_list *all[] = {&b->strings,      &b->string_slots, &b->codes,     &b->displays,
                       &b->definitions,  &b->flags,        &b->slots,     &b->designations,
                       &b->properties,   &b->parents,      &b->languages, &b->uses,
                       &b->property_defs};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        med_row_free(all[i]);
    med_free(b);
}

/* ---- concepts ---- */

static size_t code_slot(const med_image_builder *b, med_str code)
{
    size_t mask = b->slots.n - 1, at = med_image_hash(code) & mask;
    for (size_t step = 0; ROW(b->slots, uint32_t, at) != 0; step++) {
        med_concept c = ROW(b->slots, uint32_t, at) - 1;
        if (med_str_eq(med_builder_text(b, ROW(b->codes, uint32_t, c)), code))
            return at;
        if (step == PROBES)
            return SIZE_MAX;
        at = (at + 1) & mask;
    }
    return at;
}

med_concept med_image_builder_find(const med_image_builder *b, med_str code)
{
    size_t at = code_slot(b, code);
    return at == SIZE_MAX || ROW(b->slots, uint32_t, at) == 0 ? MED_CONCEPT_NONE
                                                              : ROW(b->slots, uint32_t, at) - 1;
}

static bool slots_grow(med_image_builder *b)
{
    row_list old = b->slots;
    b->slots = (row_list){0};
    if (!med_row_resize(&b->slots, 2 * old.n, 4)) {
        b->slots = old;
        return false;
    }
    for (size_t i = 0; i < b->codes.n; i++) {
        size_t at = code_slot(b, med_builder_text(b, ROW(b->codes, uint32_t, i)));
        if (at != SIZE_MAX)
            ROW(b->slots, uint32_t, at) = (uint32_t)i + 1;
    }
    med_row_free(&old);
    return true;
}

med_concept med_image_builder_concept(med_image_builder *b, med_str code, bool *is_new)
{
    if (is_new != NULL)
        *is_new = false;
    if (b->failed)
        return MED_CONCEPT_NONE;
    if (2 * b->codes.n + 2 > b->slots.n && !slots_grow(b))
        med_builder_fail_memory(b);
    size_t at = b->failed ? SIZE_MAX : code_slot(b, code);
    if (at == SIZE_MAX || b->codes.n == CONCEPTS) {
        fail(b, "the code system has too many concepts, or codes chosen to collide");
        return MED_CONCEPT_NONE;
    }
    if (ROW(b->slots, uint32_t, at) != 0)
        return ROW(b->slots, uint32_t, at) - 1;
    uint32_t text = med_builder_string(b, code);
    uint32_t *row = med_row_add(&b->codes);
    if (row == NULL || med_row_add(&b->displays) == NULL || med_row_add(&b->definitions) == NULL
        || med_row_add(&b->flags) == NULL) {
        med_builder_fail_memory(b);
        return MED_CONCEPT_NONE;
    }
    *row = text;
    ROW(b->slots, uint32_t, at) = (uint32_t)b->codes.n;
    if (is_new != NULL)
        *is_new = true;
    return (med_concept)(b->codes.n - 1);
}

med_str med_image_builder_code(const med_image_builder *b, med_concept c)
{
    return c < b->codes.n ? med_builder_text(b, ROW(b->codes, uint32_t, c)) : MED_STR_EMPTY;
}

uint32_t med_image_builder_count(const med_image_builder *b)
{
    return (uint32_t)b->codes.n;
}

void med_image_builder_display(med_image_builder *b, med_concept c, med_str display)
{
    if (!b->failed && c < b->codes.n)
        ROW(b->displays, uint32_t, c) = med_builder_string(b, display);
}

bool med_image_builder_has_display(const med_image_builder *b, med_concept c)
{
    return !b->failed && c < b->codes.n && ROW(b->displays, uint32_t, c) != 0;
}

void med_image_builder_definition(med_image_builder *b, med_concept c, med_str definition)
{
    if (b->failed || c >= b->codes.n || definition.len == 0)
        return;
    ROW(b->definitions, uint32_t, c) = med_builder_string(b, definition);
    b->has_definitions = true;
}

void med_image_builder_flags(med_image_builder *b, med_concept c, unsigned add)
{
    if (!b->failed && c < b->codes.n)
        ROW(b->flags, uint8_t, c) |= (uint8_t)add;
}

/* ---- designations ---- */

static uint16_t language_of(med_image_builder *b, med_str language)
{
    uint32_t text = med_builder_string(b, language);
    for (size_t i = 0; i < b->languages.n; i++) {
        if (ROW(b->languages, uint32_t, i) == text)
            return (uint16_t)i;
    }
    uint32_t *row = b->languages.n < IMAGE_NO_USE ? med_row_add(&b->languages) : NULL;
    if (row == NULL) {
        fail(b, "the code system has too many languages");
        return 0;
    }
    *row = text;
    return (uint16_t)(b->languages.n - 1);
}

static uint16_t use_of(med_image_builder *b, const med_designation *d)
{
    if (d->use_code.len == 0)
        return IMAGE_NO_USE;
    struct image_use use = {med_builder_string(b, d->use_system),
                            med_builder_string(b, d->use_code),
                            med_builder_string(b, d->use_display)};
    for (size_t i = 0; i < b->uses.n; i++) {
        if (memcmp(&ROW(b->uses, struct image_use, i), &use, sizeof use) == 0)
            return (uint16_t)i;
    }
    struct image_use *row = b->uses.n < IMAGE_NO_USE ? med_row_add(&b->uses) : NULL;
    if (row == NULL) {
        fail(b, "the code system has too many uses of designations");
        return IMAGE_NO_USE;
    }
    *row = use;
    return (uint16_t)(b->uses.n - 1);
}

void med_image_builder_designation(med_image_builder *b, med_concept c, const med_designation *d)
{
    if (b->failed || c >= b->codes.n)
        return;
    struct image_designation row = {language_of(b, d->language), use_of(b, d),
                                    med_builder_string(b, d->value)};
    struct built_designation *at = b->failed ? NULL : med_row_add(&b->designations);
    if (at == NULL)
        med_builder_fail_memory(b);
    else
        *at = (struct built_designation){c, med_builder_string(b, d->extensions), row};
}

/* ---- properties ---- */

uint16_t med_image_builder_property_def(med_image_builder *b, med_str code, med_str uri,
                                        med_str description, enum med_property_type type)
{
    uint32_t text = med_builder_string(b, code);
    for (size_t i = 0; i < b->property_defs.n; i++) {
        if (ROW(b->property_defs, struct image_property_def, i).code == text)
            return (uint16_t)i;
    }
    struct image_property_def def = {text, med_builder_string(b, uri),
                                     med_builder_string(b, description), type};
    struct image_property_def *row =
        b->property_defs.n < IMAGE_NO_USE ? med_row_add(&b->property_defs) : NULL;
    if (row == NULL) {
        fail(b, "the code system has too many properties");
        return 0;
    }
    *row = def;
    return (uint16_t)(b->property_defs.n - 1);
}

void med_image_builder_property(med_image_builder *b, med_concept c, uint16_t def,
                                enum med_property_type type, med_str value)
{
    if (b->failed || c >= b->codes.n)
        return;
    struct image_property row = {def, (uint16_t)type, med_builder_string(b, value)};
    struct built_property *at = b->failed ? NULL : med_row_add(&b->properties);
    if (at == NULL)
        med_builder_fail_memory(b);
    else
        *at = (struct built_property){c, row};
}

void med_image_builder_parent(med_image_builder *b, med_concept child, med_concept parent)
{
    if (b->failed || child >= b->codes.n || parent >= b->codes.n || child == parent)
        return;
    struct built_parent *at = med_row_add(&b->parents);
    if (at == NULL)
        med_builder_fail_memory(b);
    else
        *at = (struct built_parent){child, parent, b->mark};
}

void med_image_builder_mark(med_image_builder *b, uint32_t mark)
{
    b->mark = mark;
}

void med_image_builder_circle(const med_image_builder *b, med_concept at[MED_CIRCLE], size_t *n,
                              uint32_t *mark)
{
    *n = b->n_circle;
    *mark = 0;
    memcpy(at, b->circle, sizeof b->circle);
    for (size_t i = 0; b->n_circle > 0 && i < b->parents.n; i++) {
        const struct built_parent p = ROW(b->parents, struct built_parent, i);
        for (size_t k = 0; k < *n; k++) {
            if (p.parent == at[k] && p.child == at[(k + 1) % *n] && p.mark > *mark)
                *mark = p.mark;
        }
    }
}
