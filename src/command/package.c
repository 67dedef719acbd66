/* package.c - `medulla package add|list|remove`: implementation guides.
 *
 * Works on DATA/packages alone, so that it needs no store and a running server takes up what
 * changed by itself, within a second. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/folder.h"
#include "package/add.h"
#include "package/archive.h"
#include "progress.h"

#define ARENA_BYTES ((size_t)4 << 30)

enum { WITHOUT_MAX = 32 };

/* ---- add ---- */

static bool read_bytes(int fd, char *to, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, to, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        n -= (size_t)got;
    }
    return true;
}

static bool read_file(med_arena *a, med_str name, med_package_file *out, med_err *err)
{
    struct stat st;
    int fd = open(name.ptr, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &st) == 0;
    if (!ok || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > MED_ARCHIVE_PACKED_MAX) {
        int reason = errno;
        if (fd >= 0)
            (void)close(fd);
        return ok ? MED_FAIL(err, MED_ISSUE_INVALID, "%.150s is no regular file of at most %zu MB",
                             name.ptr, MED_ARCHIVE_PACKED_MAX >> 20)
                  : MED_FAIL(err, MED_ISSUE_NOT_FOUND, "%.150s can not be read (errno %d)",
                             name.ptr, reason);
    }
    char *bytes = MED_TAKE(a, (size_t)st.st_size + 1, char);
    ok = bytes != NULL && read_bytes(fd, bytes, (size_t)st.st_size);
    (void)close(fd);
    const char *slash = strrchr(name.ptr, '/');
    *out = (med_package_file){slash == NULL ? name.ptr : slash + 1, {bytes, (size_t)st.st_size}};
    return ok ? true : MED_FAIL(err, MED_ISSUE_EXCEPTION, "%.150s can not be read", name.ptr);
}

static bool show(void *arg, double fraction, uint64_t done)
{
    med_progress_show(arg, fraction, done, 0);
    return true;
}

static uint32_t count_of(const med_package_info *p, const char *type)
{
    for (size_t i = 0; i < p->n_counts; i++) {
        if (med_str_eqz(p->counts[i].type, type))
            return p->counts[i].n;
    }
    return 0;
}

static uint32_t count_all(const med_package_info *p)
{
    uint32_t n = 0;
    for (size_t i = 0; i < p->n_counts; i++)
        n += p->counts[i].n;
    return n;
}

static void print_head(void)
{
    (void)printf("%-36s %-14s %9s %9s %9s %9s %8s\n", "package", "version", "resources", "profiles",
                 "made", "codes", "kB");
}

/* `made` are snapshots that were not shipped, `codes` its systems, value sets and maps. */
static void print_row(const med_package_info *p)
{
    (void)printf("%-36.*s %-14.*s %9u %9u %9u %9u %8llu\n", MED_STR_ARG(p->name),
                 MED_STR_ARG(p->version), count_all(p), count_of(p, "StructureDefinition"),
                 p->snapshots_made,
                 count_of(p, "CodeSystem") + count_of(p, "ValueSet") + count_of(p, "ConceptMap"),
                 (unsigned long long)(p->bytes / 1000));
}

static size_t read_without(const med_arguments *args, med_str out[WITHOUT_MAX])
{
    med_str list;
    size_t n = 0;
    if (!med_argument(args, "without", &list))
        return 0;
    while (list.len > 0 && n < WITHOUT_MAX)
        out[n++] = med_str_trim(med_str_cut(list, ',', &list));
    return n;
}

static bool read_files(const med_arguments *args, med_arena *a, med_package_file *files,
                       med_err *err)
{
    for (size_t i = 1; i < args->n; i++) {
        if (!read_file(a, args->words[i], &files[i - 1], err))
            return false;
    }
    return true;
}

