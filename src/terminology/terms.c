/* terms.c - the library: what is known, and what of it was compiled already.
 *
 * Compiled systems and value sets are kept in a table by canonical. A kept object was made at
 * some generation of the stored resources and some epoch of the imported ones; when either has
 * moved on it is made anew at its next use. An object is counted: the table holds it once, and
 * each question that uses it until the arena of the question ends. */
#include "terminology/terms.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "terminology/code_system_json.h"
#include "terminology/folder.h"
#include "terminology/library.h"
#include "terminology/pack_terms.h"
#include "terminology/value_set.h"

enum { KEPT = 8192, OBJECT_BYTES = 1 << 30 };

typedef struct object {
    uint64_t key[2];
    uint64_t generation, epoch;
    enum med_term_kind kind;
    const med_system *system;
    const med_value_set *set;
    med_arena *arena;
    med_terminology *owner;
    uint64_t used;
    size_t uses; /* guarded by the library's lock */
} object;

struct med_terminology {
    pthread_mutex_t lock;
    object *kept[KEPT]; /* open addressing over half the table at most */
    size_t n;
    uint64_t tick;
    struct med_term_folder *folder; /* imported systems; NULL: none */
};

bool med_terminology_open(const char *folder, med_terminology **out, med_err *err)
{
    med_terminology *t = MED_NEW(1, med_terminology);
    if (t == NULL)
        return MED_FAIL_MEMORY(err);
    if (pthread_mutex_init(&t->lock, NULL) != 0) {
        med_free(t);
        return MED_FAIL_MEMORY(err);
    }
    if (folder != NULL && !med_term_folder_open(folder, &t->folder, err)) {
        med_terminology_free(t);
        return false;
    }
    *out = t;
    return true;
}

/* ---- objects ---- */

static void object_end(object *o)
{
    if (o != NULL) {
        med_arena_free(o->arena); /* gives back what it uses itself */
        med_free(o);
    }
}

static void let_go(void *arg)
{
    object *o = arg;
    med_terminology *t = o->owner;
    (void)pthread_mutex_lock(&t->lock);
    bool last = --o->uses == 0;
    (void)pthread_mutex_unlock(&t->lock);
    if (last)
        object_end(o);
}

void med_terminology_free(med_terminology *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < KEPT; i++) {
        if (t->kept[i] != NULL)
            let_go(t->kept[i]);
    }
    med_term_folder_free(t->folder);
    (void)pthread_mutex_destroy(&t->lock);
    med_free(t);
}

static void key_of(enum med_term_kind kind, med_str url, med_str version, uint64_t out[2])
{
    static const med_hash_key key = {0x7465726d696e6f6cU, 0x6f67796b65707430U};
    med_hasher h;
    for (int i = 0; i < 2; i++) {
        char head[2] = {(char)('0' + (int)kind), (char)('a' + i)};
        med_hasher_begin(&h, key);
        med_hasher_add(&h, (med_str){head, 2});
        med_hasher_add(&h, url);
        med_hasher_add(&h, MED_STR("|"));
        med_hasher_add(&h, version);
        out[i] = med_hasher_end(&h);
    }
}

static size_t slot_of(const med_terminology *t, const uint64_t key[2])
{
    size_t at = key[0] % KEPT;
    while (t->kept[at] != NULL && (t->kept[at]->key[0] != key[0] || t->kept[at]->key[1] != key[1]))
        at = (at + 1) % KEPT;
    return at;
}

/* Takes a slot's object out and moves what was pushed behind it. */
static object *take_out(med_terminology *t, size_t at)
{
    object *o = t->kept[at];
    t->kept[at] = NULL;
    t->n--;
    for (size_t i = (at + 1) % KEPT; t->kept[i] != NULL; i = (i + 1) % KEPT) {
        object *moved = t->kept[i];
        t->kept[i] = NULL;
        t->kept[slot_of(t, moved->key)] = moved;
    }
    return o;
}

