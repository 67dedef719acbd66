/* pack_writer.h - collects the rows of a pack and writes them as one flat file.
 *
 * Rows go into one buffer a section, strings into a pool without duplicates. A writer may be
 * finished more than once: the compiler finishes it when the types are in, opens the result,
 * and compiles the search parameters against it. Same input, same bytes. Not thread safe.
 * Running out of memory makes the writer fail; med_pack_writer_finish says so once, at the
 * end. */
#ifndef MED_MODEL_COMPILE_PACK_WRITER_H
#define MED_MODEL_COMPILE_PACK_WRITER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/pack_format.h"

typedef struct med_pack_writer {
    med_arena *arena;
    med_buf sections[PACK_SECTIONS];
    struct pack_str *strings; /* hash table of what is in the pool; at = 0 is an empty slot */
    size_t n_strings, n_string_slots;
    struct med_pack header; /* what is not a section: names, special types */
    bool failed;
} med_pack_writer;

/* The arena must outlive the writer. */
void med_pack_writer_init(med_pack_writer *w, med_arena *a);
void med_pack_writer_free(med_pack_writer *w);

/* Adds a row and returns its number in the section. */
#define MED_PACK_ADD(w, id, row) med_pack_writer_add((w), (id), (row), sizeof *(row))
uint32_t med_pack_writer_add(med_pack_writer *w, enum pack_section_id id, const void *row,
                             size_t size);
uint32_t med_pack_writer_count(const med_pack_writer *w, enum pack_section_id id);
/* A row added before, to be changed; valid until the next one is added. */
void *med_pack_writer_row(med_pack_writer *w, enum pack_section_id id, uint32_t i);
struct pack_str med_pack_writer_string(med_pack_writer *w, med_str s);
struct pack_name med_pack_writer_name(med_pack_writer *w, med_str s);
med_str med_pack_writer_text(const med_pack_writer *w, struct pack_str s);
/* A table of slots over n names. */
struct pack_table med_pack_writer_table(med_pack_writer *w, const med_str *names, size_t n);

/* The whole pack, aligned, in the arena. The version is `release` and a hash of what concerns
 * types and extraction. */
bool med_pack_writer_finish(med_pack_writer *w, med_str release, med_str *out,
                            med_err *err) MED_MUST_CHECK;

#endif
