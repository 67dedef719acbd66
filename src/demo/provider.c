/* provider.c - Organization, Location, HealthcareService and the staff of one place. */
#include "demo/provider.h"

#include "demo/practitioner.h"

/* Who works where; the first is who answers when nobody fits better. */
typedef struct staffing {
    enum med_demo_specialty specialty[MED_DEMO_STAFF];
    size_t n;
} staffing;

/* clang-format off */
static const staffing hospital_staff = {{
    MED_INTERNAL_MEDICINE, MED_CARDIOLOGY, MED_ENDOCRINOLOGY, MED_PULMONOLOGY, MED_PSYCHIATRY,
    MED_OBSTETRICS, MED_TRAUMATOLOGY, MED_SURGERY, MED_ONCOLOGY, MED_NEUROLOGY, MED_OPHTHALMOLOGY,
    MED_EMERGENCY, MED_RADIOLOGY, MED_NURSING}, 14};
static const staffing practice_staff = {{
    MED_GENERAL_PRACTICE, MED_GENERAL_PRACTICE, MED_NURSING}, 3};
static const staffing practice_staff_with_paediatrician = {{
    MED_GENERAL_PRACTICE, MED_GENERAL_PRACTICE, MED_NURSING, MED_PAEDIATRICS}, 4};
static const staffing pharmacy_staff = {{MED_PHARMACY, MED_PHARMACY}, 2};
static const staffing laboratory_staff = {{MED_PATHOLOGY}, 1};
/* clang-format on */

/* In Slovenia, Czechia and Bulgaria children see a paediatrician, elsewhere the GP. */
static const staffing *staff_of(enum med_demo_place_kind kind, enum med_demo_country_id country)
{
    switch (kind) {
    case MED_PLACE_HOSPITAL:
        return &hospital_staff;
    case MED_PLACE_PRACTICE:
        return country == MED_DEMO_DK || country == MED_DEMO_NO
                   ? &practice_staff
                   : &practice_staff_with_paediatrician;
    case MED_PLACE_PHARMACY:
        return &pharmacy_staff;
    case MED_PLACE_LABORATORY:
    case MED_PLACE_KINDS:
        break;
    }
    return &laboratory_staff;
}

static const char *kind_code(enum med_demo_place_kind kind)
{
    static const char *const codes[MED_PLACE_KINDS] = {"hospital", "practice", "pharmacy", "lab"};
    return codes[kind];
}

static const med_demo_naming *naming_of(const med_demo_country *c, enum med_demo_place_kind kind)
{
    const med_demo_naming *const all[MED_PLACE_KINDS] = {&c->hospital, &c->practice, &c->pharmacy,
                                                         &c->laboratory};
    return all[kind];
}

static void copy_id(char to[24], med_demo_text id)
{
    memcpy(to, id.z, id.n > 23 ? 23 : id.n);
}

static void put_telecom(med_demo_out *o, const med_demo_country *c, const char *id, med_demo_rng *r)
{
    med_demo_text phone = med_demo_phone(c, r);
    med_demo_text email = med_demo_join("info@", id, ".example.org");
    med_put_array(o, "telecom");
    med_put_contact(o, "phone", "work", phone.z);
    med_put_contact(o, "email", "work", email.z);
    med_put_close(o);
}

static void emit_organization(med_demo_world *w, const med_demo_country *c,
                              const med_demo_place *place, med_demo_rng *r)
{
    med_demo_out *o = w->out;
    med_demo_begin(o, "Organization", place->organization);
    med_put_array(o, "identifier");
    med_put_identifier(o, "official", "https://medulla.example/demo/sid/organization",
                       place->organization);
    med_put_close(o);
    med_put_bool(o, "active", true);
    med_put_concepts(o, "type",
                     (med_demo_coding){"http://terminology.hl7.org/CodeSystem/organization-type",
                                       "prov", "Healthcare Provider"},
                     NULL);
    med_put(o, "name", place->name.z);
    put_telecom(o, c, place->organization, r);
    med_put_array(o, "address");
    med_put_address(o, NULL, "work", c, place->town, place->street, place->house, NULL);
    med_put_close(o);
    med_demo_end(o);
}

static med_demo_coding location_type(enum med_demo_place_kind kind)
{
    static const med_demo_coding types[MED_PLACE_KINDS] = {
        {"http://terminology.hl7.org/CodeSystem/v3-RoleCode", "HOSP", "Hospital"},
        {"http://terminology.hl7.org/CodeSystem/v3-RoleCode", "OF", "Outpatient facility"},
        {"http://terminology.hl7.org/CodeSystem/v3-RoleCode", "PHARM", "Pharmacy"},
        {"http://terminology.hl7.org/CodeSystem/v3-RoleCode", "HLAB", "hospital laboratory"},
    };
    return types[kind];
}

