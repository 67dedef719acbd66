/* trie.h - the paths of many search parameters, joined into one tree.
 *
 * A root belongs to a type: the walk begins at a value of that type. Everything lives in the
 * arena. The same path of two parameters is one branch with two emissions. */
#ifndef MED_MODEL_COMPILE_TRIE_H
#define MED_MODEL_COMPILE_TRIE_H

#include "model/compile/pack_writer.h"
#include "model/compile/path_compiler.h"

struct med_trie_branch;

typedef struct med_trie {
    med_arena *arena;
    struct med_trie_branch *root;
} med_trie;

bool med_trie_init(med_trie *t, med_arena *a, med_err *err) MED_MUST_CHECK;
bool med_trie_add(med_trie *t, const med_path *path, uint32_t param, med_err *err) MED_MUST_CHECK;
bool med_trie_is_empty(const med_trie *t);
/* Writes nodes, edges, branches, filters and emissions; *root is the row of the root branch. */
bool med_trie_write(const med_trie *t, med_pack_writer *w, uint32_t *root,
                    med_err *err) MED_MUST_CHECK;

#endif
