/* import.c - `medulla import PATH...`: files of resources into the store.
 *
 * The caller finds and opens the files, the process that owns the store reads them: so a server
 * needs no right of its own on them, and no copy is made. How far each file is in the store is
 * noted in DATA/import.done, so that a run that was cut off is taken up where it stood. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "command/import_files.h"
#include "command/import_journal.h"
#include "command/task.h"
#include "command/terminal.h"
#include "dangling.h"
#include "loader.h"
#include "source.h"

enum { LINE_BYTES = 256 << 10, DANGLING_MOST = 10000, FIRST_ROOM = 256 };

typedef struct import {
    med_task *task;
    med_loader *loader;
    med_journal journal;
    pthread_mutex_t lock; /* files and the journal: settled() comes from the loader's threads */
    med_journal_file **files;
    size_t n, room;
    uint64_t bytes, bytes_done; /* of all files */
    size_t skipped, damaged;
    bool resumed;
    FILE *rejects, *dangling;
} import;

/* ---- files that come back ---- */

static FILE *make_file(import *im, med_str name)
{
    med_err why = {0};
    int fd = im->task->host->make(im->task->host, name, &why);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "a");
    if (f == NULL && fd >= 0)
        (void)close(fd);
    if (f == NULL)
        med_host_sayf(im->task->host, "%.*s: %s", MED_STR_ARG(name), why.text);
    return f;
}

static void write_line(FILE *to, med_buf *out)
{
    med_buf_addc(out, '\n');
    if (to != NULL && !out->failed)
        (void)fwrite(out->ptr, 1, out->len, to);
    med_buf_free(out);
}

/* Under the loader's lock. A run that goes on adds to the rejects of the one before. */
static void write_reject(void *arg, med_str source, uint64_t line, med_str reason, med_str text)
{
    import *im = arg;
    med_buf out;
    if (im->rejects == NULL)
        im->rejects = make_file(im, im->resumed ? MED_STR("more-rejects") : MED_STR("rejects"));
    med_buf_init(&out, MED_JSON_MAX_BYTES);
    med_json_writer w = med_json_writer_to(&out);
    med_json_open(&w, '{');
    med_json_pair(&w, "file", source);
    med_json_key(&w, MED_STR("line"));
    med_json_int(&w, (int64_t)line);
    med_json_pair(&w, "reason", reason);
    med_json_pair(&w, "text", text);
    med_json_close(&w, '}');
    write_line(im->rejects, &out);
}

static void write_dangling(void *arg, med_str from_type, med_str from_id, med_str expression,
                           med_str target_type, med_str target_id)
{
    import *im = arg;
    char name[256];
    med_buf out;
    if (im->dangling == NULL)
        im->dangling = make_file(im, MED_STR("dangling"));
    med_buf_init(&out, 1 << 16);
    med_json_writer w = med_json_writer_to(&out);
    med_json_open(&w, '{');
    (void)snprintf(name, sizeof name, "%.*s/%.*s", MED_STR_ARG(from_type), MED_STR_ARG(from_id));
    med_json_pair(&w, "resource", med_str_from(name));
    med_json_pair(&w, "expression", expression);
    (void)snprintf(name, sizeof name, "%.*s/%.*s", MED_STR_ARG(target_type),
                   MED_STR_ARG(target_id));
    med_json_pair(&w, "missing", med_str_from(name));
    med_json_close(&w, '}');
    write_line(im->dangling, &out);
}

/* ---- one file ---- */

static bool is_cancelled(void *arg)
{
    const import *im = arg;
    return im->task->host->cancelled(im->task->host);
}

static bool goes_on(void *arg)
{
    return !is_cancelled(arg);
}

static bool show(import *im, const med_source *s, med_err *err)
{
    med_loader_counts counts;
    med_loader_count(im->loader, &counts);
    im->task->host->show(im->task->host,
                         &(med_host_figures){.part = im->bytes_done + med_source_position(s),
                                             .whole = im->bytes,
                                             .done = counts.resources,
                                             .errors = counts.rejected});
    return med_task_goes_on(im->task, err);
}

