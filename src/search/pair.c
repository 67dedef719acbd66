/* pair.c - see pair.h. https://hl7.org/fhir/R4/search.html#combining */
#include "search/pair.h"

#include "search/param_path.h"

uint64_t med_pair_unit(const med_store *s, uint64_t token, uint64_t unit)
{
    const uint64_t both[] = {token, unit};
    return med_store_hash(s, (med_str){(const char *)both, sizeof both});
}

/* ---- rows ---- */

enum { CODE, VALUE, PARTS };

typedef struct element {
    med_extraction rows;
    enum med_param_type kind;
} element;

static bool take_part(void *arg, const med_walk_value *value, med_err *err)
{
    element *e = arg;
    return med_extract_one(&e->rows, e->kind, value->param, value, err);
}

static bool take_parts(element *e, const med_walk_value *at, size_t part, med_err *err)
{
    const med_extraction *x = &e->rows;
    e->kind = part == CODE ? MED_PARAM_TOKEN : MED_PARAM_QUANTITY;
    return med_walk_component(x->schema->pack, x->j, x->root, x->type, at, part, take_part, e, err);
}

/* Most elements have no value that is a quantity: then the codes are not asked for. */
bool med_extract_pairs(med_extraction *x, const med_walk_value *at, med_err *err)
{
    element e = {.rows = {.schema = x->schema,
                          .arena = x->arena,
                          .j = x->j,
                          .root = x->root,
                          .type = x->type,
                          .base = x->base}};
    const med_rows *rows = &e.rows.rows;
    uint32_t number = med_schema_info(x->schema, x->type, at->param)->number;
    if (!take_parts(&e, at, VALUE, err))
        return false;
    if (rows->n_quantities == 0)
        return true;
    if (!take_parts(&e, at, CODE, err))
        return false;
    for (size_t i = 0; i < rows->n_tokens; i++) {
        for (size_t k = 0; k < rows->n_quantities; k++) {
            med_quantity_row row = rows->quantities[k];
            row.param = number;
            row.unit = med_pair_unit(x->schema->store, rows->tokens[i].hash, row.unit);
            if (!med_rows_add_quantity(x, row))
                return MED_FAIL_MEMORY(err);
        }
    }
    return true;
}

/* ---- queries ---- */

typedef struct binding {
    med_run *run;
    med_pair_key *at;
    size_t n;
    uint64_t of_codes; /* resources that have them */
    bool possible;
} binding;

static bool has_pair(const binding *to, uint64_t unit, const med_clause *value)
{
    for (size_t i = 0; i < to->n; i++) {
        if (to->at[i].unit == unit && to->at[i].value == value)
            return true;
    }
    return false;
}

static void add_key(binding *to, uint64_t key, const med_clause *value)
{
    const med_term *t = &value->terms[0];
    for (size_t i = 0; to->possible && i < t->n_measures; i++) {
        uint64_t unit = med_pair_unit(to->run->q->schema->store, key, t->measures[i].unit);
        if (has_pair(to, unit, value))
            continue;
        to->possible = to->n < MED_PAIRS;
        if (to->possible)
            to->at[to->n++] = (med_pair_key){unit, value, i};
    }
}

/* Only codes that are there. */
static bool add_keys(binding *to, const med_clause *parts, const uint64_t *keys, size_t n,
                     med_err *err)
{
    for (size_t i = 0; to->possible && i < n; i++) {
        uint64_t count;
        if (!med_view_count_token(to->run->view, parts[CODE].number, keys[i], &count, err))
            return false;
        if (count > 0)
            add_key(to, keys[i], &parts[VALUE]);
        to->of_codes += count;
    }
    return true;
}

/* A system alone may be in no dictionary, and a hash says less than a code with a bar inside. */
static bool bind_alternative(binding *to, const med_clause *parts, med_err *err)
{
    const med_run *r = to->run;
    const med_clause *code = &parts[CODE];
    const med_term *t = &code->terms[0];
    uint64_t *found = NULL;
    size_t n = 0;
    if (t->needs_dictionary
        && !med_view_codes(r->view, r->arena, code->number, t->system, t->code, &found, &n, err))
        return false;
    to->possible = to->possible && !code->barred && (t->code.len > 0 || t->n_keys + n > 0);
    return add_keys(to, parts, t->keys, t->n_keys, err) && add_keys(to, parts, found, n, err);
}

bool med_bind_pairs(med_run *r, med_bound *b, med_err *err)
{
    const med_clause *c = b->clause;
    binding to = {.run = r, .possible = c->pairs && r->q->schema->has_rows[MED_ROWS_OF_PAIRS]};
    b->needs_body = true;
    if (!to.possible)
        return true;
    to.at = MED_TAKE(r->arena, MED_PAIRS, med_pair_key);
    if (to.at == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; to.possible && i < c->n; i++) {
        if (!bind_alternative(&to, &c->parts[i * PARTS], err))
            return false;
    }
    if (!to.possible)
        return true;
    b->pairs = to.at;
    b->n_pairs = to.n;
    b->of_codes = to.of_codes;
    b->paired = b->can_drive = true;
    return true;
}

bool med_pair_may_match(const med_pair_key *p, double low, double high, bool *sure)
{
    const med_term *t = &p->value->terms[0];
    return med_measure_may_match(t->prefix, &t->measures[p->measure], low, high, sure);
}
