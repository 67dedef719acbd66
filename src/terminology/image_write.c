/* image_write.c - the finished tables of a builder as the bytes of an image. */
#include <stdlib.h>

#include "terminology/image_builder_impl.h"

typedef struct writer {
    med_image_builder *b;
    med_buf *out;
    med_image head;
} writer;

static void pad(med_buf *out)
{
    while (out->len % 8 != 0)
        med_buf_addc(out, '\0');
}

static void put(writer *w, enum image_section_id id, const row_list *l)
{
    pad(w->out);
    w->head.sections[id] = (struct image_section){w->out->len, l->n};
    if (l->n > 0)
        med_buf_add(w->out, (med_str){l->at, l->n * med_image_row_size(id)});
}

static int by_designation(const void *a, const void *b)
{
    const struct image_note *x = a, *y = b;
    return x->designation < y->designation ? -1 : x->designation > y->designation;
}

/* `place` says where each designation went. */
static bool put_notes(writer *w, const row_list *place)
{
    row_list notes = {.size = sizeof(struct image_note)};
    bool ok = true;
    for (size_t i = 0; ok && i < w->b->designations.n; i++) {
        uint32_t note = ROW(w->b->designations, struct built_designation, i).note;
        struct image_note *row = note == 0 ? NULL : med_row_add(&notes);
        ok = note == 0 || row != NULL;
        if (row != NULL)
            *row = (struct image_note){ROW(*place, uint32_t, i), note};
    }
    if (notes.n > 0)
        qsort(notes.at, notes.n, notes.size, by_designation);
    if (ok)
        put(w, IMAGE_NOTES, &notes);
    med_row_free(&notes);
    return ok;
}

/* Designations and properties: in the order of their concepts. */
static bool put_rows(writer *w, enum image_section_id first_id, enum image_section_id id,
                     const row_list *rows)
{
    row_list first = {0}, place = {0}, sorted = {0};
    size_t size = med_image_row_size(id), skip = rows->size - size;
    bool ok = rows->n == 0
              || (med_builder_group((uint32_t)w->b->codes.n, rows, 0, &first, &place)
                  && med_row_resize(&sorted, rows->n, size));
    for (size_t i = 0; ok && i < rows->n; i++)
        memcpy(sorted.at + ROW(place, uint32_t, i) * size, rows->at + i * rows->size + skip, size);
    if (ok) {
        put(w, first_id, &first);
        put(w, id, &sorted);
    }
    if (ok && id == IMAGE_DESIGNATIONS)
        ok = put_notes(w, &place);
    med_row_free(&first);
    med_row_free(&place);
    med_row_free(&sorted);
    return ok;
}

static void put_tree(writer *w, const built_tree *t)
{
    put(w, IMAGE_PARENT_FIRST, &t->parent_first);
    put(w, IMAGE_PARENTS, &t->parents);
    put(w, IMAGE_CHILD_FIRST, &t->child_first);
    put(w, IMAGE_CHILDREN, &t->children);
    put(w, IMAGE_PRE, &t->pre);
    put(w, IMAGE_ORDER, &t->order);
    put(w, IMAGE_INTERVAL_FIRST, &t->interval_first);
    put(w, IMAGE_INTERVALS, &t->intervals);
}

static bool put_all(writer *w, const built_tree *t, const built_words *words)
{
    static const row_list none = {0};
    const med_image_builder *b = w->b;
    put(w, IMAGE_CODES, &b->codes);
    put(w, IMAGE_DISPLAYS, &b->displays);
    put(w, IMAGE_DEFINITIONS, b->has_definitions ? &b->definitions : &none);
    put(w, IMAGE_FLAGS, &b->flags);
    put(w, IMAGE_SLOTS, &b->slots);
    bool ok = put_rows(w, IMAGE_DESIGNATION_FIRST, IMAGE_DESIGNATIONS, &b->designations)
              && put_rows(w, IMAGE_PROPERTY_FIRST, IMAGE_PROPERTIES, &b->properties);
    put_tree(w, t);
    put(w, IMAGE_LANGUAGES, &b->languages);
    put(w, IMAGE_USES, &b->uses);
    put(w, IMAGE_PROPERTY_DEFS, &b->property_defs);
    put(w, IMAGE_INDEXES, &words->indexes);
    put(w, IMAGE_WORDS, &words->words);
    put(w, IMAGE_POSTINGS, &words->postings);
    put(w, IMAGE_STRINGS, &b->strings); /* last: everything before may add strings */
    pad(w->out);
    return ok;
}

static void fill_head(writer *w, const med_image_head *head)
{
    med_image_builder *b = w->b;
    w->head = (med_image){
        .byte_order = IMAGE_BYTE_ORDER,
        .format = MED_IMAGE_FORMAT,
        .count = (uint32_t)b->codes.n,
        .url = med_builder_string(b, head->url),
        .version = med_builder_string(b, head->version),
        .language = med_builder_string(b, head->language),
        .supplements = med_builder_string(b, head->supplements),
        .meta = med_builder_string(b, head->meta),
        .content = head->content,
        .case_sensitive = head->case_sensitive ? 1 : 0,
        .slot_mask = (uint32_t)(b->slots.n - 1),
    };
    memcpy(w->head.magic, IMAGE_MAGIC, sizeof w->head.magic);
}

bool med_image_builder_finish(med_image_builder *b, const med_image_head *head, med_buf *out,
                              med_err *err)
{
    writer w = {.b = b, .out = out};
    built_tree tree = {0};
    built_words words = {0};
    fill_head(&w, head);
    bool ok = !b->failed && med_builder_tree(b, &tree)
              && (!head->index_words || med_builder_words(b, head->language, &words));
    if (ok && !b->failed) {
        med_buf_add(out, (med_str){(const char *)&w.head, sizeof w.head});
        ok = put_all(&w, &tree, &words);
        if (!ok || out->failed)
            med_builder_fail_memory(b);
        w.head.size = out->len;
        if (!out->failed)
            memcpy(out->ptr, &w.head, sizeof w.head);
    }
    med_built_tree_free(&tree);
    med_built_words_free(&words);
    if (b->failed)
        *err = b->err;
    return !b->failed;
}