/* The half that was used longest ago makes room. Called with the lock; ends nothing itself. */
static void make_room(med_terminology *t, object **ended, size_t *n_ended)
{
    uint64_t before = t->tick > KEPT / 4 ? t->tick - KEPT / 4 : 0;
    for (size_t i = 0; i < KEPT && *n_ended < KEPT / 2 - 1; i++) {
        if (t->kept[i] == NULL || t->kept[i]->used >= before)
            continue;
        object *o = take_out(t, i--);
        if (--o->uses == 0)
            ended[(*n_ended)++] = o;
    }
}

static bool use(object *o, med_arena *a, med_err *err)
{
    return med_arena_defer(a, let_go, o) ? true : MED_FAIL_MEMORY(err);
}

static uint64_t generation_of(const med_term_context *x)
{
    const med_terminology_source *s = x->scope->source;
    return s == NULL ? 0 : s->generation(s->self) + 1;
}

/* *out is NULL when nothing (or nothing of today) is kept. */
static bool look_up(const med_term_context *x, const uint64_t key[2], uint64_t generation,
                    uint64_t epoch, object **out, med_err *err)
{
    med_terminology *t = x->scope->terms;
    (void)pthread_mutex_lock(&t->lock);
    object *o = t->kept[slot_of(t, key)];
    if (o != NULL && (o->generation != generation || o->epoch != epoch))
        o = NULL;
    if (o != NULL) {
        o->uses++;
        o->used = ++t->tick;
    }
    (void)pthread_mutex_unlock(&t->lock);
    *out = o;
    return o == NULL || use(o, x->arena, err);
}

static void keep(med_terminology *t, object *o)
{
    object *ended[KEPT / 2 + 1];
    size_t n_ended = 0;
    (void)pthread_mutex_lock(&t->lock);
    size_t at = slot_of(t, o->key);
    if (t->kept[at] != NULL) {
        object *old = take_out(t, at);
        if (--old->uses == 0)
            ended[n_ended++] = old;
    }
    if (t->n >= KEPT / 2)
        make_room(t, ended, &n_ended);
    at = slot_of(t, o->key);
    if (t->n < KEPT / 2 && t->kept[at] == NULL) {
        o->uses++;
        o->used = ++t->tick;
        t->kept[at] = o;
        t->n++;
    }
    (void)pthread_mutex_unlock(&t->lock);
    for (size_t i = 0; i < n_ended; i++)
        object_end(ended[i]);
}

/* ---- finding a resource: brought along, stored, imported, built in ---- */

typedef struct found {
    const med_image *image; /* of a code system that is compiled already */
    const med_json *json;   /* or the parsed resource */
    uint32_t node;
} found;

static const char *const type_names[MED_TERM_KINDS] = {"CodeSystem", "ValueSet", "ConceptMap"};

void med_canonical_split(med_str canonical, med_str *url, med_str *version)
{
    *url = med_str_cut(canonical, '|', version);
    *version = med_str_sub(*version, 0, med_str_find(*version, '#', 0));
}

