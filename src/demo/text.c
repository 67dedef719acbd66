/* text.c - text in fixed room, and its spelling in Latin and ASCII letters. */
#include "demo/text.h"

med_demo_text *med_demo_text_add(med_demo_text *t, const char *z)
{
    size_t n = z == NULL ? 0 : strlen(z);
    if (n > MED_DEMO_TEXT_MAX - t->n)
        n = 0; /* whole words or nothing: never half a UTF-8 sequence */
    if (n > 0)
        memcpy(t->z + t->n, z, n);
    t->n += n;
    t->z[t->n] = '\0';
    return t;
}

med_demo_text *med_demo_text_number(med_demo_text *t, uint64_t n, int width)
{
    char digits[21];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (at > 0 && (--width > 0 || n > 0));
    return med_demo_text_add(t, digits + at);
}

med_demo_text med_demo_join(const char *a, const char *b, const char *c)
{
    med_demo_text t = {.n = 0};
    return *med_demo_text_add(med_demo_text_add(med_demo_text_add(&t, a), b), c);
}

med_demo_text med_demo_make_id(const char *prefix, const char *kind, uint64_t n)
{
    med_demo_text t = med_demo_join(prefix, "-", kind);
    return *med_demo_text_number(med_demo_text_add(&t, "-"), n, 1);
}

typedef struct spelling {
    const char *from, *to;
} spelling;

/* clang-format off */
static const spelling bulgarian[] = {
    {"А", "A"}, {"Б", "B"}, {"В", "V"}, {"Г", "G"}, {"Д", "D"}, {"Е", "E"}, {"Ж", "Zh"},
    {"З", "Z"}, {"И", "I"}, {"Й", "Y"}, {"К", "K"}, {"Л", "L"}, {"М", "M"}, {"Н", "N"},
    {"О", "O"}, {"П", "P"}, {"Р", "R"}, {"С", "S"}, {"Т", "T"}, {"У", "U"}, {"Ф", "F"},
    {"Х", "H"}, {"Ц", "Ts"}, {"Ч", "Ch"}, {"Ш", "Sh"}, {"Щ", "Sht"}, {"Ъ", "A"}, {"Ю", "Yu"},
    {"Я", "Ya"}, {"а", "a"}, {"б", "b"}, {"в", "v"}, {"г", "g"}, {"д", "d"}, {"е", "e"},
    {"ж", "zh"}, {"з", "z"}, {"и", "i"}, {"й", "y"}, {"к", "k"}, {"л", "l"}, {"м", "m"},
    {"н", "n"}, {"о", "o"}, {"п", "p"}, {"р", "r"}, {"с", "s"}, {"т", "t"}, {"у", "u"},
    {"ф", "f"}, {"х", "h"}, {"ц", "ts"}, {"ч", "ch"}, {"ш", "sh"}, {"щ", "sht"}, {"ъ", "a"},
    {"ь", "y"}, {"ю", "yu"}, {"я", "ya"},
};
static const spelling folded[] = {
    {"á", "a"}, {"č", "c"}, {"ď", "d"}, {"é", "e"}, {"ě", "e"}, {"í", "i"}, {"ň", "n"}, {"ó", "o"},
    {"ř", "r"}, {"š", "s"}, {"ť", "t"}, {"ú", "u"}, {"ů", "u"}, {"ý", "y"}, {"ž", "z"},
    {"æ", "ae"}, {"ø", "o"}, {"å", "aa"}, {"Č", "c"}, {"Ď", "d"}, {"Ř", "r"}, {"Š", "s"},
    {"Ž", "z"}, {"Ø", "o"}, {"Å", "aa"}, {"Æ", "ae"}, {"Á", "a"}, {"É", "e"}, {"Ú", "u"},
};
/* clang-format on */

/* What the two bytes at z are spelled as in the table, or NULL. */
static const char *find_spelling(const spelling *table, size_t n, const char *z)
{
    for (size_t i = 0; i < n; i++) {
        if (z[0] == table[i].from[0] && z[1] == table[i].from[1])
            return table[i].to;
    }
    return NULL;
}

static med_demo_text respell(const spelling *table, size_t n, const char *z)
{
    med_demo_text t = {.n = 0};
    while (*z != '\0') {
        const char *to = find_spelling(table, n, z);
        char one[2] = {*z, '\0'};
        (void)med_demo_text_add(&t, to != NULL ? to : one);
        z += to != NULL ? 2 : 1;
    }
    return t;
}

static bool ends_in(med_demo_text t, const char *z)
{
    return med_str_ends((med_str){t.z, t.n}, med_str_from(z));
}

med_demo_text med_demo_latin(const char *cyrillic)
{
    med_demo_text t = respell(bulgarian, sizeof bulgarian / sizeof bulgarian[0], cyrillic);
    if (ends_in(t, "iya") && med_str_ends(med_str_from(cyrillic), MED_STR("ия"))) {
        t.n -= 2; /* a final -ия is spelled -ia */
        t.z[t.n] = '\0';
        (void)med_demo_text_add(&t, "a");
    }
    return t;
}

med_demo_text med_demo_ascii(const char *name)
{
    med_demo_text latin = med_demo_latin(name);
    med_demo_text t = respell(folded, sizeof folded / sizeof folded[0], latin.z);
    for (size_t i = 0; i < t.n; i++) {
        if (med_is_upper(t.z[i]))
            t.z[i] = (char)(t.z[i] - 'A' + 'a');
    }
    return t;
}
