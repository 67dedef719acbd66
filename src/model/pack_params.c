/* pack_params.c - reading the compiled definitions: search parameters and compartments. */
#include "model/pack_format.h"

size_t med_pack_param_count(const med_pack *p)
{
    return p->sections[PACK_PARAMS].n;
}

void med_pack_param(const med_pack *p, uint32_t index, med_param *out)
{
    const struct pack_param *row = pack_param_at(p, index);
    /* The parts stand side by side in PACK_PARAM_LIST too, so that they can be handed out. */
    *out = (med_param){
        .index = index,
        .code = pack_string(p, row->code),
        .url = pack_string(p, row->url),
        .type = (enum med_param_type)row->type,
        .expression = pack_string(p, row->expression),
        .compiled = row->compiled != 0,
        .why_not = pack_string(p, row->why_not),
        .targets = pack_type_list_at(p, row->targets.first),
        .n_targets = row->targets.n,
        .components = pack_param_list_at(p, row->component_params.first),
        .n_components = row->component_params.n,
    };
}

const uint32_t *med_type_params(const med_pack *p, med_type resource, size_t *n)
{
    struct pack_range range = pack_type_at(p, resource)->params;
    *n = range.n;
    return pack_param_list_at(p, range.first);
}

bool med_pack_find_param(const med_pack *p, med_type resource, med_str code, med_param *out)
{
    size_t high = 0;
    const uint32_t *list = med_type_params(p, resource, &high);
    size_t low = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = med_str_compare(pack_string(p, pack_param_at(p, list[middle])->code), code);
        if (order == 0) {
            med_pack_param(p, list[middle], out);
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

med_str med_param_component_expression(const med_pack *p, uint32_t index, size_t component)
{
    struct pack_range range = pack_param_at(p, index)->components;
    return pack_string(p, pack_component_at(p, range.first + component)->expression);
}

const uint32_t *med_type_patient_params(const med_pack *p, med_type resource, size_t *n)
{
    return med_type_compartment_params(p, MED_COMPARTMENT_PATIENT, resource, n);
}

const uint32_t *med_type_compartment_params(const med_pack *p, enum med_compartment compartment,
                                            med_type resource, size_t *n)
{
    struct pack_range range = pack_type_at(p, resource)->compartments[compartment];
    *n = range.n;
    return pack_param_list_at(p, range.first);
}

const med_str med_compartment_names[MED_COMPARTMENTS] = {
    MED_LIT("Patient"),       MED_LIT("Encounter"), MED_LIT("Practitioner"),
    MED_LIT("RelatedPerson"), MED_LIT("Device"),
};

bool med_compartment_of_type(const med_pack *p, med_type t, enum med_compartment *out)
{
    for (size_t i = 0; t != MED_TYPE_NONE && i < MED_COMPARTMENTS; i++) {
        if (med_str_eq(med_type_name(p, t), med_compartment_names[i])) {
            *out = (enum med_compartment)i;
            return true;
        }
    }
    return false;
}
