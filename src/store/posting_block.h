/* posting_block.h - a run of growing rids as the bytes of one row. Private to store/.
 *
 * The row's key is the first rid; the bytes are the distances from each to the next, seven bits a
 * byte, so that neighbours cost a byte each. */
#ifndef MED_STORE_POSTING_BLOCK_H
#define MED_STORE_POSTING_BLOCK_H

#include "base/buf.h"
#include "store/fulltext.h"

/* A block's bytes, so that its row stays in its page. */
enum { MED_BLOCK_BYTES = 600 };

/* As many of the rids as one block holds; returns how many. */
size_t med_block_write(const med_rid *rids, size_t n, med_buf *out);

/* Appends a block's rids, `first` among them. False when the bytes are no block, or past the
 * arena's ceiling (*err says). */
typedef struct med_rids {
    med_arena *arena;
    med_rid *at;
    size_t n, room;
} med_rids;
bool med_block_read(med_rid first, med_str bytes, med_rids *to, med_err *err) MED_MUST_CHECK;
bool med_rids_add(med_rids *l, med_rid rid) MED_MUST_CHECK;

/* Growing, and each once. */
void med_rids_sort(med_rids *l);

/* One list's change: what is in `old` or added by a posting, without what is gone. Both are sorted;
 * the postings are of one list and term. */
bool med_rids_merge(const med_rids *old, const med_posting *change, size_t n, med_rids *out,
                    med_err *err) MED_MUST_CHECK;

/* By list, term and rid; of the same three what is gone comes first. */
int med_posting_compare(const void *a, const void *b);

#endif
