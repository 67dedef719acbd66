/* A reference model: random resources are kept as plain structures, random queries are decided
 * on them slowly and obviously, and must give what med_search_run gives: the same ids, total
 * and order, page by page. */
#include "base/datetime.h"
#include "base/unicode.h"
#include "kit.h"

enum { PATIENTS = 30, OBSERVATIONS = 300, QUERIES = 450, PARTS = 3 };

static uint64_t first_seed = 20260101;
static int queries = QUERIES;

struct patient {
    const char *family[2], *given;
    int n_family;
    const char *gender, *birth;
    int identifier;
};

struct observation {
    int patient;         /* -1: none */
    unsigned performers; /* bits: Practitioner/d0, Organization/d1 */
    const char *code[2], *category;
    int n_codes;
    const char *when, *end; /* when alone: dateTime; both: Period; end alone: open start */
    int value;              /* in tenths of a gram; -1: none */
    bool grams;             /* else milligrams, same quantity */
    const char *part;       /* code of a component, or NULL; with this value: */
    int part_value;
    bool gone;
    int64_t written; /* counts writes, as last updates grow */
    med_rid rid;
};

struct world {
    struct kit *k;
    uint64_t seed;
    int64_t writes;
    struct patient patients[PATIENTS];
    struct observation observations[OBSERVATIONS];
};

static uint64_t next(struct world *w)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 7;
    w->seed ^= w->seed << 17;
    return w->seed;
}

static int below(struct world *w, int n)
{
    return (int)(next(w) % (uint64_t)n);
}

#define PICK(w, table) ((table)[below((w), COUNT(table))])

static const char *const families[] = {
    "Smith", "Smithers", "S\xc3\xb8rensen", "Novak", "Nov\xc3\xa1kov\xc3\xa1", "O-Brien", "Ng"};
static const char *const givens[] = {"Anna", "Ann", "Bo", "Zo\xc3\xab", NULL};
static const char *const genders[] = {"male", "female", NULL};
static const char *const dates[] = {
    "2019",       "2020",       "2020-02",    "2020-02-29",           "2020-03-01",
    "2020-03-01", "2021-12-31", "2022-01-01", "2020-03-01T10:00:00Z", "2020-03-01T23:30:00-01:00",
};
static const char *const days[] = {"1970", "1970-05", "1970-05-06", "1980-01-01", NULL};
static const char *const codes[] = {"urn:l|hb", "urn:l|na", "urn:k|hb", "urn:k|x", "|y"};
static const char *const categories[] = {"lab", "vital", NULL};

static void make_patient(struct world *w, int i)
{
    struct patient *p = &w->patients[i];
    p->n_family = 1 + below(w, 2);
    p->family[0] = PICK(w, families);
    p->family[1] = PICK(w, families);
    p->given = PICK(w, givens);
    p->gender = PICK(w, genders);
    p->birth = PICK(w, days);
    p->identifier = below(w, 20);
    struct kit *k = w->k;
    med_str t = med_arena_printf(k->arena, "{'resourceType':'Patient','id':'p%d','name':[", i);
    for (int n = 0; n < p->n_family; n++)
        t = med_arena_printf(k->arena, "%s%s{'family':'%s'}", t.ptr, n > 0 ? "," : "",
                             p->family[n]);
    if (p->given != NULL)
        t = med_arena_printf(k->arena, "%s,{'given':['%s']}", t.ptr, p->given);
    t = med_arena_printf(k->arena, "%s],'identifier':[{'system':'urn:s','value':'%d'}]", t.ptr,
                         p->identifier);
    if (p->gender != NULL)
        t = med_arena_printf(k->arena, "%s,'gender':'%s'", t.ptr, p->gender);
    if (p->birth != NULL)
        t = med_arena_printf(k->arena, "%s,'birthDate':'%s'", t.ptr, p->birth);
    kit_put(k, med_arena_printf(k->arena, "%s}", t.ptr).ptr);
}

static med_str coding(struct kit *k, const char *token)
{
    med_str code, system = med_str_cut(med_str_from(token), '|', &code);
    return med_arena_printf(k->arena, "%s%.*s%s'code':'%.*s'}",
                            system.len > 0 ? "{'system':'" : "{", MED_STR_ARG(system),
                            system.len > 0 ? "'," : "", MED_STR_ARG(code));
}

