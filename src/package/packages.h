/* packages.h - the implementation guides of a data directory, and what is built in.
 *
 * One mapped file a package, below DATA/packages: NAME#VERSION.package (image.h), as
 * base/mapped_folder.h keeps them. The definitions of R4, of the HL7 terminology and of the
 * published extensions are there always. Thread safe. */
#ifndef MED_PACKAGE_PACKAGES_H
#define MED_PACKAGE_PACKAGES_H

#include "model/definitions.h"
#include "package/image.h"

enum { MED_PACKAGES_MAX = 256, MED_PACKAGE_NAME_MAX = 120 };

typedef struct med_packages med_packages;

/* The folder need not exist; NULL: only what is built in. A damaged file is an error that names
 * it. */
bool med_packages_open(const char *folder, med_packages **out, med_err *err) MED_MUST_CHECK;
void med_packages_free(med_packages *p); /* NULL is fine */
/* Moves on when a package comes or goes. 0 of NULL. */
uint64_t med_packages_epoch(med_packages *p);

typedef struct med_package_found {
    med_str json; /* empty: there is none */
    med_str url, version, id;
    med_str package; /* "hl7.fhir.uv.ips#2.0.0" */
    uint32_t flags;
} med_package_found;

/* The resource of that type with that canonical; `version` may be cut short ("4.0" fits 4.0.1),
 * and without one the newest is given. Of NULL: what is built in. */
bool med_packages_find(med_packages *p, med_arena *a, med_str type, med_str url, med_str version,
                       med_package_found *out, med_err *err) MED_MUST_CHECK;
/* The same for "url|version" and a StructureDefinition, as a source for the validator. The
 * packages must outlive it. */
med_definition_source med_packages_source(med_packages *p);
/* What is built in, without any folder: the same functions on an image. */
const med_package_image *med_packages_built_in(void);
/* The built-in package of that name, and its version; false if there is none. */
bool med_packages_is_built_in(med_str name, med_str *version);

/* ---- what is installed ---- */
typedef struct med_package_dependency {
    med_str name, version;
    bool left_out; /* it was not there, and that was accepted */
} med_package_dependency;
typedef struct med_package_count {
    med_str type;
    uint32_t n;
} med_package_count;
typedef struct med_package_info {
    med_str name, version, title, fhir_version, canonical;
    med_str guide;     /* canonical of its ImplementationGuide, with version; or empty */
    med_str installed; /* instant */
    const med_package_dependency *dependencies;
    size_t n_dependencies;
    const med_package_count *counts; /* by resource type */
    size_t n_counts;
    uint32_t snapshots_made; /* of definitions that had none */
    uint64_t bytes;          /* of its file */
} med_package_info;
/* By name, then version; false behind the last (or past the arena's ceiling). */
bool med_packages_at(med_packages *p, med_arena *a, size_t index, med_package_info *out);
/* The `row`th resource of package `index`; false behind the last. */
bool med_packages_resource(med_packages *p, med_arena *a, size_t index, size_t row,
                           med_package_entry *out);

/* ---- changing the folder (without a server, or beside it) ---- */
/* Puts an image into the folder (made if needed), in place of that name and version. */
bool med_packages_put(const char *folder, med_str name, med_str version, med_str bytes,
                      med_err *err) MED_MUST_CHECK;
/* MED_ISSUE_NOT_FOUND: it is not there. */
bool med_packages_remove(const char *folder, med_str name, med_str version,
                         med_err *err) MED_MUST_CHECK;
/* "hl7.fhir.uv.ips": lower case letters, digits, '.', '-', '_'; of a version letters, digits,
 * '.', '+', '-', too: they become names of files. */
bool med_package_name_is_sound(med_str name);
bool med_package_version_is_sound(med_str version);

#endif
