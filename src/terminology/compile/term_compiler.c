/* term_compiler.c - medulla-termc: the terminology of packages becomes the built-in pack.
 *
 *     medulla-termc OUTPUT SOURCE...
 *
 * A source is a folder of a package or a file with one resource; earlier sources are preferred
 * where a canonical occurs twice, but for the HL7 terminology, whose newest edition is asked
 * when nobody names a version. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/mem.h"
#include "terminology/code_system_json.h"
#include "terminology/pack_terms.h"

enum { ROWS = 20000, PATH_BYTES = 4096 };

typedef struct made {
    med_str url, version, bytes;
    enum med_term_kind kind;
    unsigned source;
} made;

typedef struct compiler {
    med_arena *kept;
    made rows[ROWS];
    size_t n;
} compiler;

static bool read_whole(med_arena *a, const char *path, med_str *out)
{
    FILE *f = fopen(path, "rbe");
    struct stat st;
    if (f == NULL || fstat(fileno(f), &st) != 0 || st.st_size < 0) {
        if (f != NULL)
            (void)fclose(f);
        return false;
    }
    size_t n = (size_t)st.st_size;
    char *bytes = MED_TAKE(a, n + 1, char);
    bool ok = bytes != NULL && fread(bytes, 1, n, f) == n;
    (void)fclose(f);
    *out = ok ? (med_str){bytes, n} : MED_STR_EMPTY;
    if (ok && n >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        *out = med_str_skip(*out, 3);
    return ok;
}

static bool kind_of(med_str type, enum med_term_kind *out)
{
    static const char *const names[MED_TERM_KINDS] = {"CodeSystem", "ValueSet", "ConceptMap"};
    for (int i = 0; i < MED_TERM_KINDS; i++) {
        if (med_str_eqz(type, names[i])) {
            *out = (enum med_term_kind)i;
            return true;
        }
    }
    return false;
}

static bool keep(compiler *c, med_str bytes, med_str *out)
{
    uint64_t *at = MED_TAKE(c->kept, bytes.len / 8 + 1, uint64_t);
    if (at == NULL)
        return false;
    memcpy(at, bytes.ptr, bytes.len);
    *out = (med_str){(const char *)at, bytes.len};
    return true;
}

static bool add_code_system(compiler *c, med_arena *a, const med_json *j, made *row, med_err *err)
{
    med_buf out;
    med_buf_init(&out, (size_t)1 << 30);
    bool ok = med_code_system_compile(a, j, 0, MED_COMPILE_BRIEF, &out, err);
    if (ok && !keep(c, med_buf_str(&out), &row->bytes))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&out);
    return ok;
}

static bool add_text(compiler *c, med_arena *a, const med_json *j, made *row, med_err *err)
{
    static const char *const left_out[] = {
        "text",      "meta",        "contact",   "identifier", "extension",
        "purpose",   "description", "copyright", "useContext", "jurisdiction",
        "immutable", "expansion",   "publisher", NULL};
    static const char *const but_expansion[] = {"text", "meta", "contact", "identifier", NULL};
    bool composed =
        med_json_member(j, 0, MED_STR("compose")) != 0 || row->kind != MED_TERM_VALUE_SET;
    med_str text;
    return med_json_without(a, j, 0, composed ? left_out : but_expansion, &text)
                   && keep(c, text, &row->bytes)
               ? true
               : MED_FAIL_MEMORY(err);
}

static bool add_file(compiler *c, const char *path, unsigned source, med_err *err)
{
    med_arena *a = med_arena_new((size_t)1 << 30);
    med_str text, type, url, version;
    med_json j;
    made *row = &c->rows[c->n];
    bool ok = a != NULL && c->n < ROWS && read_whole(a, path, &text);
    if (!ok)
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not be read");
    ok = ok && med_json_parse(a, text, &j, NULL, err);
    ok = ok && med_json_text(a, &j, 0, "resourceType", &type)
         && med_json_text(a, &j, 0, "url", &url) && med_json_text(a, &j, 0, "version", &version);
    if (ok && kind_of(type, &row->kind) && url.len > 0) {
        row->source = source;
        ok = keep(c, url, &row->url) && keep(c, version, &row->version)
             && (row->kind == MED_TERM_CODE_SYSTEM ? add_code_system(c, a, &j, row, err)
                                                   : add_text(c, a, &j, row, err));
        c->n += ok ? 1 : 0;
    }
    med_arena_free(a);
    return ok;
}

static bool is_wanted(const char *name)
{
    med_str n = med_str_from(name);
    return med_str_ends(n, MED_STR(".json"))
           && (med_str_starts(n, MED_STR("CodeSystem-")) || med_str_starts(n, MED_STR("ValueSet-"))
               || med_str_starts(n, MED_STR("ConceptMap-")));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_folder(compiler *c, DIR *dir, const char *path, unsigned source, med_err *err)
{
    static const char *names[ROWS];
    size_t n = 0;
    bool ok = true;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of one's own */
    for (struct dirent *e = readdir(dir); e != NULL && n < ROWS; e = readdir(dir)) {
        med_str name;
        if (is_wanted(e->d_name) && med_arena_copy(c->kept, med_str_from(e->d_name), &name))
            names[n++] = name.ptr;
    }
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; ok && i < n; i++) {
        char file[PATH_BYTES];
        (void)snprintf(file, sizeof file, "%s/%s", path, names[i]);
        ok = add_file(c, file, source, err);
        if (!ok)
            (void)fprintf(stderr, "medulla-termc: %s: %s\n", file, err->text);
    }
    return ok;
}

