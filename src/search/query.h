/* query.h - private to search/: a parsed query. Others see it through search.h only.
 * https://hl7.org/fhir/R4/search.html
 *
 * A query is a list of clauses that must all hold; a clause is one parameter with several
 * values of which one must match. Everything is resolved to numbers of the store and typed
 * values here, so that nothing later looks at the caller's text again. */
#ifndef MED_SEARCH_QUERY_H
#define MED_SEARCH_QUERY_H

#include "base/decimal.h"
#include "search/schema.h"

enum med_prefix {
    MED_PREFIX_EQ,
    MED_PREFIX_NE,
    MED_PREFIX_GT,
    MED_PREFIX_LT,
    MED_PREFIX_GE,
    MED_PREFIX_LE,
    MED_PREFIX_SA,
    MED_PREFIX_EB,
    MED_PREFIX_AP,
};

enum med_modifier {
    MED_MODIFIER_NONE,
    MED_MODIFIER_EXACT,
    MED_MODIFIER_CONTAINS,
    MED_MODIFIER_NOT,
    MED_MODIFIER_MISSING,
    MED_MODIFIER_TEXT,
    MED_MODIFIER_IDENTIFIER,
    MED_MODIFIER_OF_TYPE,
    MED_MODIFIER_TYPE, /* a resource type: subject:Patient */
    MED_MODIFIER_ABOVE,
    MED_MODIFIER_BELOW,
    MED_MODIFIER_EQUALS, /* only of _filter: the whole string, folded */
    MED_MODIFIER_ENDS,   /* only of _filter: the end of a string, folded */
};

enum med_clause_kind {
    MED_CLAUSE_TOKEN,
    MED_CLAUSE_STRING,
    MED_CLAUSE_REFERENCE,
    MED_CLAUSE_DATE,
    MED_CLAUSE_QUANTITY, /* numbers, too: unit 0 */
    MED_CLAUSE_URI,
    MED_CLAUSE_ID,          /* _id */
    MED_CLAUSE_UPDATED,     /* _lastUpdated */
    MED_CLAUSE_CHAIN,       /* subject.name: the reference's target matches a query */
    MED_CLAUSE_HAS,         /* _has: what refers to it matches a query */
    MED_CLAUSE_COMPOSITE,   /* code-value-quantity: parts that hold of one element */
    MED_CLAUSE_ANY,         /* one of several queries holds of the resource itself; :not: none */
    MED_CLAUSE_SPECIAL,     /* _text, _content, near: decided on the resource */
    MED_CLAUSE_COMPARTMENT, /* in the compartment of the patient that its one term names */
};

enum med_special { MED_SPECIAL_TEXT, MED_SPECIAL_CONTENT, MED_SPECIAL_NEAR };

/* _contained: resources inside of others, and also those that are not. */
enum med_contained_of { MED_CONTAINED_NONE, MED_CONTAINED_TRUE, MED_CONTAINED_BOTH };

enum med_system_match { MED_SYSTEM_ANY, MED_SYSTEM_NONE, MED_SYSTEM_IS };

enum { MED_TERM_MEASURES = 2 }; /* as a UCUM code, and as a unit's name */

/* What a number means in one unit: itself, and the range that its digits stand for. */
typedef struct med_measure {
    uint64_t unit; /* 0 = whatever unit */
    med_decimal value, low, high;
    double near_value, near_low, near_high; /* the nearest doubles: what the index is ordered by */
    bool distinct; /* no other decimal has these, but those of rows that say so */
} med_measure;

/* One value. Which members count follows from the clause's kind. */
typedef struct med_term {
    enum med_prefix prefix;
    med_str text;                /* the value, unescaped */
    enum med_system_match match; /* TOKEN */
    med_str system, code;        /* TOKEN, QUANTITY */
    const uint64_t *keys;        /* TOKEN: hashes; REFERENCE: ident hashes; ID: ident */
    const bool *hubs;            /* REFERENCE: of each key, whether it is a hub's (hub.h) */
    size_t n_keys;
    bool names_patient;          /* REFERENCE: its one key is a Patient's */
    bool needs_dictionary;       /* TOKEN: a code without system, a system without code */
    bool barred;                 /* TOKEN: its codes decide, not their hashes */
    med_str folded;              /* STRING; TOKEN :text */
    med_interval span;           /* DATE, UPDATED */
    const med_measure *measures; /* QUANTITY: one of them */
    size_t n_measures;
    double latitude, longitude, meters; /* SPECIAL near */
} med_term;

/* :above, :below: resources of a type are part of each other by this parameter. */
typedef struct med_tree_edge {
    med_type type;
    uint32_t row, number;
} med_tree_edge;

