/* pack_compiler.c - the program that makes the core pack at build time.
 *
 *     medulla-packc PACKAGE-FOLDER UNCOMPILED.TXT MISTAKES.TXT OUT
 *
 * Fails, with a line for each, when a search parameter or an invariant can not be compiled and
 * its list does not say so. */
#include <stdio.h>

#include "model/compile/extension_compiler.h"
#include "model/compile/invariant_compiler.h"
#include "model/compile/param_compiler.h"
#include "model/compile/type_compiler.h"

#define MEMORY ((size_t)2 << 30)

static bool write_file(const char *path, med_str bytes, med_err *err)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "%s: can not be opened for writing", path);
    bool ok = fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len;
    if (fclose(file) != 0 || !ok)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "%s: can not be written", path);
    return true;
}

static void print_summary(const med_pack *p, med_str bytes, const med_param_report *r,
                          const med_invariant_report *invariants)
{
    size_t n = 0;
    (void)med_pack_resources(p, &n);
    (void)printf("pack %.*s: %zu bytes, %zu types (%zu resources), %zu search parameters; of %zu "
                 "(parameter, resource type) pairs %zu are walked, %zu go to FHIRPath, %zu are "
                 "not compiled; %zu invariants, %zu of them listed as wrong; %u extensions\n",
                 MED_STR_ARG(med_pack_version(p)), bytes.len, med_pack_type_count(p), n,
                 r->n_params, r->n_pairs, r->n_walked, r->n_fhirpath, r->n_none, invariants->n,
                 invariants->n_listed, p->sections[PACK_EXTENSIONS].n);
}

static bool check_report(size_t n_faults, const med_buf *text, med_err *err)
{
    if (n_faults == 0)
        return true;
    (void)fprintf(stderr, "%.*s", MED_STR_ARG(med_buf_str(text)));
    return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                    "%zu lines that the list of what is not compiled lacks or has too many",
                    n_faults);
}

static bool compile(med_arena *a, med_pack_writer *w, char **argv, med_param_report *report,
                    med_invariant_report *invariants, med_err *err)
{
    med_source source;
    med_str list, wrong, bytes;
    const med_pack *pack = NULL;
    med_str release = MED_STR("4.0.1");
    return med_source_load(a, argv[1], &source, err) && med_source_read(a, argv[2], &list, err)
           && med_source_read(a, argv[3], &wrong, err) && med_types_compile(w, &source, err)
           && med_pack_writer_finish(w, release, &bytes, err) && med_pack_open(bytes, &pack, err)
           && med_params_compile(w, pack, &source, list, report, err)
           && check_report(report->n_faults, &report->text, err)
           && med_extensions_compile(w, pack, &source, err)
           && med_invariants_compile(w, pack, wrong, invariants, err)
           && check_report(invariants->n_faults, &invariants->text, err)
           && med_pack_writer_finish(w, release, &bytes, err) && med_pack_open(bytes, &pack, err)
           && write_file(argv[4], bytes, err)
           && (print_summary(pack, bytes, report, invariants), true);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr,
                      "usage: medulla-packc PACKAGE-FOLDER UNCOMPILED.TXT MISTAKES.TXT OUT\n");
        return 2;
    }
    med_arena *a = med_arena_new(MEMORY);
    if (a == NULL)
        return 1;
    med_pack_writer w;
    med_param_report report = {0};
    med_invariant_report invariants = {0};
    med_err err = {0};
    med_buf_init(&report.text, (size_t)1 << 20);
    med_buf_init(&invariants.text, (size_t)1 << 20);
    med_pack_writer_init(&w, a);
    bool ok = compile(a, &w, argv, &report, &invariants, &err);
    if (!ok)
        (void)fprintf(stderr, "medulla-packc: %s\n", err.text);
    med_pack_writer_free(&w);
    med_buf_free(&report.text);
    med_buf_free(&invariants.text);
    med_arena_free(a);
    return ok ? 0 : 1;
}
