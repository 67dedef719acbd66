/* schema.c - see schema.h. */
#include "search/schema.h"

#include "model/walk.h"
#include "search/param_path.h"

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

/* Each of these is referred to by ever more. */
static const med_str hub_types[] = {
    MED_LIT("Practitioner"),      MED_LIT("PractitionerRole"),
    MED_LIT("Organization"),      MED_LIT("Location"),
    MED_LIT("HealthcareService"), MED_LIT("Device"),
    MED_LIT("CareTeam"),          MED_LIT("Group"),
    MED_LIT("Schedule"),
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
    for (size_t i = 0; i < sizeof hub_types / sizeof *hub_types; i++)
        s->hubs[med_pack_type(p, hub_types[i])] = true;
    for (enum med_added_rows r = 0; r < MED_ADDED_ROWS; r++)
        s->has_rows[r] = true;
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
    s->params = MED_TAKE(a, s->n_numbers * s->n_params, med_param_info);
    n = 0;
    ok =
        names != NULL && numbers != NULL && s->params != NULL && name_params(scratch, s, names, &n);
    if (!ok)
        (void)MED_FAIL_MEMORY(err);
    ok = ok && med_store_intern(s->store, MED_NAME_PARAM, names, n, numbers, err);
    for (size_t i = 0; ok && i < s->n_numbers; i++) {
        size_t count = 0;
        const uint32_t *rows =
            s->types[i] == MED_TYPE_NONE ? NULL : med_type_params(s->pack, s->types[i], &count);
        for (size_t k = 0; k < count; k++)
            s->params[i * s->n_params + rows[k]].number = numbers[at++];
    }
    med_arena_free(scratch);
    return ok;
}

/* ---- what is known of each type's parameters ---- */

static uint32_t date_param_of(const med_search_schema *s, med_type t)
{
    for (size_t i = 0; i < sizeof date_codes / sizeof *date_codes; i++) {
        med_param p;
        if (med_pack_find_param(s->pack, t, date_codes[i], &p) && p.type == MED_PARAM_DATE
            && p.index < s->first_added)
            return p.index;
    }
    return UINT32_MAX;
}

/* The date by which a type is asked for together with a hub. When a claim was made out is no such
 * question, and claims are many. */
