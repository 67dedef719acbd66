/* fuzz_code_system.c - files of code systems, by the first byte a format: no file crashes the
 * import; each refusal says what is wrong; what is taken can be opened. */
#include <sys/mman.h>
#include <unistd.h>

#include "demand.h"
#include "terminology/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum med_import_format formats[] = {MED_IMPORT_CSV,   MED_IMPORT_ICD10,
                                                     MED_IMPORT_LOINC, MED_IMPORT_CLAML,
                                                     MED_IMPORT_JSON,  MED_IMPORT_ATC};
    enum { ROOM = 1 << 24 };
    char path[64];
    if (size < 2)
        return 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    DEMAND(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    med_import o = {.format = formats[data[0] % (sizeof formats / sizeof *formats)],
                    .path = path,
                    .system = MED_STR("urn:x"),
                    .version = MED_STR_EMPTY,
                    .language = MED_STR_EMPTY};
    med_arena *a = med_arena_new(ROOM);
    med_buf out;
    med_err err = {0};
    const med_image *m;
    med_buf_init(&out, ROOM);
    if (med_term_import(a, &o, &out, &err))
        DEMAND(med_image_open(med_buf_str(&out), &m, &err) && med_image_count(m) > 0);
    else
        DEMAND(err.issue != MED_ISSUE_NONE && err.text[0] != '\0');
    med_buf_free(&out);
    med_arena_free(a);
    (void)close(fd);
    return 0;
}
