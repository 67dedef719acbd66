/* terms.h - inside of the library: finding and keeping compiled systems and value sets.
 * Private to terminology/. */
#ifndef MED_TERMINOLOGY_TERMS_H
#define MED_TERMINOLOGY_TERMS_H

#include "base/json.h"
#include "terminology/context.h"
#include "terminology/image.h"

/* Systems that are a grammar, not a list. */
enum med_grammar { MED_RULE_NONE, MED_RULE_UCUM, MED_RULE_LANGUAGE, MED_RULE_MIME, MED_RULE_URI };

/* A code system that can be asked. */
typedef struct med_system {
    med_str url, version;
    const med_image *image; /* NULL of a rule */
    enum med_grammar rule;
    const med_image *const *supplements;
    size_t n_supplements;
} med_system;

typedef struct med_value_set med_value_set;

/* NULL when it is not known. What is found lives as long as the context's arena. `version` may
 * be empty: the context's choice, or the latest. */
bool med_term_system(const med_term_context *x, med_str url, med_str version,
                     const med_system **out, med_err *err) MED_MUST_CHECK;
bool med_term_value_set(const med_term_context *x, med_str url, med_str version,
                        const med_value_set **out, med_err *err) MED_MUST_CHECK;
/* Text of a resource as it is kept; empty when unknown. */
bool med_term_text(const med_term_context *x, enum med_term_kind kind, med_str url, med_str version,
                   med_str *out, med_err *err) MED_MUST_CHECK;
/* The versions known of a system or value set, best first, for messages: "1.0.0, 1.2.0". */
bool med_term_versions(const med_term_context *x, enum med_term_kind kind, med_str url,
                       med_str *out, med_err *err) MED_MUST_CHECK;

/* The canonical with the version that the question chooses for it. */
med_str med_term_chosen(const med_term_context *x, enum med_term_kind kind, med_str canonical);
/* "url|version" apart. */
void med_canonical_split(med_str canonical, med_str *url, med_str *version);
/* Is `have` the version wanted? "" is any, "1.0" any 1.0.x, "1.x" any 1.*. */
bool med_version_fits(med_str have, med_str wanted);
/* Which of two versions is later: numbers as numbers. <0, 0, >0 */
int med_version_compare(med_str a, med_str b);

/* ---- rules ---- */
enum med_grammar med_rule_of(med_str system);
bool med_rule_at(size_t index, med_str *url); /* all of them; false behind the last */
/* *display is a name of the code, as far as there is one. */
bool med_rule_has(enum med_grammar rule, med_arena *a, med_str code, med_str *display);

#endif
