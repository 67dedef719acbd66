/* manifest.c - see manifest.h. */
#include "package/manifest.h"

#include "package/text.h"

static bool is_r4(med_str version)
{
    return med_str_eqz(version, "4.0.1") || med_str_eqz(version, "4.0.0")
           || med_str_eqz(version, "4.0") || med_str_starts(version, MED_STR("4.0.1-"));
}

/* "fhirVersions" (a list), of old "fhir-version-list"; or only the dependency on the core. */
static bool check_fhir_version(med_arena *a, const med_json *j, med_package_info *out, med_err *err)
{
    static const char *const keys[] = {"fhirVersions", "fhir-version-list"};
    med_str seen = MED_STR_EMPTY;
    uint32_t end;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        for (uint32_t e = med_package_first(j, 0, keys[i], &end); e < end; e = j->nodes[e].next) {
            if (med_json_kind_at(j, e) == MED_JSON_STRING && !med_json_string(a, j, e, &seen))
                return MED_FAIL_MEMORY(err);
            if (is_r4(seen)) {
                out->fhir_version = seen;
                return true;
            }
        }
    }
    for (size_t i = 0; i < out->n_dependencies; i++) {
        const med_package_dependency *d = &out->dependencies[i];
        if (seen.len == 0 && med_str_eqz(d->name, "hl7.fhir.r4.core") && is_r4(d->version)) {
            out->fhir_version = d->version;
            return true;
        }
    }
    return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                    "the package is for FHIR %.*s; this server is R4 and takes packages whose "
                    "fhirVersions hold 4.0.1",
                    MED_STR_ARG(seen.len > 0 ? med_str_sub(seen, 0, 20)
                                             : MED_STR("of a version that it does not name")));
}

static bool read_dependencies(med_arena *a, const med_json *j, med_package_info *out, med_err *err)
{
    uint32_t o = med_package_member(j, 0, "dependencies", MED_JSON_OBJECT);
    size_t n = o == 0 ? 0 : j->nodes[o].count;
    med_package_dependency *list = MED_TAKE(a, n, med_package_dependency);
    if (list == NULL)
        return MED_FAIL_MEMORY(err);
    if (n > MED_PACKAGE_DEPENDENCIES_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a package has at most %d dependencies",
                        MED_PACKAGE_DEPENDENCIES_MAX);
    n = 0;
    for (uint32_t k = o + 1; o != 0 && k < j->nodes[o].next; k = j->nodes[k + 1].next) {
        med_package_dependency *d = &list[n++];
        if (med_json_kind_at(j, k + 1) != MED_JSON_STRING || !med_json_string(a, j, k, &d->name)
            || !med_json_string(a, j, k + 1, &d->version) || !med_package_name_is_sound(d->name))
            return MED_FAIL(err, MED_ISSUE_VALUE,
                            "dependencies in package.json are names with a version each");
    }
    out->dependencies = list;
    out->n_dependencies = n;
    return true;
}

/* A text with a NUL behind it, so that messages can cut it. */
static bool text_of(med_arena *a, const med_json *j, const char *key, med_str *out)
{
    return med_arena_copy(a, med_package_text(a, j, 0, key), out);
}

bool med_manifest_read(med_arena *a, med_str json, med_package_info *out, med_err *err)
{
    med_json j;
    memset(out, 0, sizeof *out);
    out->guide = out->installed = out->fhir_version = MED_STR_EMPTY;
    if (!med_json_parse(a, json, &j, NULL, err))
        return false;
    if (!text_of(a, &j, "name", &out->name) || !text_of(a, &j, "version", &out->version)
        || !text_of(a, &j, "title", &out->title) || !text_of(a, &j, "canonical", &out->canonical))
        return MED_FAIL_MEMORY(err);
    if (!med_package_name_is_sound(out->name) || !med_package_version_is_sound(out->version))
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "package.json has no name and version of letters, digits, '.', '-' and "
                        "'_', at most %d of each",
                        MED_PACKAGE_NAME_MAX);
    return read_dependencies(a, &j, out, err) && check_fhir_version(a, &j, out, err);
}

/* ---- as it is kept ---- */

