/* name.h - what people are called, in the grammar of their country. */
#ifndef MED_DEMO_NAME_H
#define MED_DEMO_NAME_H

#include "demo/data_country.h"
#include "demo/out.h"
#include "demo/rng.h"
#include "demo/text.h"

typedef struct med_demo_name {
    const char *given;
    const char *family;
    char patronymic[48]; /* "" but in Bulgaria */
    uint8_t surname;     /* index of the family name: wives and children share it */
} med_demo_name;

/* `surname` below MED_DEMO_SURNAMES, or that for any. `father`: his given name or NULL. */
void med_demo_name_draw(med_demo_rng *r, const med_demo_country *c, bool female, int born_year,
                        unsigned surname, const char *father, med_demo_name *out);
/* Иван -> Иванов / Иванова. Cut off past 47 bytes. */
void med_demo_patronymic(const char *father, bool female, char out[48]);

/* "Георги Петров Иванов", with a title in front if not NULL. */
med_demo_text med_demo_full_name(const med_demo_name *name, const char *title);
/* The HumanName array `name`: as spelled at home, and in Latin letters where that differs. */
void med_put_names(med_demo_out *o, const med_demo_country *c, const med_demo_name *name,
                   const char *title);
/* ana.novak17@example.org: a domain that nobody can own. */
med_demo_text med_demo_email(const med_demo_name *name, uint64_t number);
/* "+386 00 123 456": no plan of the five has subscriber numbers that begin with 0. */
med_demo_text med_demo_phone(const med_demo_country *c, med_demo_rng *r);

#endif
