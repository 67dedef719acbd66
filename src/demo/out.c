/* out.c - FHIR JSON, one resource at a time. */
#include "demo/out.h"

#include "base/datetime.h"

static const size_t out_limit = (size_t)1 << 20; /* a resource here is a few kilobytes */

void med_demo_out_init(med_demo_out *o, med_demo_emit emit, void *self, med_err *err)
{
    *o = (med_demo_out){.emit = emit, .self = self, .err = err, .type = ""};
    med_buf_init(&o->buf, out_limit);
}

void med_demo_out_free(med_demo_out *o)
{
    med_buf_free(&o->buf);
}

static void add_key(med_demo_out *o, const char *key)
{
    if (key != NULL)
        med_json_key(&o->w, med_str_from(key));
}

void med_demo_begin(med_demo_out *o, const char *type, const char *id)
{
    if (o->mute)
        return;
    med_buf_clear(&o->buf);
    o->w = med_json_writer_to(&o->buf);
    o->type = type;
    size_t n = strlen(id);
    n = n > MED_DEMO_ID_MAX ? MED_DEMO_ID_MAX : n;
    memcpy(o->id, id, n);
    o->id[n] = '\0';
    med_put_object(o, NULL);
    med_put(o, "resourceType", type);
    med_put(o, "id", o->id);
}

void med_demo_end(med_demo_out *o)
{
    if (o->mute)
        return;
    med_put_close(o);
    if (o->failed)
        return;
    if (o->buf.failed || o->w.depth != 0)
        o->failed = !MED_FAIL(o->err, MED_ISSUE_NO_STORE, "no room to write a demo %s", o->type);
    else
        o->failed = !o->emit(o->self, med_str_from(o->type), med_str_from(o->id),
                             med_buf_str(&o->buf), o->err);
    o->count++;
}

void med_put_object(med_demo_out *o, const char *key)
{
    if (o->mute)
        return;
    add_key(o, key);
    med_json_open(&o->w, '{');
    o->arrays <<= 1;
}

void med_put_array(med_demo_out *o, const char *key)
{
    if (o->mute)
        return;
    add_key(o, key);
    med_json_open(&o->w, '[');
    o->arrays = o->arrays << 1 | 1;
}

void med_put_close(med_demo_out *o)
{
    if (o->mute)
        return;
    med_json_close(&o->w, (o->arrays & 1) != 0 ? ']' : '}');
    o->arrays >>= 1;
}

void med_put(med_demo_out *o, const char *key, const char *value)
{
    med_put_slice(o, key, med_str_from(value));
}

void med_put_slice(med_demo_out *o, const char *key, med_str value)
{
    if (value.len == 0 || o->mute)
        return;
    add_key(o, key);
    med_json_str(&o->w, value);
}

void med_put_bool(med_demo_out *o, const char *key, bool value)
{
    if (o->mute)
        return;
    add_key(o, key);
    med_json_bool(&o->w, value);
}

void med_put_int(med_demo_out *o, const char *key, int64_t value)
{
    if (o->mute)
        return;
    add_key(o, key);
    med_json_int(&o->w, value);
}

/* Digits of n, at least `width`, into the end of a field; returns where they begin. */
static char *digits_before(char *end, uint64_t n, int width)
{
    do {
        *--end = (char)('0' + n % 10);
        n /= 10;
    } while (--width > 0 || n > 0);
    return end;
}

void med_put_decimal(med_demo_out *o, const char *key, double value, int decimals)
{
    if (o->mute)
        return;
    char text[48];
    char *end = text + sizeof text;
    uint64_t unit = 1;
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    bool negative = value < 0;
    uint64_t n = (uint64_t)((negative ? -value : value) * (double)unit + 0.5);
    char *at = end;
    if (decimals > 0) {
        at = digits_before(at, n % unit, decimals);
        *--at = '.';
    }
    at = digits_before(at, n / unit, 1);
    if (negative && n > 0)
        *--at = '-';
    add_key(o, key);
    med_json_raw_value(&o->w, (med_str){at, (size_t)(end - at)});
}

static char *add_number(char *to, unsigned n, int width)
{
    (void)digits_before(to + width, n, width);
    return to + width;
}

enum { DATE_LEN = 10, TIME_LEN = 25 };

static void write_date(int32_t day, char to[DATE_LEN])
{
    int year = 0, month = 0, date = 0;
    med_civil_from_days(day, &year, &month, &date);
    to = add_number(to, (unsigned)year, 4);
    *to++ = '-';
    to = add_number(to, (unsigned)month, 2);
    *to++ = '-';
    (void)add_number(to, (unsigned)date, 2);
}

void med_put_date(med_demo_out *o, const char *key, int32_t day)
{
    if (o->mute)
        return;
    char text[DATE_LEN];
    write_date(day, text);
    med_put_slice(o, key, (med_str){text, DATE_LEN});
}

static int64_t last_sunday(int year, int month)
{
    int64_t day = med_days_from_civil(year, month, 31);
    return day - (day + 4) % 7; /* day 0 was a Thursday, so (day + 4) % 7 is 0 on Sundays */
}