static med_str value_of(struct kit *k, int value, bool grams)
{
    return med_arena_printf(
        k->arena, "'valueQuantity':{'value':%d%s,'system':'http://unitsofmeasure.org','code':'%s'}",
        grams ? value : value * 100, grams ? "e-1" : "", grams ? "g" : "mg");
}

static void write_observation(struct world *w, int i)
{
    const struct observation *o = &w->observations[i];
    struct kit *k = w->k;
    med_str t = med_arena_printf(
        k->arena, "{'resourceType':'Observation','id':'o%d','status':'final','code':{'coding':[%s",
        i, coding(k, o->code[0]).ptr);
    if (o->n_codes > 1)
        t = med_arena_printf(k->arena, "%s,%s", t.ptr, coding(k, o->code[1]).ptr);
    t = med_arena_printf(k->arena, "%s]}", t.ptr);
    if (o->category != NULL)
        t = med_arena_printf(k->arena, "%s,'category':[{'coding':[{'code':'%s'}]}]", t.ptr,
                             o->category);
    if (o->patient >= 0)
        t = med_arena_printf(k->arena, "%s,'subject':{'reference':'Patient/p%d'}", t.ptr,
                             o->patient);
    if (o->performers != 0)
        t = med_arena_printf(k->arena, "%s,'performer':[%s%s%s]", t.ptr,
                             o->performers & 1 ? "{'reference':'Practitioner/d0'}" : "",
                             o->performers == 3 ? "," : "",
                             o->performers & 2 ? "{'reference':'Organization/d1'}" : "");
    if (o->when != NULL && o->end == NULL)
        t = med_arena_printf(k->arena, "%s,'effectiveDateTime':'%s'", t.ptr, o->when);
    else if (o->end != NULL)
        t = med_arena_printf(k->arena, "%s,'effectivePeriod':{%s%s%s'end':'%s'}", t.ptr,
                             o->when != NULL ? "'start':'" : "", o->when != NULL ? o->when : "",
                             o->when != NULL ? "'," : "", o->end);
    if (o->value >= 0)
        t = med_arena_printf(k->arena, "%s,%s", t.ptr, value_of(k, o->value, o->grams).ptr);
    if (o->part != NULL)
        t = med_arena_printf(k->arena, "%s,'component':[{'code':{'coding':[%s]},%s}]", t.ptr,
                             coding(k, o->part).ptr, value_of(k, o->part_value, !o->grams).ptr);
    kit_put(k, med_arena_printf(k->arena, "%s}", t.ptr).ptr);
}

static void make_observation(struct world *w, int i)
{
    struct observation *o = &w->observations[i];
    *o = (struct observation){.patient = below(w, PATIENTS + 2) - 1,
                              .performers = (unsigned)below(w, 4),
                              .code = {PICK(w, codes), PICK(w, codes)},
                              .n_codes = 1 + below(w, 2),
                              .category = PICK(w, categories),
                              .value = below(w, 30) - 5,
                              .grams = below(w, 2) == 0,
                              .part = below(w, 3) == 0 ? PICK(w, codes) : NULL,
                              .part_value = below(w, 25)};
    o->patient = o->patient >= PATIENTS ? 0 : o->patient;
    o->written = ++w->writes;
    int form = below(w, 10);
    if (form < 8)
        o->when = PICK(w, dates);
    if (form >= 6 && form < 9)
        o->end = form == 8 ? "2020-06-01" : "2022-06-01";
    write_observation(w, i);
}

/* ---- conditions, decided on the structures ---- */

static med_interval span_of(const char *text)
{
    med_datetime d;
    assert_true(med_datetime_parse(med_str_from(text), MED_KIND_SEARCH, 0, &d));
    return d.span;
}

static bool observation_span(const struct observation *o, med_interval *out)
{
    *out = (med_interval){MED_TIME_MIN, MED_TIME_MAX};
    if (o->when == NULL && o->end == NULL)
        return false;
    if (o->when != NULL)
        *out = span_of(o->when);
    if (o->end != NULL)
        out->high = span_of(o->end).high;
    return true;
}

