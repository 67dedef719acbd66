/* add.c - see add.h. */
#include "package/add.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/datetime.h"
#include "base/file.h"
#include "package/archive.h"
#include "package/definition_set.h"
#include "package/manifest.h"
#include "package/text.h"

#define SCRATCH_BYTES ((size_t)768 << 20)
#define IMAGE_BYTES ((size_t)2 << 30)

/* A StructureDefinition that waits for its snapshot. */
typedef struct waiting {
    med_str file, text;
} waiting;

typedef struct adding {
    med_arena *a, *scratch;
    const char *source; /* name of the .tgz */
    med_package_builder *builder;
    med_package_info info;
    bool has_manifest;
    waiting *definitions;
    size_t n, room;
    med_package_count *counts;
    size_t n_counts;
    med_definition_set *set;
    med_buf image;
    bool done; /* its dependencies stand before it */
    bool told; /* *err names the file already */
} adding;

typedef struct work {
    med_arena *a;
    const med_package_add_options *o;
    med_packages *installed;
    adding *at[MED_PACKAGE_ADD_MAX];
    size_t n;
    uint64_t steps, all;
} work;

/* The same fault, with the file in front of it. */
__attribute__((format(printf, 2, 3))) static bool in_file(med_err *err, const char *fmt, ...)
{
    char text[sizeof err->text + sizeof err->expr + 128], where[96];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(where, sizeof where, fmt, args);
    va_end(args);
    const char *at = err->expr[0] != '\0' ? ", at " : "";
    (void)snprintf(text, sizeof text, "%s%s%.100s: %s", where, at, err->expr, err->text);
    memcpy(err->text, text, sizeof err->text);
    err->text[sizeof err->text - 1] = '\0';
    return false;
}

/* ---- reading ---- */

static bool count(adding *p, med_str type, med_err *err)
{
    for (size_t i = 0; i < p->n_counts; i++) {
        if (med_str_eq(p->counts[i].type, type)) {
            p->counts[i].n++;
            return true;
        }
    }
    if (p->n_counts == MED_PACKAGE_TYPES_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a package holds at most %d types of resources",
                        MED_PACKAGE_TYPES_MAX);
    med_package_count *c = &p->counts[p->n_counts++];
    c->n = 1;
    return med_arena_copy(p->a, type, &c->type) ? true : MED_FAIL_MEMORY(err);
}

static bool wait_for_snapshot(adding *p, med_str file, med_str text, med_err *err)
{
    waiting *more = MED_GROW(p->a, p->definitions, p->n, &p->room, 64);
    if (more == NULL)
        return MED_FAIL_MEMORY(err);
    p->definitions = more;
    waiting *w = &p->definitions[p->n++];
    return med_arena_copy(p->a, file, &w->file) && med_arena_copy(p->a, text, &w->text)
               ? true
               : MED_FAIL_MEMORY(err);
}

static bool keep(adding *p, const med_json *j, med_str type, uint32_t flags, med_err *err)
{
    med_buf text;
    med_package_entry e = {.type = type,
                           .url = med_package_text(p->scratch, j, 0, "url"),
                           .version = med_package_text(p->scratch, j, 0, "version"),
                           .id = med_package_text(p->scratch, j, 0, "id"),
                           .flags = flags};
    med_buf_init(&text, MED_ARCHIVE_ENTRY_MAX);
    med_json_write_min(&text, j, 0);
    bool ok = text.failed ? MED_FAIL_MEMORY(err)
                          : med_package_builder_add(p->builder, &e, med_buf_str(&text), err);
    med_buf_free(&text);
    return ok;
}

static bool take_guide(adding *p, const med_json *j, med_err *err)
{
    med_str url = med_package_text(p->scratch, j, 0, "url");
    med_str version = med_package_text(p->scratch, j, 0, "version");
    p->info.guide = med_arena_printf(p->a, "%.*s%s%.*s", MED_STR_ARG(url),
                                     version.len > 0 ? "|" : "", MED_STR_ARG(version));
    return p->info.guide.len > 0 || url.len == 0 ? true : MED_FAIL_MEMORY(err);
}

