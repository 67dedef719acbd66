/* interactions.h - the interactions, each in its own file. https://hl7.org/fhir/R4/http.html */
#ifndef MED_FHIR_INTERACTIONS_H
#define MED_FHIR_INTERACTIONS_H

#include "fhir/call.h"

extern const med_interaction med_interaction_read;                    /* read.c */
extern const med_interaction med_interaction_vread;                   /* vread.c */
extern const med_interaction med_interaction_create;                  /* create.c */
extern const med_interaction med_interaction_update;                  /* update.c */
extern const med_interaction med_interaction_conditional_update;      /* update.c */
extern const med_interaction med_interaction_patch;                   /* patch.c */
extern const med_interaction med_interaction_conditional_patch;       /* patch.c */
extern const med_interaction med_interaction_delete;                  /* delete.c */
extern const med_interaction med_interaction_conditional_delete;      /* delete.c */
extern const med_interaction med_interaction_search_type;             /* search.c */
extern const med_interaction med_interaction_search_type_post;        /* search.c */
extern const med_interaction med_interaction_search_system;           /* search.c */
extern const med_interaction med_interaction_search_system_post;      /* search.c */
extern const med_interaction med_interaction_search_compartment;      /* search.c */
extern const med_interaction med_interaction_search_compartment_post; /* search.c */
extern const med_interaction med_interaction_search_type_get;         /* search.c */
extern const med_interaction med_interaction_search_system_get;       /* search.c */
extern const med_interaction med_interaction_everything;              /* everything.c */
extern const med_interaction med_interaction_everything_all;          /* everything_all.c */
extern const med_interaction med_interaction_everything_all_post;     /* everything_all.c */
extern const med_interaction med_interaction_everything_post;         /* everything.c */
extern const med_interaction med_interaction_lastn;                   /* lastn.c */
extern const med_interaction med_interaction_lastn_post;              /* lastn.c */
extern const med_interaction med_interaction_history_instance;        /* history.c */
extern const med_interaction med_interaction_history_type;            /* history.c */
extern const med_interaction med_interaction_history_system;          /* history.c */
extern const med_interaction med_interaction_bundle;                  /* system_bundle.c */
extern const med_interaction med_interaction_capabilities;            /* capabilities.c */
extern const med_interaction med_interaction_meta_instance;           /* meta_operations.c */
extern const med_interaction med_interaction_meta_version;            /* meta_operations.c */
extern const med_interaction med_interaction_meta_type;               /* meta_operations.c */
extern const med_interaction med_interaction_meta_system;             /* meta_operations.c */
extern const med_interaction med_interaction_meta_add;                /* meta_operations.c */
extern const med_interaction med_interaction_meta_delete;             /* meta_operations.c */
extern const med_interaction med_interaction_fhirpath;                /* fhirpath_operation.c */
extern const med_interaction med_interaction_fhirpath_post;           /* fhirpath_operation.c */
extern const med_interaction med_interaction_fhirpath_system;         /* fhirpath_operation.c */
extern const med_interaction med_interaction_fhirpath_system_post;    /* fhirpath_operation.c */
extern const med_interaction med_interaction_validate_type;           /* validate.c */
extern const med_interaction med_interaction_validate_instance;       /* validate.c */
extern const med_interaction med_interaction_validate_stored;         /* validate.c */
extern const med_interaction med_interaction_document;                /* document_operation.c */
extern const med_interaction med_interaction_document_post;           /* document_operation.c */
extern const med_interaction med_interaction_docref;                  /* docref.c */
extern const med_interaction med_interaction_docref_post;             /* docref.c */
extern const med_interaction med_interaction_snapshot;                /* snapshot_operation.c */
extern const med_interaction med_interaction_snapshot_post;           /* snapshot_operation.c */
extern const med_interaction med_interaction_snapshot_instance;       /* snapshot_operation.c */
extern const med_interaction med_interaction_snapshot_instance_post;  /* snapshot_operation.c */
extern const med_interaction med_interaction_generate;                /* document_generate.c */
extern const med_interaction med_interaction_generate_post;           /* document_generate.c */
extern const med_interaction med_interaction_summary;                 /* summary.c */
extern const med_interaction med_interaction_summary_post;            /* summary.c */
extern const med_interaction med_interaction_summary_type;            /* summary.c */
extern const med_interaction med_interaction_summary_type_post;       /* summary.c */

extern const med_interaction med_interaction_expand;                      /* term_expand.c */
extern const med_interaction med_interaction_expand_post;                 /* term_expand.c */
extern const med_interaction med_interaction_expand_instance;             /* term_expand.c */
extern const med_interaction med_interaction_expand_instance_post;        /* term_expand.c */
extern const med_interaction med_interaction_lookup;                      /* term_lookup.c */
extern const med_interaction med_interaction_lookup_post;                 /* term_lookup.c */
extern const med_interaction med_interaction_subsumes;                    /* term_lookup.c */
extern const med_interaction med_interaction_subsumes_post;               /* term_lookup.c */
extern const med_interaction med_interaction_subsumes_instance;           /* term_lookup.c */
extern const med_interaction med_interaction_validate_code;               /* term_validate.c */
extern const med_interaction med_interaction_validate_code_post;          /* term_validate.c */
extern const med_interaction med_interaction_validate_code_instance;      /* term_validate.c */
extern const med_interaction med_interaction_validate_code_instance_post; /* term_validate.c */
extern const med_interaction med_interaction_validate_system;             /* term_validate.c */
extern const med_interaction med_interaction_validate_system_post;        /* term_validate.c */
extern const med_interaction med_interaction_validate_system_instance;    /* term_validate.c */
extern const med_interaction med_interaction_closure;                     /* term_closure.c */
extern const med_interaction med_interaction_closure_system;              /* term_closure.c */
extern const med_interaction med_interaction_batch_validate;              /* term_batch.c */
extern const med_interaction med_interaction_batch_validate_system;       /* term_batch.c */
extern const med_interaction med_interaction_find_matches;                /* term_find.c */
extern const med_interaction med_interaction_find_matches_post;           /* term_find.c */
extern const med_interaction med_interaction_translate;                   /* term_translate.c */
extern const med_interaction med_interaction_translate_post;              /* term_translate.c */
extern const med_interaction med_interaction_translate_instance;          /* term_translate.c */
extern const med_interaction med_interaction_translate_instance_post;     /* term_translate.c */

/* capabilities.c: the text of /metadata, for med_fhir.capabilities. */
bool med_capabilities_text(med_arena *a, const med_fhir *f, med_str *out,
                           med_err *err) MED_MUST_CHECK;

#endif
