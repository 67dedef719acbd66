/* definitions_compiler.c - medulla-defc: the StructureDefinitions of R4 as an image.
 *
 *     medulla-defc OUTPUT SOURCE...
 *
 * A source is a Bundle, or the folder of a package. The first source is preferred where a
 * canonical occurs twice in one version. What only people read (narrative, mappings, contacts)
 * is left out, and the differential, too: the snapshot says it all. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zdict.h>

#include "base/json_edit.h"
#include "base/mem.h"
#include "package/image.h"
#include "package/text.h"

enum { ROWS = 8192, PATH_BYTES = 4096, EDITS = 65536, DICTIONARY = 96 << 10, SAMPLES = 24 << 20 };

typedef struct made {
    med_package_entry entry;
    med_str json;
} made;

typedef struct compiler {
    med_arena *kept;
    made rows[ROWS];
    size_t n;
    char dictionary[DICTIONARY];
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
    return ok;
}

static void drop(med_json_edit *edits, size_t *n, uint32_t node)
{
    if (node != 0 && *n < EDITS)
        edits[(*n)++] = (med_json_edit){.node = node, .kind = MED_JSON_REMOVE};
}

static bool shorten(compiler *c, med_arena *a, const med_json *j, uint32_t root, med_str *out,
                    med_err *err)
{
    static const char *const left_out[] = {"text", "meta", "contact", "mapping", "differential"};
    med_json_edit *edits = MED_TAKE(a, EDITS, med_json_edit);
    size_t n = 0;
    uint32_t end, snapshot = med_json_member(j, root, MED_STR("snapshot"));
    med_buf text;
    if (edits == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        drop(edits, &n, med_json_member(j, root, med_str_from(left_out[i])));
    for (uint32_t e = med_package_first(j, snapshot, "element", &end); e < end;
         e = j->nodes[e].next)
        drop(edits, &n, med_json_member(j, e, MED_STR("mapping")));
    med_buf_init(&text, (size_t)64 << 20);
    bool ok = med_json_edit_apply(a, j, root, edits, n, &text, err);
    if (ok && !med_arena_copy(c->kept, med_buf_str(&text), out))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&text);
    return ok;
}

static bool is_there(const compiler *c, const med_package_entry *e)
{
    for (size_t i = 0; i < c->n; i++) {
        if (med_str_eq(c->rows[i].entry.url, e->url)
            && med_str_eq(c->rows[i].entry.version, e->version))
            return true;
    }
    return false;
}

static bool add_resource(compiler *c, med_arena *a, const med_json *j, uint32_t root, med_err *err)
{
    made *row = &c->rows[c->n];
    med_str type = med_package_text(a, j, root, "resourceType");
    uint32_t snapshot = med_package_member(j, root, "snapshot", MED_JSON_OBJECT);
    med_package_entry e = {.type = MED_STR("StructureDefinition"),
                           .url = med_package_text(a, j, root, "url"),
                           .version = med_package_text(a, j, root, "version"),
                           .id = med_package_text(a, j, root, "id")};
    if (!med_str_eq(type, e.type) || snapshot == 0 || is_there(c, &e))
        return true;
    if (c->n == ROWS)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "too many definitions");
    row->entry = e;
    bool ok = med_arena_copy(c->kept, e.url, &row->entry.url)
              && med_arena_copy(c->kept, e.version, &row->entry.version)
              && med_arena_copy(c->kept, e.id, &row->entry.id)
              && shorten(c, a, j, root, &row->json, err);
    c->n += ok ? 1 : 0;
    return ok;
}

static bool add_file(compiler *c, const char *path, med_err *err)
{
    med_arena *a = med_arena_new((size_t)2 << 30);
    med_str text;
    med_json j;
    uint32_t end = 0;
    bool ok = a != NULL && read_whole(a, path, &text);
    if (!ok)
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not be read");
    ok = ok && med_json_parse(a, text, &j, NULL, err) && add_resource(c, a, &j, 0, err);
    for (uint32_t e = ok ? med_package_first(&j, 0, "entry", &end) : 0; ok && e < end;
         e = j.nodes[e].next)
        ok = add_resource(c, a, &j, med_json_member(&j, e, MED_STR("resource")), err);
    med_arena_free(a);
    if (!ok)
        (void)fprintf(stderr, "medulla-defc: %s: %s\n", path, err->text);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_folder(compiler *c, DIR *dir, const char *path, med_err *err)
{
    static const char *names[ROWS];
    size_t n = 0;
    bool ok = true;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of one's own */
    for (struct dirent *e = readdir(dir); e != NULL && n < ROWS; e = readdir(dir)) {
        med_str name = med_str_from(e->d_name), copy;
        if (med_str_starts(name, MED_STR("StructureDefinition-"))
            && med_str_ends(name, MED_STR(".json")) && med_arena_copy(c->kept, name, &copy))
            names[n++] = copy.ptr;
    }
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; ok && i < n; i++) {
        char file[PATH_BYTES];
        (void)snprintf(file, sizeof file, "%s/%s", path, names[i]);
        ok = add_file(c, file, err);
    }
    return ok;
}

static bool add_source(compiler *c, const char *path)
{
    med_err err = {0};
    DIR *dir = opendir(path);
    bool ok = dir != NULL ? add_folder(c, dir, path, &err) : add_file(c, path, &err);
    if (dir != NULL)
        (void)closedir(dir);
    return ok;
}

/* Most definitions are small and alike: extensions. */
static med_str train(compiler *c)
{
    size_t *sizes = MED_NEW(c->n, size_t);
    med_buf samples;
    unsigned n = 0;
    med_buf_init(&samples, SAMPLES);
    for (size_t i = 0; sizes != NULL && i < c->n; i++) {
        if (c->rows[i].json.len > 20000 || samples.len + c->rows[i].json.len > SAMPLES)
            continue;
        med_buf_add(&samples, c->rows[i].json);
        sizes[n++] = c->rows[i].json.len;
    }
    size_t len = ZDICT_trainFromBuffer(c->dictionary, sizeof c->dictionary, samples.ptr, sizes, n);
    med_buf_free(&samples);
    med_free(sizes);
    return ZDICT_isError(len) ? MED_STR_EMPTY : (med_str){c->dictionary, len};
}

static bool write_image(compiler *c, const char *path)
{
    med_err err = {0};
    med_buf out;
    med_package_builder *b = med_package_builder_new(train(c));
    bool ok = b != NULL;
    med_buf_init(&out, (size_t)1 << 30);
    for (size_t i = 0; ok && i < c->n; i++)
        ok = med_package_builder_add(b, &c->rows[i].entry, c->rows[i].json, &err);
    ok = ok && med_package_builder_end(b, MED_STR("{}"), &out, &err);
    FILE *f = ok ? fopen(path, "wbe") : NULL;
    ok = f != NULL && fwrite(out.ptr, 1, out.len, f) == out.len;
    ok = (f == NULL || fclose(f) == 0) && ok;
    med_buf_free(&out);
    med_package_builder_free(b);
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
        ok = add_source(c, argv[i]);
    ok = ok && write_image(c, argv[1]);
    if (!ok)
        (void)fprintf(stderr, "medulla-defc: the definitions could not be compiled\n");
    med_arena_free(c->kept);
    med_free(c);
    return ok ? 0 : 1;
}