/* The words of R4 search.html#prefix. */
static bool compare_spans(const char *prefix, med_interval v, med_interval q)
{
    bool contained = q.low <= v.low && v.high <= q.high;
    bool above = v.high > q.high, below_it = v.low < q.low;
    if (strcmp(prefix, "gt") == 0)
        return above;
    if (strcmp(prefix, "lt") == 0)
        return below_it;
    if (strcmp(prefix, "ge") == 0)
        return above || contained;
    if (strcmp(prefix, "le") == 0)
        return below_it || contained;
    if (strcmp(prefix, "sa") == 0)
        return v.low >= q.high;
    if (strcmp(prefix, "eb") == 0)
        return v.high <= q.low;
    return strcmp(prefix, "ne") == 0 ? !contained : contained;
}

static bool is_code(const char *of, const char *token)
{
    med_str code, system = med_str_cut(med_str_from(token), '|', &code);
    med_str c, s = med_str_cut(med_str_from(of), '|', &c);
    return strchr(token, '|') == NULL
               ? med_str_eqz(c, token)
               : med_str_eq(s, system) && (code.len == 0 || med_str_eq(c, code));
}

static bool has_code(const struct observation *o, const char *token)
{
    for (int i = 0; i < o->n_codes; i++) {
        if (is_code(o->code[i], token))
            return true;
    }
    return false;
}

static bool folded_start(struct world *w, const char *text, const char *start)
{
    med_str a, b;
    return text != NULL && med_fold(w->k->arena, med_str_from(text), &a)
           && med_fold(w->k->arena, med_str_from(start), &b) && med_str_starts(a, b);
}

static bool has_name(struct world *w, const struct patient *p, const char *start)
{
    return folded_start(w, p->family[0], start)
           || (p->n_family > 1 && folded_start(w, p->family[1], start))
           || folded_start(w, p->given, start);
}

struct part {
    enum {
        BY_PATIENT,
        BY_PERFORMER,
        BY_CODE,
        NOT_CODE,
        BY_CATEGORY,
        BY_DATE,
        BY_VALUE,
        BY_PATIENT_NAME,
        BY_GENDER_OF_PATIENT,
        DATE_MISSING,
        VALUE_MISSING,
        BY_PAIR,
        KINDS,
    } kind;
    int number;
    int of;   /* BY_VALUE, BY_PAIR, VALUE_MISSING: 0 itself, 1 its component, 2 either */
    bool two; /* BY_PAIR: or less than 0.5 g of urn:l|na */
    const char *text, *text2, *prefix;
};

static const char *const prefixes[] = {"", "ne", "gt", "lt", "ge", "le", "sa", "eb"};
static const char *const asked[] = {"2020",       "2020-03",   "2020-03-01", "2020-03-01T10:00:00Z",
                                    "2022-01-01", "2020-06-01"};
static const char *const asked_codes[] = {"urn:l|hb", "hb", "urn:k|", "|y", "x", "urn:l|na", "no"};
static const struct {
    const char *asked;
    unsigned performers;
} asked_performers[] = {{"performer=Practitioner/d0", 1}, {"performer=d1", 2},
                        {"performer:Organization=d1", 2}, {"performer=d0,Organization/d1", 3},
                        {"performer=d0,Patient/p0", 1},   {"performer=Organization/d0", 0}};
static const char *const asked_pairs[] = {"urn:l|hb", "hb", "urn:k|", "|y", "no"};
static const char *const of_what[] = {"", "component-", "combo-"};
static const char *const starts[] = {"smi", "S\xc3\xb8", "nov", "a", "zoe", "o b", "q"};

static bool compare_values(const char *prefix, double v, double q, double half)
{
    if (prefix[0] == '\0')
        return v >= q - half && v < q + half;
    if (strcmp(prefix, "ne") == 0)
        return !(v >= q - half && v < q + half);
    if (strcmp(prefix, "gt") == 0 || strcmp(prefix, "sa") == 0)
        return v > q;
    if (strcmp(prefix, "lt") == 0 || strcmp(prefix, "eb") == 0)
        return v < q;
    return strcmp(prefix, "ge") == 0 ? v >= q : v <= q;
}

static bool has_value(const struct observation *o, const struct part *p, const char *code,
                      const char *prefix, int number)
{
    bool itself = p->of != 1 && o->value >= 0 && (code == NULL || has_code(o, code))
                  && compare_values(prefix, o->value, number, 0.5);
    return itself
           || (p->of != 0 && o->part != NULL && (code == NULL || is_code(o->part, code))
               && compare_values(prefix, o->part_value, number, 0.5));
}

