/* words.h - private to search/: what is said in a resource, folded (base/unicode.h), and the terms
 * under which the store's full-text lists have it (store/fulltext.h).
 *
 * Lists are kept by type: the words of all that is said, and for each string parameter the parts
 * of three letters of its values. A word that has a digit (codes, dates, the pieces of a UUID) is
 * listed by its beginning only: there are far too many of them to be worth a list each. */
#ifndef MED_SEARCH_WORDS_H
#define MED_SEARCH_WORDS_H

#include "search/schema.h"
#include "store/fulltext.h"

/* Calls `take` with each text that is said, folded: of the narrative, or of the whole resource.
 * `take` says whether to go on. False past the arena's ceiling. */
typedef bool (*med_words_take)(void *arg, med_str folded);
bool med_words_each(med_arena *a, const med_json *j, bool narrative, med_words_take take,
                    void *arg);

/* How lists are made; another number throws the old ones away. */
enum { MED_TERMS_FORM = 2, MED_TERMS_CONTENT = 1 /* added when all that is said is listed */ };

enum med_terms_kind { MED_TERMS_WORDS, MED_TERMS_CODES };
uint64_t med_terms_list(uint32_t type, enum med_terms_kind kind); /* the store's number of a type */
uint64_t med_terms_list_of_param(uint32_t number);

bool med_word_is_code(med_str word);
/* The beginning by which a word is listed. */
med_str med_word_term(med_str word, enum med_terms_kind kind);
/* Up to `n` characters from `at` on. */
med_str med_letters(med_str s, size_t at, size_t n);
enum { MED_GRAM = 3 };

#endif