static bool is_ndjson(med_str path)
{
    return med_str_eqz(path, "-") || med_str_search(path, MED_STR(".ndjson"), 0) < path.len;
}

/* Where a file is being read. */
typedef struct reading {
    const med_journal_file *file;
    uint32_t number;
    med_source *source;
    med_buf pending; /* read, and not yet handed over */
    uint64_t at;     /* offset of its begin */
    uint64_t line;   /* before it */
    uint64_t last;   /* end of the last text that was handed over */
    uint64_t begin;  /* what an earlier run has settled; file->end moves on meanwhile */
} reading;

/* "DIR/Bundle.ndjson", also packed: what export writes of Bundles that were stored. */
static bool holds_stored_bundles(med_str name)
{
    size_t from = name.len;
    while (from > 0 && name.ptr[from - 1] != '/')
        from--;
    return med_str_starts(med_str_skip(name, from), MED_STR("Bundle.ndjson"));
}

static bool hand_over(import *im, reading *r, med_str text, uint64_t line, uint64_t end,
                      med_err *err)
{
    const med_loader_place place = {.source = r->file->name,
                                    .line = line,
                                    .end = end,
                                    .identity = r->file->identity,
                                    .file = r->number,
                                    .whole = holds_stored_bundles(r->file->name)};
    if (text.len == 0)
        return true;
    r->last = end;
    return med_loader_add(im->loader, &place, text, err);
}

/* Hands over each full line of `pending`, keeping the rest. */
static bool take_lines(import *im, reading *r, med_err *err)
{
    med_str all = med_buf_str(&r->pending);
    size_t from = 0, to;
    while ((to = med_str_find(all, '\n', from)) < all.len) {
        med_str one = med_str_trim(med_str_sub(all, from, to));
        from = to + 1;
        if (!hand_over(im, r, one, ++r->line, r->at + from, err))
            return false;
    }
    memmove(r->pending.ptr, r->pending.ptr + from, all.len - from);
    r->pending.len = all.len - from;
    r->at += from;
    return true;
}

/* What an earlier run has settled is read and forgotten. */
static med_str unsettled(reading *r, uint64_t *position, med_str bytes)
{
    uint64_t from = r->begin > *position ? r->begin - *position : 0;
    *position += bytes.len;
    return med_str_skip(bytes, from < bytes.len ? (size_t)from : bytes.len);
}

static bool read_all(import *im, reading *r, med_err *err)
{
    char bytes[LINE_BYTES];
    uint64_t position = 0;
    size_t n = 0;
    bool lines = is_ndjson(r->file->name);
    do {
        if (!show(im, r->source, err) || !med_source_read(r->source, bytes, sizeof bytes, &n, err))
            return false;
        med_buf_add(&r->pending, unsettled(r, &position, (med_str){bytes, n}));
        if (r->pending.failed)
            return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a resource of more than 1 GiB");
        if (lines && !take_lines(im, r, err))
            return false;
    } while (n > 0);
    return hand_over(im, r, med_str_trim(med_buf_str(&r->pending)), r->line + 1, position, err);
}

static bool load_file(import *im, size_t i, int fd, med_err *err)
{
    const med_journal_file *f = im->files[i];
    reading r = {.file = f,
                 .number = (uint32_t)i,
                 .source = med_source_of(f->name, fd, is_cancelled, im, err),
                 .at = f->end,
                 .line = f->line,
                 .last = f->end,
                 .begin = f->end};
    if (r.source == NULL)
        return false;
    im->resumed = im->resumed || f->end > 0;
    med_buf_init(&r.pending, MED_JSON_MAX_BYTES);
    bool ok = read_all(im, &r, err);
    pthread_mutex_lock(&im->lock);
    im->files[i]->last = r.last;
    im->files[i]->read = ok;
    med_journal_note(&im->journal, im->files[i], false);
    pthread_mutex_unlock(&im->lock);
    med_buf_free(&r.pending);
    med_source_close(r.source);
    return ok;
}

