/* data_country.h - names, towns and sentences of the five countries. Constant tables. */
#ifndef MED_DEMO_DATA_COUNTRY_H
#define MED_DEMO_DATA_COUNTRY_H

#include "demo/national_id.h"

/* The order of every `text[MED_DEMO_COUNTRIES]` in the data tables: sl, cs, da, nb, bg. */
enum med_demo_country_id {
    MED_DEMO_SI,
    MED_DEMO_CZ,
    MED_DEMO_DK,
    MED_DEMO_NO,
    MED_DEMO_BG,
    MED_DEMO_COUNTRIES
};

enum {
    MED_DEMO_GIVEN = 16,    /* names of one sex and generation */
    MED_DEMO_SURNAMES = 36, /* of one country */
    MED_DEMO_TOWNS = 8,
    MED_DEMO_STREETS = 18,
    MED_DEMO_GENERATIONS = 3, /* born before 1960, before 1990, and since */
};

typedef struct med_demo_town {
    const char *name, *postal, *region;
    int16_t latitude, longitude; /* hundredths of a degree */
    uint16_t weight;
} med_demo_town;

typedef struct med_demo_surname {
    const char *male, *female;
} med_demo_surname;

/* What a provider is called: before, then the name of its town or street, then after. */
typedef struct med_demo_naming {
    const char *before, *after;
} med_demo_naming;

typedef struct med_demo_country {
    enum med_demo_country_id id;
    const char *code;   /* ISO 3166-1 */
    const char *prefix; /* of resource ids */
    const char *language, *language_name;
    const char *phone; /* calling code */
    int zone_minutes;
    enum med_national_id id_kind;
    const char *id_system;
    const char *insurer, *insurer_short, *doctor; /* a doctor's title in front of the name */
    med_demo_naming hospital, practice, pharmacy, laboratory;
    const char *given[2][MED_DEMO_GENERATIONS][MED_DEMO_GIVEN]; /* [female] */
    med_demo_surname surnames[MED_DEMO_SURNAMES];
    med_demo_town towns[MED_DEMO_TOWNS];
    const char *streets[MED_DEMO_STREETS];
} med_demo_country;

extern const med_demo_country med_demo_slovenia, med_demo_czechia, med_demo_denmark,
    med_demo_norway, med_demo_bulgaria;

const med_demo_country *med_demo_country_of(enum med_demo_country_id id);

#endif