typedef struct med_clause {
    enum med_clause_kind kind;
    uint32_t row;    /* in the pack; UINT32_MAX for ID, UPDATED and HAS */
    uint32_t number; /* in the store; HAS: of the reference, on the other type */
    enum med_modifier modifier;
    bool missing;        /* value of :missing */
    bool single;         /* a resource has one value at most */
    bool ranges;         /* QUANTITY: a value may be a Range */
    bool compartment;    /* REFERENCE: a patient it names has the resource in the compartment */
    bool patient_token;  /* TOKEN: also kept by patient */
    uint8_t implied;     /* follows from the composite before, clause implied - 1; or 0 */
    bool pairs;          /* COMPOSITE that has rows (pair.h) */
    uint32_t also[2];    /* QUANTITY, COMPOSITE: made of these two (schema.h) */
    bool barred;         /* TOKEN: a value has an escaped '|', and other tokens the same hash */
    uint32_t terms_type; /* MODIFIER_TYPE: the pack type */
    bool only_patients;  /* the alias `patient` of a wider reference */
    const med_term *terms;
    size_t n;
    const med_query *const *subs; /* CHAIN: one for each type of target; HAS: one; ANY */
    size_t n_subs;
    const struct med_clause *parts; /* COMPOSITE: n_parts for each of its n alternatives */
    size_t n_parts;
    enum med_special special;        /* SPECIAL */
    enum med_contained_of contained; /* ANY: the first query is asked of what it contains */
    const med_tree_edge *edges;      /* REFERENCE with :above, :below */
    size_t n_edges;
} med_clause;

enum {
    MED_SORT_KEYS = 4,
    MED_CLAUSES = 64,
    MED_TERMS = 1000,
    MED_CHAIN_DEPTH = 3, /* steps of a chain or of nested _has */
    MED_INCLUDES = 16,
};

/* Is that the parameter of a row, or one of those that it is made of? */
static inline bool med_is_param(uint32_t param, uint32_t number, const uint32_t also[2])
{
    return param == number || (also[0] != 0 && (param == also[0] || param == also[1]));
}

typedef struct med_sort {
    enum med_clause_kind kind;
    uint32_t number;
    uint32_t also[2];
    uint32_t row;
    bool descending;
    bool single;
} med_sort;

typedef struct med_include {
    bool reverse;
    bool iterate;    /* also of what was included */
    med_type source; /* the type that has the reference; MED_TYPE_NONE: any (`*`) */
    uint32_t row;    /* of the reference's stored parameter; UINT32_MAX: all references */
    uint32_t number; /* in the store */
    med_type target; /* only these; MED_TYPE_NONE: any */
} med_include;

struct med_query {
    const med_search_schema *schema;
    med_type type;         /* MED_TYPE_NONE: several, `types` */
    const med_type *types; /* of a search over several types */
    size_t n_types;
    med_clause clauses[MED_CLAUSES];
    size_t n;
    med_sort sort[MED_SORT_KEYS];
    size_t n_sort;
    med_include includes[MED_INCLUDES];
    size_t n_includes;
    bool explain;
    bool contained_alone; /* _containedType=contained */
    size_t include_limit; /* a page; 0: the default */
    uint64_t *wanted;     /* bitmap of pack rows that clauses and sort keys look at */
    med_query_view view;
    med_str base;
    uint64_t fingerprint; /* binds page tokens to the query */
};

/* Parsing of values, one function a type, in that type's file. `a` keeps the result. */
typedef struct med_term_source {
    const med_search_schema *schema;
    med_arena *arena;
    const med_search_options *options;
    med_type type; /* searched for */
    const med_param *param;
    med_clause *clause;
} med_term_source;

bool med_term_token(const med_term_source *s, med_str value, med_term *out, med_err *err);
bool med_term_string(const med_term_source *s, med_str value, med_term *out, med_err *err);
bool med_term_reference(const med_term_source *s, med_str value, med_term *out, med_err *err);
bool med_term_date(const med_term_source *s, med_str value, med_term *out, med_err *err);
bool med_term_quantity(const med_term_source *s, med_str value, med_term *out, med_err *err);
bool med_term_uri(const med_term_source *s, med_str value, med_term *out, med_err *err);

bool med_term_special(const med_term_source *s, med_str value, med_term *out, med_err *err);
/* Is a parameter one that only the resource decides? */
bool med_special_of(med_str code, enum med_special *out);
med_str med_special_name(enum med_special special);

/* "ge2020" -> MED_PREFIX_GE, "2020". */
enum med_prefix med_prefix_cut(med_str *value);
/* Undoes the escapes \, \| \$ \\ of a query value. */
bool med_unescape(med_arena *a, med_str value, med_str *out);
/* Index of the first bare `c`, or value.len. */
size_t med_find_bare(med_str value, char c, size_t from);

/* Which kind of clause a parameter type makes; false if none. */
bool med_clause_kind_of(enum med_param_type type, enum med_clause_kind *out);
/* One value of a clause of any kind. */
bool med_term_read(const med_term_source *s, med_str value, med_term *out, med_err *err);

/* Does a row match a term? The spec's tables, in one place a type. */
bool med_term_matches_token(const med_term *t, uint32_t number, const med_rows *rows);
bool med_term_matches_date(const med_term *t, med_interval row);
bool med_term_matches_quantity(const med_term *t, const med_quantity_row *row);
/* The same on the doubles of an index row of the measure's unit. A double stands for all decimals
 * it is the nearest to: where it is that of a bound, true and *sure = false is all that can be
 * said of a row that is marked (MED_HIDDEN), or not known to be none of these, and of Ranges. */
bool med_measure_may_match(enum med_prefix prefix, const med_measure *m, double low, double high,
                           bool *sure);

#endif