static bool holds(struct world *w, const struct part *p, const struct observation *o)
{
    med_interval span;
    const struct patient *of = o->patient >= 0 ? &w->patients[o->patient] : NULL;
    switch (p->kind) {
    case BY_PATIENT:
        return o->patient == p->number;
    case BY_PERFORMER:
        return (o->performers & asked_performers[p->number].performers) != 0;
    case BY_CODE:
        return has_code(o, p->text);
    case NOT_CODE:
        return !has_code(o, p->text);
    case BY_CATEGORY:
        return o->category != NULL && strcmp(o->category, p->text) == 0;
    case BY_DATE:
        return observation_span(o, &span) && compare_spans(p->prefix, span, span_of(p->text));
    case BY_VALUE:
        return has_value(o, p, NULL, p->prefix, p->number);
    case BY_PATIENT_NAME:
        return of != NULL && has_name(w, of, p->text);
    case BY_GENDER_OF_PATIENT:
        return of != NULL && of->gender != NULL && strcmp(of->gender, p->text) == 0;
    case DATE_MISSING:
        return observation_span(o, &span) == (p->number == 0);
    case VALUE_MISSING:
        return ((p->of != 1 && o->value >= 0) || (p->of != 0 && o->part != NULL))
               == (p->number == 0);
    case BY_PAIR:
        return has_value(o, p, p->text, p->prefix, p->number)
               || (p->two && has_value(o, p, "urn:l|na", "lt", 5));
    case KINDS:
        break;
    }
    return false;
}

static med_str make_part(struct world *w, struct part *p)
{
    med_arena *a = w->k->arena;
    *p = (struct part){.kind = (unsigned)below(w, KINDS), .prefix = PICK(w, prefixes)};
    p->number = below(w, 30);
    switch (p->kind) {
    case BY_PATIENT:
        return med_arena_printf(a, "%s=p%d", below(w, 2) ? "patient" : "subject:Patient",
                                p->number);
    case BY_PERFORMER:
        p->number = below(w, COUNT(asked_performers));
        return med_arena_printf(a, "%s", asked_performers[p->number].asked);
    case BY_CODE:
        p->text = PICK(w, asked_codes);
        return med_arena_printf(a, "code=%s", p->text);
    case NOT_CODE:
        p->text = PICK(w, asked_codes);
        return med_arena_printf(a, "code:not=%s", p->text);
    case BY_CATEGORY:
        p->text = below(w, 2) ? "lab" : "vital";
        return med_arena_printf(a, "category=%s", p->text);
    case BY_DATE:
        p->text = PICK(w, asked);
        return med_arena_printf(a, "date=%s%s", p->prefix, p->text);
    case BY_VALUE: /* tenths of a gram, in milligrams or grams */
        p->of = below(w, 3);
        return below(w, 2)
                   ? med_arena_printf(a, "%svalue-quantity=%s%de2||mg", of_what[p->of], p->prefix,
                                      p->number)
                   : med_arena_printf(a, "%svalue-quantity=%s%d.%d|http://unitsofmeasure.org|g",
                                      of_what[p->of], p->prefix, p->number / 10, p->number % 10);
    case BY_PATIENT_NAME:
        p->text = PICK(w, starts);
        return med_arena_printf(a, "patient.name=%s", p->text);
    case BY_GENDER_OF_PATIENT:
        p->text = below(w, 2) ? "male" : "female";
        return med_arena_printf(a, "subject:Patient.gender=%s", p->text);
    case DATE_MISSING:
        p->number = below(w, 2);
        return med_arena_printf(a, "date:missing=%s", p->number ? "true" : "false");
    case VALUE_MISSING:
        p->number = below(w, 2);
        p->of = below(w, 3);
        return med_arena_printf(a, "%svalue-quantity:missing=%s", of_what[p->of],
                                p->number ? "true" : "false");
    case BY_PAIR:
        p->text = PICK(w, asked_pairs);
        p->of = below(w, 3);
        p->two = below(w, 4) == 0;
        return med_arena_printf(a, "%scode-value-quantity=%s$%s%d.%d||g%s", of_what[p->of], p->text,
                                p->prefix, p->number / 10, p->number % 10,
                                p->two ? ",urn:l|na$lt0.5||g" : "");
    case KINDS:
        break;
    }
    return MED_STR_EMPTY;
}

/* ---- the same from both ---- */

struct entry {
    int i;
    bool has;
    int64_t key;
    med_rid rid;
};

