/* packages_change.c - puts packages into the folder and takes them out (packages.h). */
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "package/packages.h"

enum { PATH_BYTES = 4096 };

static bool is_sound(med_str s, const char *more)
{
    if (s.len == 0 || s.len > MED_PACKAGE_NAME_MAX || !med_is_alnum(s.ptr[0]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_alnum(s.ptr[i]) && strchr(more, s.ptr[i]) == NULL)
            return false;
    }
    return true;
}

bool med_package_name_is_sound(med_str name)
{
    return is_sound(name, ".-_");
}

bool med_package_version_is_sound(med_str version)
{
    return is_sound(version, ".-_+");
}

static bool path_of(const char *folder, med_str name, med_str version, char out[PATH_BYTES])
{
    int n = snprintf(out, PATH_BYTES, "%s/%.*s#%.*s.package", folder, MED_STR_ARG(name),
                     MED_STR_ARG(version));
    return n > 0 && n < PATH_BYTES && med_package_name_is_sound(name)
           && med_package_version_is_sound(version);
}

bool med_packages_put(const char *folder, med_str name, med_str version, med_str bytes,
                      med_err *err)
{
    const med_package_image *image;
    char to[PATH_BYTES];
    if (!path_of(folder, name, version, to))
        return MED_FAIL(err, MED_ISSUE_VALUE, "that can not be the name of a package's file");
    if (!med_package_image_open(bytes, &image, err))
        return false;
    return med_file_replace(folder, to + strlen(folder) + 1, bytes, err);
}

bool med_packages_remove(const char *folder, med_str name, med_str version, med_err *err)
{
    char path[PATH_BYTES];
    if (!path_of(folder, name, version, path) || access(path, F_OK) != 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "that package is not installed");
    if (unlink(path) != 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the package file can not be removed");
    return med_file_sync_directory(folder, err);
}