static bool add_source(compiler *c, const char *path, unsigned source)
{
    med_err err = {0};
    DIR *dir = opendir(path);
    bool ok =
        dir != NULL ? add_folder(c, dir, path, source, &err) : add_file(c, path, source, &err);
    if (dir != NULL)
        (void)closedir(dir);
    if (dir == NULL && !ok)
        (void)fprintf(stderr, "medulla-termc: %s: %s\n", path, err.text);
    return ok;
}

/* By url; the HL7 terminology newest source first, all else in the order of the sources. */
static int by_url(const void *a, const void *b)
{
    const made *x = a, *y = b;
    int d = med_str_compare(x->url, y->url);
    if (d != 0)
        return d;
    if (x->source != y->source) {
        bool hl7 = med_str_starts(x->url, MED_STR("http://terminology.hl7.org/"));
        return (x->source < y->source) != hl7 ? -1 : 1;
    }
    return -med_str_compare(x->version, y->version);
}

static void drop_doubles(compiler *c)
{
    size_t to = 0;
    for (size_t i = 0; i < c->n; i++) {
        const made *last = to == 0 ? NULL : &c->rows[to - 1];
        if (last != NULL && med_str_eq(last->url, c->rows[i].url)
            && med_str_eq(last->version, c->rows[i].version) && last->kind == c->rows[i].kind)
            continue;
        c->rows[to++] = c->rows[i];
    }
    c->n = to;
}

static void pad(med_buf *b)
{
    while (b->len % 8 != 0)
        med_buf_addc(b, '\0');
}

static bool write_pack(compiler *c, const char *path)
{
    med_buf out;
    med_buf_init(&out, (size_t)1 << 31);
    struct med_term_pack head = {.format = MED_TERM_PACK_FORMAT, .n = (uint32_t)c->n};
    struct med_term_row *rows = MED_NEW(c->n, struct med_term_row);
    memcpy(head.magic, MED_TERM_PACK_MAGIC, sizeof head.magic);
    if (rows == NULL)
        return false;
    med_buf_add(&out, (med_str){(const char *)&head, sizeof head});
    med_buf_add(&out, (med_str){(const char *)rows, c->n * sizeof *rows});
    for (size_t i = 0; i < c->n; i++) {
        const made *m = &c->rows[i];
        rows[i] = (struct med_term_row){.url = (uint32_t)out.len,
                                        .url_len = (uint32_t)m->url.len,
                                        .version = (uint32_t)(out.len + m->url.len),
                                        .version_len = (uint32_t)m->version.len,
                                        .kind = m->kind,
                                        .source = m->source};
        med_buf_add(&out, m->url);
        med_buf_add(&out, m->version);
        pad(&out);
        rows[i].at = out.len;
        rows[i].len = m->bytes.len;
        med_buf_add(&out, m->bytes);
        pad(&out);
    }
    head.size = out.len;
    FILE *f = fopen(path, "wbe");
    bool ok = !out.failed && f != NULL;
    if (ok) {
        memcpy(out.ptr, &head, sizeof head);
        memcpy(out.ptr + sizeof head, rows, c->n * sizeof *rows);
        ok = fwrite(out.ptr, 1, out.len, f) == out.len;
    }
    ok = (f == NULL || fclose(f) == 0) && ok;
    med_free(rows);
    med_buf_free(&out);
    return ok;
}

int main(int argc, char **argv)
{
    compiler *c = MED_NEW(1, compiler);
    if (argc < 3 || c == NULL)
        return 2;
    c->kept = med_arena_new((size_t)1 << 31);
    bool ok = c->kept != NULL;
    for (int i = 2; ok && i < argc; i++)
        ok = add_source(c, argv[i], (unsigned)i - 2);
    qsort(c->rows, c->n, sizeof *c->rows, by_url);
    drop_doubles(c);
    ok = ok && write_pack(c, argv[1]);
    if (!ok)
        (void)fprintf(stderr, "medulla-termc: the terminology could not be compiled\n");
    med_arena_free(c->kept);
    med_free(c);
    return ok ? 0 : 1;
}
