/* schema.c - see schema.h. */
#include "search/schema.h"

/* Dates that say when something happened to the patient, best first; the compartment index is
 * ordered by it. A type's own parameter of the first code it has is taken. */
static const med_str date_codes[] = {
    MED_LIT("date"),           MED_LIT("onset-date"),  MED_LIT("authoredon"),
    MED_LIT("authored"),       MED_LIT("authored-on"), MED_LIT("whenhandedover"),
    MED_LIT("effective-time"), MED_LIT("effective"),   MED_LIT("occurrence"),
    MED_LIT("period"),         MED_LIT("created"),     MED_LIT("recorded-date"),
    MED_LIT("start-date"),     MED_LIT("started"),     MED_LIT("sent"),
    MED_LIT("collected"),      MED_LIT("recorded"),    MED_LIT("issued"),
};

/* Tokens asked for together with a patient: kept clustered by patient, too. */
static const med_str patient_token_codes[] = {
    MED_LIT("code"),         MED_LIT("category"), MED_LIT("type"),
    MED_LIT("vaccine-code"), MED_LIT("class"),
};

static void find_known(med_search_schema *s)
{
    const med_pack *p = s->pack;
    s->known = (med_known_types){
        .coding = med_pack_type(p, MED_STR("Coding")),
        .codeable_concept = med_pack_type(p, MED_STR("CodeableConcept")),
        .identifier = med_pack_type(p, MED_STR("Identifier")),
        .contact_point = med_pack_type(p, MED_STR("ContactPoint")),
        .quantity = med_pack_type(p, MED_STR("Quantity")),
        .money = med_pack_type(p, MED_STR("Money")),
        .range = med_pack_type(p, MED_STR("Range")),
        .period = med_pack_type(p, MED_STR("Period")),
        .timing = med_pack_type(p, MED_STR("Timing")),
        .reference = med_pack_type(p, MED_STR("Reference")),
        .human_name = med_pack_type(p, MED_STR("HumanName")),
        .address = med_pack_type(p, MED_STR("Address")),
        .patient = med_pack_type(p, MED_STR("Patient")),
        .sampled_data = med_pack_type(p, MED_STR("SampledData")),
        .ratio = med_pack_type(p, MED_STR("Ratio")),
    };
}

/* ---- numbers ---- */