/* Under the loader's lock. */
static void settled(void *arg, uint32_t file, uint64_t end, uint64_t line)
{
    import *im = arg;
    pthread_mutex_lock(&im->lock);
    im->files[file]->end = end;
    im->files[file]->line = line;
    med_journal_note(&im->journal, im->files[file], false);
    pthread_mutex_unlock(&im->lock);
}

/* ---- all files ---- */

static med_journal_file *add_file(import *im, const med_input *in)
{
    med_arena *a = im->task->arena;
    med_journal_file *f = MED_TAKE(a, 1, med_journal_file);
    if (f == NULL || !med_journal_find(&im->journal, a, in->name, in->size, in->modified, f))
        return NULL;
    pthread_mutex_lock(&im->lock);
    med_journal_file **files = MED_GROW(a, im->files, im->n, &im->room, FIRST_ROOM);
    if (files != NULL) {
        im->files = files;
        im->files[im->n++] = f;
    }
    pthread_mutex_unlock(&im->lock);
    return files != NULL ? f : NULL;
}

static bool take_input(import *im, const med_input *in, med_err *err)
{
    const med_journal_file *f = add_file(im, in);
    if (f != NULL && !f->done)
        return load_file(im, im->n - 1, in->fd, err);
    (void)close(in->fd);
    im->skipped += f != NULL;
    return f != NULL ? true : MED_FAIL_MEMORY(err);
}

/* Is it the one file's fault, to be told and passed over? */
static bool is_file_s_fault(import *im, const med_err *err)
{
    med_store_stats stats;
    med_store_count(im->task->app->store, &stats);
    return err->issue != MED_ISSUE_INCOMPLETE && err->issue != MED_ISSUE_TRANSIENT && !stats.failed
           && stats.writable;
}

static bool load_files(import *im, med_err *err)
{
    med_host *h = im->task->host;
    for (;;) {
        med_input in;
        bool got = h->next(h, im->task->arena, &in, err);
        if (got && in.fd < 0)
            return true;
        bool ok = got && take_input(im, &in, err);
        if (!ok && !is_file_s_fault(im, err))
            return false;
        if (!ok) {
            med_host_sayf(h, "%.*s: %s", MED_STR_ARG(in.name), err->text);
            *err = (med_err){0};
            im->damaged++;
        }
        im->bytes_done += in.size;
    }
}

static void note_all(import *im)
{
    pthread_mutex_lock(&im->lock);
    for (size_t i = 0; i < im->n; i++)
        med_journal_note(&im->journal, im->files[i], true);
    pthread_mutex_unlock(&im->lock);
}

/* ---- the report ---- */

static void say_type(med_host *h, const med_loader_type *t, bool deleted)
{
    char more[16] = "";
    if (deleted)
        (void)snprintf(more, sizeof more, " %10lu", (unsigned long)t->deleted);
    med_host_sayf(h, "%-28.*s %10lu %10lu %10lu %10lu%s",
                  MED_STR_ARG(t->type.len > 0 ? t->type : MED_STR("(unknown)")),
                  (unsigned long)t->created, (unsigned long)t->updated, (unsigned long)t->unchanged,
                  (unsigned long)t->rejected, more);
}

static void say_table(import *im)
{
    size_t n;
    med_host *h = im->task->host;
    bool deleted = false;
    const med_loader_type *types = med_loader_types(im->loader, &n);
    for (size_t i = 0; i < n; i++)
        deleted = deleted || types[i].deleted > 0;
    med_host_sayf(h, "%-28s %10s %10s %10s %10s%s", "type", "created", "updated", "unchanged",
                  "rejected", deleted ? "    deleted" : "");
    for (size_t i = 0; i < n; i++) {
        const med_loader_type *t = &types[i];
        if (t->created + t->updated + t->unchanged + t->rejected + t->deleted > 0)
            say_type(h, t, deleted);
    }
    med_loader_counts counts;
    med_loader_count(im->loader, &counts);
    if (counts.refusable > 0)
        med_host_sayf(h,
                      "%lu of these a full check would refuse: 'medulla validate FILE...' says why",
                      (unsigned long)counts.refusable);
    if (im->skipped > 0)
        med_host_sayf(
            h, "%zu files were imported before and passed over; --restart imports them again",
            im->skipped);
}