static int ascending(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    if (a->has != b->has)
        return a->has ? -1 : 1;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->rid > b->rid) - (a->rid < b->rid);
}

static int descending(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    if (a->has != b->has)
        return a->has ? -1 : 1;
    return -ascending(x, y);
}

static int by_number(const void *x, const void *y)
{
    return *(const int *)x - *(const int *)y;
}

static size_t expected(struct world *w, const struct part *parts, int n, int order,
                       struct entry *out)
{
    size_t count = 0;
    for (int i = 0; i < OBSERVATIONS; i++) {
        const struct observation *o = &w->observations[i];
        bool yes = !o->gone;
        for (int p = 0; yes && p < n; p++)
            yes = holds(w, &parts[p], o);
        med_interval span;
        if (!yes)
            continue;
        bool has = observation_span(o, &span);
        out[count++] = (struct entry){i, has, has ? span.low : o->written, o->rid};
    }
    if (order != 0)
        qsort(out, count, sizeof *out, order > 0 ? ascending : descending);
    return count;
}

static void same(struct world *w, int number)
{
    struct part parts[PARTS];
    struct entry wanted[OBSERVATIONS];
    int got[OBSERVATIONS + 1], n_got = 0, n = below(w, PARTS + 1), order = below(w, 3) - 1;
    med_arena_reset(w->k->arena);
    med_str url = MED_STR("Observation?");
    for (int i = 0; i < n; i++)
        url = med_arena_printf(w->k->arena, "%s%s%s", url.ptr, i > 0 ? "&" : "",
                               make_part(w, &parts[i]).ptr);
    static const int pages[] = {3, 20, 1000};
    url =
        med_arena_printf(w->k->arena, "%s%s%s_count=%d&_total=accurate", url.ptr, n > 0 ? "&" : "",
                         order > 0   ? "_sort=date&"
                         : order < 0 ? "_sort=-date&"
                                     : "",
                         PICK(w, pages));
    med_search_result first;
    med_str ids = kit_search(w->k, url.ptr, &first);
    size_t n_wanted = expected(w, parts, n, order, wanted);
    if (first.total != n_wanted)
        fail_msg("query %d %s: total %d, expected %zu", number, url.ptr, (int)first.total,
                 n_wanted);
    while (ids.len > 0 && n_got <= OBSERVATIONS) {
        int64_t id = -1;
        assert_true(med_str_to_int64(med_str_skip(med_str_cut(ids, ',', &ids), 1), &id));
        if (n_got == OBSERVATIONS)
            fail_msg("query %d %s: more than there are", number, url.ptr);
        got[n_got++] = (int)id;
    }
    if (order == 0)
        qsort(got, (size_t)n_got, sizeof *got, by_number);
    bool equal = n_wanted == (size_t)n_got;
    for (size_t i = 0; equal && i < n_wanted; i++)
        equal = wanted[i].i == got[i];
    if (!equal)
        fail_msg("query %d %s: %d results, expected %zu, or in another order", number, url.ptr,
                 n_got, n_wanted);
}

/* ---- questions about patients: what refers to them ---- */

static bool has_such(struct world *w, int patient, const struct part *parts, int n)
{
    for (int i = 0; i < OBSERVATIONS; i++) {
        const struct observation *o = &w->observations[i];
        bool yes = !o->gone && o->patient == patient;
        for (int p = 0; yes && p < n; p++)
            yes = holds(w, &parts[p], o);
        if (yes)
            return true;
    }
    return false;
}

