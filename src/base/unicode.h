/* unicode.h - text folded for string search: equal for a person, equal in bytes.
 * https://hl7.org/fhir/R4/search.html#string
 *
 * R4 asks for matches without regard to case and accents, and says that punctuation and white
 * space that does not matter should be ignored, too. The folded text is
 *   - case-folded (full: ss for the German sharp s) and compatibility-decomposed (NFKD);
 *   - without accents: combining marks of class 1, 7, 10-36 and 200 and more. Vowel signs of
 *     Indic and Thai scripts and the voicing marks of kana are letters, and stay;
 *   - with Latin letters that Unicode does not decompose as the letters they are taken for:
 *     ae for æ, oe for œ, th for þ, o for ø, d for đ and ð, l for ł, h for ħ, t for ŧ, i for
 *     dotless i, n for ŋ and so on (å, č, ř, ů, ž do decompose). Who types "Sorensen" finds
 *     Sørensen; "Soerensen" does not;
 *   - Cyrillic likewise: ё is е, й is и, ѓ is г; nothing is transliterated to Latin;
 *   - without apostrophes and full stops (O'Brien is obrien, St. is st); other punctuation is a
 *     space (Ann-Marie is ann marie);
 *   - with single spaces between words, and none at the ends; without invisible characters.
 * So the folded beginning of a text is the beginning of the folded text, and text of punctuation
 * alone folds to nothing: a search for it must be refused, since nothing begins everything.
 * Bytes that are not UTF-8 count as U+FFFD. The result may be up to eleven times as long as its
 * source (of Arabic ligatures), but no longer for ASCII. Thread safe. */
#ifndef MED_BASE_UNICODE_H
#define MED_BASE_UNICODE_H

#include "base/arena.h"
#include "base/buf.h"

/* False past the arena's limit. */
bool med_fold(med_arena *a, med_str s, med_str *out) MED_MUST_CHECK;
/* Appends; the buffer's state says whether there was room. */
void med_fold_to(med_buf *b, med_str s);

#endif
