/* ident.h - what the commit thread remembers of ident hashes. Private to store/.
 *
 * A map hash -> rid: a cache of the table ident, and the place of those that are given but not
 * yet written. It is emptied between groups when it grows past MED_IDENTS_MAX. */
#ifndef MED_STORE_IDENT_H
#define MED_STORE_IDENT_H

#include "store/rows.h"

enum { MED_IDENTS_MAX = 1 << 18 };

struct ident {
    uint64_t hash;
    med_rid rid;  /* 0: this place is free */
    bool live;    /* known to be a current, undeleted resource; false: not known */
    bool pending; /* not yet in the table */
    bool owned;   /* of a resource that is being written, not only referred to */
};

struct idents {
    struct ident *at;
    size_t cap, n; /* cap is a power of two */
    struct ident *pending;
    size_t n_pending, pending_cap;
};

bool med_idents_init(struct idents *m);
void med_idents_free(struct idents *m);
/* NULL when not remembered. Good until the next add. */
struct ident *med_idents_find(const struct idents *m, uint64_t hash);
/* Remembers one that is not there; `pending` when it still must be written. */
struct ident *med_idents_add(struct idents *m, uint64_t hash, med_rid rid, bool pending);
/* Those that must be written, by hash; forgets that they are pending. */
const struct ident *med_idents_take_pending(struct idents *m, size_t *n);
void med_idents_clear(struct idents *m);

#endif
