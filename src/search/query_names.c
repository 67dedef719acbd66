/* query_names.c - refusing names: the parameter or modifier that does not exist, with what was
 * expected instead. https://hl7.org/fhir/R4/search.html#modifiers */
#include "search/query_parse.h"

static const med_str common_names[] = {
    MED_LIT("_count"),      MED_LIT("_sort"),        MED_LIT("_total"),  MED_LIT("_summary"),
    MED_LIT("_elements"),   MED_LIT("_format"),      MED_LIT("_pretty"), MED_LIT("_include"),
    MED_LIT("_revinclude"), MED_LIT("_list"),        MED_LIT("_filter"), MED_LIT("_has"),
    MED_LIT("_id"),         MED_LIT("_lastUpdated"),
};
enum { COMMON = sizeof common_names / sizeof *common_names };

/* The codes one may search this type by. */
static bool names_of(med_query_parser *p, med_str **out, size_t *n)
{
    const med_pack *pack = p->q->schema->pack;
    const uint32_t *rows =
        p->q->type == MED_TYPE_NONE ? NULL : med_type_params(pack, p->q->type, n);
    *out = MED_TAKE(p->arena, *n + COMMON, med_str);
    if (*out == NULL)
        return false;
    for (size_t i = 0; rows != NULL && i < *n; i++) {
        med_param param;
        med_pack_param(pack, rows[i], &param);
        (*out)[i] = param.code;
    }
    memcpy(*out + *n, common_names, sizeof common_names);
    *n += COMMON;
    return true;
}

/* As many of the names as the text has room for. */
static void list_names(char *text, size_t room, const med_str *names, size_t n)
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < n && len + names[i].len + sizeof ", ..." < room; i++) {
        if (i > 0)
            len += (size_t)snprintf(text + len, room - len, ", ");
        len += (size_t)snprintf(text + len, room - len, "%.*s", MED_STR_ARG(names[i]));
        if (i + 1 < n && len + names[i + 1].len + 2 * sizeof ", ..." >= room) {
            (void)snprintf(text + len, room - len, ", ...");
            return;
        }
    }
}

bool med_query_unknown(med_query_parser *p, med_str name, med_err *err)
{
    enum { LISTED = 120 };
    char listed[LISTED];
    size_t n = 0;
    med_str *names;
    if (!names_of(p, &names, &n))
        return MED_FAIL_MEMORY(err);
    med_str nearest = med_str_nearest(name, names, n);
    if (med_str_eq(nearest, name)) {
        (void)MED_FAIL(
            err, MED_ISSUE_NOT_SUPPORTED,
            "unknown search parameter '%.*s' in this place: it stands by itself and takes "
            "no modifier",
            MED_STR_ARG(name));
        return med_err_status(err, 400);
    }
    size_t own = 0; /* those that all types have begin with '_' and come first */
    while (own < n - COMMON && names[own].len > 0 && names[own].ptr[0] == '_')
        own++;
    list_names(listed, sizeof listed, nearest.len > 0 ? &nearest : names + own,
               nearest.len > 0 ? 1 : n - COMMON - own);
    med_str type = p->q->type == MED_TYPE_NONE ? MED_STR("the whole server")
                                               : med_type_name(p->q->schema->pack, p->q->type);
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "unknown search parameter '%.*s' of %.*s%s%s",
                   MED_STR_ARG(med_str_sub(name, 0, 40)), MED_STR_ARG(type),
                   listed[0] == '\0' ? ""
                   : nearest.len > 0 ? "; nearest: "
                                     : "; there are: ",
                   listed);
    return med_err_status(err, 400);
}

/* ---- modifiers ---- */

enum {
    OF_TOKEN = 1 << MED_CLAUSE_TOKEN,
    OF_STRING = 1 << MED_CLAUSE_STRING,
    OF_REFERENCE = 1 << MED_CLAUSE_REFERENCE,
    OF_DATE = 1 << MED_CLAUSE_DATE,
    OF_QUANTITY = 1 << MED_CLAUSE_QUANTITY,
    OF_URI = 1 << MED_CLAUSE_URI,
    OF_OWN_COLUMN = 1 << MED_CLAUSE_ID | 1 << MED_CLAUSE_UPDATED,
};

