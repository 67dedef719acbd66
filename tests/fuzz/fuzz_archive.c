/* Any bytes as a package's archive: as they came, and as the tar inside of a sound gzip stream.
 * What is handed out has a name that stays inside, and is within the bounds. */
#include "base/gzip.h"
#include "demand.h"
#include "package/archive.h"

static bool entry(void *arg, med_str name, med_str bytes, med_err *err)
{
    size_t *n = arg;
    med_str rest = name;
    (void)err;
    (*n)++;
    DEMAND(name.len > 0 && name.len <= MED_ARCHIVE_NAME_MAX && name.ptr[0] != '/');
    while (rest.len > 0)
        DEMAND(!med_str_eqz(med_str_cut(rest, '/', &rest), ".."));
    for (size_t i = 0; i < bytes.len; i += 61)
        *n += bytes.ptr[i] == '\1'; /* every byte can be read */
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_buf z;
    med_err err = {0};
    size_t n = 0;
    if (size > (size_t)1 << 20)
        return 0;
    bool good = med_archive_read(input_str(data, size), entry, &n, &err);
    DEMAND(good || err.text[0] != '\0');
    med_buf_init(&z, (size_t)2 << 20);
    DEMAND(med_gzip_all(input_str(data, size), 1, &z, &err));
    err = (med_err){0};
    good = med_archive_read(med_buf_str(&z), entry, &n, &err);
    DEMAND(good ? n > 0 : err.text[0] != '\0');
    med_buf_free(&z);
    return 0;
}