static bool take_resource(adding *p, med_str file, med_str bytes, med_err *err)
{
    med_json j;
    if (med_str_starts(bytes, MED_STR("\xEF\xBB\xBF")))
        bytes = med_str_skip(bytes, 3);
    if (!med_json_parse(p->scratch, bytes, &j, NULL, err))
        return false;
    med_str type = med_package_text(p->scratch, &j, 0, "resourceType");
    if (type.len == 0) /* settings of some tool */
        return true;
    if (med_str_eqz(type, "StructureDefinition"))
        return count(p, type, err) && wait_for_snapshot(p, file, bytes, err);
    if (med_str_eqz(type, "ImplementationGuide") && !take_guide(p, &j, err))
        return false;
    return count(p, type, err) && keep(p, &j, type, 0, err);
}

static bool take_manifest(adding *p, med_str bytes, med_err *err)
{
    med_str kept;
    med_package_info info;
    if (!med_arena_copy(p->a, bytes, &kept))
        return MED_FAIL_MEMORY(err);
    if (!med_manifest_read(p->a, kept, &info, err))
        return false;
    info.guide = p->info.guide;
    p->info = info;
    p->has_manifest = true;
    return true;
}

/* Only what lies in package/ itself is the package; folders below are examples and tools'. */
static bool take_entry(void *arg, med_str name, med_str bytes, med_err *err)
{
    adding *p = arg;
    med_str file, folder = med_str_cut(name, '/', &file);
    if (!med_str_eqz(folder, "package") || med_str_find(file, '/', 0) < file.len
        || !med_str_ends(file, MED_STR(".json")) || med_str_starts(file, MED_STR(".")))
        return true;
    med_arena_reset(p->scratch);
    bool ok = med_str_eqz(file, "package.json") ? take_manifest(p, bytes, err)
                                                : take_resource(p, file, bytes, err);
    p->told = !ok;
    return ok || in_file(err, "%s: %.*s", p->source, MED_STR_ARG(med_str_sub(file, 0, 60)));
}

static bool read_package(work *w, const med_package_file *file, med_err *err)
{
    adding *p = w->at[w->n++];
    p->source = file->name;
    if (!med_archive_read(file->bytes, take_entry, p, err))
        return p->told ? false : in_file(err, "%s", file->name);
    if (!p->has_manifest)
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "%.100s: there is no package/package.json: it is no FHIR package",
                        file->name);
    med_str version;
    if (med_packages_is_built_in(p->info.name, &version))
        return MED_FAIL(err, MED_ISSUE_DUPLICATE,
                        "%.100s: %.*s is built in (%.*s) and need not be added", file->name,
                        MED_STR_ARG(p->info.name), MED_STR_ARG(version));
    w->all += p->n;
    return true;
}

/* ---- dependencies ---- */

static bool is_left_out(const work *w, med_str name)
{
    for (size_t i = 0; i < w->o->n_without; i++) {
        if (med_str_eq(w->o->without[i], name))
            return true;
    }
    return false;
}

/* What is built in takes the place of an equal or older release of its line or of earlier ones. */
static bool is_built_in(const med_package_dependency *d)
{
    med_str version;
    if (!med_packages_is_built_in(d->name, &version))
        return false;
    if (med_str_starts(d->name, MED_STR("hl7.fhir.r4.")))
        return med_str_starts(d->version, MED_STR("4.0"));
    int64_t asked, have;
    med_str rest;
    return !med_str_to_int64(med_str_cut(d->version, '.', &rest), &asked)
           || (med_str_to_int64(med_str_cut(version, '.', &rest), &have) && asked <= have);
}

