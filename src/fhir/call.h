/* call.h - one FHIR interaction in progress, and the table of them all.
 * https://hl7.org/fhir/R4/http.html
 *
 * An interaction has two halves. `prepare` reads, checks and, if it writes, adds writes to the
 * call's change; `finish` fills the response, for a write after the commit. Between them the
 * driver (serve.c over HTTP, transaction.c for all entries of a Bundle at once, import for
 * files) runs the commit. So a create alone and a create inside a transaction are the same
 * code. A call and all it holds live in its arena; it is used by one thread at a time. */
#ifndef MED_FHIR_CALL_H
#define MED_FHIR_CALL_H

#include "http/message.h"
#include "search/search.h"
#include "terminology/terminology.h"
#include "validate/structure.h"

/* How deep a write is checked (setting validation.enforce). */
enum med_enforce { MED_ENFORCE_STRUCTURE, MED_ENFORCE_BASE };

/* Which profiles a write must keep (setting validation.profiles); with MED_ENFORCE_BASE only. */
typedef struct med_profile_policy {
    bool claimed;          /* those in meta.profile */
    const med_str *listed; /* each by the resources of its type */
    size_t n_listed;
} med_profile_policy;

/* What all calls share, immutable; a server has another when search parameters change. */
typedef struct med_fhir {
    const med_pack *pack;
    med_store *store;
    const med_search_schema *schema;
    const med_rules *rules; /* invariants and bindings, for checks beyond structure */
    med_profiles *profiles; /* compiled ones; NULL in tools that need none */
    med_profile_policy policy;
    const med_clock *clock;
    const med_random *random;
    const med_log *log;
    med_terminology *terminology;      /* NULL in tools that need none */
    struct med_term_watch *term_watch; /* of stored terminology (term_store.h) */
    struct med_packages *packages;     /* implementation guides, and what R4 defines */
    med_str base;         /* "http://127.0.0.1:8080/fhir" unless the request says otherwise */
    med_str capabilities; /* the CapabilityStatement, made at the start */
    med_str started;      /* instant the server started: CapabilityStatement.date */
    int zone_minutes;
    uint32_t default_count, max_count;
    uint64_t search_cost;  /* microseconds a search may cost by its estimate; 0: any */
    uint64_t page_time;    /* microseconds until a page of a search ends, full or not; 0: never */
    size_t bundle_entries; /* most entries of a batch or transaction */
    size_t cascade_limit;  /* most resources one _cascade=delete or multiple delete removes */
    enum med_enforce enforce;
    bool check_references;
    bool check_codes;
    bool update_as_create;
    bool multiple_delete; /* conditional delete of several matches */
    bool auth_off;        /* said so in the CapabilityStatement */
    int64_t idempotency_seconds;
    int64_t since;  /* monotonic: what is read with its schema is of then or later */
    uint64_t epoch; /* of the commits whose rows its schema makes (store.h); 0: none */
    /* The one that is true now, held until the arena ends; NULL with *err. May be absent: then
     * there is no other. */
    const struct med_fhir *(*newest)(void *arg, med_arena *a, med_err *err);
    void *newest_arg;
} med_fhir;

enum med_level {
    MED_LEVEL_SYSTEM,
    MED_LEVEL_TYPE,
    MED_LEVEL_INSTANCE,
    MED_LEVEL_VERSION,
    MED_LEVEL_COMPARTMENT, /* Patient/1/Observation, or all members */
};
/* Inside, everything is JSON; XML is made at the door. */
enum med_format { MED_FORMAT_NONE, MED_FORMAT_JSON, MED_FORMAT_XML };
enum med_return {
    MED_RETURN_DEFAULT,
    MED_RETURN_MINIMAL,
    MED_RETURN_REPRESENTATION,
    MED_RETURN_OUTCOME
};

/* A request as FHIR sees it: from HTTP, or from Bundle.entry.request. Values are decoded. */
typedef struct med_fhir_request {
    enum med_method method;
    enum med_level level;
    med_type type; /* MED_TYPE_NONE at system level */
    med_str type_name, id, version;
    med_type member;   /* COMPARTMENT: the type searched in it; MED_TYPE_NONE: all (`*`) */
    med_str operation; /* "$meta-add", "_history", "_search", "metadata", or empty */
    med_pairs query;   /* search and result parameters */
    med_str if_match, if_none_match, if_none_exist, if_modified_since;
    med_str content_type; /* as sent, or empty */
    med_str accept;
    med_str accept_language;
    enum med_format answer;   /* what Accept and _format ask for; NONE: not looked at yet */
    med_str security_context; /* X-Security-Context (Binary) */
    med_str idempotency_key;
    enum med_return prefer;
    bool strict; /* handling=strict, the default */
    bool respond_async;
    bool background;       /* nobody waits: any search may take its time */
    med_str body;          /* raw bytes, empty if none */
    const med_json *json;  /* parsed body: of a Bundle entry, the Bundle's tape */
    uint32_t root;         /* node of the resource in `json` */
    med_str source;        /* of an import, else empty: new ids are made of it and `source_entry`,
                              so that importing the same again makes the same resources */
    uint32_t source_entry; /* of a Bundle */
    bool in_bundle;
    bool checked;  /* the structure was checked with the whole Bundle */
    bool resolved; /* the transaction has evaluated the condition: `id` is the target */
} med_fhir_request;

