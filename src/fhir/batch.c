/* batch.c - https://hl7.org/fhir/R4/http.html#transaction */
#include "fhir/batch.h"

#include <pthread.h>

#include "fhir/entries.h"
#include "fhir/perform.h"
#include "fhir/validate_body.h"

enum { VIEW_SECONDS = 30, SECOND = 1000000 };

typedef struct batch {
    med_call *bundle;
    med_entries entries;
    med_performance *performances;
    enum med_next *next;
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t waiting; /* commits not yet done */
} batch;

static bool reopen_view(med_call *bundle, med_err *err)
{
    const med_fhir *f = bundle->fhir;
    if (bundle->view != NULL)
        med_view_end(bundle->view);
    bundle->view = med_store_view(f->store, bundle->slot,
                                  med_monotonic(f->clock) + (int64_t)VIEW_SECONDS * SECOND, err);
    return bundle->view != NULL;
}

static void commit_done(med_commit *c)
{
    batch *b = c->arg;
    pthread_mutex_lock(&b->lock);
    if (--b->waiting == 0)
        pthread_cond_signal(&b->done);
    pthread_mutex_unlock(&b->lock);
}

static void wait_for_commits(batch *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->waiting > 0)
        pthread_cond_wait(&b->done, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

static void submit(batch *b, size_t i)
{
    med_err err = {0};
    med_commit *c = &b->performances[i].commit;
    c->done = commit_done;
    c->arg = b;
    pthread_mutex_lock(&b->lock);
    b->waiting++;
    pthread_mutex_unlock(&b->lock);
    if (med_store_commit(b->bundle->fhir->store, c, &err))
        return;
    med_call_fail(&b->entries.at[i].call, &err);
    b->next[i] = MED_NEXT_RESPOND;
    commit_done(c);
}

static bool is_write(const med_entry *e)
{
    return e->err.issue == MED_ISSUE_NONE && e->call.interaction->writes;
}

static void prepare_writes(batch *b)
{
    for (size_t i = 0; i < b->entries.n; i++) {
        med_entry *e = &b->entries.at[i];
        b->next[i] = MED_NEXT_RESPOND;
        if (e->err.issue != MED_ISSUE_NONE)
            med_call_fail(&e->call, &e->err);
        if (!is_write(e))
            continue;
        e->call.view = b->bundle->view;
        e->call.slot = b->bundle->slot;
        med_performance_init(&b->performances[i], &e->call);
        b->next[i] = med_perform_step(&b->performances[i]);
    }
    for (size_t i = 0; i < b->entries.n; i++) {
        if (b->next[i] == MED_NEXT_COMMIT)
            submit(b, i);
    }
    wait_for_commits(b);
}

/* What was overtaken is done again by itself; med_perform opens its own view. */
static bool finish_writes(batch *b, med_err *err)
{
    for (size_t i = 0; i < b->entries.n; i++) {
        med_call *call = &b->entries.at[i].call;
        if (b->next[i] != MED_NEXT_COMMIT)
            continue;
        call->view = b->bundle->view;
        b->next[i] = med_perform_committed(&b->performances[i]);
    }
    for (size_t i = 0; i < b->entries.n; i++) {
        if (b->next[i] != MED_NEXT_WORKER)
            continue;
        if (b->bundle->view != NULL)
            med_view_end(b->bundle->view);
        b->bundle->view = NULL;
        med_perform(&b->entries.at[i].call, b->bundle->slot);
    }
    return b->bundle->view != NULL || reopen_view(b->bundle, err);
}

static void run_reads(batch *b)
{
    for (size_t i = 0; i < b->entries.n; i++) {
        med_entry *e = &b->entries.at[i];
        if (e->err.issue != MED_ISSUE_NONE || e->call.interaction->writes)
            continue;
        e->call.view = b->bundle->view;
        e->call.slot = b->bundle->slot;
        med_performance_init(&b->performances[i], &e->call);
        (void)med_perform_step(&b->performances[i]);
    }
}

/* From here on entries may be stored: what fails is an answer that can not be made. */
static bool finish(batch *b, med_err *err)
{
    if (!reopen_view(b->bundle, err) || !finish_writes(b, err))
        return false;
    run_reads(b);
    return med_entries_respond(b->bundle, &b->entries, "batch-response", err);
}

/* The entry that an expression like "Bundle.entry[3].request" stands in. */
static med_entry *entry_at(const batch *b, med_str expression)
{
    size_t i = 0, at = sizeof "Bundle.entry[" - 1;
    if (!med_str_starts(expression, MED_STR("Bundle.entry[")))
        return NULL;
    for (; at < expression.len && med_is_digit(expression.ptr[at]) && i < b->entries.n; at++)
        i = i * 10 + (size_t)(expression.ptr[at] - '0');
    return i < b->entries.n ? &b->entries.at[i] : NULL;
}

/* What is wrong around an entry's resource is that entry's; the rest concerns all. */
static bool check_envelope(batch *b, med_err *err)
{
    med_problems found = {0};
    med_call *bundle = b->bundle;
    if (!med_validate_envelope(bundle, &found, err))
        return false;
    for (size_t i = 0; i < found.n; i++) {
        med_entry *e = found.more ? NULL : entry_at(b, found.at[i].expression);
        med_call *of = e == NULL ? bundle : &e->call;
        if (!med_problem_add(bundle->arena, &of->problems, &found.at[i]))
            return MED_FAIL_MEMORY(err);
        if (e != NULL && !found.at[i].is_warning)
            (void)MED_FAIL(&e->err, found.at[i].issue, "the entry is not legal FHIR R4");
    }
    return !med_validate_failed(&bundle->problems)
           || MED_FAIL(err, MED_ISSUE_STRUCTURE, "the Bundle is not legal FHIR R4");
}

static bool run(batch *b, med_err *err)
{
    med_call *bundle = b->bundle;
    if (!med_entries_read(bundle, &b->entries, err) || !check_envelope(b, err))
        return false;
    b->performances = MED_TAKE(bundle->arena, b->entries.n, med_performance);
    b->next = MED_TAKE(bundle->arena, b->entries.n, enum med_next);
    if (b->performances == NULL || b->next == NULL)
        return MED_FAIL_MEMORY(err);
    prepare_writes(b);
    if (!finish(b, err))
        med_call_stored(bundle, err);
    return true;
}

enum med_step med_batch_run(med_call *bundle, med_err *err)
{
    batch b = {.bundle = bundle};
    pthread_mutex_init(&b.lock, NULL);
    pthread_cond_init(&b.done, NULL);
    bool ok = run(&b, err);
    pthread_cond_destroy(&b.done);
    pthread_mutex_destroy(&b.lock);
    return ok ? MED_STEP_OK : MED_STEP_FAILED;
}
