/* parse_head.c - https://www.rfc-editor.org/rfc/rfc9112 section 2 to 7, the strict side.
 *
 * Of the freedoms the RFC leaves to a recipient only one is used: a single empty line before
 * the request line is skipped (section 2.2), because old clients send it behind a body. */
#include "http/parse_head.h"

static bool refuse(med_http_fault *fault, int status, const char *text)
{
    *fault = (med_http_fault){status, text};
    return false;
}

/* One bit a class for each byte. Paths and queries are wider than RFC 3986, because clients
 * send '|' and friends raw; '#', controls, spaces and what is not ASCII are never right. What
 * is above ASCII in a value (obs-text) is kept as it is and never understood. */
enum {
    TOKEN = 1, /* tchar */
    VALUE = 2, /* field-vchar, SP, HTAB */
    PATH = 4,
    QUERY = 8,
    HOST = 16, /* a registered name or an IPv4 address */
};

/* clang-format off */
#define V VALUE
#define TV (TOKEN | VALUE)
#define VQ (VALUE | QUERY)
#define TVQ (TOKEN | VALUE | QUERY)
#define VP (VALUE | PATH | QUERY)
#define TVP (TOKEN | VALUE | PATH | QUERY)
#define L (TOKEN | VALUE | PATH | QUERY | HOST) /* letters, digits, '-', '.', '_' */
static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, V, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    V, TVP, VQ, TV, TVP, TVP, TVP, TVP, VP, VP, TVP, TVP, VP, L, L, VP, /* space */
    L, L, L, L, L, L, L, L, L, L, VP, VP, VQ, VP, VQ, VQ, /* 0 */
    VP, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* @ */
    L, L, L, L, L, L, L, L, L, L, L, VQ, VQ, VQ, TVP, L, /* P */
    TVQ, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* ` */
    L, L, L, L, L, L, L, L, L, L, L, VQ, TVP, VQ, TVP, 0, /* p */
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
};
#undef V
#undef TV
#undef VQ
#undef TVQ
#undef VP
#undef TVP
#undef L
/* clang-format on */

static bool all_of(med_str s, unsigned class)
{
    unsigned all = class;
    for (size_t i = 0; i < s.len; i++)
        all &= classes[(unsigned char)s.ptr[i]];
    return all != 0;
}

bool med_is_token_char(char c)
{
    return (classes[(unsigned char)c] & TOKEN) != 0;
}

/* ---- finding the end ---- */

static enum med_head_progress refused(med_http_fault *fault, int status, const char *text)
{
    *fault = (med_http_fault){status, text};
    return MED_HEAD_REFUSED;
}

/* Where the current line must have ended. */
static size_t line_limit(const med_head_scan *s, const med_http_limits *limits)
{
    return s->lines == 0 ? s->line + limits->request_line + 1 /* its CR is not counted */
                         : s->rest + limits->head;
}

/* The line [s->line, end) was looked at up to s->at: is what is new within the limits, and is
 * its only CR the one before the LF? Judged in the order of the bytes, so that it does not
 * matter how many of them are there. */
static bool check_line(const med_head_scan *s, med_str bytes, size_t end,
                       const med_http_limits *limits, med_http_fault *fault)
{
    size_t limit = line_limit(s, limits);
    size_t from = s->at > s->line ? s->at - 1 : s->line; /* the byte behind a CR may be new */
    size_t cr = med_str_find(med_str_sub(bytes, 0, end < limit ? end : limit), '\r', from);
    bool bare = cr < end && cr < limit && cr + 1 < bytes.len && bytes.ptr[cr + 1] != '\n';
    if (bare)
        return refuse(fault, 400, "a line must end in CR LF, not in a bare CR");
    if (end > limit && s->lines == 0)
        return refuse(fault, 414, "the request line is longer than this server reads");
    if (end > limit)
        return refuse(fault, 431, "the headers are longer than this server reads");
    return true;
}

/* Takes the line that ends at `lf`; true when it was the empty one behind the headers. */
static bool take_line(med_head_scan *s, size_t lf)
{
    bool empty = lf - s->line == 1;
    if (empty && s->lines > 0)
        return true;
    if (empty)
        s->start = lf + 1;
    else if (s->lines++ == 0)
        s->rest = lf + 1;
    s->line = lf + 1;
    return false;
}

enum med_head_progress med_head_scan_on(med_head_scan *s, med_str bytes,
                                        const med_http_limits *limits, med_http_fault *fault)
{
    while (s->at < bytes.len) {
        char first = bytes.ptr[s->line];
        if (s->lines == 0 && !med_is_token_char(first) && (first != '\r' || s->start > 0))
            return refused(fault, 400, "a request begins with a method");
        const char *found = memchr(bytes.ptr + s->at, '\n', bytes.len - s->at);
        size_t end = found == NULL ? bytes.len : (size_t)(found - bytes.ptr);
        if (!check_line(s, bytes, end, limits, fault))
            return MED_HEAD_REFUSED;
        if (found == NULL) {
            s->at = bytes.len;
            return MED_HEAD_MORE;
        }
        if (end == s->line || bytes.ptr[end - 1] != '\r')
            return refused(fault, 400, "a line must end in CR LF, not in a bare LF");
        s->at = end + 1;
        if (take_line(s, end))
            return MED_HEAD_COMPLETE;
        if (s->lines > limits->headers + 1)
            return refused(fault, 431, "more headers than this server reads");
    }
    return MED_HEAD_MORE;
}

/* ---- the request line ---- */

const char *med_method_name(enum med_method method)
{
    switch (method) {
    case MED_GET:
        return "GET";
    case MED_HEAD:
        return "HEAD";
    case MED_POST:
        return "POST";
    case MED_PUT:
        return "PUT";
    case MED_PATCH:
        return "PATCH";
    case MED_DELETE:
        return "DELETE";
    case MED_OPTIONS:
        return "OPTIONS";
    }
    return "";
}

static bool read_method(med_str word, med_head *out, med_http_fault *fault)
{
    if (word.len == 0 || !all_of(word, TOKEN))
        return refuse(fault, 400, "the method is not a token");
    for (enum med_method m = MED_GET; m <= MED_OPTIONS; m++) {
        if (med_str_eqz(word, med_method_name(m))) {
            out->method = m;
            return true;
        }
    }
    if (med_str_eqz(word, "TRACE") || med_str_eqz(word, "CONNECT"))
        return refuse(fault, 405, "TRACE and CONNECT are not allowed here");
    return refuse(fault, 501, "this method is not known here (methods are written in upper case)");
}

static bool read_version(med_str word, med_head *out, med_http_fault *fault)
{
    if (med_str_eqz(word, "HTTP/1.1") || med_str_eqz(word, "HTTP/1.0")) {
        out->minor = word.ptr[7] == '1';
        return true;
    }
    bool shaped = word.len == 8 && memcmp(word.ptr, "HTTP/", 5) == 0 && med_is_digit(word.ptr[5])
                  && word.ptr[6] == '.' && med_is_digit(word.ptr[7]);
    if (shaped)
        return refuse(fault, 505, "this server speaks HTTP/1.1");
    return refuse(fault, 400, "the request line must be: METHOD SP target SP HTTP/1.1");
}

/* "http://authority/path": the authority is left in *authority and must equal Host later. */
static bool cut_absolute(med_str *target, med_str *authority)
{
    static const med_str schemes[] = {MED_LIT("http://"), MED_LIT("https://")};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (!med_str_eq_ignore_case(med_str_sub(*target, 0, schemes[i].len), schemes[i]))
            continue;
        med_str rest = med_str_skip(*target, schemes[i].len);
        size_t end = 0;
        while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?')
            end++;
        *authority = med_str_sub(rest, 0, end);
        *target = med_str_skip(rest, end);
        return true;
    }
    return false;
}

static bool read_target(med_str target, med_head *out, med_str *authority, med_http_fault *fault)
{
    if (med_str_eqz(target, "*") && out->method == MED_OPTIONS) {
        out->asterisk = true;
        target = MED_STR("/");
    }
    bool absolute = cut_absolute(&target, authority);
    size_t mark = med_str_find(target, '?', 0);
    out->path = med_str_sub(target, 0, mark);
    out->query = med_str_skip(target, mark + 1);
    if (absolute && authority->len == 0)
        return refuse(fault, 400, "the request target names no host");
    if (absolute && out->path.len == 0)
        out->path = MED_STR("/");
    if (out->path.len == 0 || out->path.ptr[0] != '/')
        return refuse(fault, 400, "the request target must begin with '/'");
    if (!all_of(out->path, PATH))
        return refuse(fault, 400, "the path holds a character that must be percent-encoded");
    if (!all_of(out->query, QUERY))
        return refuse(fault, 400, "the query holds a character that must be percent-encoded");
    return true;
}

static bool read_request_line(med_str line, med_head *out, med_str *authority,
                              med_http_fault *fault)
{
    size_t one = med_str_find(line, ' ', 0);
    size_t two = med_str_find(line, ' ', one + 1);
    if (!read_method(med_str_sub(line, 0, one), out, fault))
        return false;
    if (!read_version(med_str_skip(line, two + 1), out, fault))
        return false;
    return read_target(med_str_sub(line, one + 1, two), out, authority, fault);
}

/* ---- the headers ---- */

/* What the headers said so far about framing and about the connection. */
typedef struct head_facts {
    unsigned hosts, lengths, codings, types, authorizations, expects;
    bool says_close, bad_expect;
    bool gzip_named, gzip_allowed, star_allowed;
} head_facts;

static med_str trim_blanks(med_str s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = med_str_skip(s, 1);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static bool read_length(med_str value, head_facts *f, med_head *out, med_http_fault *fault)
{
    if (f->lengths++ > 0)
        return refuse(fault, 400, "Content-Length must not be repeated");
    if (value.len == 0 || (value.len > 1 && value.ptr[0] == '0'))
        return refuse(fault, 400, "Content-Length must be a plain decimal number");
    uint64_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (!med_is_digit(value.ptr[i]))
            return refuse(fault, 400, "Content-Length must be a plain decimal number");
        uint64_t digit = (uint64_t)(value.ptr[i] - '0');
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
            n = UINT64_MAX / 16; /* above every limit; go on to see that the rest is digits */
    }
    out->length = n;
    return true;
}

static bool read_coding(med_str value, head_facts *f, med_head *out, med_http_fault *fault)
{
    if (f->codings++ > 0)
        return refuse(fault, 400, "Transfer-Encoding must not be repeated");
    if (!med_str_eq_ignore_case(value, MED_STR("chunked")))
        return refuse(fault, 400, "the only Transfer-Encoding read here is: chunked");
    out->chunked = true;
    return true;
}

static bool read_port(med_str port)
{
    bool ok = port.len > 0 && port.len <= 5;
    for (size_t i = 0; ok && i < port.len; i++)
        ok = med_is_digit(port.ptr[i]);
    return ok;
}

static bool is_v6_literal(med_str s)
{
    bool ok = s.len >= 4 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']';
    for (size_t i = 1; ok && i + 1 < s.len; i++)
        ok = med_is_hex(s.ptr[i]) || s.ptr[i] == ':' || s.ptr[i] == '.';
    return ok;
}

med_str med_host_without_port(med_str host)
{
    size_t bracket = host.len > 0 && host.ptr[0] == '[' ? med_str_find(host, ']', 0) : 0;
    return med_str_sub(host, 0, med_str_find(host, ':', bracket));
}

static bool read_host(med_str value, head_facts *f, med_head *out, med_http_fault *fault)
{
    if (f->hosts++ > 0)
        return refuse(fault, 400, "Host must not be repeated");
    med_str name = med_host_without_port(value);
    bool named = name.len > 0 && (all_of(name, HOST) || is_v6_literal(name));
    bool ported = name.len == value.len || read_port(med_str_skip(value, name.len + 1));
    if (!named || !ported)
        return refuse(fault, 400, "Host must be a name or an address, with or without a port");
    out->host = value;
    return true;
}

static void read_connection(med_str value, head_facts *f)
{
    while (value.len > 0) {
        med_str word = trim_blanks(med_str_cut(value, ',', &value));
        if (med_str_eq_ignore_case(word, MED_STR("close")))
            f->says_close = true;
    }
}

/* True unless the weight is 0, 0.0, 0.00 or 0.000. */
static bool has_weight(med_str params)
{
    while (params.len > 0) {
        med_str p = trim_blanks(med_str_cut(params, ';', &params));
        if (p.len < 3 || (p.ptr[0] != 'q' && p.ptr[0] != 'Q') || p.ptr[1] != '=')
            continue;
        for (size_t i = 2; i < p.len; i++) {
            if (p.ptr[i] != '0' && p.ptr[i] != '.')
                return true;
        }
        return false;
    }
    return true;
}

static void read_accept_encoding(med_str value, head_facts *f)
{
    while (value.len > 0) {
        med_str params, item = med_str_cut(value, ',', &value);
        med_str name = trim_blanks(med_str_cut(item, ';', &params));
        if (med_str_eq_ignore_case(name, MED_STR("gzip"))) {
            f->gzip_named = true;
            f->gzip_allowed = has_weight(params);
        } else if (med_str_eqz(name, "*")) {
            f->star_allowed = has_weight(params);
        }
    }
}

static bool once(unsigned *count, med_http_fault *fault, const char *text)
{
    return (*count)++ == 0 ? true : refuse(fault, 400, text);
}

/* Headers that decide something here; all others are the application's. */
static bool read_known(const med_header *h, head_facts *f, med_head *out, med_http_fault *fault)
{
#define IS(literal) med_str_eq_ignore_case(h->name, MED_STR(literal))
    switch (h->name.len) {
    case 4:
        return IS("Host") ? read_host(h->value, f, out, fault) : true;
    case 6:
        if (IS("Expect")) {
            f->expects++;
            f->bad_expect |= !med_str_eq_ignore_case(h->value, MED_STR("100-continue"));
        }
        return true;
    case 10:
        if (IS("Connection"))
            read_connection(h->value, f);
        return true;
    case 12:
        return IS("Content-Type") ? once(&f->types, fault, "Content-Type must not be repeated")
                                  : true;
    case 13:
        return IS("Authorization")
                   ? once(&f->authorizations, fault, "Authorization must not be repeated")
                   : true;
    case 14:
        return IS("Content-Length") ? read_length(h->value, f, out, fault) : true;
    case 15:
        if (IS("Accept-Encoding"))
            read_accept_encoding(h->value, f);
        return true;
    case 17:
        return IS("Transfer-Encoding") ? read_coding(h->value, f, out, fault) : true;
    default:
        return true;
    }
#undef IS
}

static bool read_header(med_str line, med_header *out, med_http_fault *fault)
{
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return refuse(fault, 400, "a header must not be folded over lines");
    size_t colon = med_str_find(line, ':', 0);
    if (colon == line.len)
        return refuse(fault, 400, "a header line has no colon");
    out->name = med_str_sub(line, 0, colon);
    if (out->name.len == 0 || !all_of(out->name, TOKEN))
        return refuse(fault, 400, "a header name holds a space or another forbidden character");
    out->value = trim_blanks(med_str_skip(line, colon + 1));
    if (!all_of(out->value, VALUE))
        return refuse(fault, 400, "a header value holds a control character");
    return true;
}

/* What only all headers together can tell. */
static bool conclude(const head_facts *f, med_str authority, med_head *out, med_http_fault *fault)
{
    if (f->codings > 0 && f->lengths > 0)
        return refuse(fault, 400, "Content-Length together with Transfer-Encoding");
    if (f->codings > 0 && out->minor == 0)
        return refuse(fault, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (f->hosts == 0 && out->minor > 0)
        return refuse(fault, 400, "Host is missing");
    if (authority.len > 0 && !med_str_eq_ignore_case(authority, out->host))
        return refuse(fault, 400, "the request target names another host than Host");
    if (f->bad_expect && out->minor > 0)
        return refuse(fault, 417, "the only expectation met here is: 100-continue");
    out->expects_continue = f->expects > 0 && out->minor > 0;
    out->keep_alive = out->minor > 0 && !f->says_close;
    out->accepts_gzip = f->gzip_named ? f->gzip_allowed : f->star_allowed;
    return true;
}

/* The next line of *rest without its CR LF, which the scan has seen. */
static med_str next_line(med_str *rest)
{
    med_str line = med_str_cut(*rest, '\n', rest);
    line.len--;
    return line;
}

bool med_head_parse(med_arena *a, med_str bytes, const med_head_scan *s, med_head *out,
                    med_http_fault *fault)
{
    *out = (med_head){.path = MED_STR_EMPTY, .query = MED_STR_EMPTY, .host = MED_STR_EMPTY};
    med_str rest = med_str_sub(bytes, s->start, s->at);
    med_str authority = MED_STR_EMPTY;
    if (!read_request_line(next_line(&rest), out, &authority, fault))
        return false;
    size_t n = s->lines - 1;
    out->headers = MED_TAKE(a, n, med_header);
    if (out->headers == NULL)
        return refuse(fault, 503, "no memory for this request");
    head_facts facts = {0};
    for (out->n_headers = 0; out->n_headers < n; out->n_headers++) {
        med_header *h = &out->headers[out->n_headers];
        if (!read_header(next_line(&rest), h, fault) || !read_known(h, &facts, out, fault))
            return false;
    }
    return conclude(&facts, authority, out, fault);
}
