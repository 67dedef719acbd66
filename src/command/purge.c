/* purge.c - `medulla purge TYPE/ID --reason TEXT`: removes a resource physically, all versions;
 * with --whole-patient all that is in a patient's compartment.
 *
 * What stays is a record without content: the commit, the internal id, the type, how many
 * versions, and the reason. */
#include "command/task.h"
#include "patient_record.h"

enum { TYPES = 512, TRIES = 3, LISTED = 20 };

typedef struct purging {
    med_task *task;
    med_str reason, id;
    uint32_t type;
    bool whole, dry, shared;
} purging;

static bool has_option(const med_task *t, const char *name)
{
    med_str unused;
    return med_message_option_get(t->request, name, &unused);
}

static bool find_target(purging *p, med_err *err)
{
    const med_fhir *f = &p->task->app->fhir;
    med_str what = p->task->request->words[0];
    med_str name = med_str_cut(what, '/', &p->id);
    med_type t = med_pack_type(f->pack, name);
    p->type = t == MED_TYPE_NONE ? 0 : med_schema_type(f->schema, t);
    if (p->type == 0 || p->id.len == 0)
        return MED_FAIL(err, MED_ISSUE_VALUE, "'%.*s' is not of the form Type/id",
                        MED_STR_ARG(med_str_sub(what, 0, 80)));
    if (p->whole && !med_str_eqz(name, "Patient"))
        return MED_FAIL(err, MED_ISSUE_VALUE, "--whole-patient needs Patient/ID");
    return true;
}

static bool read_request(purging *p, med_err *err)
{
    const med_task *t = p->task;
    p->whole = has_option(t, "whole-patient");
    p->dry = has_option(t, "dry-run");
    p->shared = has_option(t, "shared");
    if (t->request->n_words != 1 || !med_message_option_get(t->request, "reason", &p->reason)
        || p->reason.len == 0)
        return MED_FAIL(err, MED_ISSUE_VALUE, "purge needs TYPE/ID and --reason TEXT");
    if ((p->dry || p->shared) && !p->whole)
        return MED_FAIL(err, MED_ISSUE_VALUE, "--dry-run and --shared go with --whole-patient");
    return find_target(p, err);
}

/* The trace of it: that it happened and why, and nothing that tells whom it was about. */
static med_str record_text(const purging *p, size_t n)
{
    med_str text = MED_STR_EMPTY;
    med_buf out;
    med_buf_init(&out, 1 << 16);
    med_json_writer w = med_json_writer_to(&out);
    med_json_open(&w, '{');
    med_json_pair(&w, "event", p->whole ? MED_STR("purge-patient") : MED_STR("purge"));
    med_json_key(&w, MED_STR("resources"));
    med_json_int(&w, (int64_t)n);
    med_json_pair(&w, "reason", p->reason);
    med_json_close(&w, '}');
    if (out.failed || !med_arena_copy(p->task->arena, med_buf_str(&out), &text))
        text = p->reason;
    med_buf_free(&out);
    return text;
}

static bool commit(const purging *p, med_write *writes, size_t n, med_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!med_store_prepare(p->task->app->store, p->task->arena, &writes[i], err))
            return false;
    }
    med_commit c = {
        .writes = writes, .n_writes = n, .check_references = true, .trace = record_text(p, n)};
    return med_store_commit_wait(p->task->app->store, &c, err);
}

static med_write write_of(uint32_t type, med_str id)
{
    return (med_write){.kind = MED_WRITE_PURGE,
                       .type = type,
                       .id = id,
                       .text = MED_STR_EMPTY,
                       .packed = MED_STR_EMPTY};
}

static enum med_exit purge_one(const purging *p, med_err *err)
{
    med_write w = write_of(p->type, p->id);
    if (!commit(p, &w, 1, err))
        return MED_EXIT_FAILED;
    med_host_sayf(p->task->host, "%s",
                  w.outcome == MED_OUTCOME_WAS_ABSENT ? "there was nothing to purge"
                                                      : "purged, all versions");
    return MED_EXIT_OK;
}

/* ---- a whole patient ---- */

static bool go_on(void *arg, uint64_t done, uint64_t total)
{
    return med_task_progress(arg, done, total);
}

static med_str name_of(const purging *p, uint32_t type)
{
    const med_fhir *f = &p->task->app->fhir;
    return med_type_name(f->pack, med_schema_pack_type(f->schema, type));
}

static void say_counts(const purging *p, const med_record *r)
{
    struct {
        uint64_t resources, versions;
    } counts[TYPES] = {0}, all = {0};
    for (size_t i = 0; i < r->n; i++) {
        uint32_t type = r->items[i].type < TYPES ? r->items[i].type : 0;
        counts[type].resources++;
        counts[type].versions += r->items[i].versions;
        all.resources++;
        all.versions += r->items[i].versions;
    }
    med_host_sayf(p->task->host, "%-28s %10s %10s", "type", "resources", "versions");
    for (uint32_t i = 0; i < TYPES; i++) {
        if (counts[i].resources > 0)
            med_host_sayf(p->task->host, "%-28.*s %10lu %10lu", MED_STR_ARG(name_of(p, i)),
                          (unsigned long)counts[i].resources, (unsigned long)counts[i].versions);
    }
    med_host_sayf(p->task->host, "%-28s %10lu %10lu", "all", (unsigned long)all.resources,
                  (unsigned long)all.versions);
}

