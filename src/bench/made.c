/* made.c - see made.h. */
#include "bench/made.h"

#include "base/json.h"
#include "base/mem.h"

enum { LIST_BYTES = 1 << 30, BODY_BYTES = 128 << 20 };

/* ---- what was made ---- */

bool med_made_init(med_made *m)
{
    med_buf_init(&m->bytes, LIST_BYTES);
    return pthread_mutex_init(&m->lock, NULL) == 0;
}

void med_made_end(med_made *m)
{
    med_buf_free(&m->bytes);
    (void)pthread_mutex_destroy(&m->lock);
}

size_t med_made_count(const med_made *m)
{
    return m->bytes.len / sizeof(med_made_one);
}

/* Only chars inside: any address will do. */
med_made_one *med_made_at(const med_made *m, size_t i)
{
    return (med_made_one *)(void *)(m->bytes.ptr + i * sizeof(med_made_one));
}

/* W/"3" -> 3 */
static med_str version_of(med_str etag)
{
    med_str rest;
    (void)med_str_cut(etag, '"', &rest);
    return med_str_cut(rest, '"', &rest);
}

void med_made_take(med_made *m, med_str base, med_str location, med_str etag)
{
    med_made_one one = {.gone = false};
    med_str path = med_target_path(location);
    if (med_str_starts(path, base))
        path = med_str_skip(path, base.len);
    if (med_str_starts(path, MED_STR("/")))
        path = med_str_skip(path, 1);
    path = med_str_sub(path, 0, med_str_search(path, MED_STR("/_history"), 0));
    med_str version = version_of(etag);
    if (path.len == 0 || path.len >= sizeof one.path || version.len >= sizeof one.version)
        return;
    memcpy(one.path, path.ptr, path.len);
    memcpy(one.version, version.ptr, version.len);
    (void)pthread_mutex_lock(&m->lock);
    med_buf_add(&m->bytes, (med_str){(const char *)&one, sizeof one});
    (void)pthread_mutex_unlock(&m->lock);
}

/* ---- bodies ---- */

static const char note[] =
    "Measured at rest, seated, after five minutes; second reading of the visit; the patient had "
    "taken the morning medication. ";

static med_str subject_of(const med_maker *m, uint64_t k)
{
    size_t patients = 0;
    while (patients < m->samples->n && med_str_eqz(m->samples->at[patients].type, "Patient"))
        patients++; /* they come first */
    return patients == 0 ? MED_STR_EMPTY : m->samples->at[k % patients].id;
}

static void write_tag(const med_maker *m, med_buf *out)
{
    med_buf_printf(out, "\"meta\":{\"tag\":[{\"system\":\"" MED_BENCH_TAG "\",\"code\":\"%s\"}]}",
                   m->tag);
}

static void write_observation(const med_maker *m, uint64_t k, med_str id, med_str subject,
                              size_t padding, med_buf *out)
{
    med_buf_addz(out, "{\"resourceType\":\"Observation\",");
    if (id.len > 0)
        med_buf_printf(out, "\"id\":\"%.*s\",", MED_STR_ARG(id));
    write_tag(m, out);
    med_buf_printf(
        out,
        ",\"identifier\":[{\"system\":\"" MED_BENCH_TAG "\",\"value\":\"%s-%lu\"}],\"status\":"
        "\"final\",\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
        "observation-category\",\"code\":\"vital-signs\",\"display\":\"Vital Signs\"}],\"text\":"
        "\"Vital Signs\"}],\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":"
        "\"8480-6\",\"display\":\"Systolic blood pressure\"},{\"system\":\"http://snomed.info/"
        "sct\",\"code\":\"271649006\",\"display\":\"Systolic blood pressure\"}],\"text\":"
        "\"Systolic blood pressure\"},",
        m->tag, (unsigned long)k);
    if (subject.len > 0)
        med_buf_printf(out, "\"subject\":{\"reference\":\"%.*s\"},", MED_STR_ARG(subject));
    med_buf_printf(
        out,
        "\"effectiveDateTime\":\"20%02u-%02u-%02uT%02u:%02u:%02uZ\",\"valueQuantity\":{\"value\":"
        "%u.%u,\"unit\":\"mmHg\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"},"
        "\"interpretation\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
        "v3-ObservationInterpretation\",\"code\":\"N\",\"display\":\"Normal\"}]}],\"bodySite\":{"
        "\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":\"368209003\",\"display\":"
        "\"Right upper arm structure\"}]},\"method\":{\"coding\":[{\"system\":\"http://snomed.info/"
        "sct\",\"code\":\"37931006\",\"display\":\"Auscultation\"}]},\"referenceRange\":[{\"low\":{"
        "\"value\":90,\"unit\":\"mmHg\",\"system\":\"http://unitsofmeasure.org\",\"code\":"
        "\"mm[Hg]\"},\"high\":{\"value\":140,\"unit\":\"mmHg\",\"system\":\"http://"
        "unitsofmeasure.org\",\"code\":\"mm[Hg]\"},\"text\":\"90 to 140\"}],\"note\":[{\"text\":\"",
        (unsigned)(15 + k * 7 % 10), (unsigned)(1 + k * 5 % 12), (unsigned)(1 + k * 11 % 28),
        (unsigned)(k * 13 % 24), (unsigned)(k * 17 % 60), (unsigned)(k * 19 % 60),
        (unsigned)(90 + k * 23 % 90), (unsigned)(k * 3 % 10));
    for (size_t n = 0; n <= padding; n += sizeof note - 1)
        med_buf_addz(out, note);
    med_buf_addz(out, "\"}]}");
}