static uint32_t hub_date_of(const med_search_schema *s, med_type t)
{
    med_param p;
    uint32_t row = s->date_params[t];
    if (row == UINT32_MAX)
        return 0;
    const med_param_info *info = med_schema_info(s, t, row);
    med_pack_param(s->pack, row, &p);
    return info->stored && info->single && !med_str_eqz(p.code, "created") ? info->number : 0;
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

/* ---- all parameters of a type ---- */

static uint8_t token_places(const med_search_schema *s, med_type t, med_str code)
{
    size_t n;
    (void)med_type_patient_params(s->pack, t, &n);
    for (size_t i = 0; n > 0 && i < sizeof patient_token_codes / sizeof *patient_token_codes; i++) {
        if (med_str_eq(code, patient_token_codes[i]))
            return MED_ROW_GLOBAL | MED_ROW_PATIENT;
    }
    return MED_ROW_GLOBAL;
}

/* Id and last update are the store's own columns; composites are decided on the resource. */
static bool is_stored(const med_param *p)
{
    return p->type != MED_PARAM_COMPOSITE && p->type != MED_PARAM_SPECIAL
           && !med_str_eqz(p->code, "_id") && !med_str_eqz(p->code, "_lastUpdated");
}

/* A composite of a code and a quantity has rows of both together. */
static bool is_pair(const med_pack *pack, const med_param *p)
{
    med_param parts[2];
    if (p->type != MED_PARAM_COMPOSITE || p->n_components != 2)
        return false;
    for (size_t i = 0; i < 2; i++)
        med_pack_param(pack, p->components[i], &parts[i]);
    return parts[0].type == MED_PARAM_TOKEN && parts[1].type == MED_PARAM_QUANTITY;
}

static void describe_param(med_search_schema *s, med_type t, const med_param *p)
{
    med_param_info *info = &s->params[(size_t)s->type_numbers[t] * s->n_params + p->index];
    info->answered = narrowed_row(s, t, p);
    info->type = (uint8_t)p->type;
    info->places = token_places(s, t, p->code);
    info->stored = is_stored(p) && info->answered == p->index;
    info->pairs = is_pair(s->pack, p);
    info->single = info->pairs ? med_str_eq(p->expression, med_type_name(s->pack, t))
                               : med_param_is_single(s->pack, t, p->expression);
    info->ranges = p->type == MED_PARAM_QUANTITY && med_param_has_range(s->pack, t, p->expression);
}

/* ---- what is two others in one ---- */

static bool is_of_parts(const med_search_schema *s, med_type t, const med_param *all,
                        const med_param *a, const med_param *b)
{
    for (size_t i = 0; i < all->n_components; i++) {
        med_param parts[3];
        med_pack_param(s->pack, all->components[i], &parts[0]);
        med_pack_param(s->pack, a->components[i], &parts[1]);
        med_pack_param(s->pack, b->components[i], &parts[2]);
        if (!med_param_is_union(s->pack, t, parts[0].expression, parts[1].expression,
                                parts[2].expression))
            return false;
    }
    return med_param_is_union(s->pack, t, all->expression, a->expression, b->expression);
}

static bool may_unite(const med_search_schema *s, med_type t, const med_param *p)
{
    const med_param_info *info = med_schema_info(s, t, p->index);
    return p->index < s->first_added
           && ((p->type == MED_PARAM_QUANTITY && info->stored) || info->pairs);
}

/* combo-value-quantity is value-quantity and component-value-quantity: their rows are enough. */
static void find_union(med_search_schema *s, med_type t, const med_param *all)
{
    size_t n;
    const uint32_t *rows = med_type_params(s->pack, t, &n);
    med_param_info *of = &s->params[(size_t)s->type_numbers[t] * s->n_params];
    for (size_t i = 0; may_unite(s, t, all) && i < n; i++) {
        for (size_t k = i + 1; k < n; k++) {
            med_param a, b;
            med_pack_param(s->pack, rows[i], &a);
            med_pack_param(s->pack, rows[k], &b);
            if (a.type != all->type || b.type != all->type || !may_unite(s, t, &a)
                || !may_unite(s, t, &b) || of[a.index].also[0] != 0 || of[b.index].also[0] != 0
                || !is_of_parts(s, t, all, &a, &b))
                continue;
            of[all->index].also[0] = of[a.index].number;
            of[all->index].also[1] = of[b.index].number;
            of[all->index].stored = false;
            return;
        }
    }
}

static void describe_type(med_search_schema *s, med_type t)
{
    size_t n;
    const uint32_t *rows = med_type_params(s->pack, t, &n);
    for (size_t i = 0; i < n; i++) {
        med_param p;
        med_pack_param(s->pack, rows[i], &p);
        describe_param(s, t, &p);
    }
    for (size_t i = 0; i < n; i++) {
        med_param p;
        med_pack_param(s->pack, rows[i], &p);
        find_union(s, t, &p);
    }
    rows = med_type_patient_params(s->pack, t, &n);
    for (size_t i = 0; i < n; i++) {
        med_param_info *of = &s->params[(size_t)s->type_numbers[t] * s->n_params];
        of[of[rows[i]].answered].compartment = true;
    }
    s->date_params[t] = date_param_of(s, t);
    s->hub_dates[t] = hub_date_of(s, t);
}

/* What is no path is compiled once, for every type that has it. */
static bool compile_rest(med_arena *a, med_search_schema *s, med_type t, med_err *err)
{
    size_t n;
    const uint32_t *rows = med_walk_rest(s->pack, t, &n);
    for (size_t i = 0; i < n; i++) {
        med_param p;
        med_pack_param(s->pack, rows[i], &p);
        if (s->programs[rows[i]] == NULL && p.expression.len > 0
            && !med_fhirpath_compile(a, s->pack, p.expression, MED_TYPE_NONE, &s->programs[rows[i]],
                                     err))
            return false;
    }
    return true;
}

/* ---- scratch arenas ---- */

static void med_scratch_end(void *arg)
{
    med_scratch_pool *pool = arg;
    for (size_t i = 0; i < pool->n; i++)
        med_arena_free(pool->idle[i]);
    (void)pthread_mutex_destroy(&pool->lock);
}

med_arena *med_scratch_take(const med_search_schema *s)
{
    med_scratch_pool *pool = s->scratch;
    (void)pthread_mutex_lock(&pool->lock);
    med_arena *a = pool->n > 0 ? pool->idle[--pool->n] : NULL;
    (void)pthread_mutex_unlock(&pool->lock);
    return a != NULL ? a : med_arena_new(MED_SCRATCH_BYTES);
}

void med_scratch_give(const med_search_schema *s, med_arena *a)
{
    med_scratch_pool *pool = s->scratch;
    if (a == NULL)
        return;
    med_arena_reset(a);
    (void)pthread_mutex_lock(&pool->lock);
    bool kept = pool->n < MED_SCRATCH_IDLE;
    if (kept)
        pool->idle[pool->n++] = a;
    (void)pthread_mutex_unlock(&pool->lock);
    if (!kept)
        med_arena_free(a);
}

static bool take_tables(med_arena *a, med_search_schema *s)
{
    s->n_types = med_pack_type_count(s->pack);
    s->n_params = med_pack_param_count(s->pack);
    s->type_numbers = MED_TAKE(a, s->n_types, uint32_t);
    s->date_params = MED_TAKE(a, s->n_types, uint32_t);
    s->hubs = MED_TAKE(a, s->n_types, bool);
    s->hub_dates = MED_TAKE(a, s->n_types, uint32_t);
    s->scratch = MED_TAKE(a, 1, med_scratch_pool);
    s->units = med_unit_cache_new(a);
    s->programs = MED_TAKE(a, s->n_params, const med_fhirpath *);
    return s->type_numbers != NULL && s->date_params != NULL && s->hubs != NULL
           && s->hub_dates != NULL && s->programs != NULL && s->scratch != NULL && s->units != NULL
           && med_arena_defer(a, med_scratch_end, s->scratch);
}

bool med_search_schema_new(med_arena *a, const med_pack *p, med_store *store,
                           const med_search_schema **out, med_err *err)
{
    return med_search_schema_in_zone(a, p, store, 0, out, err);
}

bool med_search_schema_in_zone(med_arena *a, const med_pack *p, med_store *store, int zone_minutes,
                               const med_search_schema **out, med_err *err)
{
    return med_search_schema_extended(a, p, store, zone_minutes, (uint32_t)med_pack_param_count(p),
                                      NULL, NULL, out, err);
}

bool med_search_schema_extended(med_arena *a, const med_pack *p, med_store *store, int zone_minutes,
                                uint32_t first_added, const med_param_progress *const *added,
                                const bool *ready, const med_search_schema **out, med_err *err)
{
    med_search_schema *s = MED_TAKE(a, 1, med_search_schema);
    if (s == NULL)
        return MED_FAIL_MEMORY(err);
    s->first_added = first_added;
    s->added = added;
    s->ready = ready;
    s->pack = p;
    s->store = store;
    s->zone_minutes = zone_minutes;
    if (!take_tables(a, s) || pthread_mutex_init(&s->scratch->lock, NULL) != 0)
        return MED_FAIL_MEMORY(err);
    find_known(s);
    if (!number_types(a, s, err) || !number_params(a, s, err))
        return false;
    size_t n;
    const med_type *resources = med_pack_resources(p, &n);
    for (size_t i = 0; i < n; i++) {
        describe_type(s, resources[i]);
        if (!compile_rest(a, s, resources[i], err))
            return false;
    }
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

uint32_t med_schema_number(const med_search_schema *s, med_type t, uint32_t row)
{
    const med_param_info *info = med_schema_info(s, t, row);
    return info->stored ? info->number : 0;
}

bool med_schema_is_ready(const med_search_schema *s, uint32_t row)
{
    return row < s->first_added || s->ready[row - s->first_added];
}

bool med_schema_check_ready(const med_search_schema *s, const med_param *p, med_err *err)
{
    if (med_schema_is_ready(s, p->index))
        return true;
    const med_param_progress *at = s->added[p->index - s->first_added];
    uint64_t done = atomic_load(&at->done), total = atomic_load(&at->total);
    if (atomic_load(&at->stopped))
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                        "search parameter '%.*s' is not ready and its indexing has stopped; the "
                        "administrator finds the reason with `medulla tasks`",
                        MED_STR_ARG(med_str_sub(p->code, 0, 40)))
               || med_err_status(err, 400);
    return MED_FAIL(err, MED_ISSUE_TRANSIENT,
                    "search parameter '%.*s' is not ready: what is stored is being indexed for it "
                    "(%lu of about %lu resources); try again later",
                    MED_STR_ARG(med_str_sub(p->code, 0, 40)), (unsigned long)done,
                    (unsigned long)(total > done ? total : done));
}

const med_pack *med_schema_pack(const med_search_schema *s)
{
    return s->pack;
}