static const struct {
    med_str name;
    enum med_modifier modifier;
    unsigned kinds; /* bits of enum med_clause_kind that may have it */
} modifiers[] = {
    {MED_LIT("missing"), MED_MODIFIER_MISSING,
     OF_TOKEN | OF_STRING | OF_REFERENCE | OF_DATE | OF_QUANTITY | OF_URI | OF_OWN_COLUMN},
    {MED_LIT("exact"), MED_MODIFIER_EXACT, OF_STRING},
    {MED_LIT("contains"), MED_MODIFIER_CONTAINS, OF_STRING},
    {MED_LIT("not"), MED_MODIFIER_NOT, OF_TOKEN},
    {MED_LIT("text"), MED_MODIFIER_TEXT, OF_TOKEN},
    {MED_LIT("of-type"), MED_MODIFIER_OF_TYPE, OF_TOKEN},
    {MED_LIT("identifier"), MED_MODIFIER_IDENTIFIER, OF_REFERENCE},
    {MED_LIT("above"), MED_MODIFIER_ABOVE, OF_URI | OF_REFERENCE},
    {MED_LIT("below"), MED_MODIFIER_BELOW, OF_URI | OF_REFERENCE},
    {MED_LIT("equals"), MED_MODIFIER_EQUALS, OF_STRING}, /* only inside of _filter: */
    {MED_LIT("ends"), MED_MODIFIER_ENDS, OF_STRING},
};
enum { ALL_MODIFIERS = sizeof modifiers / sizeof *modifiers, MODIFIERS = ALL_MODIFIERS - 2 };

static const med_str terminology_modifiers[] = {MED_LIT("in"), MED_LIT("not-in"), MED_LIT("above"),
                                                MED_LIT("below")};
enum { OF_TERMINOLOGY = sizeof terminology_modifiers / sizeof *terminology_modifiers };

static bool needs_terminology(med_str modifier)
{
    for (size_t i = 0; i < OF_TERMINOLOGY; i++) {
        if (med_str_eq(modifier, terminology_modifiers[i]))
            return true;
    }
    return false;
}

static bool refuse_modifier(const med_clause *c, const med_param *param, med_str modifier,
                            med_err *err)
{
    char listed[120];
    med_str names[MODIFIERS + OF_TERMINOLOGY];
    size_t n = 0;
    for (size_t i = 0; i < MODIFIERS; i++) {
        if ((modifiers[i].kinds >> c->kind & 1) != 0)
            names[n++] = modifiers[i].name;
    }
    if (c->kind == MED_CLAUSE_REFERENCE)
        names[n++] = MED_STR("a resource type");
    for (size_t i = 0; c->kind == MED_CLAUSE_TOKEN && i < OF_TERMINOLOGY; i++)
        names[n++] = terminology_modifiers[i];
    list_names(listed, sizeof listed, names, n);
    if (c->kind == MED_CLAUSE_TOKEN && needs_terminology(modifier))
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                       "modifier ':%.*s' needs a terminology service, which is not there yet",
                       MED_STR_ARG(modifier));
    else
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                       "modifier ':%.*s' is not possible with '%.*s'; possible: %s",
                       MED_STR_ARG(med_str_sub(modifier, 0, 40)), MED_STR_ARG(param->code),
                       n > 0 ? listed : "none");
    return med_err_status(err, 400);
}

/* subject:Patient: only what the reference may point to. */
static bool read_type(const med_query_parser *p, const med_param *param, med_type type,
                      med_clause *c, med_err *err)
{
    if (!med_param_may_target(param, type)) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "'%.*s' never refers to a %.*s",
                       MED_STR_ARG(param->code),
                       MED_STR_ARG(med_type_name(p->q->schema->pack, type)));
        return med_err_status(err, 400);
    }
    c->modifier = MED_MODIFIER_TYPE;
    c->terms_type = type;
    return true;
}

bool med_param_may_target(const med_param *param, med_type type)
{
    for (size_t i = 0; i < param->n_targets; i++) {
        if (param->targets[i] == type)
            return true;
    }
    return param->n_targets == 0;
}

bool med_query_read_modifier(med_query_parser *p, const med_param *param, med_str modifier,
                             med_clause *c, med_err *err)
{
    for (size_t i = 0; i < (p->in_filter ? ALL_MODIFIERS : MODIFIERS); i++) {
        if (!med_str_eq(modifier, modifiers[i].name) || (modifiers[i].kinds >> c->kind & 1) == 0)
            continue;
        c->modifier = modifiers[i].modifier;
        bool tree = c->kind == MED_CLAUSE_REFERENCE
                    && (c->modifier == MED_MODIFIER_ABOVE || c->modifier == MED_MODIFIER_BELOW);
        return !tree || med_query_read_tree(p, param, c, err);
    }
    med_type type = c->kind == MED_CLAUSE_REFERENCE ? med_pack_type(p->q->schema->pack, modifier)
                                                    : MED_TYPE_NONE;
    if (type == MED_TYPE_NONE || med_schema_type(p->q->schema, type) == 0)
        return refuse_modifier(c, param, modifier, err);
    return read_type(p, param, type, c, err);
}
