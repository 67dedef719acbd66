/* list_check.h - verify: the full-text lists against the resources. Private to store/.
 *
 * A window of resources is taken in one after another, each with the sum of the hashes of its
 * postings; then all lists are read and what they say is subtracted. Whoever is not left with zero
 * is looked at again: a resource that was changed meanwhile, or that the lists have not come to,
 * says nothing. So it runs beside traffic, in bounded memory, and reads the lists once for each
 * two million resources. */
#ifndef MED_STORE_LIST_CHECK_H
#define MED_STORE_LIST_CHECK_H

#include "store/fulltext.h"
#include "store/names.h"

typedef struct med_list_check med_list_check;

/* NULL without memory. */
med_list_check *med_list_check_new(const med_verify *v);
void med_list_check_free(med_list_check *c); /* NULL is fine */

/* A window begins; false when it fails. Lists in a form that `v->terms` does not make are not
 * looked at: they are made anew anyway. */
bool med_list_check_begin(med_list_check *c, med_view *v, med_err *err) MED_MUST_CHECK;
bool med_list_check_is_on(const med_list_check *c);
/* The next resource, in the order of their rids, with its text. *full: the window ends with it. */
bool med_list_check_take(med_list_check *c, const med_stored *s, bool *full,
                         med_err *err) MED_MUST_CHECK;
/* No more resources come. */
void med_list_check_last(med_list_check *c);
/* The next block, in the order of lists, terms and first rids. MED_ISSUE_EXCEPTION: damaged. */
bool med_list_check_block(med_list_check *c, uint64_t list, med_str term, med_rid first,
                          med_str bytes, med_err *err) MED_MUST_CHECK;

/* How far the blocks were read, kept between pages by whoever reads them. */
typedef struct med_list_at {
    int64_t list, first;
    med_str term;
    char room[MED_TERM_BYTES];
} med_list_at;
void med_list_at_begin(med_list_at *at);
/* MED_ISSUE_EXCEPTION: no list has such a term. */
bool med_list_at_keep(med_list_at *at, int64_t list, med_str term, int64_t first,
                      med_err *err) MED_MUST_CHECK;

/* Tells of the next wrong ones; *more: call it again, perhaps in another view. `s` is NULL when
 * there is no such resource. */
typedef void (*med_list_fault)(void *arg, const med_stored *s, med_rid rid, const char *what);
bool med_list_check_settle(med_list_check *c, med_view *v, med_list_fault tell, void *arg,
                           bool *more, med_err *err) MED_MUST_CHECK;
/* How a fault names its place, never by a term: "Patient/1", or the internal id. */
med_str med_list_fault_place(med_arena *a, struct names *names, const med_stored *s, med_rid rid);

#endif
