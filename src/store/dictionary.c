/* dictionary.c - see dictionary.h. */
#include "store/dictionary.h"

#include "dictionaries_v1_embedded.h"

enum { DICTIONARIES_MAX = 255 };

static bool take_word(med_str *line, const char *word)
{
    med_str rest;
    bool is_it = med_str_eqz(med_str_cut(*line, ' ', &rest), word);
    *line = rest;
    return is_it;
}

static bool to_number(med_str s, uint32_t *out)
{
    int64_t n = 0;
    bool good = med_str_to_int64(s, &n) && n > 0 && n <= UINT16_MAX;
    *out = good ? (uint32_t)n : 0;
    return good;
}

static bool read_head(med_str *rest, med_dictionary_file *f)
{
    int64_t zstd = 0;
    med_str first = med_str_cut(*rest, '\n', rest);
    med_str second = med_str_cut(*rest, '\n', rest);
    f->inputs = med_str_cut(*rest, '\n', rest);
    bool good = take_word(&first, "medulla") && take_word(&first, "dictionaries")
                && to_number(first, &f->version) && take_word(&second, "zstd")
                && med_str_to_int64(second, &zstd) && take_word(&f->inputs, "inputs");
    f->zstd = (uint32_t)zstd;
    return good;
}

/* The lines with types; the lengths are kept in the slices, the places follow. */
static bool read_list(med_str *rest, med_dictionary_file *f, med_dictionary *to)
{
    med_str line;
    while ((line = med_str_cut(*rest, '\n', rest)).len > 0) {
        uint32_t len = 0;
        med_str type = med_str_cut(line, ' ', &line);
        if (f->n == DICTIONARIES_MAX || !to_number(line, &len))
            return false;
        bool other = med_str_eqz(type, "other");
        to[f->n] = (med_dictionary){.id = f->version << 8 | (uint32_t)(f->n + 1),
                                    .type = other ? MED_STR_EMPTY : type,
                                    .bytes = {rest->ptr, len}};
        f->n++;
    }
    return true;
}

bool med_dictionary_file_read(med_arena *a, med_str bytes, med_dictionary_file *out, med_err *err)
{
    med_str rest = bytes;
    med_dictionary *list = MED_TAKE(a, DICTIONARIES_MAX, med_dictionary);
    *out = (med_dictionary_file){.dictionaries = list};
    if (list == NULL)
        return MED_FAIL_MEMORY(err);
    bool good = read_head(&rest, out) && read_list(&rest, out, list);
    for (size_t i = 0; good && i < out->n; i++) {
        good = list[i].bytes.len <= rest.len;
        list[i].bytes = med_str_sub(rest, 0, list[i].bytes.len);
        rest = med_str_skip(rest, list[i].bytes.len);
    }
    return (good && rest.len == 0)
           || MED_FAIL(err, MED_ISSUE_EXCEPTION, "the file of zstd dictionaries is damaged");
}

bool med_dictionaries_shipped(med_arena *a, const med_dictionary **out, size_t *n, med_err *err)
{
    med_dictionary_file file;
    if (!med_dictionary_file_read(a, med_embedded_dictionaries_v1(), &file, err))
        return false;
    *out = file.dictionaries;
    *n = file.n;
    return true;
}
