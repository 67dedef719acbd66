/* folder.c - see folder.h. */
#include "terminology/folder.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mapped_folder.h"
#include "base/mem.h"
#include "terminology/terms.h"

enum { FILES = 1024, HOLD_BYTES = 1 << 20 };

struct med_term_folder {
    med_mapped_folder *folder;
};

static bool open_image(med_str bytes, const void **out, med_err *err)
{
    const med_image *image;
    if (!med_image_open(bytes, &image, err))
        return false;
    *out = image;
    return true;
}

bool med_term_folder_open(const char *path, med_term_folder **out, med_err *err)
{
    static const med_mapped_kind kind = {.suffix = ".codes",
                                         .what = "code system file",
                                         .mend = "import it again",
                                         .most = FILES,
                                         .open = open_image};
    med_term_folder *f = MED_NEW(1, med_term_folder);
    if (f == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_mapped_folder_open(&kind, path, &f->folder, err)) {
        med_free(f);
        return false;
    }
    *out = f;
    return true;
}

void med_term_folder_free(med_term_folder *f)
{
    if (f == NULL)
        return;
    med_mapped_folder_free(f->folder);
    med_free(f);
}

uint64_t med_term_folder_epoch(med_term_folder *f)
{
    return f == NULL ? 0 : med_mapped_folder_epoch(f->folder);
}

static bool fits(const med_image *m, med_str url, med_str version)
{
    return med_str_eq(med_image_url(m), url)
           && (version.len == 0 || med_str_eq(med_image_version(m), version));
}

/* The newest of those that fit. */
struct wanted {
    med_str url, version;
    const med_image *best;
};

static bool is_newer(void *arg, const med_mapped_file *file)
{
    struct wanted *w = arg;
    if (!fits(file->image, w->url, w->version)
        || (w->best != NULL
            && med_version_compare(med_image_version(file->image), med_image_version(w->best))
                   <= 0))
        return false;
    w->best = file->image;
    return true;
}

bool med_term_folder_find(med_term_folder *f, med_arena *a, med_str url, med_str version,
                          const med_image **out, med_err *err)
{
    const med_mapped_file *file;
    struct wanted w = {url, version, NULL};
    *out = NULL;
    if (!med_mapped_folder_hold(f->folder, a, is_newer, &w, &file, err))
        return false;
    *out = w.best;
    return true;
}

bool med_term_folder_at(med_term_folder *f, med_arena *a, size_t index, const med_image **out)
{
    const med_mapped_file *file = f == NULL ? NULL : med_mapped_folder_at(f->folder, a, index);
    if (file == NULL)
        return false;
    *out = file->image;
    return true;
}

/* ---- writing ---- */

/* A name of letters and digits for whatever the url and version are made of. */
static void file_name(const char *folder, med_str url, med_str version, char out[MED_FILE_PATH])
{
    static const med_hash_key key = {0x636f646573797374U, 0x656d66696c656e61U};
    med_hasher h;
    med_hasher_begin(&h, key);
    med_hasher_add(&h, url);
    med_hasher_add(&h, MED_STR("|"));
    med_hasher_add(&h, version);
    (void)snprintf(out, MED_FILE_PATH, "%s/%016llx.codes", folder,
                   (unsigned long long)med_hasher_end(&h));
}

bool med_term_folder_put(const char *path, med_str bytes, med_err *err)
{
    const med_image *m;
    char to[MED_FILE_PATH];
    if (!med_image_open(bytes, &m, err))
        return false;
    file_name(path, med_image_url(m), med_image_version(m), to);
    med_file_clean(path);
    return med_file_replace(path, to + strlen(path) + 1, bytes, err);
}

bool med_term_folder_remove(const char *path, med_str url, med_str version, size_t *n, med_err *err)
{
    const med_image *m;
    med_term_folder *f;
    *n = 0;
    if (!med_term_folder_open(path, &f, err))
        return false;
    bool ok = true;
    med_arena *a = med_arena_new(HOLD_BYTES);
    for (size_t i = 0; a != NULL && med_term_folder_at(f, a, i, &m); i++) {
        char name[MED_FILE_PATH];
        if (!fits(m, url, version))
            continue;
        file_name(path, url, med_image_version(m), name);
        ok = unlink(name) == 0 && ok;
        (*n)++;
    }
    bool enough = a != NULL;
    med_arena_free(a);
    med_term_folder_free(f);
    if (!enough)
        return MED_FAIL_MEMORY(err);
    if (!ok)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a code system file can not be removed");
    return *n == 0 || med_file_sync_directory(path, err);
}