static uint64_t count_one(med_maker *m)
{
    return atomic_fetch_add_explicit(&m->made, 1, memory_order_relaxed);
}

void med_maker_observation(med_maker *m, med_str id, med_buf *out)
{
    char subject[80];
    uint64_t k = count_one(m);
    med_str patient = subject_of(m, k);
    int n = patient.len == 0
                ? 0
                : snprintf(subject, sizeof subject, "Patient/%.*s", MED_STR_ARG(patient));
    write_observation(m, k, id, (med_str){subject, n > 0 ? (size_t)n : 0}, 0, out);
}

void med_maker_bundle(med_maker *m, unsigned observations, size_t padding, med_buf *out)
{
    char patient[80];
    uint64_t first = count_one(m);
    (void)snprintf(patient, sizeof patient, "urn:uuid:00000000-0000-4000-8000-%012lx",
                   (unsigned long)(first & 0xffffffffffff));
    med_buf_printf(out,
                   "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"fullUrl\":"
                   "\"%s\",\"resource\":{\"resourceType\":\"Patient\",",
                   patient);
    write_tag(m, out);
    med_buf_printf(out,
                   ",\"name\":[{\"family\":\"Bench\",\"given\":[\"Run%lu\"]}],\"gender\":"
                   "\"unknown\"},\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}",
                   (unsigned long)first);
    for (unsigned i = 0; i < observations; i++) {
        med_buf_addz(out, ",{\"resource\":");
        write_observation(m, count_one(m), MED_STR_EMPTY, med_str_from(patient), padding, out);
        med_buf_addz(out, ",\"request\":{\"method\":\"POST\",\"url\":\"Observation\"}}");
    }
    med_buf_addz(out, "]}");
}

/* ---- creates ---- */

med_create_work *med_create_work_new(const med_target *target, med_maker *maker, med_made *made,
                                     uint64_t most)
{
    med_create_work *w = MED_NEW(1, med_create_work);
    if (w == NULL)
        return NULL;
    w->target = target;
    w->maker = maker;
    w->made = made;
    w->most = most;
    for (size_t i = 0; i < MED_LOAD_CONNECTIONS; i++)
        med_buf_init(&w->body[i], BODY_BYTES);
    return w;
}

void med_create_work_free(med_create_work *w)
{
    for (size_t i = 0; w != NULL && i < MED_LOAD_CONNECTIONS; i++)
        med_buf_free(&w->body[i]);
    med_free(w);
}

bool med_create_work_next(void *self, unsigned connection, med_buf *out)
{
    med_create_work *w = self;
    med_buf *body = &w->body[connection];
    if (w->most > 0 && atomic_fetch_add(&w->begun, 1) >= w->most)
        return false;
    med_buf_clear(body);
    med_maker_observation(w->maker, MED_STR_EMPTY, body);
    med_target_request(w->target, "POST", MED_STR("Observation"), MED_STR_EMPTY, med_buf_str(body),
                       out);
    return true;
}

void med_create_work_done(void *self, unsigned connection, const med_reply *reply)
{
    med_create_work *w = self;
    (void)connection;
    if (w->made != NULL && reply->status == 201)
        med_made_take(w->made, w->target->base, med_reply_header(reply->head, "Location"),
                      med_reply_header(reply->head, "ETag"));
}