static bool number_types(med_arena *a, med_search_schema *s, med_err *err)
{
    size_t n;
    const med_type *resources = med_pack_resources(s->pack, &n);
    med_str *names = MED_TAKE(a, n, med_str);
    uint32_t *numbers = MED_TAKE(a, n, uint32_t);
    if (names == NULL || numbers == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++)
        names[i] = med_type_name(s->pack, resources[i]);
    if (!med_store_intern(s->store, MED_NAME_TYPE, names, n, numbers, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        s->type_numbers[resources[i]] = numbers[i];
        if (numbers[i] >= s->n_numbers)
            s->n_numbers = (size_t)numbers[i] + 1;
    }
    s->types = MED_TAKE(a, s->n_numbers, med_type);
    if (s->types == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < s->n_numbers; i++)
        s->types[i] = MED_TYPE_NONE;
    for (size_t i = 0; i < n; i++)
        s->types[numbers[i]] = resources[i];
    return true;
}

/* "Observation.code" for all types and their parameters. */
static bool name_params(med_arena *a, const med_search_schema *s, med_str *names, size_t *n)
{
    for (size_t i = 0; i < s->n_numbers; i++) {
        size_t count = 0;
        const uint32_t *rows =
            s->types[i] == MED_TYPE_NONE ? NULL : med_type_params(s->pack, s->types[i], &count);
        for (size_t k = 0; k < count; k++) {
            med_param p;
            med_pack_param(s->pack, rows[k], &p);
            med_str name =
                med_arena_printf(a, "%.*s.%.*s", MED_STR_ARG(med_type_name(s->pack, s->types[i])),
                                 MED_STR_ARG(p.code));
            if (name.len == 0)
                return false;
            if (names != NULL)
                names[*n] = name;
            (*n)++;
        }
    }
    return true;
}

static bool number_params(med_arena *a, med_search_schema *s, med_err *err)
{
    size_t n = 0, at = 0;
    med_arena *scratch = med_arena_new((size_t)16 << 20);
    bool ok = scratch != NULL && name_params(scratch, s, NULL, &n);
    med_str *names = ok ? MED_TAKE(scratch, n, med_str) : NULL;
    uint32_t *numbers = ok ? MED_TAKE(scratch, n, uint32_t) : NULL;
    s->param_numbers = MED_TAKE(a, s->n_numbers * s->n_params, uint32_t);
    n = 0;
    ok = names != NULL && numbers != NULL && s->param_numbers != NULL
         && name_params(scratch, s, names, &n);
    if (!ok)
        (void)MED_FAIL_MEMORY(err);
    ok = ok && med_store_intern(s->store, MED_NAME_PARAM, names, n, numbers, err);
    for (size_t i = 0; ok && i < s->n_numbers; i++) {
        size_t count = 0;
        const uint32_t *rows =
            s->types[i] == MED_TYPE_NONE ? NULL : med_type_params(s->pack, s->types[i], &count);
        for (size_t k = 0; k < count; k++)
            s->param_numbers[i * s->n_params + rows[k]] = numbers[at++];
    }
    med_arena_free(scratch);
    return ok;
}

/* ---- what is known of each type's parameters ---- */

static void set_bit(uint64_t *map, size_t words, med_type t, uint32_t row)
{
    map[(size_t)t * words + row / 64] |= UINT64_C(1) << (row % 64);
}

static uint32_t date_param_of(const med_search_schema *s, med_type t)
{
    for (size_t i = 0; i < sizeof date_codes / sizeof *date_codes; i++) {
        med_param p;
        if (med_pack_find_param(s->pack, t, date_codes[i], &p) && p.type == MED_PARAM_DATE)
            return p.index;
    }
    return UINT32_MAX;
}

/* The part of a multi-base expression that is about `type`: "Observation.subject.where(...)". */
static med_str expression_part(const med_pack *pack, med_type t, med_str expression)
{
    med_str name = med_type_name(pack, t);
    while (expression.len > 0) {
        med_str part = med_str_trim(med_str_cut(expression, '|', &expression));
        if (med_str_starts(part, name) && part.len > name.len && part.ptr[name.len] == '.')
            return part;
    }
    return MED_STR_EMPTY;
}

static const med_str patient_filter = MED_LIT(".where(resolve() is Patient)");

/* For `patient` = Type.subject.where(resolve() is Patient): the row of `subject`. */
static uint32_t narrowed_row(const med_search_schema *s, med_type t, const med_param *narrow)
{
    med_str part = expression_part(s->pack, t, narrow->expression);
    if (narrow->type != MED_PARAM_REFERENCE || !med_str_ends(part, patient_filter))
        return narrow->index;
    part.len -= patient_filter.len;
    size_t n;
    const uint32_t *rows = med_type_params(s->pack, t, &n);
    for (size_t i = 0; i < n; i++) {
        med_param p;
        med_pack_param(s->pack, rows[i], &p);
        bool same = p.type == MED_PARAM_REFERENCE
                    && med_str_eq(expression_part(s->pack, t, p.expression), part);
        if (same)
            return p.index;
    }
    return narrow->index;
}

uint32_t med_schema_stored_row(const med_search_schema *s, med_type t, uint32_t row)
{
    med_param p;
    if (t == MED_TYPE_NONE || !med_schema_bit(s->aliased, s->words, t, row))
        return row;
    med_pack_param(s->pack, row, &p);
    return narrowed_row(s, t, &p);
}

static void describe_type(med_search_schema *s, med_type t)
{
    size_t n;
    const uint32_t *rows = med_type_patient_params(s->pack, t, &n);
    for (size_t i = 0; i < n; i++)
        set_bit(s->patient_params, s->words, t, rows[i]);
    rows = med_type_params(s->pack, t, &n);
    for (size_t i = 0; i < n; i++) {
        med_param p;
        med_pack_param(s->pack, rows[i], &p);
        if (narrowed_row(s, t, &p) != rows[i])
            set_bit(s->aliased, s->words, t, rows[i]);
    }
    s->date_params[t] = date_param_of(s, t);
}

uint8_t med_schema_token_places(const med_search_schema *s, med_type t, uint32_t row)
{
    size_t n;
    (void)med_type_patient_params(s->pack, t, &n);
    if (n == 0)
        return MED_ROW_GLOBAL;
    med_param p;
    med_pack_param(s->pack, row, &p);
    for (size_t i = 0; i < sizeof patient_token_codes / sizeof *patient_token_codes; i++) {
        if (med_str_eq(p.code, patient_token_codes[i]))
            return MED_ROW_GLOBAL | MED_ROW_PATIENT;
    }
    return MED_ROW_GLOBAL;
}

static bool take_tables(med_arena *a, med_search_schema *s)
{
    s->n_types = med_pack_type_count(s->pack);
    s->n_params = med_pack_param_count(s->pack);
    s->words = (s->n_params + 63) / 64;
    s->type_numbers = MED_TAKE(a, s->n_types, uint32_t);
    s->date_params = MED_TAKE(a, s->n_types, uint32_t);
    s->patient_params = MED_TAKE(a, s->n_types * s->words, uint64_t);
    s->aliased = MED_TAKE(a, s->n_types * s->words, uint64_t);
    return s->type_numbers != NULL && s->date_params != NULL && s->patient_params != NULL
           && s->aliased != NULL;
}

bool med_search_schema_new(med_arena *a, const med_pack *p, med_store *store,
                           const med_search_schema **out, med_err *err)
{
    med_search_schema *s = MED_TAKE(a, 1, med_search_schema);
    if (s == NULL)
        return MED_FAIL_MEMORY(err);
    s->pack = p;
    s->store = store;
    if (!take_tables(a, s))
        return MED_FAIL_MEMORY(err);
    find_known(s);
    if (!number_types(a, s, err) || !number_params(a, s, err))
        return false;
    size_t n;
    const med_type *resources = med_pack_resources(p, &n);
    for (size_t i = 0; i < n; i++)
        describe_type(s, resources[i]);
    *out = s;
    return true;
}

uint32_t med_schema_type(const med_search_schema *s, med_type t)
{
    return t < s->n_types ? s->type_numbers[t] : 0;
}

med_type med_schema_pack_type(const med_search_schema *s, uint32_t number)
{
    return number < s->n_numbers ? s->types[number] : MED_TYPE_NONE;
}

const med_pack *med_schema_pack(const med_search_schema *s)
{
    return s->pack;
}
