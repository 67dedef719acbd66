/* text.h - small readers of resources as JSON, for what lies in packages. Thread safe. */
#ifndef MED_PACKAGE_TEXT_H
#define MED_PACKAGE_TEXT_H

#include "base/json.h"

/* The text of a string member, escapes undone; empty when it is absent, no string, or past the
 * arena's ceiling (which the caller then meets at its next step, too). */
med_str med_package_text(med_arena *a, const med_json *j, uint32_t object, const char *key);
/* The member, if it is of that kind; else 0. */
uint32_t med_package_member(const med_json *j, uint32_t object, const char *key,
                            enum med_json_kind kind);
/* Elements of the array at member `key`:
 *     for (uint32_t e = med_package_first(j, o, "type", &end); e < end; e = j->nodes[e].next) */
uint32_t med_package_first(const med_json *j, uint32_t object, const char *key, uint32_t *end);

#endif
