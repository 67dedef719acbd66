/* packages.c - see packages.h. */
#include "package/packages.h"

#include "base/mapped_folder.h"
#include "base/mem.h"
#include "definitions_embedded.h"
#include "package/manifest.h"

struct med_packages {
    med_mapped_folder *folder;
};

const med_package_image *med_packages_built_in(void)
{
    return (const med_package_image *)(const void *)med_embedded_definitions().ptr;
}

bool med_packages_is_built_in(med_str name, med_str *version)
{
    static const struct {
        const char *name, *version;
    } known[] = {{"hl7.fhir.r4.core", "4.0.1"},         {"hl7.fhir.r4.expansions", "4.0.1"},
                 {"hl7.fhir.r4.examples", "4.0.1"},     {"hl7.terminology", "7.0.1"},
                 {"hl7.terminology.r4", "7.0.1"},       {"hl7.fhir.uv.extensions", "5.3.0"},
                 {"hl7.fhir.uv.extensions.r4", "5.3.0"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (med_str_eqz(name, known[i].name)) {
            *version = med_str_from(known[i].version);
            return true;
        }
    }
    return false;
}

/* ---- the folder ---- */

static bool open_image(med_str bytes, const void **out, med_err *err)
{
    const med_package_image *image;
    if (!med_package_image_open(bytes, &image, err))
        return false;
    *out = image;
    return true;
}

/* By name, of one name the newest version first. */
static int by_label(const med_mapped_file *x, const med_mapped_file *y)
{
    med_str x_version, y_version;
    med_str x_name = med_str_cut(med_str_from(x->name), '#', &x_version);
    med_str y_name = med_str_cut(med_str_from(y->name), '#', &y_version);
    int d = med_str_compare(x_name, y_name);
    return d != 0 ? d : med_package_version_compare(y_version, x_version);
}

bool med_packages_open(const char *folder, med_packages **out, med_err *err)
{
    static const med_mapped_kind kind = {.suffix = ".package",
                                         .what = "package file",
                                         .mend = "add the package again",
                                         .most = MED_PACKAGES_MAX,
                                         .open = open_image,
                                         .order = by_label};
    med_packages *p = MED_NEW(1, med_packages);
    if (p == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_mapped_folder_open(&kind, folder, &p->folder, err)) {
        med_free(p);
        return false;
    }
    *out = p;
    return true;
}

void med_packages_free(med_packages *p)
{
    if (p == NULL)
        return;
    med_mapped_folder_free(p->folder);
    med_free(p);
}

uint64_t med_packages_epoch(med_packages *p)
{
    return p == NULL ? 0 : med_mapped_folder_epoch(p->folder);
}

/* ---- finding ---- */

/* "4.0" fits 4.0.1, "4.0.1-ballot" fits itself only. */
static bool version_fits(med_str have, med_str asked)
{
    return asked.len == 0 || med_str_eq(have, asked)
           || (med_str_starts(have, asked) && have.ptr[asked.len] == '.');
}

/* The first row that fits is the newest. */
static bool find_row(const med_package_image *image, med_str type, med_str url, med_str version,
                     size_t *row, med_package_entry *e)
{
    size_t n = med_package_image_count(image);
    for (size_t i = med_package_image_find(image, url); i < n; i++) {
        med_package_image_entry(image, i, e);
        if (!med_str_eq(e->url, url))
            return false;
        if (med_str_eq(e->type, type) && version_fits(e->version, version)) {
            *row = i;
            return true;
        }
    }
    return false;
}

/* Which package has it in the newest fitting version, not older than the built-in one. */
typedef struct wanted {
    med_str type, url, version;
    const med_package_entry *built_in; /* NULL: it is not */
    bool found;
    size_t row;
    med_package_entry best;
} wanted;

static bool has_newer(void *arg, const med_mapped_file *file)
{
    wanted *w = arg;
    med_package_entry e;
    size_t row;
    if (!find_row(file->image, w->type, w->url, w->version, &row, &e)
        || (w->found && med_package_version_compare(e.version, w->best.version) <= 0)
        || (w->built_in != NULL
            && med_package_version_compare(e.version, w->built_in->version) < 0))
        return false;
    w->found = true;
    w->row = row;
    w->best = e;
    return true;
}

bool med_packages_find(med_packages *p, med_arena *a, med_str type, med_str url, med_str version,
                       med_package_found *out, med_err *err)
{
    med_package_entry mine = {0};
    size_t built_in = 0;
    const med_mapped_file *file = NULL;
    memset(out, 0, sizeof *out);
    out->json = MED_STR_EMPTY;
    bool have = find_row(med_packages_built_in(), type, url, version, &built_in, &mine);
    wanted w = {.type = type, .url = url, .version = version, .built_in = have ? &mine : NULL};
    if (p != NULL && !med_mapped_folder_hold(p->folder, a, has_newer, &w, &file, err))
        return false;
    if (file == NULL && !have)
        return true;
    if (file == NULL) {
        w.best = mine;
        w.row = built_in;
    }
    *out = (med_package_found){
        .json = MED_STR_EMPTY,
        .url = w.best.url,
        .version = w.best.version,
        .id = w.best.id,
        .package = med_str_from(file == NULL ? "hl7.fhir.r4.core#4.0.1" : file->name),
        .flags = w.best.flags};
    return med_package_image_text(file == NULL ? med_packages_built_in() : file->image, a, w.row,
                                  &out->json, err);
}

static uint64_t source_epoch(void *self)
{
    return med_packages_epoch(self);
}

static bool source_find(void *self, med_arena *a, med_str canonical, const med_definition **out,
                        med_err *err)
{
    med_package_found found;
    med_str version, url = med_str_cut(canonical, '|', &version);
    if (!med_packages_find(self, a, MED_STR("StructureDefinition"), url, version, &found, err))
        return false;
    if (found.json.len == 0)
        return true;
    med_definition *d = MED_TAKE(a, 1, med_definition);
    if (d == NULL)
        return MED_FAIL_MEMORY(err);
    d->url = found.url;
    d->version = found.version;
    d->package = found.package;
    *out = d;
    return med_json_parse(a, found.json, &d->json, NULL, err);
}

med_definition_source med_packages_source(med_packages *p)
{
    return (med_definition_source){p, source_epoch, source_find};
}

/* ---- what is there ---- */

bool med_packages_at(med_packages *p, med_arena *a, size_t index, med_package_info *out)
{
    med_err ignored;
    const med_mapped_file *file = p == NULL ? NULL : med_mapped_folder_at(p->folder, a, index);
    if (file == NULL
        || !med_manifest_info(a, med_package_image_manifest(file->image), out, &ignored))
        return false;
    out->bytes = file->bytes.len;
    return true;
}

bool med_packages_resource(med_packages *p, med_arena *a, size_t index, size_t row,
                           med_package_entry *out)
{
    const med_mapped_file *file = p == NULL ? NULL : med_mapped_folder_at(p->folder, a, index);
    if (file == NULL || row >= med_package_image_count(file->image))
        return false;
    med_package_image_entry(file->image, row, out);
    return true;
}
