/* fuzz_datetime.c - a date that is read makes sense, and what is written is read again. */
#include "base/datetime.h"
#include "demand.h"

static const enum med_date_kind kinds[] = {MED_KIND_INSTANT, MED_KIND_DATETIME, MED_KIND_SEARCH,
                                           MED_KIND_FHIRPATH, MED_KIND_DATE};

static void check_date(const med_datetime *d)
{
    DEMAND(d->span.low < d->span.high);
    DEMAND(d->year >= 1 && d->year <= 9999);
    DEMAND(d->zone_minutes >= -840 && d->zone_minutes <= 840);
    char text[MED_INSTANT_MICRO_LEN];
    med_instant_format_micro(d->span.low, text);
    med_datetime again;
    DEMAND(med_datetime_parse((med_str){text, sizeof text}, MED_KIND_INSTANT, 0, &again));
    /* a zone may carry a day over the calendar's end */
    bool inside = (d->year > 1 && d->year < 9999);
    DEMAND(!inside || again.span.low == d->span.low);
}

static void check_http_date(med_str s)
{
    int64_t t = 0;
    if (!med_http_date_parse(s, &t))
        return;
    char text[MED_HTTP_DATE_LEN];
    med_http_date_format(t, text);
    int64_t again = 0;
    DEMAND(med_http_date_parse((med_str){text, sizeof text}, &again));
    DEMAND(again == t - t % 1000000 || t % 1000000 != 0); /* :60 is the microsecond before */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_str s = input_str(data, size);
    bool before = false;
    for (size_t k = 0; k < 4; k++) { /* each kind allows what the one before it does */
        med_datetime d;
        bool good = med_datetime_parse(s, kinds[k], k == 2 ? -90 : 60, &d);
        DEMAND(good || !before);
        if (good)
            check_date(&d);
        before = good;
    }
    med_datetime d;
    if (med_datetime_parse(s, MED_KIND_DATE, 0, &d))
        DEMAND(before && d.precision <= MED_DATE_DAY);
    int64_t t = 0;
    if (med_time_parse(s, &t))
        DEMAND(t >= 0 && t < 86400000000);
    check_http_date(s);
    return 0;
}