bool med_demo_summer_time(med_demo_time local, int zone_minutes)
{
    int year = 0, month = 0, date = 0;
    int64_t utc = local - med_demo_minutes(zone_minutes);
    med_civil_from_days(med_demo_day_of(utc), &year, &month, &date);
    if (month < 3 || month > 10)
        return false;
    if (month > 3 && month < 10)
        return true;
    int64_t change = last_sunday(year, month) * MED_DEMO_DAY + 3600;
    return month == 3 ? utc >= change : utc < change;
}

void med_put_time(med_demo_out *o, const char *key, med_demo_time t)
{
    if (o->mute)
        return;
    char text[TIME_LEN];
    int32_t day = med_demo_day_of(t);
    unsigned second = (unsigned)(t - (med_demo_time)day * MED_DEMO_DAY);
    unsigned zone = (unsigned)o->zone_minutes + (med_demo_summer_time(t, o->zone_minutes) ? 60 : 0);
    write_date(day, text);
    char *to = text + DATE_LEN;
    *to++ = 'T';
    to = add_number(to, second / 3600, 2);
    *to++ = ':';
    to = add_number(to, second / 60 % 60, 2);
    *to++ = ':';
    to = add_number(to, second % 60, 2);
    *to++ = '+';
    to = add_number(to, zone / 60, 2);
    *to++ = ':';
    (void)add_number(to, zone % 60, 2);
    med_put_slice(o, key, (med_str){text, TIME_LEN});
}

void med_put_base64(med_demo_out *o, const char *key, med_str bytes)
{
    if (o->mute)
        return;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    add_key(o, key);
    med_json_raw_value(&o->w, MED_STR("\""));
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)(unsigned char)bytes.ptr[i] << 16;
        group |= left > 1 ? (uint32_t)(unsigned char)bytes.ptr[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)(unsigned char)bytes.ptr[i + 2] : 0;
        char four[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        left > 1 ? alphabet[group >> 6 & 63] : '=',
                        left > 2 ? alphabet[group & 63] : '='};
        med_buf_add(&o->buf, (med_str){four, sizeof four});
    }
    med_buf_addc(&o->buf, '"');
}

void med_put_coding(med_demo_out *o, const char *key, med_demo_coding coding)
{
    med_put_object(o, key);
    med_put(o, "system", coding.system);
    med_put(o, "code", coding.code);
    med_put(o, "display", coding.display);
    med_put_close(o);
}

void med_put_concept(med_demo_out *o, const char *key, med_demo_coding coding, const char *text)
{
    med_put_concept2(o, key, coding, (med_demo_coding){0}, text);
}

void med_put_concept2(med_demo_out *o, const char *key, med_demo_coding first,
                      med_demo_coding second, const char *text)
{
    med_put_object(o, key);
    if (first.code != NULL) {
        med_put_array(o, "coding");
        med_put_coding(o, NULL, first);
        if (second.code != NULL)
            med_put_coding(o, NULL, second);
        med_put_close(o);
    }
    med_put(o, "text", text);
    med_put_close(o);
}

void med_put_concepts(med_demo_out *o, const char *key, med_demo_coding coding, const char *text)
{
    med_put_array(o, key);
    med_put_concept(o, NULL, coding, text);
    med_put_close(o);
}

void med_put_ref(med_demo_out *o, const char *key, const char *type, const char *id,
                 const char *display)
{
    char text[2 * MED_DEMO_ID_MAX + 2];
    size_t n = 0;
    if (type != NULL) {
        n = strlen(type);
        memcpy(text, type, n);
        text[n++] = '/';
    }
    size_t m = strlen(id);
    m = m > MED_DEMO_ID_MAX ? MED_DEMO_ID_MAX : m;
    memcpy(text + n, id, m);
    med_put_object(o, key);
    med_put_slice(o, "reference", (med_str){text, n + m});
    med_put(o, "display", display);
    med_put_close(o);
}

void med_put_refs(med_demo_out *o, const char *key, const char *type, const char *id,
                  const char *display)
{
    med_put_array(o, key);
    med_put_ref(o, NULL, type, id, display);
    med_put_close(o);
}

void med_put_quantity(med_demo_out *o, const char *key, double value, int decimals,
                      const char *unit, const char *code)
{
    med_put_object(o, key);
    med_put_decimal(o, "value", value, decimals);
    med_put(o, "unit", unit);
    med_put(o, "system", "http://unitsofmeasure.org");
    med_put(o, "code", code);
    med_put_close(o);
}

void med_put_period(med_demo_out *o, const char *key, med_demo_time from, med_demo_time to)
{
    med_put_object(o, key);
    med_put_time(o, "start", from);
    med_put_time(o, "end", to);
    med_put_close(o);
}

void med_put_days(med_demo_out *o, const char *key, int32_t from, int32_t to)
{
    med_put_object(o, key);
    med_put_date(o, "start", from);
    if (to != INT32_MAX)
        med_put_date(o, "end", to);
    med_put_close(o);
}

void med_put_identifier(med_demo_out *o, const char *use, const char *system, const char *value)
{
    med_put_object(o, NULL);
    med_put(o, "use", use);
    med_put(o, "system", system);
    med_put(o, "value", value);
    med_put_close(o);
}

void med_put_contact(med_demo_out *o, const char *system, const char *use, const char *value)
{
    med_put_object(o, NULL);
    med_put(o, "system", system);
    med_put(o, "value", value);
    med_put(o, "use", use);
    med_put_close(o);
}
