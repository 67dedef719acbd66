/* reference.h - what a literal reference says. https://hl7.org/fhir/R4/references.html */
#ifndef MED_MODEL_REFERENCE_H
#define MED_MODEL_REFERENCE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/pack.h"

enum med_reference_kind {
    MED_REFERENCE_LOCAL,    /* Type/id or Type/id/_history/v, or our own base URL in front */
    MED_REFERENCE_ABSOLUTE, /* http(s)://elsewhere/Type/id; type and id set when it has that form */
    MED_REFERENCE_URN,      /* urn:uuid: or urn:oid: */
    MED_REFERENCE_FRAGMENT, /* #contained, or "#" for the container */
    MED_REFERENCE_CONDITIONAL, /* Type?query (only inside a transaction) */
    MED_REFERENCE_OTHER,       /* some other URI */
};

typedef struct med_reference {
    enum med_reference_kind kind;
    med_str text;
    med_str type, id, version; /* version empty if none */
    med_str query;             /* CONDITIONAL: behind '?' */
    med_str fragment;
} med_reference;

/* Fails with MED_ISSUE_VALUE when it is no legal reference at all (bad type with nearest name,
 * bad id). `base` is this server's base URL ("https://host/fhir") or empty. */
bool med_reference_parse(const med_pack *p, med_str text, med_str base, med_reference *out,
                         med_err *err) MED_MUST_CHECK;
/* The resource type that a reference names, without telling what is wrong with it: for the hot
 * path. MED_TYPE_NONE when it names none (a fragment, a urn, a canonical of a site). */
med_type med_reference_type(const med_pack *p, med_str text);
/* [A-Za-z0-9\-\.]{1,64} */
bool med_id_is_valid(med_str id);

#endif
