/* commit_rows.c - the index rows, codes, counters and feed entry of one step. */
#include "store/commit_rules.h"

static bool intern(const struct writing *x, uint64_t ident, med_rid *rid, med_err *err)
{
    return x->rules->ops->intern(x->rules->store, ident, med_rules_home(x->plan, ident), rid, err);
}

/* Targets that no reference row covers: both lists may be long, so one is sorted. */
static bool resolve_targets(const struct writing *x, struct rowset *r, med_err *err)
{
    const med_rows *rows = &x->write->rows;
    med_rid *targets = MED_TAKE(x->rules->scratch, rows->n_targets, med_rid);
    med_rid *covered = MED_TAKE(x->rules->scratch, r->n_references, med_rid);
    if (targets == NULL || covered == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < r->n_references; i++)
        covered[i] = r->references[i].target;
    if (r->n_references > 1)
        qsort(covered, r->n_references, sizeof *covered, med_rid_compare);
    for (size_t i = 0; i < rows->n_targets; i++) {
        med_rid rid = 0;
        if (!intern(x, rows->targets[i].ident, &rid, err))
            return false;
        if (r->n_references == 0
            || bsearch(&rid, covered, r->n_references, sizeof rid, med_rid_compare) == NULL)
            targets[r->n_targets++] = rid;
    }
    r->targets = targets;
    return true;
}

static bool resolve_references(const struct writing *x, struct rowset *r, med_err *err)
{
    const med_rows *rows = &x->write->rows;
    med_reference_row *to = MED_TAKE(x->rules->scratch, rows->n_references, med_reference_row);
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < rows->n_references; i++) {
        to[i].param = rows->references[i].param;
        if (!intern(x, rows->references[i].target, &to[i].target, err))
            return false;
    }
    r->references = to;
    r->n_references = rows->n_references;
    return true;
}

static bool resolve_patients(const struct writing *x, struct rowset *r, med_err *err)
{
    const med_rows *rows = &x->write->rows;
    med_rid *to = MED_TAKE(x->rules->scratch, rows->n_patients, med_rid);
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < rows->n_patients; i++) {
        if (!intern(x, rows->patients[i], &to[i], err))
            return false;
    }
    r->patients = to;
    r->n_patients = rows->n_patients;
    return true;
}

bool med_rules_resolve(const struct writing *x, struct rowset *r, med_err *err)
{
    const med_rows *rows = &x->write->rows;
    *r = (struct rowset){
        .when = rows->when == MED_TIME_MIN ? x->commit->updated : rows->when,
        .tokens = rows->tokens,
        .n_tokens = rows->n_tokens,
        .dates = rows->dates,
        .n_dates = rows->n_dates,
        .strings = rows->strings,
        .n_strings = rows->n_strings,
        .quantities = rows->quantities,
        .n_quantities = rows->n_quantities,
        .uris = rows->uris,
        .n_uris = rows->n_uris,
    };
    return resolve_patients(x, r, err) && resolve_references(x, r, err)
           && resolve_targets(x, r, err);
}

bool med_rules_old_rows(const struct writing *x, struct rowset *r, med_err *err)
{
    const struct step *step = x->step;
    *r = (struct rowset){0};
    if (!step->live || step->rowset.len == 0)
        return true;
    const med_hash_key *key = med_keyring_check(x->rules->keys, step->row.key);
    if (key == NULL)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the key of a stored version is missing");
    return med_rowset_read(r, x->rules->scratch, step->rowset, *key, err);
}

static bool push(const struct writing *x, const struct index_row *row, bool cut, med_err *err)
{
    struct index_row pushed = *row;
    pushed.cut = cut;
    return med_pending_add(x->rules->pending, &pushed) || MED_FAIL_MEMORY(err);
}

/* Both lists are sorted: what is only in the old goes, what is only in the new comes. */
static bool push_difference(const struct writing *x, const struct index_row *old, size_t n_old,
                            const struct index_row *new, size_t n_new, med_err *err)
{
    size_t i = 0;
    size_t k = 0;
    bool good = true;
    while (good && (i < n_old || k < n_new)) {
        int order = k == n_new ? -1 : i == n_old ? 1 : med_index_row_compare(&old[i], &new[k]);
        if (order < 0)
            good = push(x, &old[i], true, err);
        else if (order > 0)
            good = push(x, &new[k], false, err);
        i += order <= 0;
        k += order >= 0;
    }
    return good;
}

static bool count_tokens(const struct writing *x, const struct rowset *r, int64_t delta,
                         med_err *err)
{
    for (size_t i = 0; i < r->n_tokens; i++) {
        if ((r->tokens[i].places & MED_ROW_COUNTED) != 0
            && !med_tallies_add(x->rules->tallies, r->tokens[i].param, r->tokens[i].hash, delta))
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

static bool push_updated(const struct writing *x, int64_t moment, bool cut, med_err *err)
{
    struct index_row row = {.table = TABLE_UPDATED,
                            .a = x->write->type,
                            .b = moment,
                            .rid = x->step->rid,
                            .text = MED_STR_EMPTY};
    return push(x, &row, cut, err);
}

bool med_rules_write_rows(const struct writing *x, const struct rowset *new, med_err *err)
{
    struct rowset old;
    struct index_row *old_rows = NULL;
    struct index_row *new_rows = NULL;
    size_t n_old = 0;
    size_t n_new = 0;
    med_arena *a = x->rules->scratch;
    return med_rules_old_rows(x, &old, err)
           && med_rowset_expand(&old, x->step->rid, x->write->type, a, &old_rows, &n_old, err)
           && (new == NULL
               || med_rowset_expand(new, x->step->rid, x->write->type, a, &new_rows, &n_new, err))
           && push_difference(x, old_rows, n_old, new_rows, n_new, err)
           && count_tokens(x, &old, -1, err) && (new == NULL || count_tokens(x, new, 1, err));
}

bool med_rules_write_index(const struct writing *x, const struct rowset *new, med_err *err)
{
    return med_rules_write_rows(x, new, err)
           && (!x->step->live || push_updated(x, x->step->updated, true, err))
           && (new == NULL || push_updated(x, x->commit->updated, false, err));
}

bool med_rules_write_codes(const struct writing *x, med_err *err)
{
    const med_rows *rows = &x->write->rows;
    for (size_t i = 0; i < rows->n_codes; i++) {
        const med_code_row *code = &rows->codes[i];
        uint8_t known = code->text.len > 0 ? CODE_WITH_TEXT : CODE_PLAIN;
        struct tally *tally = med_tallies_get(x->rules->tallies, code->param, code->hash);
        if (tally == NULL)
            return MED_FAIL_MEMORY(err);
        if (tally->code >= known)
            continue;
        tally->code = known;
        if (!x->rules->ops->add_code(x->rules->store, code, err))
            return false;
    }
    return true;
}

bool med_rules_write_feed(const struct writing *x, uint32_t version, unsigned change, med_err *err)
{
    struct index_row row = {.table = TABLE_FEED,
                            .a = x->t,
                            .b = x->write->type,
                            .c = (int64_t)((uint64_t)change << 32 | version),
                            .d = x->commit->updated,
                            .rid = x->step->rid,
                            .text = MED_STR_EMPTY};
    return push(x, &row, false, err);
}

bool med_rules_count(const struct writing *x, int64_t live_delta, int64_t versions, med_err *err)
{
    return (med_tallies_add(x->rules->tallies, MED_TALLY_TYPE, x->write->type, live_delta)
            && med_tallies_add(x->rules->tallies, MED_TALLY_VERSIONS, x->write->type, versions))
           || MED_FAIL_MEMORY(err);
}
