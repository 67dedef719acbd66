/* terminology.c - `medulla terminology import|list|remove`: large code systems.
 *
 * Works on DATA/terminology alone, so that it needs no store and a running server takes up what
 * changed by itself. */
#include <stdio.h>

#include "command/folder.h"
#include "progress.h"
#include "terminology/folder.h"
#include "terminology/import.h"

#define IMAGE_BYTES ((size_t)3 << 30)
#define ARENA_BYTES ((size_t)4 << 30)

/* ---- import ---- */

static bool show(void *arg, double fraction, uint64_t done)
{
    med_progress_show(arg, fraction, done, 0);
    return true;
}

static bool read_options(const med_arguments *args, med_import *o, med_err *err)
{
    med_str format, nearest;
    o->path = args->words[1].ptr;
    o->system = o->version = o->language = MED_STR_EMPTY;
    (void)med_argument(args, "system", &o->system);
    (void)med_argument(args, "system-version", &o->version);
    (void)med_argument(args, "language", &o->language);
    if (!med_argument(args, "format", &format)) {
        if (med_import_format_of(o->path, &o->format))
            return true;
        return MED_FAIL(err, MED_ISSUE_REQUIRED,
                        "say what it is: --format snomed, loinc, claml, icd10, atc, csv or json");
    }
    if (med_import_format_named(format, &o->format, &nearest))
        return true;
    return MED_FAIL(err, MED_ISSUE_VALUE,
                    "there is no such format%s%.*s; known: snomed, loinc, claml, icd10, atc, csv, "
                    "json",
                    nearest.len > 0 ? "; nearest: " : "", MED_STR_ARG(nearest));
}

static void report(const med_buf *image)
{
    const med_image *m;
    med_err ignored;
    if (!med_image_open(med_buf_str(image), &m, &ignored))
        return;
    (void)printf("%.*s%s%.*s: %u codes, %.1f MB\n", MED_STR_ARG(med_image_url(m)),
                 med_image_version(m).len > 0 ? "|" : "", MED_STR_ARG(med_image_version(m)),
                 med_image_count(m), (double)med_image_size(m) / 1e6);
}

static enum med_exit import(const med_arguments *args, const char *folder)
{
    med_import o = {.progress = show};
    med_err err = {0};
    med_buf image;
    med_progress_bar bar;
    med_arena *a = med_arena_new(ARENA_BYTES);
    if (a == NULL || args->n != 2)
        return med_command_fail(MED_EXIT_USAGE, "name one file or folder to import");
    if (!read_options(args, &o, &err)) {
        med_arena_free(a);
        return med_command_fail(MED_EXIT_USAGE, "%s", err.text);
    }
    (void)fprintf(stderr, "%s\n", med_import_licence(o.format));
    o.progress_arg = &bar;
    med_buf_init(&image, IMAGE_BYTES);
    med_progress_start(&bar, "importing", "rows");
    bool ok = med_term_import(a, &o, &image, &err)
              && med_term_folder_put(folder, med_buf_str(&image), &err);
    med_progress_end(&bar, 0, 0);
    if (ok)
        report(&image);
    med_buf_free(&image);
    med_arena_free(a);
    return ok ? MED_EXIT_OK : med_command_fail(MED_EXIT_FAILED, "%s", err.text);
}

/* ---- list, remove ---- */

static enum med_exit list(const med_arguments *args, const char *folder)
{
    med_term_folder *f;
    med_err err = {0};
    const med_image *m;
    if (!med_term_folder_open(folder, &f, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    med_arena *a = med_arena_new(1 << 20);
    for (size_t i = 0; a != NULL && med_term_folder_at(f, a, i, &m); i++)
        (void)printf("%.*s\t%.*s\t%u codes\t%.1f MB\n", MED_STR_ARG(med_image_url(m)),
                     MED_STR_ARG(med_image_version(m)), med_image_count(m),
                     (double)med_image_size(m) / 1e6);
    med_arena_free(a);
    med_term_folder_free(f);
    (void)args;
    return MED_EXIT_OK;
}

static enum med_exit drop(const med_arguments *args, const char *folder)
{
    med_err err = {0};
    size_t n;
    if (args->n < 2 || args->n > 3)
        return med_command_fail(MED_EXIT_USAGE, "name the system, and the version if only one");
    med_str version = args->n == 3 ? args->words[2] : MED_STR_EMPTY;
    if (!med_term_folder_remove(folder, args->words[1], version, &n, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    if (n == 0)
        return med_command_fail(MED_EXIT_FAILED, "no such system was imported");
    (void)printf("removed %zu\n", n);
    return MED_EXIT_OK;
}

static enum med_exit run(const med_arguments *args)
{
    static const med_folder_command command = {
        .name = "terminology",
        .folder = "terminology",
        .does = "import, list or remove",
        .verbs = {{"import", import}, {"list", list}, {"remove", drop}},
    };
    return med_folder_command_run(&command, args);
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"format", "NAME", NULL,
     "snomed, loinc, claml, icd10, atc, csv or json (default: by its name)"},
    {"system", "URL", NULL, "canonical of the system, where the format does not say it"},
    {"system-version", "TEXT", NULL, "version of the system"},
    {"language", "TAG", NULL, "language of the displays (default en)"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_terminology = {
    .name = "terminology",
    .usage = "import PATH | list | remove URL [VERSION]",
    .summary = "load SNOMED CT, LOINC, ICD-10, ATC and other code systems",
    .examples =
        "  medulla terminology import --format snomed SnomedCT_InternationalRF2/\n"
        "  medulla terminology import --system-version 2.78 Loinc.csv\n"
        "  medulla terminology import --format csv --system http://example.org/codes c.csv\n",
    .options = options,
    .run = run,
};
