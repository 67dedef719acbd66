/* out.h - writes one FHIR resource after another and hands each to the caller's `emit`.
 *
 * One resource is open at a time: med_demo_begin .. med_put_* .. med_demo_end. After the first
 * failure (buffer full, emit refused) everything does nothing and `failed` stays set, so that
 * only the top level looks. Keys and codes are literals of this program. One owner at a time. */
#ifndef MED_DEMO_OUT_H
#define MED_DEMO_OUT_H

#include "base/json.h"
#include "demo/demo.h"

/* Local wall-clock seconds since 1970-01-01T00:00:00 of the country being written. */
typedef int64_t med_demo_time;
enum { MED_DEMO_DAY = 86400, MED_DEMO_ID_MAX = 64 };

static inline med_demo_time med_demo_minutes(int64_t n)
{
    return n * 60;
}
static inline med_demo_time med_demo_at(int32_t day, int hour, int minute)
{
    return day * (med_demo_time)MED_DEMO_DAY + med_demo_minutes(hour * INT64_C(60) + minute);
}
static inline int32_t med_demo_day_of(med_demo_time t)
{
    return (int32_t)(t / MED_DEMO_DAY - (t % MED_DEMO_DAY < 0));
}

typedef struct med_demo_out {
    med_demo_emit emit;
    void *self;
    med_err *err;
    med_buf buf;
    med_json_writer w;
    const char *type; /* of the open resource */
    char id[MED_DEMO_ID_MAX + 1];
    uint64_t arrays;  /* one bit a level: it is an array */
    int zone_minutes; /* standard time of the country being written */
    uint64_t count;   /* resources handed over */
    bool failed;
    bool mute; /* a trial: nothing is written or counted */
} med_demo_out;

void med_demo_out_init(med_demo_out *o, med_demo_emit emit, void *self, med_err *err);
void med_demo_out_free(med_demo_out *o);

void med_demo_begin(med_demo_out *o, const char *type, const char *id);
void med_demo_end(med_demo_out *o);

/* Containers. A NULL key: an element of an array. */
void med_put_object(med_demo_out *o, const char *key);
void med_put_array(med_demo_out *o, const char *key);
void med_put_close(med_demo_out *o); /* the innermost of the two */

/* Plain values; strings that are NULL or empty are left out with their key. */
void med_put(med_demo_out *o, const char *key, const char *value);
void med_put_slice(med_demo_out *o, const char *key, med_str value);
void med_put_bool(med_demo_out *o, const char *key, bool value);
void med_put_int(med_demo_out *o, const char *key, int64_t value);
void med_put_decimal(med_demo_out *o, const char *key, double value, int decimals);
void med_put_date(med_demo_out *o, const char *key, int32_t day);
/* A dateTime or instant, to the second, with the zone that holds there on that day. */
void med_put_time(med_demo_out *o, const char *key, med_demo_time t);
void med_put_base64(med_demo_out *o, const char *key, med_str bytes);

/* Data types. */
typedef struct med_demo_coding {
    const char *system, *code, *display;
} med_demo_coding;
void med_put_coding(med_demo_out *o, const char *key, med_demo_coding coding);
/* A CodeableConcept of one coding, with a text or NULL. */
void med_put_concept(med_demo_out *o, const char *key, med_demo_coding coding, const char *text);
void med_put_concept2(med_demo_out *o, const char *key, med_demo_coding first,
                      med_demo_coding second, const char *text);
/* The same as the only element of an array `key`. */
void med_put_concepts(med_demo_out *o, const char *key, med_demo_coding coding, const char *text);
/* `type` NULL: `id` is "Type/id" already. */
void med_put_ref(med_demo_out *o, const char *key, const char *type, const char *id,
                 const char *display);
void med_put_refs(med_demo_out *o, const char *key, const char *type, const char *id,
                  const char *display);
/* `code` is UCUM. */
void med_put_quantity(med_demo_out *o, const char *key, double value, int decimals,
                      const char *unit, const char *code);
void med_put_period(med_demo_out *o, const char *key, med_demo_time from, med_demo_time to);
/* With dates only; `to` INT32_MAX: open. */
void med_put_days(med_demo_out *o, const char *key, int32_t from, int32_t to);
void med_put_identifier(med_demo_out *o, const char *use, const char *system, const char *value);
void med_put_contact(med_demo_out *o, const char *system, const char *use, const char *value);

/* The last Sundays of March and October, 01:00 UTC. */
bool med_demo_summer_time(med_demo_time local, int zone_minutes);

#endif
