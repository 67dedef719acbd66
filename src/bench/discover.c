/* discover.c - resources that are there, found by searches that any R4 server answers.
 *
 * Patients come from all over the data: pages are followed and each Patient has the same chance.
 * What belongs to a patient is asked for some of them. */
#include "bench/run.h"

enum {
    PATIENTS = 200,
    PATIENT_PAGES = 150,
    OWNERS = 48,    /* patients whose resources are asked for */
    OF_A_TYPE = 6,  /* that are kept of one patient */
    OF_A_PAGE = 60, /* that are kept of what is not asked by patient */
    PAGE_ARENA = 1 << 30,
};

/* By patient; the others are asked without one. */
static const struct {
    const char *type, *query;
    bool by_patient;
} asked[] = {
    {"Observation", "_count=30", true},
    {"Condition", "_count=30", true},
    {"Encounter", "_count=30", true},
    {"MedicationRequest", "_count=30", true},
    {"Procedure", "_count=30", true},
    {"Immunization", "_count=30", true},
    {"DocumentReference", "_count=30", true},
    {"Appointment", "_count=100", false},
    {"Task", "_count=100", false},
};
enum { ASKED = sizeof asked / sizeof *asked };

typedef struct page {
    med_arena *arena; /* emptied with each page */
    med_json json;
    uint32_t *resources; /* nodes */
    size_t n;
    med_str next; /* path of the next page, or empty */
} page;

static med_str next_link(page *p)
{
    uint32_t links = med_json_member(&p->json, 0, MED_STR("link"));
    med_str url;
    for (uint32_t e = links + 1; links > 0 && e < p->json.nodes[links].next;
         e = p->json.nodes[e].next) {
        uint32_t relation = med_json_member(&p->json, e, MED_STR("relation"));
        uint32_t at = med_json_member(&p->json, e, MED_STR("url"));
        if (relation > 0 && at > 0 && med_json_string_is(&p->json, relation, MED_STR("next"))
            && med_json_string(p->arena, &p->json, at, &url))
            return med_target_path(url);
    }
    return MED_STR_EMPTY;
}

static void find_resources(page *p, const char *type)
{
    uint32_t entries = med_json_member(&p->json, 0, MED_STR("entry"));
    p->n = 0;
    p->resources = MED_TAKE(p->arena, entries > 0 ? p->json.nodes[entries].count : 0, uint32_t);
    for (uint32_t e = entries + 1;
         entries > 0 && p->resources != NULL && e < p->json.nodes[entries].next;
         e = p->json.nodes[e].next) {
        uint32_t r = med_json_member(&p->json, e, MED_STR("resource"));
        uint32_t name = r > 0 ? med_json_member(&p->json, r, MED_STR("resourceType")) : 0;
        if (name > 0 && med_json_string_is(&p->json, name, med_str_from(type)))
            p->resources[p->n++] = r;
    }
}

/* *status is not 200: the server can not do this search, which is no failure. */
static bool ask_page(med_bench *b, page *p, const char *type, med_str path, int *status,
                     med_err *err)
{
    med_reply reply;
    if (!med_ask(&b->asker, "GET", path, MED_STR_EMPTY, MED_STR_EMPTY, &reply, err))
        return false;
    *status = reply.status;
    p->n = 0;
    p->next = MED_STR_EMPTY;
    if (reply.status != 200)
        return true;
    med_arena_reset(p->arena);
    if (!med_json_parse(p->arena, reply.body, &p->json, NULL, err))
        return false;
    find_resources(p, type);
    p->next = next_link(p);
    return true;
}

/* ---- patients ---- */

typedef struct urn {
    med_str text[PATIENTS];
    uint64_t seen, random;
} urn;

static uint64_t next_random(urn *u)
{
    u->random ^= u->random << 13;
    u->random ^= u->random >> 7;
    u->random ^= u->random << 17;
    return u->random;
}

/* Keeps each of all that come with the same chance. */
static bool draw(med_bench *b, urn *u, med_str text)
{
    uint64_t at = u->seen++;
    if (at >= PATIENTS)
        at = next_random(u) % u->seen;
    return at >= PATIENTS || med_arena_copy(b->arena, text, &u->text[at]);
}

static bool find_patients(med_bench *b, page *p, med_err *err)
{
    urn u = {.random = 88172645463325252};
    med_str path = MED_STR("Patient?_count=500");
    int status = 0;
    for (int pages = 0; path.len > 0 && pages < PATIENT_PAGES; pages++) {
        if (!ask_page(b, p, "Patient", path, &status, err))
            return false;
        for (size_t i = 0; i < p->n; i++) {
            if (!draw(b, &u, med_json_span(&p->json, p->resources[i])))
                return MED_FAIL_MEMORY(err);
        }
        if (!med_arena_copy(b->arena, p->next, &path))
            return MED_FAIL_MEMORY(err);
    }
    if (u.seen == 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                        "GET Patient?_count=500 gave no Patient (HTTP %d): there is nothing to "
                        "measure with",
                        status);
    for (size_t i = 0; i < PATIENTS && i < u.seen; i++) {
        if (!med_samples_add(&b->samples, u.text[i]))
            return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a Patient without id, or no memory");
    }
    return true;
}

/* ---- what belongs to them ---- */

/* Some of the page, as far from each other as can be. */
static bool keep(med_bench *b, const page *p, size_t most)
{
    size_t stride = p->n > most ? p->n / most : 1;
    bool ok = true;
    for (size_t i = 0, kept = 0; ok && i < p->n && kept < most; i += stride, kept++)
        ok = med_samples_add(&b->samples, med_json_span(&p->json, p->resources[i]));
    return ok;
}

static bool find_others(med_bench *b, page *p, med_err *err)
{
    size_t patients = b->samples.n < OWNERS ? b->samples.n : OWNERS;
    for (size_t t = 0; t < ASKED; t++) {
        int status = 200;
        size_t times = asked[t].by_patient ? patients : 1;
        for (size_t i = 0; i < times && status == 200; i++) {
            med_str id = b->samples.at[i].id;
            med_str path = asked[t].by_patient
                               ? med_arena_printf(b->arena, "%s?patient=%.*s&%s", asked[t].type,
                                                  MED_STR_ARG(id), asked[t].query)
                               : med_arena_printf(b->arena, "%s?%s", asked[t].type, asked[t].query);
            if (!ask_page(b, p, asked[t].type, path, &status, err))
                return false;
            if (!keep(b, p, asked[t].by_patient ? OF_A_TYPE : OF_A_PAGE))
                return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a resource without id, or no memory");
        }
    }
    return true;
}

/* The paths of all samples, shuffled. */
static bool list_reads(med_bench *b, med_err *err)
{
    urn u = {.random = 362436069};
    b->n_reads = b->samples.n;
    b->reads = MED_TAKE(b->arena, b->n_reads, med_str);
    if (b->reads == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < b->n_reads; i++) {
        const med_sample *s = &b->samples.at[i];
        size_t at = next_random(&u) % (i + 1);
        b->reads[i] = b->reads[at];
        b->reads[at] =
            med_arena_printf(b->arena, "%.*s/%.*s", MED_STR_ARG(s->type), MED_STR_ARG(s->id));
    }
    return true;
}

bool med_bench_discover(med_bench *b, med_err *err)
{
    page p = {.arena = med_arena_new(PAGE_ARENA)};
    b->samples = (med_samples){.arena = b->arena};
    bool ok = p.arena != NULL ? true : MED_FAIL_MEMORY(err);
    ok = ok && find_patients(b, &p, err) && find_others(b, &p, err) && list_reads(b, err);
    med_arena_free(p.arena);
    return ok;
}