static enum med_exit add(const med_arguments *args, const char *folder)
{
    med_package_file files[MED_PACKAGE_ADD_MAX];
    med_package_info added[MED_PACKAGE_ADD_MAX];
    med_str without[WITHOUT_MAX];
    med_progress_bar bar;
    med_err err = {0};
    size_t n = args->n - 1;
    if (n == 0 || n > MED_PACKAGE_ADD_MAX)
        return med_command_fail(MED_EXIT_USAGE, "name one to %d packages (.tgz)",
                                MED_PACKAGE_ADD_MAX);
    med_arena *a = med_arena_new(ARENA_BYTES);
    if (a == NULL)
        return med_command_fail(MED_EXIT_FAILED, "no memory");
    med_package_add_options o = {.folder = folder,
                                 .without = without,
                                 .n_without = read_without(args, without),
                                 .now = med_now(&med_clock_system),
                                 .progress = show,
                                 .arg = &bar};
    med_progress_start(&bar, "adding", "definitions");
    bool ok = read_files(args, a, files, &err) && med_package_add(a, files, n, &o, added, &err);
    if (ok) {
        uint64_t definitions = 0;
        for (size_t i = 0; i < n; i++)
            definitions += count_of(&added[i], "StructureDefinition");
        med_progress_end(&bar, definitions, 0);
        print_head();
        for (size_t i = 0; i < n; i++)
            print_row(&added[i]);
    }
    med_arena_free(a);
    return ok ? MED_EXIT_OK
              : med_command_fail(MED_EXIT_FAILED, "%s; nothing was installed", err.text);
}

/* ---- list, remove ---- */

static void print_details(const med_package_info *p)
{
    (void)printf("    added %.10s", p->installed.ptr);
    for (size_t i = 0; i < p->n_counts; i++)
        (void)printf("%s%u %.*s", i == 0 ? ": " : ", ", p->counts[i].n,
                     MED_STR_ARG(p->counts[i].type));
    (void)putchar('\n');
    for (size_t i = 0; i < p->n_dependencies; i++)
        (void)printf("    needs %.*s %.*s%s\n", MED_STR_ARG(p->dependencies[i].name),
                     MED_STR_ARG(p->dependencies[i].version),
                     p->dependencies[i].left_out ? " (not there, left out)" : "");
}

static enum med_exit list(const med_arguments *args, const char *folder)
{
    med_packages *p;
    med_package_info info;
    med_err err = {0};
    if (args->n != 1)
        return med_command_fail(MED_EXIT_USAGE, "package list takes nothing else");
    if (!med_packages_open(folder, &p, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    med_arena *a = med_arena_new((size_t)64 << 20);
    for (size_t i = 0; a != NULL && med_packages_at(p, a, i, &info); i++) {
        if (i == 0)
            print_head();
        print_row(&info);
        print_details(&info);
    }
    if (a == NULL || !med_packages_at(p, a, 0, &info))
        (void)puts(
            "no package is installed; R4, the HL7 terminology and its extensions are built in");
    med_arena_free(a);
    med_packages_free(p);
    return MED_EXIT_OK;
}

static enum med_exit drop(const med_arguments *args, const char *folder)
{
    med_err err = {0};
    size_t n = 0;
    med_str version;
    if (args->n != 2)
        return med_command_fail(MED_EXIT_USAGE, "name one package: NAME or NAME@VERSION");
    med_str name = med_str_cut(args->words[1], '@', &version);
    if (version.len == 0)
        name = med_str_cut(args->words[1], '#', &version);
    med_arena *a = med_arena_new((size_t)64 << 20);
    bool ok = a != NULL && med_package_drop(a, folder, name, version, &n, &err);
    med_arena_free(a);
    if (!ok)
        return med_command_fail(
            err.issue == MED_ISSUE_CONFLICT ? MED_EXIT_REFUSED : MED_EXIT_FAILED, "%s", err.text);
    if (n == 0)
        return med_command_fail(MED_EXIT_FAILED, "that package is not installed: see `medulla "
                                                 "package list`");
    (void)printf("removed %zu\n", n);
    return MED_EXIT_OK;
}

static enum med_exit run(const med_arguments *args)
{
    static const med_folder_command command = {
        .name = "package",
        .folder = "packages",
        .does = "add, list or remove",
        .verbs = {{"add", add}, {"list", list}, {"remove", drop}},
    };
    return med_folder_command_run(&command, args);
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"without", "NAMES", NULL, "dependencies to go without, commas between"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_package = {
    .name = "package",
    .usage = "add FILE.tgz... | list | remove NAME[@VERSION]",
    .summary = "install implementation guides: profiles, value sets, code systems",
    .examples = "  medulla package add hl7.fhir.uv.ipa-1.1.0.tgz hl7.fhir.uv.ips-2.0.0.tgz\n"
                "  medulla package add --without hl7.fhir.uv.ipa hl7.fhir.uv.ips-2.0.0.tgz\n"
                "  medulla package list\n"
                "  medulla package remove hl7.fhir.uv.ips@2.0.0\n",
    .options = options,
    .run = run,
};