bool med_manifest_write(const med_package_info *info, med_buf *out, med_err *err)
{
    med_json_writer w = med_json_writer_to(out);
    med_json_open(&w, '{');
    med_json_pair(&w, "name", info->name);
    med_json_pair(&w, "version", info->version);
    med_json_pair(&w, "title", info->title);
    med_json_pair(&w, "fhirVersion", info->fhir_version);
    med_json_pair(&w, "canonical", info->canonical);
    med_json_pair(&w, "guide", info->guide);
    med_json_pair(&w, "installed", info->installed);
    med_json_key(&w, MED_STR("snapshotsMade"));
    med_json_int(&w, info->snapshots_made);
    med_json_key(&w, MED_STR("dependencies"));
    med_json_open(&w, '[');
    for (size_t i = 0; i < info->n_dependencies; i++) {
        med_json_open(&w, '{');
        med_json_pair(&w, "name", info->dependencies[i].name);
        med_json_pair(&w, "version", info->dependencies[i].version);
        med_json_key(&w, MED_STR("leftOut"));
        med_json_bool(&w, info->dependencies[i].left_out);
        med_json_close(&w, '}');
    }
    med_json_close(&w, ']');
    med_json_key(&w, MED_STR("counts"));
    med_json_open(&w, '[');
    for (size_t i = 0; i < info->n_counts; i++) {
        med_json_open(&w, '{');
        med_json_pair(&w, "type", info->counts[i].type);
        med_json_key(&w, MED_STR("n"));
        med_json_int(&w, info->counts[i].n);
        med_json_close(&w, '}');
    }
    med_json_close(&w, ']');
    med_json_close(&w, '}');
    return out->failed ? MED_FAIL_MEMORY(err) : true;
}

static uint32_t number(const med_json *j, uint32_t object, const char *key)
{
    int64_t n = 0;
    uint32_t at = med_package_member(j, object, key, MED_JSON_NUMBER);
    return at != 0 && med_str_to_int64(med_json_raw(j, at), &n) && n > 0 ? (uint32_t)n : 0;
}

bool med_manifest_info(med_arena *a, med_str json, med_package_info *out, med_err *err)
{
    med_json j;
    uint32_t end;
    memset(out, 0, sizeof *out);
    if (!med_json_parse(a, json, &j, NULL, err))
        return false;
    uint32_t n_dependencies = j.nodes[med_json_member(&j, 0, MED_STR("dependencies"))].count;
    uint32_t n_counts = j.nodes[med_json_member(&j, 0, MED_STR("counts"))].count;
    med_package_dependency *d = MED_TAKE(a, n_dependencies, med_package_dependency);
    med_package_count *c = MED_TAKE(a, n_counts, med_package_count);
    if (d == NULL || c == NULL || !text_of(a, &j, "name", &out->name)
        || !text_of(a, &j, "version", &out->version) || !text_of(a, &j, "title", &out->title)
        || !text_of(a, &j, "fhirVersion", &out->fhir_version)
        || !text_of(a, &j, "canonical", &out->canonical) || !text_of(a, &j, "guide", &out->guide)
        || !text_of(a, &j, "installed", &out->installed))
        return MED_FAIL_MEMORY(err);
    out->dependencies = d;
    out->counts = c;
    out->snapshots_made = number(&j, 0, "snapshotsMade");
    for (uint32_t e = med_package_first(&j, 0, "dependencies", &end);
         e < end && out->n_dependencies < n_dependencies; e = j.nodes[e].next) {
        uint32_t left = med_json_member(&j, e, MED_STR("leftOut"));
        d[out->n_dependencies++] = (med_package_dependency){
            med_package_text(a, &j, e, "name"), med_package_text(a, &j, e, "version"),
            left != 0 && med_json_kind_at(&j, left) == MED_JSON_TRUE};
    }
    for (uint32_t e = med_package_first(&j, 0, "counts", &end); e < end && out->n_counts < n_counts;
         e = j.nodes[e].next)
        c[out->n_counts++] =
            (med_package_count){med_package_text(a, &j, e, "type"), number(&j, e, "n")};
    return true;
}

/* ---- dependencies ---- */

static med_str upto_last_dot(med_str v)
{
    size_t n = v.len;
    while (n > 0 && v.ptr[n - 1] != '.')
        n--;
    return med_str_sub(v, 0, n);
}

bool med_dependency_fits(med_str asked, med_str have)
{
    static const char *const any[] = {"latest", "current", "dev", "*", "x"};
    for (size_t i = 0; i < sizeof any / sizeof *any; i++) {
        if (med_str_eqz(asked, any[i]))
            return true;
    }
    if (med_str_eq(asked, have))
        return true;
    if (med_str_ends(asked, MED_STR(".x")))
        return med_str_starts(have, med_str_sub(asked, 0, asked.len - 1));
    med_str line = upto_last_dot(asked);
    return line.len > 0 && med_str_starts(have, line) && med_str_find(asked, '-', 0) == asked.len
           && med_package_version_compare(have, asked) > 0;
}
