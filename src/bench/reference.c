/* reference.c - see reference.h. */
#include "bench/reference.h"

#include <errno.h>
#include <fcntl.h>

#include "base/json.h"
#include "base/mem.h"
#include "bench/load.h"
#include "http/server.h"

enum { JSON_ARENA = 16 << 20, JSON_BATCH = 64 };

/* ---- the constant answer ---- */

typedef struct constant {
    char body[MED_REFERENCE_BODY];
} constant;

static void answer(void *app, med_http_exchange *x)
{
    const constant *c = app;
    x->response.status = 200;
    x->response.body = (med_str){c->body, sizeof c->body};
    (void)med_response_header(&x->response, "Content-Type",
                              MED_STR("application/fhir+json;charset=utf-8"));
    (void)med_response_header(&x->response, "ETag", MED_STR("W/\"1\""));
    (void)med_response_header(&x->response, "Last-Modified",
                              MED_STR("Sun, 22 Nov 2026 00:00:00 GMT"));
    (void)med_response_header(&x->response, "X-Request-Id", x->request->id);
    (void)med_response_header(&x->response, "Cache-Control", MED_STR("no-store"));
    (void)med_response_header(&x->response, "X-Content-Type-Options", MED_STR("nosniff"));
    med_http_respond(x);
}

bool med_reference_serve(med_str listen, unsigned loops, med_err *err)
{
    constant c;
    const med_log log = {.fd = 2, .level = MED_LOG_WARN, .clock = &med_clock_system};
    const med_http_config config = {.listen = listen,
                                    .loops = loops,
                                    .limits = med_http_default_limits,
                                    .certificate_file = MED_STR_EMPTY,
                                    .key_file = MED_STR_EMPTY,
                                    .clock = &med_clock_system,
                                    .random = &med_random_system,
                                    .log = &log};
    memset(c.body, 'x', sizeof c.body);
    if (med_http_start(&config, answer, &c, err) == NULL)
        return false;
    for (;;)
        (void)pause(); /* until a signal ends the process */
}

/* ---- the disk ---- */

static bool append_groups(int fd, med_str group, double seconds, uint64_t *groups)
{
    uint64_t until = med_bench_now() + (uint64_t)(seconds * 1e9);
    for (*groups = 0; med_bench_now() < until; ++*groups) {
        if (write(fd, group.ptr, group.len) != (ssize_t)group.len || fdatasync(fd) != 0)
            return false;
    }
    return true;
}

bool med_reference_append(const char *folder, unsigned group, size_t bytes, double seconds,
                          double *rate, med_err *err)
{
    char path[4096];
    uint64_t groups = 0;
    (void)snprintf(path, sizeof path, "%s/append", folder);
    char *records = MED_NEW(group * bytes, char);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    uint64_t began = med_bench_now();
    bool ok = records != NULL && fd >= 0
              && append_groups(fd, (med_str){records, group * bytes}, seconds, &groups);
    double took = (double)(med_bench_now() - began) / 1e9;
    int fault = errno;
    if (fd >= 0)
        (void)close(fd);
    (void)unlink(path);
    med_free(records);
    *rate = took > 0 ? (double)(groups * group) / took : 0;
    return ok ? true
              : MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not append to a file: %s",
                         strerrordesc_np(fault));
}

/* ---- memory ---- */

static bool parse_batch(med_arena *a, med_str text, med_err *err)
{
    med_json j;
    bool ok = true;
    for (int i = 0; ok && i < JSON_BATCH; i++) {
        med_arena_reset(a);
        ok = med_json_parse(a, text, &j, NULL, err);
    }
    return ok;
}

static void copy_batch(char *to, med_str text)
{
    for (int i = 0; i < JSON_BATCH; i++) {
        memcpy(to, text.ptr, text.len);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
}

bool med_reference_json(med_str text, double seconds, double *copy, double *parse, med_err *err)
{
    med_arena *a = med_arena_new(JSON_ARENA);
    char *to = MED_NEW(text.len, char);
    bool ok = a != NULL && to != NULL;
    double *const rates[2] = {copy, parse};
    for (int kind = 0; ok && kind < 2; kind++) {
        uint64_t batches = 0, now, began = med_bench_now();
        do {
            if (kind == 0)
                copy_batch(to, text);
            else
                ok = parse_batch(a, text, err);
            batches++;
            now = med_bench_now();
        } while (ok && (double)(now - began) < seconds * 1e9);
        *rates[kind] = (double)(batches * JSON_BATCH * text.len) / ((double)(now - began) / 1e9);
    }
    med_free(to);
    if (a == NULL)
        ok = MED_FAIL_MEMORY(err);
    med_arena_free(a);
    return ok;
}

/* ---- the text ---- */

static const char observation[] =
    "{\"resourceType\":\"Observation\",\"id\":\"bp-4711\",\"meta\":{\"versionId\":\"1\","
    "\"lastUpdated\":"
    "\"2026-11-22T10:20:30.123Z\",\"profile\":[\"http://hl7.org/fhir/StructureDefinition/"
    "vitalsigns\"]},"
    "\"identifier\":[{\"system\":\"urn:ietf:rfc:3986\",\"value\":"
    "\"urn:uuid:187e0c12-8dd2-67e2-99b2-bf273c878281\"}],\"status\":\"final\",\"category\":[{"
    "\"coding\":"
    "[{\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":"
    "\"vital-signs\",\"display\":\"Vital Signs\"}]}],\"code\":{\"coding\":[{\"system\":"
    "\"http://loinc.org\",\"code\":\"85354-9\",\"display\":"
    "\"Blood pressure panel with all children optional\"}],\"text\":"
    "\"Krvni tlak (sistoli\xc4\x8dni in diastoli\xc4\x8dni)\"},\"subject\":{\"reference\":"
    "\"Patient/0b1f3c9e-5f0a-4c53-9d0c-2f1f6a0d7c11\"},\"encounter\":{\"reference\":"
    "\"Encounter/7d4b2a10-33f1-4f5e-8a36-1f0c59b7e2d4\"},\"effectiveDateTime\":"
    "\"2026-11-20T08:15:00+01:00\",\"issued\":\"2026-11-20T08:16:12.000+01:00\",\"performer\":"
    "[{\"reference\":\"Practitioner/5c2d9f66-0b3e-4a3f-9e8d-3b6f1e2a4c55\",\"display\":"
    "\"dr. Ana Zupan\\u010di\\u010d\"}],\"interpretation\":[{\"coding\":[{\"system\":"
    "\"http://terminology.hl7.org/CodeSystem/"
    "v3-ObservationInterpretation\",\"code\":\"N\",\"display\":"
    "\"Normal\"}]}],\"bodySite\":{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":"
    "\"368209003\",\"display\":\"Right arm\"}]},\"component\":[{\"code\":{\"coding\":[{\"system\":"
    "\"http://loinc.org\",\"code\":\"8480-6\",\"display\":\"Systolic blood pressure\"}]},"
    "\"valueQuantity\":{\"value\":121.0,\"unit\":\"mmHg\",\"system\":\"http://unitsofmeasure.org\","
    "\"code\":\"mm[Hg]\"}},{\"code\":{\"coding\":[{\"system\":\"http://"
    "loinc.org\",\"code\":\"8462-4\","
    "\"display\":\"Diastolic blood "
    "pressure\"}]},\"valueQuantity\":{\"value\":78.50,\"unit\":\"mmHg\","
    "\"system\":\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"}}]}";

med_str med_reference_observation(void)
{
    return med_str_from(observation);
}