/* Digits as numbers, all else as text: 1.10 is later than 1.9. */
int med_version_compare(med_str a, med_str b)
{
    while (a.len > 0 && b.len > 0) {
        size_t i = 0, k = 0;
        while (i < a.len && med_is_digit(a.ptr[i]))
            i++;
        while (k < b.len && med_is_digit(b.ptr[k]))
            k++;
        int d = 0;
        if (i > 0 && k > 0)
            d = i != k ? (i < k ? -1 : 1) : memcmp(a.ptr, b.ptr, i);
        else if (a.ptr[0] != b.ptr[0])
            d = (unsigned char)a.ptr[0] < (unsigned char)b.ptr[0] ? -1 : 1;
        else
            i = k = 1;
        if (d != 0)
            return d;
        a = med_str_skip(a, i);
        b = med_str_skip(b, k);
    }
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

bool med_version_fits(med_str have, med_str wanted)
{
    if (wanted.len == 0 || med_str_eq(have, wanted))
        return true;
    /* "1.0" is any 1.0.x, "1.x.x" any 1.*. */
    med_str h = have, w = wanted;
    while (w.len > 0) {
        med_str hp = med_str_cut(h, '.', &h), wp = med_str_cut(w, '.', &w);
        bool any = med_str_eqz(wp, "x") || med_str_eqz(wp, "*");
        if (hp.len == 0 || (!any && !med_str_eq(hp, wp)))
            return false;
    }
    return true;
}

static bool find_extra(const med_term_context *x, enum med_term_kind kind, med_str url,
                       med_str version, found *out, med_err *err)
{
    med_str best = MED_STR_EMPTY;
    for (size_t i = 0; i < x->n_extra; i++) {
        med_str type, u, v;
        if (!med_json_text(x->arena, x->extra_json, x->extra[i], "resourceType", &type)
            || !med_json_text(x->arena, x->extra_json, x->extra[i], "url", &u)
            || !med_json_text(x->arena, x->extra_json, x->extra[i], "version", &v))
            return MED_FAIL_MEMORY(err);
        if (!med_str_eqz(type, type_names[kind]) || !med_str_eq(u, url)
            || !med_version_fits(v, version))
            continue;
        if (out->json == NULL || med_version_compare(v, best) > 0) {
            *out = (found){NULL, x->extra_json, x->extra[i]};
            best = v;
        }
    }
    return true;
}

static bool parse(med_arena *a, med_str text, found *out, med_err *err)
{
    med_json *j = MED_TAKE(a, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    out->json = j;
    out->node = 0;
    return med_json_parse(a, text, j, NULL, err);
}

static bool find_stored(const med_term_context *x, enum med_term_kind kind, med_str url,
                        med_str version, found *out, med_err *err)
{
    const med_terminology_source *s = x->scope->source;
    med_term_resource r = {MED_STR_EMPTY, MED_STR_EMPTY};
    if (s == NULL)
        return true;
    if (!s->find(s->self, x->arena, kind, url, version, &r, err))
        return false;
    return r.json.len == 0 || parse(x->arena, r.json, out, err);
}

/* "3.6.0" is what R4 called itself before it was 4.0: some of its value sets still say so. */
static bool is_r4_before(const struct med_term_row *r, med_str url, med_str wanted)
{
    static const char *const ballots[] = {"3.2.0", "3.3.0", "3.4.0", "3.5.0", "3.6.0", "4.0.0"};
    if (r->source != 0 || !med_str_starts(url, MED_STR("http://hl7.org/fhir/")))
        return false;
    for (size_t i = 0; i < sizeof ballots / sizeof *ballots; i++) {
        if (med_str_eqz(wanted, ballots[i]))
            return true;
    }
    return false;
}

static bool find_built_in(const med_term_context *x, enum med_term_kind kind, med_str url,
                          med_str version, found *out, med_err *err)
{
    const struct med_term_pack *p = med_term_pack_core();
    const struct med_term_row *best = NULL;
    for (size_t i = med_term_pack_find(p, url); i < med_term_pack_count(p); i++) {
        const struct med_term_row *r = med_term_pack_row(p, i);
        if (!med_str_eq(med_term_row_url(p, r), url))
            break;
        if (r->kind != kind
            || (!med_version_fits(med_term_row_version(p, r), version)
                && !is_r4_before(r, url, version)))
            continue;
        best = r;
        break;
    }
    if (best == NULL)
        return true;
    if (kind == MED_TERM_CODE_SYSTEM)
        return med_image_open(med_term_row_bytes(p, best), &out->image, err);
    return parse(x->arena, med_term_row_bytes(p, best), out, err);
}

static bool find(const med_term_context *x, enum med_term_kind kind, med_str url, med_str version,
                 found *out, med_err *err)
{
    struct med_term_folder *f = x->scope->terms->folder;
    *out = (found){0};
    if (!find_extra(x, kind, url, version, out, err))
        return false;
    if (out->json == NULL && !find_stored(x, kind, url, version, out, err))
        return false;
    if (out->json == NULL && kind == MED_TERM_CODE_SYSTEM && f != NULL
        && !med_term_folder_find(f, x->arena, url, version, &out->image, err))
        return false;
    if (out->json == NULL && out->image == NULL)
        return find_built_in(x, kind, url, version, out, err);
    return true;
}

/* ---- systems ---- */

static void end_buffer(void *arg)
{
    med_buf_free(arg);
}

/* The image of a resource, in memory that ends with the arena. */
static bool compile_image(const med_term_context *x, const found *f, const med_image **out,
                          med_err *err)
{
    if (f->image != NULL) {
        *out = f->image;
        return true;
    }
    med_buf *b = MED_TAKE(x->arena, 1, med_buf);
    if (b == NULL)
        return MED_FAIL_MEMORY(err);
    med_buf_init(b, OBJECT_BYTES);
    if (!med_arena_defer(x->arena, end_buffer, b))
        return MED_FAIL_MEMORY(err);
    return med_code_system_compile(x->arena, f->json, f->node, 0, b, err)
           && med_image_open(med_buf_str(b), out, err);
}

static bool is_named(const med_term_context *x, const med_image *m)
{
    for (size_t i = 0; i < x->n_supplements; i++) {
        med_str url, version;
        med_canonical_split(x->supplements[i], &url, &version);
        if (med_str_eq(url, med_image_url(m)) && med_version_fits(med_image_version(m), version))
            return true;
    }
    return false;
}

/* Other languages are always welcome. Whatever else a supplement says of codes counts for who
 * asks for it: the value set that names it, or useSupplement. */
static bool only_translates(const med_image *m)
{
    med_concept_property p;
    for (med_concept c = 0; c < med_image_count(m); c++) {
        if (med_concept_flags(m, c) != 0 || med_concept_property_at(m, c, 0, &p))
            return false;
    }
    return true;
}

static bool add_supplement(const med_term_context *x, const found *f, med_system *s, med_err *err)
{
    enum { MOST = 64 };
    const med_image *m;
    const med_image **all;
    if (s->n_supplements == MOST)
        return true;
    if (!compile_image(x, f, &m, err))
        return false;
    if (!is_named(x, m) && !only_translates(m))
        return true;
    if (s->supplements == NULL)
        s->supplements = MED_TAKE(x->arena, MOST, const med_image *);
    all = (const med_image **)(uintptr_t)s->supplements;
    if (all == NULL)
        return MED_FAIL_MEMORY(err);
    all[s->n_supplements++] = m;
    return true;
}

static bool supplements_of(const med_term_context *x, med_system *s, med_err *err)
{
    const med_terminology_source *src = x->scope->source;
    for (size_t i = 0; i < x->n_extra; i++) {
        med_str content, of, url;
        found f = {NULL, x->extra_json, x->extra[i]};
        if (!med_json_text(x->arena, f.json, f.node, "content", &content)
            || !med_json_text(x->arena, f.json, f.node, "supplements", &of))
            return MED_FAIL_MEMORY(err);
        url = med_str_cut(of, '|', &of);
        if (med_str_eqz(content, "supplement") && med_str_eq(url, s->url)
            && !add_supplement(x, &f, s, err))
            return false;
    }
    for (size_t i = 0; src != NULL && src->supplement != NULL; i++) {
        med_term_resource r = {MED_STR_EMPTY, MED_STR_EMPTY};
        found f = {0};
        if (!src->supplement(src->self, x->arena, s->url, i, &r, err))
            return false;
        if (r.json.len == 0)
            break;
        if (!parse(x->arena, r.json, &f, err) || !add_supplement(x, &f, s, err))
            return false;
    }
    return true;
}

static bool make_system(const med_term_context *x, med_str url, med_str version,
                        const med_system **out, med_err *err)
{
    found f;
    *out = NULL;
    if (!find(x, MED_TERM_CODE_SYSTEM, url, version, &f, err))
        return false;
    enum med_grammar rule = med_rule_of(url);
    if (f.json == NULL && f.image == NULL && rule == MED_RULE_NONE)
        return true;
    med_system *s = MED_TAKE(x->arena, 1, med_system);
    if (s == NULL || !med_arena_copy(x->arena, url, &s->url))
        return MED_FAIL_MEMORY(err);
    s->version = MED_STR_EMPTY;
    if (rule != MED_RULE_NONE && f.json == NULL) {
        s->rule = rule; /* a list of some of its codes, as THO has, decides nothing */
        s->image = NULL;
        *out = s;
        return true;
    }
    if (!compile_image(x, &f, &s->image, err))
        return false;
    s->version = med_image_version(s->image);
    *out = s;
    return supplements_of(x, s, err);
}

/* ---- by canonical ---- */

static med_str chosen_version(const med_term_context *x, enum med_term_kind kind, med_str url,
                              med_str version)
{
    for (size_t i = 0; i < x->n_choices; i++) {
        const med_version_choice *c = &x->choices[i];
        if (!med_str_eq(c->url, url)
            || (c->how == MED_CHOICE_VALUE_SET) != (kind == MED_TERM_VALUE_SET))
            continue;
        if (c->how == MED_CHOICE_FORCE || version.len == 0)
            return c->version;
    }
    return version;
}

med_str med_term_chosen(const med_term_context *x, enum med_term_kind kind, med_str canonical)
{
    med_str url, version;
    med_canonical_split(canonical, &url, &version);
    version = chosen_version(x, kind, url, version);
    return version.len == 0
               ? canonical
               : med_arena_printf(x->arena, "%.*s|%.*s", MED_STR_ARG(url), MED_STR_ARG(version));
}

static bool make(const med_term_context *x, object *o, med_str url, med_str version, med_err *err)
{
    if (o->kind == MED_TERM_CODE_SYSTEM)
        return make_system(x, url, version, &o->system, err);
    found f;
    if (!find(x, MED_TERM_VALUE_SET, url, version, &f, err))
        return false;
    if (f.json != NULL)
        return med_value_set_compile(x, f.json, f.node, &o->set, err);
    return med_value_set_implicit(x, url, version, &o->set, err);
}

/* Kept apart from the question: it will outlive it. */
static bool make_kept(const med_term_context *x, object *o, med_str url, med_str version,
                      med_err *err)
{
    o->arena = med_arena_new(OBJECT_BYTES);
    if (o->arena == NULL)
        return MED_FAIL_MEMORY(err);
    med_term_context inner = *x;
    inner.arena = o->arena;
    return make(&inner, o, url, version, err);
}

static bool get(const med_term_context *x, enum med_term_kind kind, med_str url, med_str version,
                object **out, med_err *err)
{
    med_terminology *t = x->scope->terms;
    version = chosen_version(x, kind, url, version);
    object wanted = {.kind = kind, .owner = t, .uses = 1};
    if (!med_term_context_is_plain(x)) {
        *out = MED_TAKE(x->arena, 1, object);
        if (*out == NULL)
            return MED_FAIL_MEMORY(err);
        **out = wanted;
        return make(x, *out, url, version, err);
    }
    key_of(kind, url, version, wanted.key);
    wanted.generation = generation_of(x);
    wanted.epoch = med_term_folder_epoch(t->folder);
    if (!look_up(x, wanted.key, wanted.generation, wanted.epoch, out, err))
        return false;
    if (*out != NULL)
        return true;
    object *o = MED_NEW(1, object);
    if (o == NULL)
        return MED_FAIL_MEMORY(err);
    *o = wanted;
    if (!make_kept(x, o, url, version, err)) {
        object_end(o);
        return false;
    }
    *out = o;
    keep(t, o); /* also that it is unknown */
    return use(o, x->arena, err);
}

bool med_term_system(const med_term_context *x, med_str url, med_str version,
                     const med_system **out, med_err *err)
{
    object *o;
    *out = NULL;
    if (!get(x, MED_TERM_CODE_SYSTEM, url, version, &o, err))
        return false;
    *out = o->system;
    return true;
}

bool med_term_value_set(const med_term_context *x, med_str url, med_str version,
                        const med_value_set **out, med_err *err)
{
    object *o;
    unsigned depth = 0;
    *out = NULL;
    for (const struct med_context_link *l = x->inside; l != NULL; l = l->outer, depth++) {
        if (med_str_eq(l->url, url))
            return MED_FAIL(err, MED_ISSUE_PROCESSING, "a value set includes itself");
    }
    if (depth >= MED_CONTEXT_DEPTH)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                        "value sets include one another more than %d deep", MED_CONTEXT_DEPTH);
    if (!get(x, MED_TERM_VALUE_SET, url, version, &o, err))
        return false;
    *out = o->set;
    return true;
}

bool med_term_text(const med_term_context *x, enum med_term_kind kind, med_str url, med_str version,
                   med_str *out, med_err *err)
{
    found f;
    *out = MED_STR_EMPTY;
    if (!find(x, kind, url, version, &f, err))
        return false;
    if (f.json != NULL)
        *out = med_json_span(f.json, f.node);
    else if (f.image != NULL)
        *out = med_image_meta(f.image);
    return true;
}

bool med_term_versions(const med_term_context *x, enum med_term_kind kind, med_str url,
                       med_str *out, med_err *err)
{
    const struct med_term_pack *p = med_term_pack_core();
    med_buf b;
    med_buf_init(&b, 4096);
    for (size_t i = 0; i < x->n_extra; i++) {
        med_str type, u, v;
        if (!med_json_text(x->arena, x->extra_json, x->extra[i], "resourceType", &type)
            || !med_json_text(x->arena, x->extra_json, x->extra[i], "url", &u)
            || !med_json_text(x->arena, x->extra_json, x->extra[i], "version", &v))
            continue;
        if (med_str_eqz(type, type_names[kind]) && med_str_eq(u, url)) {
            med_buf_addz(&b, b.len > 0 ? ", " : "");
            med_buf_add(&b, v);
        }
    }
    for (size_t i = med_term_pack_find(p, url); i < med_term_pack_count(p); i++) {
        const struct med_term_row *r = med_term_pack_row(p, i);
        if (!med_str_eq(med_term_row_url(p, r), url))
            break;
        if (r->kind == kind) {
            med_buf_addz(&b, b.len > 0 ? ", " : "");
            med_buf_add(&b, med_term_row_version(p, r));
        }
    }
    bool ok = med_arena_copy(x->arena, med_buf_str(&b), out);
    med_buf_free(&b);
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* ---- all systems ---- */

static med_library_system system_of(const med_image *m)
{
    enum med_content content = med_image_content(m);
    return (med_library_system){med_image_url(m), med_image_version(m),
                                content != MED_CONTENT_NOT_PRESENT
                                    && content != MED_CONTENT_SUPPLEMENT};
}

bool med_library_next(const med_terminology *t, med_arena *a, size_t *cursor,
                      med_library_system *out)
{
    const struct med_term_pack *p = med_term_pack_core();
    const med_image *m;
    med_err ignored;
    size_t rules = 0, n = med_term_pack_count(p);
    *out = (med_library_system){MED_STR_EMPTY, MED_STR_EMPTY, true};
    while (*cursor < n) {
        const struct med_term_row *r = med_term_pack_row(p, (*cursor)++);
        if (r->kind != MED_TERM_CODE_SYSTEM || med_rule_of(med_term_row_url(p, r)) != MED_RULE_NONE
            || !med_image_open(med_term_row_bytes(p, r), &m, &ignored))
            continue;
        *out = system_of(m);
        return true;
    }
    while (med_rule_at(rules, &out->url))
        rules++;
    size_t at = (*cursor)++ - n;
    if (med_rule_at(at, &out->url))
        return true;
    if (!med_term_folder_at(t->folder, a, at - rules, &m))
        return false;
    *out = system_of(m);
    return true;
}

static bool has_quoted(med_str json, med_str word)
{
    for (size_t at = med_str_search(json, word, 0); at < json.len;
         at = med_str_search(json, word, at + 1)) {
        if (at > 0 && json.ptr[at - 1] == '"' && at + word.len < json.len
            && json.ptr[at + word.len] == '"')
            return true;
    }
    return false;
}

bool med_library_next_map(size_t *cursor, med_str quoted, med_str *url, med_str *json)
{
    const struct med_term_pack *p = med_term_pack_core();
    while (*cursor < med_term_pack_count(p)) {
        size_t i = (*cursor)++;
        const struct med_term_row *r = med_term_pack_row(p, i);
        if (r->kind != MED_TERM_CONCEPT_MAP
            || (i > 0
                && med_str_eq(med_term_row_url(p, r),
                              med_term_row_url(p, med_term_pack_row(p, i - 1)))))
            continue;
        *url = med_term_row_url(p, r);
        *json = med_term_row_bytes(p, r);
        if (has_quoted(*json, quoted))
            return true;
    }
    return false;
}