static adding *given(const work *w, const med_package_dependency *d)
{
    for (size_t i = 0; i < w->n; i++) {
        const med_package_info *info = &w->at[i]->info;
        if (med_str_eq(info->name, d->name) && med_dependency_fits(d->version, info->version))
            return w->at[i];
    }
    return NULL;
}

static bool is_installed(const work *w, const med_package_dependency *d, med_str *other)
{
    med_package_info info;
    *other = MED_STR_EMPTY;
    for (size_t i = 0; med_packages_at(w->installed, w->a, i, &info); i++) {
        if (!med_str_eq(info.name, d->name))
            continue;
        if (med_dependency_fits(d->version, info.version))
            return true;
        *other = info.version;
    }
    return false;
}

static bool check_dependencies(work *w, adding *p, med_err *err)
{
    med_package_dependency *list = MED_TAKE(w->a, p->info.n_dependencies, med_package_dependency);
    if (list == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < p->info.n_dependencies; i++) {
        med_str other;
        list[i] = p->info.dependencies[i];
        if (is_built_in(&list[i]) || given(w, &list[i]) != NULL
            || is_installed(w, &list[i], &other))
            continue;
        list[i].left_out = is_left_out(w, list[i].name);
        if (!list[i].left_out)
            return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                            "%.*s needs %.*s %.*s, which is not installed%s%.*s: name its .tgz in "
                            "the same command, or go without it (--without %.*s)",
                            MED_STR_ARG(med_str_sub(p->info.name, 0, 40)),
                            MED_STR_ARG(med_str_sub(list[i].name, 0, 40)),
                            MED_STR_ARG(med_str_sub(list[i].version, 0, 20)),
                            other.len > 0 ? " (there is " : "",
                            MED_STR_ARG(other.len > 0
                                            ? med_arena_printf(w->a, "%.*s)", MED_STR_ARG(other))
                                            : other),
                            MED_STR_ARG(med_str_sub(list[i].name, 0, 40)));
    }
    p->info.dependencies = list;
    return true;
}

/* Whoever has all its dependencies behind it comes next; `order` is filled. */
static bool sort(work *w, med_err *err)
{
    adding *order[MED_PACKAGE_ADD_MAX] = {NULL};
    size_t n = 0;
    while (n < w->n) {
        size_t before = n;
        for (size_t i = 0; i < w->n; i++) {
            adding *p = w->at[i];
            bool ready = !p->done;
            for (size_t d = 0; ready && d < p->info.n_dependencies; d++) {
                const adding *other = given(w, &p->info.dependencies[d]);
                ready = other == NULL || other->done;
            }
            if (ready) {
                p->done = true;
                order[n++] = p;
            }
        }
        if (n == before)
            return MED_FAIL(err, MED_ISSUE_INVALID,
                            "the packages given depend on each other in a circle");
    }
    memcpy(w->at, order, n * sizeof *order);
    return true;
}

/* ---- definitions ---- */

static bool went_without(const adding *p)
{
    for (size_t i = 0; i < p->info.n_dependencies; i++) {
        if (p->info.dependencies[i].left_out)
            return true;
    }
    return false;
}

/* One that shipped its snapshot is made anew, too: so its faults are found. */
static bool check_shipped(adding *p, const med_definition *d, const med_definition_source *source,
                          med_err *err)
{
    med_str text;
    if (med_json_member(&d->json, 0, MED_STR("differential")) == 0
        || med_json_member(&d->json, 0, MED_STR("baseDefinition")) == 0)
        return true;
    if (med_snapshot_make(p->scratch, &d->json, 0, source, &text, err))
        return true;
    return err->issue == MED_ISSUE_NOT_FOUND && went_without(p); /* its base is what is missing */
}

