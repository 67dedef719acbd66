/* data_country.c - the countries by number. */
#include "demo/data_country.h"

const med_demo_country *med_demo_country_of(enum med_demo_country_id id)
{
    static const med_demo_country *const all[MED_DEMO_COUNTRIES] = {
        &med_demo_slovenia, &med_demo_czechia,  &med_demo_denmark,
        &med_demo_norway,   &med_demo_bulgaria,
    };
    return all[id];
}
