/* manifest.h - what a package says about itself: package.json as it came, and as it is kept.
 * https://confluence.hl7.org/display/FHIR/NPM+Package+Specification */
#ifndef MED_PACKAGE_MANIFEST_H
#define MED_PACKAGE_MANIFEST_H

#include "package/packages.h"

enum { MED_PACKAGE_DEPENDENCIES_MAX = 64, MED_PACKAGE_TYPES_MAX = 200 };

/* Reads package/package.json: name, version, fhirVersions and dependencies are checked. Not R4,
 * or a name that can be no file's: MED_ISSUE_NOT_SUPPORTED, MED_ISSUE_VALUE. */
bool med_manifest_read(med_arena *a, med_str json, med_package_info *out,
                       med_err *err) MED_MUST_CHECK;
/* The manifest of an image, written and read back. */
bool med_manifest_write(const med_package_info *info, med_buf *out, med_err *err) MED_MUST_CHECK;
bool med_manifest_info(med_arena *a, med_str json, med_package_info *out,
                       med_err *err) MED_MUST_CHECK;
/* Is that dependency kept by a package of that version? Exact, a newer patch of it, or "1.2.x". */
bool med_dependency_fits(med_str asked, med_str have);

#endif
