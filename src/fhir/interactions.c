/* interactions.c - the table of all that is wired; the router and /metadata read it. */
#include "fhir/interactions.h"

const med_interaction *const med_interactions[] = {
    &med_interaction_read,
    &med_interaction_vread,
    &med_interaction_create,
    &med_interaction_update,
    &med_interaction_conditional_update,
    &med_interaction_patch,
    &med_interaction_conditional_patch,
    &med_interaction_delete,
    &med_interaction_conditional_delete,
    &med_interaction_search_type,
    &med_interaction_search_type_post,
    &med_interaction_search_system,
    &med_interaction_search_system_post,
    &med_interaction_search_compartment,
    &med_interaction_search_compartment_post,
    &med_interaction_search_type_get,
    &med_interaction_search_system_get,
    &med_interaction_everything,
    &med_interaction_everything_post,
    &med_interaction_lastn,
    &med_interaction_lastn_post,
    &med_interaction_history_instance,
    &med_interaction_history_type,
    &med_interaction_history_system,
    &med_interaction_bundle,
    &med_interaction_capabilities,
    &med_interaction_meta_instance,
    &med_interaction_meta_version,
    &med_interaction_meta_type,
    &med_interaction_meta_system,
    &med_interaction_meta_add,
    &med_interaction_meta_delete,
};

const size_t med_interaction_count = sizeof med_interactions / sizeof *med_interactions;