/* Each _has asks by itself: two of them may be met by two observations. */
static void same_patients(struct world *w, int number)
{
    enum { ASKED = 2 };
    struct part parts[ASKED];
    int n = 1 + below(w, ASKED), got = 0;
    bool wanted[PATIENTS], family = below(w, 3) == 0;
    med_arena *a = w->k->arena;
    const char *start = PICK(w, starts);
    med_arena_reset(a);
    med_str url = MED_STR("Patient?");
    for (int i = 0; i < n; i++)
        url = med_arena_printf(a, "%s_has:Observation:%s:%s&", url.ptr,
                               below(w, 2) ? "patient" : "subject", make_part(w, &parts[i]).ptr);
    if (family)
        url = med_arena_printf(a, "%sname=%s&", url.ptr, start);
    url = med_arena_printf(a, "%s_count=%d&_total=accurate", url.ptr, below(w, 2) ? 4 : 100);
    uint64_t count = 0;
    for (int i = 0; i < PATIENTS; i++) {
        wanted[i] = !family || has_name(w, &w->patients[i], start);
        for (int p = 0; wanted[i] && p < n; p++)
            wanted[i] = has_such(w, i, &parts[p], 1);
        count += wanted[i];
    }
    med_search_result first;
    med_str ids = kit_search(w->k, url.ptr, &first);
    if (first.total != count)
        fail_msg("query %d %s: total %d, expected %d", number, url.ptr, (int)first.total,
                 (int)count);
    for (; ids.len > 0; got++) {
        int64_t id = -1;
        assert_true(med_str_to_int64(med_str_skip(med_str_cut(ids, ',', &ids), 1), &id));
        if (id < 0 || id >= PATIENTS || !wanted[id])
            fail_msg("query %d %s: p%d", number, url.ptr, (int)id);
        wanted[id] = false;
    }
    if ((uint64_t)got != count)
        fail_msg("query %d %s: %d results, expected %d", number, url.ptr, got, (int)count);
}

/* ---- includes: the patients of the page, each once ---- */

static void same_includes(struct world *w, int number)
{
    struct part part;
    bool there[PATIENTS] = {false};
    med_search_result first;
    med_arena_reset(w->k->arena);
    med_str url = med_arena_printf(w->k->arena, "Observation?%s&_count=7&_include=Observation:%s",
                                   make_part(w, &part).ptr, below(w, 2) ? "patient" : "subject");
    (void)kit_search(w->k, url.ptr, &first);
    size_t included = 0, expected = 0;
    for (size_t i = 0; i < first.n; i++) {
        int64_t id = -1;
        assert_true(med_str_to_int64(med_str_skip(first.entries[i].resource.id, 1), &id));
        if (first.entries[i].mode == MED_ENTRY_INCLUDE) {
            included++;
            continue;
        }
        int patient = w->observations[id].patient;
        expected += patient >= 0 && !there[patient];
        if (patient >= 0)
            there[patient] = true;
    }
    if (included != expected)
        fail_msg("query %d %s: %zu included, expected %zu", number, url.ptr, included, expected);
}

static void find_rids(struct world *w)
{
    struct kit *k = w->k;
    med_view *v = kit_view(k);
    med_err err = {0};
    med_match *at;
    size_t n;
    for (int i = 0; i < OBSERVATIONS; i++) {
        struct observation *o = &w->observations[i];
        if (o->gone)
            continue;
        const med_query *q =
            kit_query(k, med_arena_printf(k->arena, "Observation?_id=o%d", i).ptr, &err);
        assert_true(med_search_match(k->schema, v, k->arena, q, 1, &at, &n, &err));
        assert_int_equal(n, 1);
        o->rid = at[0].rid;
    }
    med_view_end(v);
}

static void gives_what_the_model_gives(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->k = *state;
    w->seed = first_seed;
    print_message("seed %llu\n", (unsigned long long)w->seed);
    for (int i = 0; i < PATIENTS; i++)
        make_patient(w, i);
    for (int i = 0; i < OBSERVATIONS; i++)
        make_observation(w, i);
    for (int round = 0; round < 3; round++) {
        find_rids(w);
        for (int i = 0; i < queries / 3; i++) {
            same(w, round * queries / 3 + i);
            if (i % 4 == 0)
                same_patients(w, i);
            if (i % 16 == 0)
                same_includes(w, i);
        }
        for (int i = 0; i < 20; i++) { /* writes in between */
            int at = below(w, OBSERVATIONS);
            if (below(w, 3) == 0 && !w->observations[at].gone) {
                kit_delete(w->k, "Observation", med_arena_printf(w->k->arena, "o%d", at).ptr);
                w->observations[at].gone = true;
            } else {
                make_observation(w, at);
            }
        }
    }
    free(w);
}

/* test_search_model [SEED]; MEDULLA_LONG=1: twenty times as many queries. */
int main(int n, char **words)
{
    const char *is_long = getenv("MEDULLA_LONG");
    int64_t seed;
    if (n > 1 && med_str_to_int64(med_str_from(words[1]), &seed) && seed > 0)
        first_seed = (uint64_t)seed;
    if (is_long != NULL && is_long[0] == '1')
        queries = 20 * QUERIES;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_what_the_model_gives, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
