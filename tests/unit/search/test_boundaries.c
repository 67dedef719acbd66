/* Every prefix on every precision at every boundary: what R4 says of dates
 * (https://hl7.org/fhir/R4/search.html#prefix), numbers and quantities, worked out by hand from its
 * words, not from this server's answers. Times without a zone are UTC here. */
#include "kit.h"

enum { PREFIXES = 9 };

static const char *const prefixes[PREFIXES] = {"", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"};

struct prefixed {
    const char *query, *value;
    const char *ids[PREFIXES]; /* in the order of the prefixes */
};

struct made {
    const char *id, *element;
};

static void put_made(struct kit *k, const char *of, const struct made *made, size_t n)
{
    for (size_t i = 0; i < n; i++)
        kit_put(
            k,
            med_arena_printf(k->arena, "{%s,'id':'%s',%s}", of, made[i].id, made[i].element).ptr);
}

static void check(struct kit *k, const struct prefixed *at, size_t n)
{
    struct kit_case cases[PREFIXES];
    for (size_t i = 0; i < n; i++) {
        for (size_t p = 0; p < PREFIXES; p++) {
            cases[p].url =
                med_arena_printf(k->arena, "%s%s%s", at[i].query, prefixes[p], at[i].value).ptr;
            cases[p].expected = at[i].ids[p];
        }
        kit_check_finds(k, cases, PREFIXES);
    }
}

/* ---- dates ---- */

static const struct made dated[] = {
    {"a", "'effectiveDateTime':'2020'"},
    {"b", "'effectiveDateTime':'2020-03'"},
    {"c", "'effectiveDateTime':'2020-03-01'"}, /* the first day of b */
    {"d", "'effectiveDateTime':'2020-03-31'"}, /* the last */
    {"e", "'effectiveDateTime':'2020-02-29'"},
    {"f", "'effectiveDateTime':'2020-04-01'"},
    {"g", "'effectiveDateTime':'2020-03-01T00:00:00Z'"},
    {"h", "'effectiveDateTime':'2020-03-31T23:59:59Z'"},
    {"i", "'effectiveDateTime':'2020-04-01T00:00:00Z'"},
    {"j", "'effectiveInstant':'2020-02-29T23:59:59.999Z'"},
    {"k", "'effectivePeriod':{'start':'2020-02-15','end':'2020-03-15'}"},
    {"l", "'effectivePeriod':{'start':'2020-03-15','end':'2020-04-15'}"},
    {"m", "'effectivePeriod':{'start':'2020-03-10'}"},
    {"n", "'effectivePeriod':{'end':'2020-03-10'}"},
    {"o", "'effectiveDateTime':'2020-03-01T00:30:00+01:00'"}, /* 23:30 the day before, in UTC */
    {"p", "'effectiveDateTime':'2019'"},
    {"q", "'effectiveDateTime':'2021'"},
    {"r",
     "'effectiveTiming':{'repeat':{'boundsPeriod':{'start':'2020-03-01','end':'2020-03-31'}}}"},
};

static const struct prefixed dates[] = {
    {"Observation?date=",
     "2020",
     {"a,b,c,d,e,f,g,h,i,j,k,l,o,r", "m,n,p,q", "m,q", "n,p", "a,b,c,d,e,f,g,h,i,j,k,l,m,o,q,r",
      "a,b,c,d,e,f,g,h,i,j,k,l,n,o,p,r", "q", "p", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r"}},
    {"Observation?date=",
     "2020-03",
     {"b,c,d,g,h,r", "a,e,f,i,j,k,l,m,n,o,p,q", "a,f,i,l,m,q", "a,e,j,k,n,o,p",
      "a,b,c,d,f,g,h,i,l,m,q,r", "a,b,c,d,e,g,h,j,k,n,o,p,r", "f,i,q", "e,j,o,p",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,r"}},
    {"Observation?date=",
     "2020-03-01",
     {"c,g", "a,b,d,e,f,h,i,j,k,l,m,n,o,p,q,r", "a,b,d,f,h,i,k,l,m,n,q,r", "a,e,j,k,n,o,p",
      "a,b,c,d,f,g,h,i,k,l,m,n,q,r", "a,c,e,g,j,k,n,o,p", "d,f,h,i,l,m,q", "e,j,o,p",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,r"}},
    {"Observation?date=",
     "2020-03-01T00:00Z",
     {"g", "a,b,c,d,e,f,h,i,j,k,l,m,n,o,p,q,r", "a,b,c,d,f,h,i,k,l,m,n,q,r", "a,e,j,k,n,o,p",
      "a,b,c,d,f,g,h,i,k,l,m,n,q,r", "a,e,g,j,k,n,o,p", "d,f,h,i,l,m,q", "e,j,o,p",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,r"}},
    {"Observation?date=",
     "2020-03-01T00:00:00Z",
     {"g", "a,b,c,d,e,f,h,i,j,k,l,m,n,o,p,q,r", "a,b,c,d,f,h,i,k,l,m,n,q,r", "a,e,j,k,n,o,p",
      "a,b,c,d,f,g,h,i,k,l,m,n,q,r", "a,e,g,j,k,n,o,p", "d,f,h,i,l,m,q", "e,j,o,p",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,r"}},
    {"Observation?date=",
     "2020-03-31T23:59:59Z",
     {"h", "a,b,c,d,e,f,g,i,j,k,l,m,n,o,p,q,r", "a,f,i,l,m,q", "a,b,c,d,e,g,j,k,l,m,n,o,p,r",
      "a,f,h,i,l,m,q", "a,b,c,d,e,g,h,j,k,l,m,n,o,p,r", "f,i,q", "c,e,g,j,k,n,o,p",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,r"}},
    {"Observation?date=",
     "2020-04-01T00:00:00.000Z",
     {"", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r", "a,f,i,l,m,q", "a,b,c,d,e,g,h,j,k,l,m,n,o,p,r",
      "a,f,i,l,m,q", "a,b,c,d,e,g,h,j,k,l,m,n,o,p,r", "q", "b,c,d,e,g,h,j,k,n,o,p,r",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,r"}},
    {"Observation?date=",
     "2020-02-29T23:59:59.999Z",
     {"j", "a,b,c,d,e,f,g,h,i,k,l,m,n,o,p,q,r", "a,b,c,d,f,g,h,i,k,l,m,n,q,r", "a,e,k,n,o,p",
      "a,b,c,d,f,g,h,i,j,k,l,m,n,q,r", "a,e,j,k,n,o,p", "b,c,d,f,g,h,i,l,m,q,r", "o,p",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,r"}},
    {"Observation?date=",
     "2020-03-01T01:00:00%2B01:00",
     {"g", "a,b,c,d,e,f,h,i,j,k,l,m,n,o,p,q,r", "a,b,c,d,f,h,i,k,l,m,n,q,r", "a,e,j,k,n,o,p",
      "a,b,c,d,f,g,h,i,k,l,m,n,q,r", "a,e,g,j,k,n,o,p", "d,f,h,i,l,m,q", "e,j,o,p",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,r"}},
};

/* `ap` is a tenth of the time from that until now, which is 2023-11-14 here. */
static void dates_at_their_boundaries(void **state)
{
    struct kit *k = *state;
    put_made(k, "'resourceType':'Observation'", dated, COUNT(dated));
    check(k, dates, COUNT(dates));
}

/* ---- numbers ---- */

static const struct made numbered[] = {
    {"a", "'factorOverride':99"},     {"b", "'factorOverride':99.4"},
    {"c", "'factorOverride':99.5"},   {"d", "'factorOverride':99.94"},
    {"e", "'factorOverride':99.95"},  {"f", "'factorOverride':100"},
    {"g", "'factorOverride':100.04"}, {"h", "'factorOverride':100.05"},
    {"i", "'factorOverride':100.49"}, {"j", "'factorOverride':100.5"},
    {"k", "'factorOverride':101"},    {"l", "'factorOverride':90"},
    {"m", "'factorOverride':110"},    {"n", "'factorOverride':89.9"},
    {"o", "'factorOverride':110.1"},  {"p", "'factorOverride':94.9"},
    {"q", "'factorOverride':95"},     {"r", "'factorOverride':104.9"},
    {"s", "'factorOverride':105"},    {"t", "'factorOverride':-100"},
    {"u", "'factorOverride':0"},      {"v", "'factorOverride':0.49"},
    {"w", "'factorOverride':0.5"},    {"x", "'factorOverride':-0.5"},
};

static const struct prefixed numbers[] = {
    {"ChargeItem?factor-override=",
     "100",
     {"c,d,e,f,g,h,i", "a,b,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x", "g,h,i,j,k,m,o,r,s",
      "a,b,c,d,e,l,n,p,q,t,u,v,w,x", "f,g,h,i,j,k,m,o,r,s", "a,b,c,d,e,f,l,n,p,q,t,u,v,w,x",
      "g,h,i,j,k,m,o,r,s", "a,b,c,d,e,l,n,p,q,t,u,v,w,x", "a,b,c,d,e,f,g,h,i,j,k,l,m,p,q,r,s"}},
    {"ChargeItem?factor-override=",
     "100.0",
     {"e,f,g", "a,b,c,d,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x", "g,h,i,j,k,m,o,r,s",
      "a,b,c,d,e,l,n,p,q,t,u,v,w,x", "f,g,h,i,j,k,m,o,r,s", "a,b,c,d,e,f,l,n,p,q,t,u,v,w,x",
      "g,h,i,j,k,m,o,r,s", "a,b,c,d,e,l,n,p,q,t,u,v,w,x", "a,b,c,d,e,f,g,h,i,j,k,l,m,p,q,r,s"}},
    {"ChargeItem?factor-override=",
     "1e2",
     {"a,b,c,d,e,f,g,h,i,j,k,q,r", "l,m,n,o,p,s,t,u,v,w,x", "g,h,i,j,k,m,o,r,s",
      "a,b,c,d,e,l,n,p,q,t,u,v,w,x", "f,g,h,i,j,k,m,o,r,s", "a,b,c,d,e,f,l,n,p,q,t,u,v,w,x",
      "g,h,i,j,k,m,o,r,s", "a,b,c,d,e,l,n,p,q,t,u,v,w,x", "a,b,c,d,e,f,g,h,i,j,k,l,m,p,q,r,s"}},
    {"ChargeItem?factor-override=",
     "0",
     {"u,v,x", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,w",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,v,w", "t,x",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,u,v,w", "t,u,x",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,v,w", "t,x", "u,v,w,x"}},
    {"ChargeItem?factor-override=",
     "-100",
     {"t", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,u,v,w,x",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,u,v,w,x", "",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x", "t",
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,u,v,w,x", "", "t"}},
};

/* 100 is [99.5, 100.5) for eq and ne, and exactly 100 for the others; 1e2 is [95, 105). */
static void numbers_at_their_boundaries(void **state)
{
    struct kit *k = *state;
    put_made(k, "'resourceType':'ChargeItem'", numbered, COUNT(numbered));
    check(k, numbers, COUNT(numbers));
}

/* ---- quantities ---- */

#define IN_UCUM(value, unit)                                                                       \
    "'valueQuantity':{'value':" value ",'system':'http://unitsofmeasure.org','code':'" unit "'}"

static const struct made measured[] = {
    {"a", IN_UCUM("5.4", "g/dL")},
    {"b", IN_UCUM("54", "g/L")},
    {"c", IN_UCUM("5400", "mg/dL")},
    {"d", IN_UCUM("5.35", "g/dL")},
    {"e", IN_UCUM("5.45", "g/dL")},
    {"f", IN_UCUM("5.349", "g/dL")},
    {"g", IN_UCUM("5.449", "g/dL")},
    {"h", "'valueQuantity':{'value':54}"},
    {"i", "'valueQuantity':{'value':54,'system':'urn:u','code':'x'}"},
    {"j", IN_UCUM("59.4", "g/L")},
    {"k", IN_UCUM("59.41", "g/L")},
    {"l", IN_UCUM("48.6", "g/L")},
    {"m", IN_UCUM("48.59", "g/L")},
};

static const struct prefixed quantities[] = {
    {"Observation?value-quantity=",
     "5.4||g/dL",
     {"a,b,c,d,g", "e,f,j,k,l,m", "e,g,j,k", "d,f,l,m", "a,b,c,e,g,j,k", "a,b,c,d,f,l,m", "e,g,j,k",
      "d,f,l,m", "a,b,c,d,e,f,g,j,l"}},
    {"Observation?value-quantity=",
     "54|http://unitsofmeasure.org|g/L",
     {"a,b,c,d,g", "e,f,j,k,l,m", "e,g,j,k", "d,f,l,m", "a,b,c,e,g,j,k", "a,b,c,d,f,l,m", "e,g,j,k",
      "d,f,l,m", "a,b,c,d,e,f,g,j,l"}},
    {"Observation?value-quantity=",
     "5400||mg/dL",
     {"a,b,c", "d,e,f,g,j,k,l,m", "e,g,j,k", "d,f,l,m", "a,b,c,e,g,j,k", "a,b,c,d,f,l,m", "e,g,j,k",
      "d,f,l,m", "a,b,c,d,e,f,g,j,l"}},
    {"Observation?value-quantity=",
     "54",
     {"b,h,i", "a,c,d,e,f,g,j,k,l,m", "c,j,k", "a,d,e,f,g,l,m", "b,c,h,i,j,k",
      "a,b,d,e,f,g,h,i,l,m", "c,j,k", "a,d,e,f,g,l,m", "b,h,i,j,l"}},
    {"Observation?value-quantity=", "54|urn:u|x", {"i", "", "", "", "i", "i", "", "", "i"}},
};

static void quantities_at_their_boundaries(void **state)
{
    struct kit *k = *state;
    put_made(k, "'resourceType':'Observation'", measured, COUNT(measured));
    check(k, quantities, COUNT(quantities));
}

/* ---- ranges: eq lies inside, gt and lt reach beyond, sa and eb lie beyond ---- */

#define YEARS(value) "{'value':" value ",'system':'http://unitsofmeasure.org','code':'a'}"
#define RANGE(low, high) "'onsetRange':{'low':" YEARS(low) ",'high':" YEARS(high) "}"

static const struct made ranged[] = {
    {"a", "'onsetAge':" YEARS("45")},
    {"b", RANGE("40", "50")},
    {"c", RANGE("46", "50")},
    {"d", RANGE("45", "50")},
    {"e", RANGE("40", "44")},
    {"f", RANGE("40", "45")},
    {"g", "'onsetRange':{'low':" YEARS("44") "}"},
    {"h", "'onsetRange':{'high':" YEARS("46") "}"},
    {"i", RANGE("44.5", "45.4")},
    {"j", RANGE("44.5", "45.5")},
    {"k", RANGE("49.5", "60")},
    {"l", RANGE("49.6", "60")},
    {"m", RANGE("30", "40.5")},
    {"n", RANGE("30", "40.4")},
    {"o", "'onsetRange':{'low':" YEARS("46") "}"},
    {"p", "'onsetRange':{'high':" YEARS("44") "}"},
};

static const struct prefixed ranges[] = {
    {"Condition?onset-age=",
     "45||a",
     {"a,i", "b,c,d,e,f,g,h,j,k,l,m,n,o,p", "b,c,d,g,h,i,j,k,l,o", "b,e,f,g,h,i,j,m,n,p",
      "a,b,c,d,f,g,h,i,j,k,l,o", "a,b,d,e,f,g,h,i,j,m,n,p", "c,k,l,o", "e,m,n,p",
      "a,b,c,d,e,f,g,h,i,j,k,m,o,p"}},
};

static void ranges_at_their_boundaries(void **state)
{
    struct kit *k = *state;
    put_made(k, "'resourceType':'Condition'", ranged, COUNT(ranged));
    check(k, ranges, COUNT(ranges));
}

int main(void)
{
#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        IN_STORE(dates_at_their_boundaries),
        IN_STORE(numbers_at_their_boundaries),
        IN_STORE(quantities_at_their_boundaries),
        IN_STORE(ranges_at_their_boundaries),
    };
    return cmocka_run_group_tests_name("boundaries", tests, NULL, NULL);
}