/* The answer, before it becomes HTTP or Bundle.entry.response. */
typedef struct med_fhir_response {
    int status;
    med_str etag;          /* W/"3" */
    int64_t last_modified; /* 0 = none */
    med_str location;      /* "Patient/1/_history/1", relative to the base */
    med_str body;          /* FHIR JSON, or native bytes of a Binary */
    med_str content_type;  /* empty: application/fhir+json */
    bool native;           /* bytes of a Binary: an attachment, never run by a browser */
    med_str allow;         /* of a 405 */
    bool is_outcome;       /* body is an OperationOutcome (goes to response.outcome in a Bundle) */
    enum med_issue failed; /* what went wrong; NONE: nothing did */
} med_fhir_response;

/* The writes of one commit. */
typedef struct med_changeset {
    med_write *writes;
    size_t n, room;
    /* Conditions found true while preparing, checked again inside the commit: `query` must
     * still match exactly `expected` (none, or these). When it does not, the driver prepares
     * anew (at most MED_PREPARE_TRIES times). */
    struct med_condition {
        const med_query *query;
        const med_match *expected;
        size_t n_expected;
        size_t limit;
    } * conditions;
    size_t n_conditions, room_conditions;
    bool must_retry;        /* set by the guard: a condition no longer holds */
    bool rests_on_versions; /* prepare read versions that it expects again (patch, tags kept by
                               an update) although the client named none: prepare anew on 412 */
} med_changeset;
enum { MED_PREPARE_TRIES = 16 };

typedef struct med_interaction med_interaction;

typedef struct med_call {
    const med_fhir *fhir;
    med_arena *arena;
    const med_interaction *interaction;
    med_fhir_request request;
    med_fhir_response response;
    med_view *view;           /* for this thread, set by the driver while a half runs */
    unsigned slot;            /* reader connection of `view`; a batch opens it anew */
    med_changeset *change;    /* own, or the transaction's */
    size_t write;             /* index of this call's write in change, SIZE_MAX if it has none */
    size_t n_writes;          /* how many from there (cascade, multiple delete) */
    int64_t updated;          /* time of the commit, set by the driver before finish */
    void *state;              /* the interaction's own, from prepare to finish */
    med_problems problems;    /* what the outcome is to list, beside err */
    enum med_enforce enforce; /* the server's, unless an import asks for less */
    uint64_t *refusable; /* an import counts here what a full check would refuse; NULL: nobody */
    /* In a transaction: the text with what names other entries changed. NULL: nobody does. */
    bool (*link)(void *arg, med_str text, med_str *out, med_err *err);
    void *link_arg;
    bool on_worker;    /* this half runs on a worker: may take its time */
    bool wants_worker; /* set by a prepare that failed only for want of time: run it there */
} med_call;

enum med_step {
    MED_STEP_OK,
    MED_STEP_FAILED /* *err, call->problems */,
    MED_STEP_AGAIN /* on a worker */
};

struct med_interaction {
    const char *name; /* "create", as in the CapabilityStatement where it has such a code */
    enum med_method method;
    enum med_level level;
    const char *operation;  /* "", "_history", "$meta", ... */
    const char *types;      /* of an operation: only of these, "Patient Encounter"; NULL: all */
    const char *definition; /* of an operation: its canonical; NULL: R4's own, by its name */
    /* What its URL may carry beside _format, _pretty, _summary and _elements, "mode"; NULL: it
     * reads the parameters itself. */
    const char *parameters;
    bool writes;
    bool conditional; /* matched when there is a query at type level (PUT, PATCH, DELETE) */
    enum med_step (*prepare)(med_call *call, med_err *err);
    enum med_step (*finish)(med_call *call, med_err *err);
};

/* A call without request and answer: every slice of it empty, none NULL. */
void med_call_init(med_call *call, const med_fhir *fhir, med_arena *arena);
/* An answer not given yet. */
void med_fhir_response_init(med_fhir_response *r);

/* All interactions, for the router and for /metadata. Each stands in its own file. */
extern const med_interaction *const med_interactions[];
extern const size_t med_interaction_count;
/* Is it an interaction of that type? (route.c) */
bool med_interaction_is_of(const med_interaction *i, med_str type);

#endif
