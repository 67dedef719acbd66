/* name.c - given names by generation, surnames by sex, patronymics, and their contacts. */
#include "demo/name.h"

static unsigned generation(int born_year)
{
    return born_year < 1960 ? 0 : born_year < 1990 ? 1 : 2;
}

/* Replaces `ending` of t, if it has it, by `by`. */
static bool replace_end(med_demo_text *t, const char *ending, const char *by)
{
    size_t n = strlen(ending);
    if (!med_str_ends((med_str){t->z, t->n}, (med_str){ending, n}))
        return false;
    t->n -= n;
    t->z[t->n] = '\0';
    (void)med_demo_text_add(t, by);
    return true;
}

void med_demo_patronymic(const char *father, bool female, char out[48])
{
    med_demo_text t = med_demo_join(father, NULL, NULL);
    static const struct {
        const char *ending, *by;
    } rules[] = {
        {"Васил", "Василев"}, {"Михаил", "Михайлов"}, {"ър", "ров"},
        {"й", "ев"},          {"и", "иев"},           {"о", "ов"},
        {"а", "ов"},
    };
    bool done = false;
    for (size_t i = 0; !done && i < sizeof rules / sizeof rules[0]; i++)
        done = replace_end(&t, rules[i].ending, rules[i].by);
    if (!done)
        (void)med_demo_text_add(&t, "ов");
    if (female)
        (void)med_demo_text_add(&t, "а");
    size_t n = t.n > 47 ? 0 : t.n;
    memcpy(out, t.z, n);
    out[n] = '\0';
}

void med_demo_name_draw(med_demo_rng *r, const med_demo_country *c, bool female, int born_year,
                        unsigned surname, const char *father, med_demo_name *out)
{
    if (surname >= MED_DEMO_SURNAMES) /* the commoner ones stand first */
        surname = med_demo_rng_below(r, 1 + med_demo_rng_below(r, MED_DEMO_SURNAMES));
    unsigned given = med_demo_rng_below(r, MED_DEMO_GIVEN);
    *out = (med_demo_name){.surname = (uint8_t)surname};
    out->given = c->given[female][generation(born_year)][given];
    out->family = female ? c->surnames[surname].female : c->surnames[surname].male;
    if (c->id != MED_DEMO_BG)
        return;
    if (father == NULL)
        father = c->given[0][generation(born_year - 27)][med_demo_rng_below(r, MED_DEMO_GIVEN)];
    med_demo_patronymic(father, female, out->patronymic);
}

med_demo_text med_demo_full_name(const med_demo_name *name, const char *title)
{
    med_demo_text t = med_demo_join(title, title != NULL ? " " : NULL, name->given);
    if (name->patronymic[0] != '\0')
        (void)med_demo_text_add(med_demo_text_add(&t, " "), name->patronymic);
    return *med_demo_text_add(med_demo_text_add(&t, " "), name->family);
}

static void put_given(med_demo_out *o, const char *given, const char *patronymic)
{
    med_put_array(o, "given");
    med_put(o, NULL, given);
    med_put(o, NULL, patronymic);
    med_put_close(o);
}

static void put_latin_name(med_demo_out *o, const med_demo_name *name)
{
    med_demo_text full = med_demo_full_name(name, NULL);
    med_demo_text text = med_demo_latin(full.z);
    med_demo_text family = med_demo_latin(name->family);
    med_demo_text given = med_demo_latin(name->given);
    med_demo_text patronymic = med_demo_latin(name->patronymic);
    med_put_object(o, NULL);
    med_put_array(o, "extension");
    med_put_object(o, NULL);
    med_put(o, "url", "http://hl7.org/fhir/StructureDefinition/language");
    med_put(o, "valueCode", "bg-Latn");
    med_put_close(o);
    med_put_close(o);
    med_put(o, "use", "usual");
    med_put(o, "text", text.z);
    med_put(o, "family", family.z);
    put_given(o, given.z, patronymic.z);
    med_put_close(o);
}

void med_put_names(med_demo_out *o, const med_demo_country *c, const med_demo_name *name,
                   const char *title)
{
    med_demo_text text = med_demo_full_name(name, title);
    med_put_array(o, "name");
    med_put_object(o, NULL);
    med_put(o, "use", "official");
    med_put(o, "text", text.z);
    med_put(o, "family", name->family);
    put_given(o, name->given, name->patronymic);
    if (title != NULL) {
        med_put_array(o, "prefix");
        med_put(o, NULL, title);
        med_put_close(o);
    }
    med_put_close(o);
    if (c->id == MED_DEMO_BG)
        put_latin_name(o, name);
    med_put_close(o);
}

med_demo_text med_demo_email(const med_demo_name *name, uint64_t number)
{
    med_demo_text given = med_demo_ascii(name->given);
    med_demo_text family = med_demo_ascii(name->family);
    med_demo_text t = med_demo_join(given.z, ".", family.z);
    return *med_demo_text_add(med_demo_text_number(&t, number, 1), "@example.org");
}

med_demo_text med_demo_phone(const med_demo_country *c, med_demo_rng *r)
{
    med_demo_text t = med_demo_join(c->phone, " 00 ", NULL);
    (void)med_demo_text_number(&t, med_demo_rng_below(r, 1000), 3);
    return *med_demo_text_number(med_demo_text_add(&t, " "), med_demo_rng_below(r, 1000), 3);
}
