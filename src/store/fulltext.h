/* fulltext.h - lists of resources by a term: what searches for words, and for parts of strings,
 * find their candidates by. Made behind the writes, and only ever candidates.
 *
 * A list holds, for each term, the resources that had it when the list was made. It covers the
 * change feed up to a commit (`t`); what was committed since must be looked at besides. So
 * whoever takes the resources of a term together with those of the feed's tail, and decides on
 * each resource itself, misses nothing that was acknowledged; and no write has to wait for its
 * words. An update takes the old words out when the lists come to it, a purge at once.
 *
 * Which terms a resource has is decided by whoever makes them (search/terms.c). `form` says in
 * which form the lists are made; lists in another form are thrown away and made anew.
 * A back end without lists says form 0: then nothing can be found this way. Readers as views
 * are; med_store_post from any thread. */
#ifndef MED_STORE_FULLTEXT_H
#define MED_STORE_FULLTEXT_H

#include "store/store.h"

enum { MED_TERM_BYTES = 48 }; /* of a term; longer ones are cut by their makers */

typedef struct med_posting {
    uint64_t list;
    med_str term;
    med_rid rid;
    bool gone; /* the resource no longer has it */
} med_posting;

typedef struct med_posted {
    int64_t t;      /* the lists hold all of the feed up to here */
    uint32_t form;  /* 0: there are none */
    int64_t purges; /* so far: postings made before a purge are refused after it */
} med_posted;

/* Does this back end keep lists? */
bool med_store_keeps_lists(const med_store *s);
bool med_view_posted(med_view *v, med_posted *out, med_err *err) MED_MUST_CHECK;

/* The resources of a term, or of all terms that begin with it, each once and growing. Beyond
 * `limit` of them (counted once a term) *whole is false and the rest is missing. */
bool med_view_postings(med_view *v, med_arena *a, uint64_t list, med_str term, bool prefix,
                       size_t limit, med_rid **out, size_t *n, bool *whole,
                       med_err *err) MED_MUST_CHECK;

/* Adds and takes out postings, in whatever order, and moves the end of the lists from
 * `from` to `to`. In small steps between commits; what is added twice is there once. Refused with
 * MED_ISSUE_CONFLICT when the lists have moved, or something was purged, since `from` was read:
 * read it again. When from.form is not `to.form` all lists are emptied first. */
bool med_store_post(med_store *s, const med_posting *at, size_t n, med_posted from, med_posted to,
                    med_err *err) MED_MUST_CHECK;

/* Of several processes on one store one makes its lists: *mine says whether it is this one, and is
 * true until it ends or loses the store. Another takes over then. */
bool med_store_claim_lists(med_store *s, bool *mine, med_err *err) MED_MUST_CHECK;

/* The terms of a text in whichever of the forms, for a purge, which takes them out in its own
 * commit. A store that was not told how, or has lists in yet another form, empties them at a purge
 * instead. Call before the first write; what it points to must stay. */
typedef struct med_terms_known {
    bool (*terms)(void *arg, med_arena *a, uint32_t type, med_str text, med_posting **out,
                  size_t *n, med_err *err);
    void *arg;
    uint32_t first_form, last_form;
} med_terms_known;
void med_store_set_terms(med_store *s, const med_terms_known *known); /* NULL: nothing is known */

#endif
