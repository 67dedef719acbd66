/* export.c - `medulla export DIR`: one NDJSON file a type, and a manifest with checksums.
 *
 * The change feed is read in pages of its own short views, up to the commit at which the export
 * began: a resource is written at its newest version up to that commit, and its deletion leaves
 * it out. So the export is the store as of one commit, and no reader lives long. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/datetime.h"
#include "base/portion.h"
#include "command/task.h"
#include "fhir/resource_text.h"

enum { TYPES = 512, PAGE = 500, VIEW_SECONDS = 20, SECOND = 1000000, DIGEST_HEX = 64, TRIES = 5 };
#define PAGE_ARENA ((size_t)512 << 20)

typedef struct out_file {
    FILE *file;
    EVP_MD_CTX *digest;
    uint64_t count;
    med_str name;
} out_file;

typedef struct exporting {
    med_task *task;
    out_file files[TYPES];
    int64_t as_of;
    uint64_t written, seen;
    med_portion portion; /* of versions that are read at a time */
} exporting;

/* -1 is the host's refusal, in *err. */
static FILE *stream_of(int fd, med_err *err)
{
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f == NULL && fd >= 0) {
        (void)close(fd);
        (void)MED_FAIL_MEMORY(err);
    }
    return f;
}

static bool open_file(exporting *x, out_file *f, med_str type, med_err *err)
{
    med_host *h = x->task->host;
    f->name = med_arena_printf(x->task->arena, "%.*s.ndjson", MED_STR_ARG(type));
    f->digest = EVP_MD_CTX_new();
    if (f->digest == NULL || EVP_DigestInit_ex(f->digest, EVP_sha256(), NULL) != 1)
        return MED_FAIL_MEMORY(err);
    f->file = stream_of(h->make(h, f->name, err), err);
    return f->file != NULL;
}

static bool write_resource(exporting *x, const med_stored *s, med_err *err)
{
    const med_fhir *f = &x->task->app->fhir;
    out_file *to = &x->files[s->type < TYPES ? s->type : 0];
    med_str type = med_type_name(f->pack, med_schema_pack_type(f->schema, s->type));
    med_buf line;
    if (to->file == NULL && !open_file(x, to, type, err))
        return false;
    med_buf_init(&line, MED_JSON_MAX_BYTES);
    med_resource_render(&line, type, s->id, s->version, s->updated, s->text);
    med_buf_addc(&line, '\n');
    bool ok = !line.failed && fwrite(line.ptr, 1, line.len, to->file) == line.len
              && EVP_DigestUpdate(to->digest, line.ptr, line.len) == 1;
    med_buf_free(&line);
    to->count++;
    x->written++;
    return ok ? true
              : MED_FAIL(err, MED_ISSUE_NO_STORE, "writing failed: %s", strerrordesc_np(errno));
}

/* Is this the newest version of its resource up to the export's commit? */
static enum med_found is_newest(exporting *x, med_view *v, med_arena *a, const med_stored *s,
                                med_err *err)
{
    med_stored current;
    med_history later = {.rid = s->rid,
                         .since = MED_TIME_MIN,
                         .until = MED_TIME_MAX,
                         .limit = 1,
                         .oldest_first = true,
                         .after_t = s->t,
                         .after_rid = s->rid};
    med_stored *next;
    size_t n;
    enum med_found found = med_view_by_rid(v, a, s->rid, &current, err);
    if (found != MED_FOUND)
        return found;
    if (current.version == s->version)
        return MED_FOUND;
    if (!med_view_history(v, a, &later, &next, &n, err))
        return MED_FAILED;
    return n == 0 || next->t > x->as_of ? MED_FOUND : MED_ABSENT;
}

/* Whatever happens, *h stands behind what was done. */
static bool write_page(exporting *x, med_view *v, med_arena *a, const med_stored *at, size_t n,
                       med_history *h, med_err *err)
{
    for (size_t i = 0; i < n; i++) {
        enum med_found newest = MED_ABSENT;
        if (at[i].t <= x->as_of && at[i].change != MED_DELETED)
            newest = is_newest(x, v, a, &at[i], err);
        if (newest == MED_FAILED || (newest == MED_FOUND && !write_resource(x, &at[i], err)))
            return false;
        x->seen++;
        h->after_t = at[i].t;
        h->after_rid = at[i].rid;
    }
    return true;
}

static med_view *open_view(exporting *x, med_err *err)
{
    int64_t deadline = med_monotonic(&med_clock_system) + (int64_t)VIEW_SECONDS * SECOND;
    return med_store_view(x->task->app->store, x->task->slot, deadline, err);
}

/* A page of the feed in a view of its own. */
static bool export_page(exporting *x, med_arena *a, med_history *h, size_t *n, med_err *err)
{
    med_stored *at;
    med_view *v = open_view(x, err);
    bool ok =
        v != NULL && med_view_history(v, a, h, &at, n, err) && write_page(x, v, a, at, *n, h, err);
    if (v != NULL)
        med_view_end(v);
    return ok;
}

/* The store may end a view that holds back its log: then it goes on where it was. Of large
 * resources fewer are read at a time. */
static bool try_page(exporting *x, med_arena *a, med_history *h, size_t *n, med_err *err)
{
    for (int i = 0; i < TRIES;) {
        *err = (med_err){0};
        med_arena_reset(a);
        if (!med_task_goes_on(x->task, err))
            return false;
        h->limit = x->portion.n;
        if (export_page(x, a, h, n, err)) {
            med_portion_grow(&x->portion);
            return true;
        }
        bool fewer = med_portion_shrink(&x->portion, err);
        if (!fewer && err->issue != MED_ISSUE_TIMEOUT)
            return false;
        i += !fewer;
    }
    return false;
}

