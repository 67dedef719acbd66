/* table.c - rows of tab- or comma-separated files, with the line in every error. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "terminology/import_impl.h"

enum { ROW_BYTES = 16 << 20 };

bool med_file_map(const char *path, void **at, size_t *size, med_err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    *at = ok ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    *size = ok ? (size_t)st.st_size : 0;
    if (fd >= 0)
        (void)close(fd);
    return *at != MAP_FAILED
               ? true
               : MED_FAIL(err, MED_ISSUE_NOT_FOUND, "%.180s can not be read, or is empty", path);
}

void med_file_unmap(void *at, size_t size)
{
    (void)munmap(at, size);
}

const char *med_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

bool med_table_fault(const med_table *t, med_err *err, const char *what)
{
    return MED_FAIL(err, MED_ISSUE_INVALID, "%.100s, line %zu: %s; nothing was changed", t->name,
                    t->line, what);
}

static bool add_field(med_table *t, med_str field, med_err *err)
{
    if (t->n == MED_TABLE_COLUMNS)
        return med_table_fault(t, err, "the row has too many fields");
    t->fields[t->n++] = field;
    return true;
}

/* A field in quotes, from behind the first one; "" inside is one quote. */
static bool quoted_field(med_table *t, size_t *at, med_err *err)
{
    size_t from = t->scratch.len;
    for (;;) {
        if (*at >= t->text.len)
            return med_table_fault(t, err, "the file ends inside quotes: it was cut short");
        char c = t->text.ptr[(*at)++];
        if (c == '"') {
            if (*at >= t->text.len || t->text.ptr[*at] != '"')
                break;
            (*at)++;
        }
        if (c == '\n')
            t->line++;
        med_buf_addc(&t->scratch, c);
    }
    if (t->scratch.failed)
        return med_table_fault(t, err, "the row is too long");
    return add_field(t, (med_str){(const char *)from, t->scratch.len - from}, err);
}

static bool plain_field(med_table *t, size_t *at, med_err *err)
{
    size_t from = *at;
    while (*at < t->text.len && t->text.ptr[*at] != t->separator && t->text.ptr[*at] != '\n')
        (*at)++;
    size_t end = *at;
    if (end > from && t->text.ptr[end - 1] == '\r'
        && (end == t->text.len || t->text.ptr[end] == '\n'))
        end--;
    return add_field(t, (med_str){t->text.ptr + from, end - from}, err);
}

/* One row; quoted fields are offsets into the scratch until it stops growing. */
static bool read_row(med_table *t, med_err *err)
{
    uint8_t in_scratch[MED_TABLE_COLUMNS] = {0};
    size_t at = 0;
    t->n = 0;
    med_buf_clear(&t->scratch);
    t->line++;
    for (;;) {
        bool quote = t->quoted && at < t->text.len && t->text.ptr[at] == '"';
        if (t->n < MED_TABLE_COLUMNS)
            in_scratch[t->n] = quote;
        if (quote)
            at++;
        if (quote ? !quoted_field(t, &at, err) : !plain_field(t, &at, err))
            return false;
        if (quote && at < t->text.len && t->text.ptr[at] == '\r')
            at++;
        if (at >= t->text.len || t->text.ptr[at] == '\n')
            break;
        if (t->text.ptr[at] != t->separator)
            return med_table_fault(t, err, "something stands behind a closing quote");
        at++;
    }
    if (!med_utf8_valid(med_str_sub(t->text, 0, at)))
        return med_table_fault(t, err, "the row is not UTF-8: convert the file");
    for (size_t i = 0; i < t->n; i++) {
        if (in_scratch[i])
            t->fields[i].ptr = t->scratch.ptr + (uintptr_t)t->fields[i].ptr;
    }
    t->text = med_str_skip(t->text, at < t->text.len ? at + 1 : at);
    return true;
}

bool med_table_open(med_arena *a, const char *path, char separator, bool quoted, med_table *out,
                    med_err *err)
{
    *out = (med_table){.path = path, .separator = separator, .quoted = quoted, .header_arena = a};
    med_buf_init(&out->scratch, ROW_BYTES);
    out->name = med_file_name(path);
    if (!med_file_map(path, &out->map, &out->size, err))
        return false;
    out->text = (med_str){out->map, out->size};
    if (out->size >= 3 && memcmp(out->map, "\xEF\xBB\xBF", 3) == 0)
        out->text = med_str_skip(out->text, 3);
    bool ok = read_row(out, err);
    for (size_t i = 0; ok && i < out->n; i++) {
        if (!med_arena_copy(a, med_str_trim(out->fields[i]), &out->header[i]))
            ok = MED_FAIL_MEMORY(err);
    }
    out->n_header = out->n;
    if (!ok)
        med_table_close(out);
    return ok;
}

void med_table_close(med_table *t)
{
    if (t->map != NULL)
        med_file_unmap(t->map, t->size);
    med_buf_free(&t->scratch);
    t->map = NULL;
}

bool med_table_next(med_table *t, bool *more, med_err *err)
{
    bool whole;
    do {
        *more = t->text.len > 0;
        if (!*more)
            return true;
        whole = memchr(t->text.ptr, '\n', t->text.len) != NULL;
        if (!read_row(t, err))
            return false;
    } while (t->n == 1 && t->fields[0].len == 0); /* an empty line */
    if (t->n != t->n_header)
        return med_table_fault(t, err,
                               whole ? "the row has another number of fields than the header"
                                     : "the file ends in the middle of a row: it was cut short");
    return true;
}

size_t med_table_column(const med_table *t, const char *name)
{
    for (size_t i = 0; i < t->n_header; i++) {
        if (med_str_eq_ignore_case(t->header[i], med_str_from(name)))
            return i;
    }
    return SIZE_MAX;
}
