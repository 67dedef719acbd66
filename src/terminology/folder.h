/* folder.h - the imported code systems: one mapped file for each system and version,
 * kept as base/mapped_folder.h says. Thread safe. */
#ifndef MED_TERMINOLOGY_FOLDER_H
#define MED_TERMINOLOGY_FOLDER_H

#include "terminology/image.h"

typedef struct med_term_folder med_term_folder;

/* The folder need not exist. A damaged file is an error that names it. */
bool med_term_folder_open(const char *path, med_term_folder **out, med_err *err) MED_MUST_CHECK;
void med_term_folder_free(med_term_folder *f);      /* NULL is fine */
uint64_t med_term_folder_epoch(med_term_folder *f); /* 0 of NULL */
/* The image of that system (without a version the latest) until the arena ends; *out is NULL
 * when there is none. */
bool med_term_folder_find(med_term_folder *f, med_arena *a, med_str url, med_str version,
                          const med_image **out, med_err *err) MED_MUST_CHECK;
/* What is there, for `medulla terminology list` and TerminologyCapabilities; false behind the
 * last. */
bool med_term_folder_at(med_term_folder *f, med_arena *a, size_t index, const med_image **out);
/* Puts an image into the folder (made if needed), in place of that system and version. */
bool med_term_folder_put(const char *path, med_str bytes, med_err *err) MED_MUST_CHECK;
/* Removes a system's version, all versions without one; *n is how many there were. */
bool med_term_folder_remove(const char *path, med_str url, med_str version, size_t *n,
                            med_err *err) MED_MUST_CHECK;

#endif