/* What a bulk import does not check while it runs. */
static bool check_references(import *im, uint64_t *missing, med_err *err)
{
    med_dangling d = {.fhir = &im->task->app->fhir,
                      .slot = im->task->slot,
                      .found = write_dangling,
                      .go_on = goes_on,
                      .arg = im,
                      .most = DANGLING_MOST};
    *missing = 0;
    if (!d.fhir->check_references)
        return true;
    if (!med_dangling_find(&d, err))
        return false;
    *missing = d.references;
    if (d.references > 0)
        med_host_sayf(im->task->host, "%lu references name %lu resources that are not there",
                      (unsigned long)d.references, (unsigned long)d.targets);
    return true;
}

static enum med_exit load(import *im, med_err *err)
{
    med_loader_counts counts;
    uint64_t missing = 0;
    im->task->host->begin(im->task->host, "importing", "resources");
    bool alone = !im->task->app->serving;
    bool ok = (!alone || med_store_bulk(im->task->app->store, true, err)) && load_files(im, err);
    med_err why = {0};
    ok = med_loader_flush(im->loader, ok ? err : &why) && ok;
    ok = med_store_bulk(im->task->app->store, false, ok ? err : &why) && ok;
    med_loader_count(im->loader, &counts);
    im->task->host->end(im->task->host, counts.resources, counts.rejected);
    note_all(im);
    say_table(im);
    if (!ok)
        return err->issue == MED_ISSUE_INCOMPLETE ? MED_EXIT_PARTLY : MED_EXIT_FAILED;
    if (!check_references(im, &missing, err))
        return MED_EXIT_FAILED;
    return counts.rejected + im->damaged + missing > 0 ? MED_EXIT_PARTLY : MED_EXIT_OK;
}

static uint64_t bytes_of(const med_message *request)
{
    med_str text;
    int64_t n = 0;
    bool known = med_message_option_get(request, "bytes", &text) && med_str_to_int64(text, &n);
    return known && n > 0 ? (uint64_t)n : 0;
}

static enum med_exit task(med_task *t, med_err *err)
{
    med_str unused;
import im = {.task = t, .lock = PTHREAD_MUTEX_INITIALIZER, .bytes = bytes_of(t->request) };
    med_loader_options o = {.reject = write_reject, .settled = settled, .arg = &im};
    bool restart = med_message_option_get(t->request, "restart", &unused);
    med_str level = MED_STR_EMPTY;
    (void)med_message_option_get(t->request, "enforce", &level);
    o.structure_only = med_str_eqz(level, "structure");
    if (t->app->serving) { /* the workers are busy serving */
        o.slot = t->slot;
        o.threads = MED_TASK_SLOTS - 1;
    }
    if (!med_journal_open(&im.journal, t->arena, med_config_text(t->app->config, "store.data"),
                          restart, err))
        return MED_EXIT_FAILED;
    im.loader = med_loader_new(t->app, &o, err);
    enum med_exit code = im.loader == NULL ? MED_EXIT_FAILED : load(&im, err);
    med_loader_free(im.loader);
    med_journal_close(&im.journal);
    if (im.rejects != NULL)
        (void)fclose(im.rejects);
    if (im.dangling != NULL)
        (void)fclose(im.dangling);
    (void)pthread_mutex_destroy(&im.lock);
    return code;
}

/* ---- the caller's side ---- */

typedef struct caller {
    med_import_files files;
    med_str rejects, dangling;
    bool has_rejects, has_dangling;
} caller;

static bool next(void *arg, med_arena *a, med_input *out, med_err *err)
{
    caller *c = arg;
    return med_import_files_next(&c->files, a, out, err);
}

