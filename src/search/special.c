/* special.c - _text, _content and near: decided on the resource.
 * https://hl7.org/fhir/R4/search.html#content https://hl7.org/fhir/R4/location.html#search
 *
 * A text matches when each word of the value begins a word of it, folded as strings are: of
 * _text the narrative, of _content all that is said in the resource. */
#include <math.h>

#include "base/decimal.h"
#include "base/unicode.h"
#include "search/query_parse.h"
#include "search/run.h"
#include "search/words.h"

/* ---- texts ---- */

enum { WORDS = 32 };

typedef struct words {
    med_str at[WORDS];
    size_t n;
    uint32_t found; /* a bit a word */
} words;

static bool begins_a_word(med_str text, med_str word)
{
    for (size_t i = med_str_search(text, word, 0); i < text.len;
         i = med_str_search(text, word, i + 1)) {
        if (i == 0 || text.ptr[i - 1] == ' ')
            return true;
    }
    return false;
}

static void look(words *w, med_str folded)
{
    for (size_t i = 0; i < w->n; i++) {
        if ((w->found >> i & 1) == 0 && begins_a_word(folded, w->at[i]))
            w->found |= UINT32_C(1) << i;
    }
}

static bool all_found(const words *w)
{
    return w->found == (w->n == WORDS ? UINT32_MAX : (UINT32_C(1) << w->n) - 1);
}

static bool look_on(void *arg, med_str folded)
{
    words *w = arg;
    look(w, folded);
    return !all_found(w);
}

static bool text_matches(med_arena *a, const med_clause *c, const med_term *t, const med_json *j,
                         bool *yes)
{
    words w = {0};
    med_str rest = t->folded;
    while (rest.len > 0 && w.n < WORDS)
        w.at[w.n++] = med_str_cut(rest, ' ', &rest);
    bool ok = med_words_each(a, j, c->special == MED_SPECIAL_TEXT, look_on, &w);
    *yes = all_found(&w);
    return ok;
}

/* ---- near ---- */

static bool coordinate(const med_json *j, uint32_t position, med_str key, double *out)
{
    uint32_t node = med_json_member(j, position, key);
    med_decimal d;
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_NUMBER
        || !med_decimal_parse(med_json_raw(j, node), &d))
        return false;
    *out = med_decimal_to_double(&d);
    return true;
}

/* Meters on a sphere: off by half a percent at most. */
static double distance(double lat1, double lon1, double lat2, double lon2)
{
    const double radius = 6371008.8, rad = 3.14159265358979323846 / 180;
    double y = sin((lat2 - lat1) * rad / 2), x = sin((lon2 - lon1) * rad / 2);
    double h = y * y + cos(lat1 * rad) * cos(lat2 * rad) * x * x;
    return 2 * radius * asin(sqrt(h < 1 ? h : 1));
}

static bool near_matches(const med_term *t, const med_json *j)
{
    double lat, lon;
    uint32_t position = med_json_member(j, 0, MED_STR("position"));
    return position != 0 && med_json_kind_at(j, position) == MED_JSON_OBJECT
           && coordinate(j, position, MED_STR("latitude"), &lat)
           && coordinate(j, position, MED_STR("longitude"), &lon)
           && distance(t->latitude, t->longitude, lat, lon) <= t->meters;
}

bool med_special_matches(med_arena *a, const med_clause *c, const med_json *j, bool *yes,
                         med_err *err)
{
    *yes = false;
    for (size_t i = 0; i < c->n && !*yes; i++) {
        if (c->special == MED_SPECIAL_NEAR)
            *yes = near_matches(&c->terms[i], j);
        else if (!text_matches(a, c, &c->terms[i], j, yes))
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

/* ---- values ---- */

static bool number(med_str text, double low, double high, double *out)
{
    med_decimal d;
    if (!med_decimal_parse(text, &d))
        return false;
    *out = med_decimal_to_double(&d);
    return *out >= low && *out <= high;
}

static bool unit_meters(med_str unit, double *out)
{
    static const struct {
        med_str name;
        double meters;
    } units[] = {
        {MED_LIT("km"), 1000},          {MED_LIT("m"), 1},
        {MED_LIT("mi"), 1609.344},      {MED_LIT("[mi_i]"), 1609.344},
        {MED_LIT("[mi_us]"), 1609.347}, {MED_LIT("ft"), 0.3048},
        {MED_LIT("[ft_i]"), 0.3048},    {MED_LIT(""), 1000},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (med_str_eq(unit, units[i].name)) {
            *out = units[i].meters;
            return true;
        }
    }
    return false;
}

/* latitude|longitude[|distance[|unit]] */
static bool term_near(med_str value, med_term *t, med_err *err)
{
    enum { DEFAULT_KM = 50 };
    double meters = 1000, far = DEFAULT_KM;
    med_str rest, lat = med_str_cut(value, '|', &rest), lon = med_str_cut(rest, '|', &rest);
    med_str length = med_str_cut(rest, '|', &rest);
    if (!number(lat, -90, 90, &t->latitude) || !number(lon, -180, 180, &t->longitude)
        || (length.len > 0 && !number(length, 0, 1e9, &far)) || !unit_meters(rest, &meters))
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "expected latitude|longitude|distance|unit, as 55.6|12.5|10|km; units are "
                        "km, m, mi, ft and their UCUM codes");
    t->meters = far * meters;
    return true;
}

bool med_term_special(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    if (s->clause->special == MED_SPECIAL_NEAR)
        return term_near(value, t, err);
    if (!med_term_string(s, value, t, err))
        return false;
    size_t n = 1;
    for (size_t i = 0; i < t->folded.len; i++)
        n += t->folded.ptr[i] == ' ';
    return n <= WORDS
           || MED_FAIL(err, MED_ISSUE_VALUE, "a text to search for has at most %d words", WORDS);
}

static const med_str names[] = {MED_LIT("_text"), MED_LIT("_content"), MED_LIT("near")};

med_str med_special_name(enum med_special special)
{
    return names[special];
}

bool med_special_of(med_str code, enum med_special *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (med_str_eq(code, names[i])) {
            *out = (enum med_special)i;
            return true;
        }
    }
    return false;
}