/* What is another patient's, too, is not ours to take: false when there is any. */
static bool say_shared(const purging *p, const med_record *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (!r->items[i].shared)
            continue;
        if (n++ < LISTED)
            med_host_sayf(p->task->host,
                          "also another patient's, or no longer this one's: %.*s/%.*s",
                          MED_STR_ARG(name_of(p, r->items[i].type)), MED_STR_ARG(r->items[i].id));
    }
    if (n > LISTED)
        med_host_sayf(p->task->host, "... and %zu more", n - LISTED);
    return n == 0;
}

static bool say_referrers(const purging *p, const med_record *r, bool *none, med_err *err)
{
    med_record_referrer *at;
    size_t n;
    if (!med_record_referrers(r, LISTED, &at, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        med_host_sayf(p->task->host, "refers to what would be purged: %.*s/%.*s",
                      MED_STR_ARG(name_of(p, at[i].type)), MED_STR_ARG(at[i].id));
    *none = n == 0;
    return true;
}

static bool commit_record(const purging *p, const med_record *r, med_err *err)
{
    med_write *writes = MED_TAKE(p->task->arena, r->n, med_write);
    if (writes == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < r->n; i++)
        writes[i] = write_of(r->items[i].type, r->items[i].id);
    return commit(p, writes, r->n, err);
}

static bool find_record(const purging *p, med_record *r, med_err *err)
{
    med_task *t = p->task;
    *r = (med_record){
        .fhir = &t->app->fhir, .slot = t->slot, .arena = t->arena, .go_on = go_on, .arg = t->host};
    t->host->begin(t->host, "looking through", "versions");
    bool ok = med_record_find(r, p->id, err);
    med_store_stats stats;
    med_store_count(t->app->store, &stats);
    t->host->end(t->host, stats.versions, 0);
    return ok;
}

/* One look and one try; *again when somebody wrote to the patient meanwhile. */
static enum med_exit try_patient(const purging *p, bool *again, med_err *err)
{
    med_record r;
    bool none = false;
    *again = false;
    if (!find_record(p, &r, err))
        return MED_EXIT_FAILED;
    if (r.n == 0) {
        med_host_sayf(p->task->host, "there was nothing to purge");
        return MED_EXIT_OK;
    }
    bool alone = say_shared(p, &r) || p->shared;
    if (!say_referrers(p, &r, &none, err))
        return MED_EXIT_FAILED;
    if (p->dry || !alone || !none)
        say_counts(p, &r);
    if (!alone || !none) {
        (void)MED_FAIL(err, MED_ISSUE_CONFLICT, "nothing was purged: %s",
                       none ? "change what is listed above, or take it along with --shared"
                            : "change or purge what refers to it first");
        return MED_EXIT_REFUSED;
    }
    if (p->dry) {
        med_host_sayf(p->task->host, "a dry run: nothing was purged");
        return MED_EXIT_OK;
    }
    if (!commit_record(p, &r, err)) {
        *again = err->issue == MED_ISSUE_CONFLICT;
        return MED_EXIT_FAILED;
    }
    say_counts(p, &r);
    med_host_sayf(p->task->host, "purged, all versions");
    return MED_EXIT_OK;
}

static enum med_exit purge_patient(const purging *p, med_err *err)
{
    bool again = true;
    enum med_exit code = MED_EXIT_FAILED;
    for (int i = 0; again && i < TRIES; i++) {
        *err = (med_err){0};
        code = try_patient(p, &again, err);
    }
    return code;
}

static enum med_exit task(med_task *t, med_err *err)
{
    purging p = {.task = t, .reason = MED_STR_EMPTY, .id = MED_STR_EMPTY};
    if (!read_request(&p, err))
        return MED_EXIT_USAGE;
    return p.whole ? purge_patient(&p, err) : purge_one(&p, err);
}

static enum med_exit run(const med_arguments *args)
{
    med_str reason = MED_STR_EMPTY;
    (void)med_argument(args, "reason", &reason);
    if (args->n != 1 || reason.len == 0)
        return med_command_fail(MED_EXIT_USAGE, "purge needs TYPE/ID and --reason TEXT");
    return med_task_perform_alone(args, &med_command_purge);
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {"reason", "TEXT", NULL, "why; kept without any content of the resource"},
    {"whole-patient", NULL, NULL, "with Patient/ID: all of the patient's compartment"},
    {"dry-run", NULL, NULL, "with --whole-patient: only count, by type"},
    {"shared", NULL, NULL, "with --whole-patient: also what is other patients', too"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_purge = {
    .name = "purge",
    .usage = "[--data DIR] --reason TEXT [--whole-patient [--dry-run] [--shared]] TYPE/ID",
    .summary = "remove a resource, or a whole patient, physically, with all versions",
    .examples = "  medulla purge --data DIR --reason 'court order 12/2026' Observation/123\n"
                "  medulla purge --reason 'court order 12/2026' --whole-patient --dry-run "
                "Patient/123\n",
    .options = options,
    .run = run,
    .task = task,
};
