/* fuzz_http_head.c - a head means the same however it is cut, and what was understood is safe
 * to hand on: written anew from its parts it is understood as the same. */
#include "base/buf.h"
#include "demand.h"
#include "http/parse_head.h"

typedef struct reading {
    int status; /* 0: understood; -1: more is needed */
    size_t at;
    med_head head;
} reading;

static const med_http_limits limits = {.request_line = 256, .head = 1024, .headers = 16};

/* Reads `s` when it arrives in steps of `step` bytes. */
static reading read_in_steps(med_arena *a, med_str s, size_t step)
{
    med_head_scan scan = {0};
    med_http_fault fault = {0};
    enum med_head_progress p = MED_HEAD_MORE;
    for (size_t n = step; p == MED_HEAD_MORE; n += step) {
        p = med_head_scan_on(&scan, med_str_sub(s, 0, n), &limits, &fault);
        DEMAND(scan.at <= s.len);
        if (n >= s.len)
            break;
    }
    reading r = {.status = -1};
    if (p == MED_HEAD_COMPLETE)
        r.status = med_head_parse(a, s, &scan, &r.head, &fault) ? 0 : fault.status;
    else if (p == MED_HEAD_REFUSED)
        r.status = fault.status;
    DEMAND(r.status <= 0 || (r.status >= 400 && r.status <= 505 && fault.text[0] != '\0'));
    r.at = r.status == 0 ? scan.at : 0;
    return r;
}

static bool is_clean(med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static void check_parts(const med_head *h)
{
    DEMAND(h->path.len > 0 && h->path.ptr[0] == '/' && is_clean(h->path) && is_clean(h->query));
    DEMAND(med_str_find(h->path, ' ', 0) == h->path.len);
    DEMAND(h->host.len > 0 || h->minor == 0);
    DEMAND(!h->chunked || (h->length == 0 && h->minor == 1));
    DEMAND(h->n_headers <= limits.headers);
    for (size_t i = 0; i < h->n_headers; i++) {
        DEMAND(h->headers[i].name.len > 0 && is_clean(h->headers[i].name));
        DEMAND(is_clean(h->headers[i].value));
    }
}

/* The head as a proxy would write it. */
static void write_anew(const med_head *h, med_buf *out)
{
    med_buf_printf(out, "%s %.*s", med_method_name(h->method), MED_STR_ARG(h->path));
    if (h->query.len > 0)
        med_buf_printf(out, "?%.*s", MED_STR_ARG(h->query));
    med_buf_printf(out, " HTTP/1.%u\r\n", h->minor);
    for (size_t i = 0; i < h->n_headers; i++)
        med_buf_printf(out, "%.*s:%.*s\r\n", MED_STR_ARG(h->headers[i].name),
                       MED_STR_ARG(h->headers[i].value));
    med_buf_addz(out, "\r\n");
}

static void check_same(const med_head *a, const med_head *b)
{
    DEMAND(a->method == b->method && a->minor == b->minor);
    DEMAND(a->keep_alive == b->keep_alive && a->chunked == b->chunked && a->length == b->length);
    DEMAND(a->expects_continue == b->expects_continue && a->accepts_gzip == b->accepts_gzip);
    DEMAND(med_str_eq(a->path, b->path) && med_str_eq(a->query, b->query));
    DEMAND(med_str_eq(a->host, b->host) && a->n_headers == b->n_headers);
    for (size_t i = 0; i < a->n_headers; i++) {
        DEMAND(med_str_eq(a->headers[i].name, b->headers[i].name));
        DEMAND(med_str_eq(a->headers[i].value, b->headers[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_str s = input_str(data, size);
    med_arena *a = med_arena_new(1 << 20);
    DEMAND(a != NULL);
    reading whole = read_in_steps(a, s, s.len + 1);
    for (size_t step = 1; step < 9; step += 3) {
        reading r = read_in_steps(a, s, step);
        DEMAND(r.status == whole.status && r.at == whole.at);
        if (r.status == 0)
            check_same(&whole.head, &r.head);
    }
    if (whole.status == 0) {
        check_parts(&whole.head);
        med_buf anew;
        med_buf_init(&anew, 1 << 16);
        write_anew(&whole.head, &anew);
        reading again = read_in_steps(a, med_buf_str(&anew), anew.len);
        DEMAND(again.status == 0 && again.at == anew.len);
        check_same(&whole.head, &again.head);
        med_buf_free(&anew);
    }
    med_arena_free(a);
    return 0;
}