static void emit_location(med_demo_world *w, const med_demo_country *c, const med_demo_place *place,
                          med_demo_rng *r)
{
    med_demo_out *o = w->out;
    med_demo_begin(o, "Location", place->location);
    med_put(o, "status", "active");
    med_put(o, "name", place->name.z);
    med_put(o, "mode", "instance");
    med_put_concepts(o, "type", location_type(place->kind), NULL);
    put_telecom(o, c, place->location, r);
    med_put_address(o, "address", "work", c, place->town, place->street, place->house, NULL);
    med_put_object(o, "position");
    med_put_decimal(o, "longitude", place->town->longitude / 100.0, 2);
    med_put_decimal(o, "latitude", place->town->latitude / 100.0, 2);
    med_put_close(o);
    med_put_ref(o, "managingOrganization", "Organization", place->organization, place->name.z);
    med_demo_end(o);
}

/* A department, or the one service of a practice, pharmacy or laboratory. */
static void emit_service(med_demo_world *w, const med_demo_country *c, const med_demo_place *place,
                         enum med_demo_specialty specialty, const char *id)
{
    med_demo_out *o = w->out;
    const char *text = med_demo_specialties[specialty].text[c->id];
    med_demo_text name = med_demo_join(text, ", ", place->name.z);
    med_demo_begin(o, "HealthcareService", id);
    med_put_bool(o, "active", true);
    med_put_ref(o, "providedBy", "Organization", place->organization, place->name.z);
    if (specialty != MED_PHARMACY)
        med_put_concepts(o, "specialty", med_demo_specialty_coding(specialty), text);
    med_put_refs(o, "location", "Location", place->location, NULL);
    med_put(o, "name", name.z);
    med_put_bool(o, "appointmentRequired",
                 specialty != MED_EMERGENCY && place->kind != MED_PLACE_PHARMACY);
    med_demo_end(o);
}

static bool has_service(enum med_demo_specialty specialty)
{
    return specialty != MED_NURSING && specialty != MED_PAEDIATRICS;
}

static med_demo_text service_id(const med_demo_place *place, enum med_demo_specialty specialty)
{
    return med_demo_make_id(place->organization, "s", specialty);
}

static void emit_staff(med_demo_world *w, med_demo_region *region, med_demo_place *place,
                       med_demo_rng *r)
{
    const staffing *staff = staff_of(place->kind, region->country->id);
    place->staff_count = (uint8_t)staff->n;
    for (size_t i = 0; i < staff->n; i++) {
        med_demo_worker *worker = &place->staff[i];
        enum med_demo_specialty specialty = staff->specialty[i];
        worker->specialty = specialty;
        med_demo_text service = service_id(place, specialty);
        bool first = i == 0 || staff->specialty[i - 1] != specialty;
        if (has_service(specialty) && first)
            emit_service(w, region->country, place, specialty, service.z);
        med_demo_practitioner_emit(w, region, place, worker,
                                   has_service(specialty) ? service.z : NULL, r);
    }
}

void med_demo_provider_emit(med_demo_world *w, med_demo_region *region, med_demo_place *place,
                            uint32_t index, med_demo_rng *r)
{
    const med_demo_country *c = region->country;
    const med_demo_naming *naming = naming_of(c, place->kind);
    bool by_town = place->kind == MED_PLACE_HOSPITAL || place->kind == MED_PLACE_LABORATORY;
    place->name =
        med_demo_join(naming->before, by_town ? place->town->name : place->street, naming->after);
    if (!by_town) /* the same street's name stands in several towns */
        (void)med_demo_text_add(med_demo_text_add(&place->name, ", "), place->town->name);
    med_demo_text id = med_demo_make_id(c->prefix, kind_code(place->kind), index + 1);
    copy_id(place->organization, id);
    copy_id(place->location, id);
    emit_organization(w, c, place, r);
    emit_location(w, c, place, r);
    emit_staff(w, region, place, r);
}

void med_demo_insurer_emit(med_demo_world *w, med_demo_region *region)
{
    const med_demo_country *c = region->country;
    med_demo_out *o = w->out;
    copy_id(region->insurer, med_demo_join(c->prefix, "-insurer", NULL));
    med_demo_begin(o, "Organization", region->insurer);
    med_put_bool(o, "active", true);
    med_put_concepts(o, "type",
                     (med_demo_coding){"http://terminology.hl7.org/CodeSystem/organization-type",
                                       "ins", "Insurance Company"},
                     NULL);
    med_put(o, "name", c->insurer);
    med_put_array(o, "alias");
    med_put(o, NULL, c->insurer_short);
    med_put_close(o);
    med_demo_end(o);
}

uint64_t med_demo_provider_size(enum med_demo_place_kind kind, enum med_demo_country_id country)
{
    const staffing *staff = staff_of(kind, country);
    uint64_t total = 2; /* Organization, Location */
    for (size_t i = 0; i < staff->n; i++) {
        enum med_demo_specialty specialty = staff->specialty[i];
        total += has_service(specialty) && (i == 0 || staff->specialty[i - 1] != specialty);
        total += 2; /* Practitioner, PractitionerRole */
        total += med_demo_has_schedule(specialty) ? 1 + MED_DEMO_SLOTS : 0;
    }
    return total;
}
