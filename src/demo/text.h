/* text.h - short texts put together in fixed room, cut off when they do not fit. */
#ifndef MED_DEMO_TEXT_H
#define MED_DEMO_TEXT_H

#include "base/str.h"

enum { MED_DEMO_TEXT_MAX = 255 };

typedef struct med_demo_text {
    char z[MED_DEMO_TEXT_MAX + 1]; /* always NUL-terminated */
    size_t n;
} med_demo_text;

/* Each adds to what is there and returns `t`; a NULL string is empty. */
med_demo_text *med_demo_text_add(med_demo_text *t, const char *z);
med_demo_text *med_demo_text_number(med_demo_text *t, uint64_t n, int width); /* zero-padded */
/* The parts one behind the other, up to the first NULL. */
med_demo_text med_demo_join(const char *a, const char *b, const char *c);
/* "si-dr-0012" */
med_demo_text med_demo_make_id(const char *prefix, const char *kind, uint64_t n);

/* The official transliteration of Bulgarian (2009); other text stays as it is. */
med_demo_text med_demo_latin(const char *cyrillic);
/* Lower-case ASCII for e-mail addresses: Kovačič -> kovacic, Щерева -> shtereva. */
med_demo_text med_demo_ascii(const char *name);

#endif