static bool compile_definition(adding *p, size_t i, med_err *err)
{
    const med_definition *d;
    med_definition_source source = med_definition_set_source(p->set);
    bool made = false;
    med_arena_reset(p->scratch);
    if (!med_definition_set_at(p->set, i, &d, &made, err)
        || (!made && !check_shipped(p, d, &source, err)))
        return false;
    p->info.snapshots_made += made ? 1 : 0;
    return keep(p, &d->json, MED_STR("StructureDefinition"), made ? MED_PACKAGE_GENERATED : 0, err);
}

static bool compile(work *w, adding *p, const med_definition_source *behind, med_err *err)
{
    med_str label = med_arena_printf(w->a, "%.*s#%.*s", MED_STR_ARG(p->info.name),
                                     MED_STR_ARG(p->info.version));
    p->set = med_definition_set_new(p->a, behind);
    if (p->set == NULL || label.len == 0)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < p->n; i++) {
        if (!med_definition_set_add(p->set, p->definitions[i].text, label, err))
            return in_file(err, "%s: %.*s", p->source, MED_STR_ARG(p->definitions[i].file));
    }
    for (size_t i = 0; i < p->n; i++) {
        if (!compile_definition(p, i, err))
            return in_file(err, "%s: %.*s", p->source, MED_STR_ARG(p->definitions[i].file));
        w->steps++;
        if (w->o->progress != NULL
            && !w->o->progress(w->o->arg, (double)w->steps / (double)w->all, w->steps))
            return MED_FAIL(err, MED_ISSUE_INCOMPLETE, "stopped; nothing was installed");
    }
    return true;
}

static bool finish(work *w, adding *p, med_err *err)
{
    char now[MED_INSTANT_LEN];
    med_buf manifest;
    med_instant_format(w->o->now, now);
    p->info.counts = p->counts;
    p->info.n_counts = p->n_counts;
    if (!med_arena_copy(p->a, (med_str){now, sizeof now}, &p->info.installed))
        return MED_FAIL_MEMORY(err);
    med_buf_init(&manifest, 1 << 20);
    bool ok = med_manifest_write(&p->info, &manifest, err)
              && med_package_builder_end(p->builder, med_buf_str(&manifest), &p->image, err);
    med_buf_free(&manifest);
    p->info.bytes = p->image.len;
    return ok;
}

static bool check_room(work *w, med_err *err)
{
    med_package_info info;
    size_t n = w->n;
    while (n <= MED_PACKAGES_MAX && med_packages_at(w->installed, w->a, n - w->n, &info))
        n++;
    return n <= MED_PACKAGES_MAX
               ? true
               : MED_FAIL(err, MED_ISSUE_TOO_LONG, "at most %d packages can be installed",
                          MED_PACKAGES_MAX);
}

static bool check_all(work *w, med_err *err)
{
    med_definition_source sources[MED_PACKAGE_ADD_MAX + 1];
    sources[0] = med_packages_source(w->installed);
    if (!check_room(w, err))
        return false;
    for (size_t i = 0; i < w->n; i++) {
        if (!check_dependencies(w, w->at[i], err))
            return false;
    }
    if (!sort(w, err))
        return false;
    for (size_t i = 0; i < w->n; i++) {
        if (!compile(w, w->at[i], &sources[i], err) || !finish(w, w->at[i], err))
            return false;
        sources[i + 1] = med_definition_set_source(w->at[i]->set);
    }
    return true;
}

static bool put_all(work *w, med_err *err)
{
    for (size_t i = 0; i < w->n; i++) {
        adding *p = w->at[i];
        if (!med_packages_put(w->o->folder, p->info.name, p->info.version, med_buf_str(&p->image),
                              err))
            return false;
    }
    return true;
}

static bool start(adding *p, med_arena *a)
{
    p->a = a;
    p->scratch = med_arena_new(SCRATCH_BYTES);
    p->builder = med_package_builder_new(MED_STR_EMPTY);
    p->counts = MED_TAKE(a, MED_PACKAGE_TYPES_MAX, med_package_count);
    p->info.guide = MED_STR_EMPTY;
    med_buf_init(&p->image, IMAGE_BYTES);
    return p->scratch != NULL && p->builder != NULL && p->counts != NULL;
}