static int make(void *arg, med_str name, med_err *err)
{
    caller *c = arg;
    bool dangling = med_str_eqz(name, "dangling");
    bool more = med_str_eqz(name, "more-rejects");
    if (!dangling && !more && !med_str_eqz(name, "rejects")) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "an import makes no such file");
        return -1;
    }
    int fd = open(dangling ? c->dangling.ptr : c->rejects.ptr,
                  O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | (more ? 0 : O_TRUNC), 0600);
    if (fd < 0)
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not write it: %s", strerrordesc_np(errno));
    c->has_dangling = c->has_dangling || (dangling && fd >= 0);
    c->has_rejects = c->has_rejects || (!dangling && fd >= 0);
    return fd;
}

static bool find_files(const med_arguments *args, med_import_files *files, med_err *err)
{
    files->arena = args->arena;
    for (size_t i = 0; i < args->n; i++) {
        if (!med_import_files_add(files, args->words[i], err))
            return false;
    }
    return true;
}

/* The files come one by one when asked for; of them the server knows but the sum. */
static bool make_request(const med_arguments *args, const caller *c, med_message *out, med_err *err)
{
    med_arguments bare = *args;
    bare.n = 0;
    if (!med_task_request(&bare, &med_command_import, out, err))
        return false;
    med_message_option *options = MED_TAKE(args->arena, out->n_options + 1, med_message_option);
    if (options == NULL)
        return MED_FAIL_MEMORY(err);
    memcpy(options, out->options, out->n_options * sizeof *options);
    options[out->n_options++] = (med_message_option){
        MED_STR("bytes"), med_arena_printf(args->arena, "%lu", (unsigned long)c->files.bytes)};
    out->options = options;
    return true;
}

static enum med_exit run_caller(const med_arguments *args, caller *c)
{
    med_err err = {0};
    med_terminal terminal;
    med_message request;
    if (!find_files(args, &c->files, &err) || !make_request(args, c, &request, &err)
        || !med_terminal_init(&terminal, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    terminal.make = make;
    terminal.next = next;
    terminal.arg = c;
    enum med_exit code = med_task_perform(args, &med_command_import, &request, &terminal.host);
    med_terminal_free(&terminal);
    if (c->has_rejects)
        printf("rejected resources and why: %.*s\n", MED_STR_ARG(c->rejects));
    if (c->has_dangling)
        printf("references and what they miss: %.*s\n", MED_STR_ARG(c->dangling));
    return code;
}

static enum med_exit run(const med_arguments *args)
{
    caller c = {.rejects = MED_STR("rejects.ndjson"), .dangling = MED_STR("dangling.ndjson")};
    (void)med_argument(args, "rejects", &c.rejects);
    (void)med_argument(args, "dangling", &c.dangling);
    if (args->n == 0)
        return med_command_fail(MED_EXIT_USAGE,
                                "import needs files or folders; see medulla import --help");
    return run_caller(args, &c);
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {"rejects", "FILE", NULL, "where rejected resources go (default rejects.ndjson)"},
    {"dangling", "FILE", NULL, "where references to nothing go (default dangling.ndjson)"},
    {"enforce", "LEVEL", NULL,
     "base (as the setting validation.enforce), or structure: take what is old"},
    {"restart", NULL, NULL, "import files again that were imported before"},
    {NULL, NULL, NULL, NULL},
};

static const char *const task_options[] = {"bytes", NULL};

const med_command med_command_import = {
    .name = "import",
    .usage = "[--data DIR] [--rejects FILE] [--dangling FILE] [--restart] PATH...",
    .summary = "load resources and Bundles from files, folders or standard input",
    .examples = "  medulla import --data DIR bundles/\n"
                "  medulla import patients.ndjson.gz observations.ndjson.zst\n"
                "  zcat big.ndjson.gz | medulla import -\n",
    .options = options,
    .run = run,
    .task = task,
    .creates = true,
    .task_options = task_options,
};
