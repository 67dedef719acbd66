/* compress.c - level 1: on FHIR JSON it takes a third of the time of level 6 for a tenth more
 * bytes. */
#include "http/compress.h"

#include <pthread.h>
#include <zlib.h>

#include "base/mem.h"

enum { KEPT = 8 };

struct med_deflaters {
    pthread_mutex_t lock;
    z_stream *idle[KEPT];
    size_t n;
};

med_deflaters *med_deflaters_new(void)
{
    med_deflaters *d = MED_NEW(1, med_deflaters);
    if (d != NULL)
        pthread_mutex_init(&d->lock, NULL);
    return d;
}

static void end_stream(z_stream *z)
{
    (void)deflateEnd(z);
    med_free(z);
}

void med_deflaters_free(med_deflaters *d)
{
    if (d == NULL)
        return;
    while (d->n > 0)
        end_stream(d->idle[--d->n]);
    pthread_mutex_destroy(&d->lock);
    med_free(d);
}

static z_stream *take(med_deflaters *d)
{
    pthread_mutex_lock(&d->lock);
    z_stream *z = d->n > 0 ? d->idle[--d->n] : NULL;
    pthread_mutex_unlock(&d->lock);
    if (z != NULL)
        return z;
    z = MED_NEW(1, z_stream);
    enum { GZIP = 16 };
    if (z != NULL
        && deflateInit2(z, 1, Z_DEFLATED, MAX_WBITS + GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        med_free(z);
        z = NULL;
    }
    return z;
}

static void give(med_deflaters *d, z_stream *z)
{
    (void)deflateReset(z);
    pthread_mutex_lock(&d->lock);
    bool kept = d->n < KEPT;
    if (kept)
        d->idle[d->n++] = z;
    pthread_mutex_unlock(&d->lock);
    if (!kept)
        end_stream(z);
}

static med_str header(const med_response *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (med_str_eq_ignore_case(r->headers[i].name, med_str_from(name)))
            return r->headers[i].value;
    }
    return MED_STR_EMPTY;
}

/* Text compresses; images, archives and octets mostly do not. */
static bool is_text(med_str type)
{
    static const med_str kinds[] = {
        MED_LIT("text/"),           MED_LIT("application/json"), MED_LIT("application/fhir+"),
        MED_LIT("application/xml"), MED_LIT("application/js"),   MED_LIT("image/svg"),
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (med_str_starts(type, kinds[i]))
            return true;
    }
    med_str plain = med_str_cut(type, ';', &(med_str){"", 0});
    return med_str_ends(plain, MED_STR("+json")) || med_str_ends(plain, MED_STR("+xml"))
           || med_str_ends(plain, MED_STR("ndjson"));
}

/* The whole of `in` in one step, into less than in.len bytes; false if it does not shrink. */
static bool run(z_stream *z, med_arena *a, med_str in, med_str *out)
{
    if (in.len > UINT32_MAX)
        return false;
    char *to = MED_TAKE(a, in.len, char);
    if (to == NULL)
        return false;
    z->next_in = (Bytef *)(uintptr_t)in.ptr;
    z->avail_in = (uInt)in.len;
    z->next_out = (Bytef *)to;
    z->avail_out = (uInt)in.len;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return false;
    *out = (med_str){to, in.len - z->avail_out};
    return true;
}

void med_response_compress(med_deflaters *d, med_arena *a, bool accepted, med_response *r)
{
    if (r->no_compress || r->body.len < MED_COMPRESS_FROM || !is_text(header(r, "Content-Type"))
        || header(r, "Content-Encoding").len > 0)
        return;
    /* two headers are needed, and caches must know that the answer depends on the question */
    if (r->n_headers + 2 > MED_RESPONSE_HEADERS)
        return;
    (void)med_response_header(r, "Vary", MED_STR("Accept-Encoding"));
    z_stream *z = accepted ? take(d) : NULL;
    if (z == NULL)
        return;
    if (run(z, a, r->body, &r->body))
        (void)med_response_header(r, "Content-Encoding", MED_STR("gzip"));
    give(d, z);
}