static void end(adding *p)
{
    med_arena_free(p->scratch);
    med_package_builder_free(p->builder);
    med_buf_free(&p->image);
}

/* It must outlive what the arena holds of it: the arena ends it last. */
static void free_packages(void *packages)
{
    med_packages_free(packages);
}

static bool open_installed(med_arena *a, const char *folder, med_packages **out, med_err *err)
{
    if (!med_packages_open(folder, out, err))
        return false;
    return med_arena_defer(a, free_packages, *out) ? true : MED_FAIL_MEMORY(err);
}

bool med_package_add(med_arena *a, const med_package_file *files, size_t n,
                     const med_package_add_options *options, med_package_info *out, med_err *err)
{
    work w = {.a = a, .o = options};
    adding *all = MED_TAKE(a, n, adding);
    bool ok = true;
    if (n == 0 || n > MED_PACKAGE_ADD_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "name one to %d packages", MED_PACKAGE_ADD_MAX);
    if (all == NULL)
        return MED_FAIL_MEMORY(err);
    if (!open_installed(a, options->folder, &w.installed, err))
        return false;
    med_file_clean(options->folder);
    for (size_t i = 0; i < n; i++) {
        w.at[i] = &all[i];
        ok = start(&all[i], a) && ok;
    }
    if (!ok)
        (void)MED_FAIL_MEMORY(err);
    for (size_t i = 0; ok && i < n; i++)
        ok = read_package(&w, &files[i], err);
    ok = ok && check_all(&w, err) && put_all(&w, err);
    for (size_t i = 0; i < n; i++) {
        out[i] = all[i].info;
        end(&all[i]);
    }
    return ok;
}

/* ---- removing ---- */

/* Would somebody's dependency be kept by nobody? */
static bool is_needed(med_arena *a, med_packages *p, med_str name, med_str version, med_str *by)
{
    med_package_info who, other;
    for (size_t i = 0; med_packages_at(p, a, i, &who); i++) {
        for (size_t d = 0; d < who.n_dependencies; d++) {
            const med_package_dependency *need = &who.dependencies[d];
            bool kept =
                need->left_out || !med_str_eq(need->name, name) || med_str_eq(who.name, name);
            for (size_t k = 0; !kept && med_packages_at(p, a, k, &other); k++)
                kept = med_str_eq(other.name, name) && version.len > 0
                       && !med_str_eq(other.version, version)
                       && med_dependency_fits(need->version, other.version);
            if (!kept) {
                *by = who.name;
                return true;
            }
        }
    }
    return false;
}

/* The versions of that name that are there. */
static size_t versions_of(med_arena *a, med_packages *p, med_str name, med_str version,
                          med_str out[MED_PACKAGES_MAX])
{
    med_package_info info;
    size_t n = 0;
    for (size_t i = 0; i < MED_PACKAGES_MAX && med_packages_at(p, a, i, &info); i++) {
        if (med_str_eq(info.name, name) && (version.len == 0 || med_str_eq(info.version, version)))
            out[n++] = info.version;
    }
    return n;
}

bool med_package_drop(med_arena *a, const char *folder, med_str name, med_str version, size_t *n,
                      med_err *err)
{
    med_packages *p;
    med_str versions[MED_PACKAGES_MAX], by;
    *n = 0;
    if (!open_installed(a, folder, &p, err))
        return false;
    size_t found = versions_of(a, p, name, version, versions);
    if (found > 0 && is_needed(a, p, name, version, &by))
        return MED_FAIL(err, MED_ISSUE_CONFLICT,
                        "%.*s depends on it: remove that one first (medulla package remove %.*s)",
                        MED_STR_ARG(by), MED_STR_ARG(by));
    for (; *n < found; (*n)++) {
        if (!med_packages_remove(folder, name, versions[*n], err))
            return false;
    }
    return true;
}
