/* image_builder_impl.h - inside of the builder; for image_builder.c, image_tree.c, image_words.c,
 * image_write.c only. */
#ifndef MED_TERMINOLOGY_IMAGE_BUILDER_IMPL_H
#define MED_TERMINOLOGY_IMAGE_BUILDER_IMPL_H

#include "terminology/image_builder.h"
#include "terminology/image_format.h"

/* A growing list of rows of `size` bytes. */
typedef struct row_list {
    char *at;
    size_t n, room, size;
} row_list;

/* The place of one new row, or NULL without memory. */
void *med_row_add(row_list *l);
#define ROW(list, type, i) (((type *)(void *)(list).at)[i])

struct built_designation {
    med_concept concept;
    uint32_t note; /* string */
    struct image_designation row;
};
struct built_property {
    med_concept concept;
    struct image_property row;
};
struct built_parent {
    med_concept child, parent;
    uint32_t mark;
};

struct med_image_builder {
    row_list strings;      /* bytes */
    row_list string_slots; /* uint32: offset + 1 */
    size_t n_strings;
    row_list codes, displays, definitions; /* uint32 a concept */
    row_list flags;
    row_list slots; /* uint32: concept + 1 */
    row_list designations, properties, parents;
    row_list languages, uses, property_defs;
    bool has_definitions;
    uint32_t mark;
    med_concept circle[MED_CIRCLE]; /* found while the tree was made */
    size_t n_circle;
    bool failed;
    med_err err;
};

uint32_t med_builder_string(med_image_builder *b, med_str s);
med_str med_builder_text(const med_image_builder *b, uint32_t offset);
void med_builder_fail_memory(med_image_builder *b);

/* Tables of the hierarchy; `first` lists have count + 1 rows. Made by image_tree.c. */
typedef struct built_tree {
    bool any;
    row_list parent_first, parents, child_first, children, pre, order, interval_first, intervals;
} built_tree;
bool med_builder_tree(med_image_builder *b, built_tree *out);
void med_built_tree_free(built_tree *t);

/* The word index. Made by image_words.c. */
typedef struct built_words {
    row_list indexes, words, postings;
} built_words;
bool med_builder_words(med_image_builder *b, med_str language, built_words *out);
void med_built_words_free(built_words *w);

/* Makes `first` (count + 1 rows) of the concepts of `n` rows in any order, and in `place` the
 * row each goes to; rows of one concept keep their order. `concept_at` is the offset of the
 * concept's number in a row. False without memory. */
bool med_builder_group(uint32_t count, const row_list *rows, size_t concept_at, row_list *first,
                       row_list *place);
bool med_row_resize(row_list *l, size_t n, size_t size); /* n zeroed rows */
void med_row_free(row_list *l);

#endif