static bool write_all(exporting *x, med_err *err)
{
    med_store_stats stats;
    med_host *host = x->task->host;
    med_store_count(x->task->app->store, &stats);
    x->as_of = stats.last_t;
    med_history h = {
        .since = MED_TIME_MIN, .until = MED_TIME_MAX, .oldest_first = true, .text = true};
    x->portion = (med_portion){PAGE, PAGE};
    med_arena *a = med_arena_new(PAGE_ARENA);
    bool ok = a != NULL ? true : MED_FAIL_MEMORY(err);
    for (size_t n = 1; ok && n > 0 && h.after_t <= x->as_of;) {
        ok = try_page(x, a, &h, &n, err);
        host->show(host, &(med_host_figures){
                             .part = x->seen, .whole = stats.versions, .done = x->written});
    }
    med_arena_free(a);
    return ok;
}

static bool end_file(FILE *f)
{
    bool ok = fflush(f) == 0 && fsync(fileno(f)) == 0;
    return fclose(f) == 0 && ok;
}

static void write_digest(out_file *f, char hex[DIGEST_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[DIGEST_HEX / 2];
    unsigned len = sizeof bytes;
    (void)EVP_DigestFinal_ex(f->digest, bytes, &len);
    for (size_t i = 0; i < sizeof bytes; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static void write_file_entry(med_json_writer *w, out_file *f)
{
    char hex[DIGEST_HEX];
    write_digest(f, hex);
    med_json_open(w, '{');
    med_json_pair(w, "name", f->name);
    med_json_key(w, MED_STR("resources"));
    med_json_int(w, (int64_t)f->count);
    med_json_pair(w, "sha256", (med_str){hex, sizeof hex});
    med_json_close(w, '}');
}

static void manifest_text(exporting *x, med_buf *out)
{
    char now[MED_INSTANT_LEN];
    med_instant_format(med_now(&med_clock_system), now);
    med_json_writer w = med_json_writer_to(out);
    med_json_open(&w, '{');
    med_json_pair(&w, "made", (med_str){now, sizeof now});
    med_json_pair(&w, "program", MED_STR("medulla " MED_VERSION));
    med_json_key(&w, MED_STR("asOfCommit"));
    med_json_int(&w, x->as_of);
    med_json_key(&w, MED_STR("files"));
    med_json_open(&w, '[');
    for (size_t i = 0; i < TYPES; i++) {
        if (x->files[i].file != NULL)
            write_file_entry(&w, &x->files[i]);
    }
    med_json_close(&w, ']');
    med_json_close(&w, '}');
    med_buf_addc(out, '\n');
}

static bool write_manifest(exporting *x, med_err *err)
{
    med_buf out;
    med_host *h = x->task->host;
    FILE *to = stream_of(h->make(h, MED_STR("manifest.json"), err), err);
    if (to == NULL)
        return false;
    med_buf_init(&out, 1 << 20);
    manifest_text(x, &out);
    bool ok = !out.failed && fwrite(out.ptr, 1, out.len, to) == out.len;
    ok = end_file(to) && ok;
    med_buf_free(&out);
    return ok ? true : MED_FAIL(err, MED_ISSUE_NO_STORE, "can not write manifest.json");
}

static bool close_files(exporting *x)
{
    bool ok = true;
    for (size_t i = 0; i < TYPES; i++) {
        if (x->files[i].file != NULL)
            ok = end_file(x->files[i].file) && ok;
        EVP_MD_CTX_free(x->files[i].digest);
    }
    return ok;
}

static void say_counts(exporting *x)
{
    med_host_sayf(x->task->host, "%-28s %10s", "type", "resources");
    for (size_t i = 0; i < TYPES; i++) {
        const out_file *f = &x->files[i];
        if (f->count > 0)
            med_host_sayf(x->task->host, "%-28.*s %10lu",
                          MED_STR_ARG(med_str_sub(f->name, 0, f->name.len - sizeof ".ndjson" + 1)),
                          (unsigned long)f->count);
    }
}

static enum med_exit task(med_task *t, med_err *err)
{
    exporting *x = MED_TAKE(t->arena, 1, exporting); /* too large for the stack */
    if (x == NULL)
        return MED_FAIL_MEMORY(err) ? MED_EXIT_OK : MED_EXIT_FAILED;
    x->task = t;
    t->host->begin(t->host, "exporting", "resources");
    bool ok = write_all(x, err) && write_manifest(x, err);
    if (!close_files(x) && ok)
        ok = MED_FAIL(err, MED_ISSUE_NO_STORE, "writing failed: %s", strerrordesc_np(errno));
    t->host->end(t->host, x->written, 0);
    if (ok)
        say_counts(x);
    return ok ? MED_EXIT_OK : MED_EXIT_FAILED;
}

static enum med_exit run(const med_arguments *args)
{
    if (args->n != 1)
        return med_command_fail(MED_EXIT_USAGE, "export needs one word: the directory to make");
    return med_task_perform_into(args, &med_command_export, args->words[0]);
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_export = {
    .name = "export",
    .usage = "[--data DIR] TO",
    .summary = "write all current resources as NDJSON, one file a type, with a manifest",
    .examples = "  medulla export --data DIR /exports/2026-01-31\n",
    .options = options,
    .run = run,
    .task = task,
};
