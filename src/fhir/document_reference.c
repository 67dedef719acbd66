/* document_reference.c - https://hl7.org/fhir/R4/documentreference.html */
#include "fhir/document_reference.h"

#include "base/base64.h"
#include "base/digest.h"
#include "base/json_edit.h"
#include "fhir/change.h"

/* More bytes of Binary are not read on an event loop. */
enum { LOOP_BYTES = 256 << 10, DIGEST_TEXT = 64 };

/* One DocumentReference of the change. */
typedef struct subject {
    med_call *call;
    size_t write; /* its place in the change */
    med_json j;   /* of its text */
    bool again;   /* on a worker */
} subject;

static uint32_t number_of(const med_call *call, const char *type)
{
    const med_fhir *f = call->fhir;
    return med_schema_type(f->schema, med_pack_type(f->pack, med_str_from(type)));
}

static bool wrong(med_err *err, int status, const char *where, const char *what)
{
    (void)MED_FAIL(err, status == 409 ? MED_ISSUE_CONFLICT : MED_ISSUE_VALUE, "%s", what);
    (void)med_err_status(err, status);
    return med_err_at(err, med_str_from(where));
}

/* The string at a path below `object`; empty when there is none. */
static bool string_at(subject *s, const med_json *j, uint32_t object, const char *path,
                      med_str *out, med_err *err)
{
    uint32_t node =
        med_json_kind_at(j, object) == MED_JSON_OBJECT ? med_json_path(j, object, path) : 0;
    *out = MED_STR_EMPTY;
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING)
        return true;
    return med_json_string(s->call->arena, j, node, out) ? true : MED_FAIL_MEMORY(err);
}

/* Is it a resource of that type on this server? Then its id. */
static bool is_local(const subject *s, med_str text, const char *type, med_str *id)
{
    med_reference r;
    med_err ignored = {0};
    if (text.len == 0
        || !med_reference_parse(s->call->fhir->pack, text, s->call->fhir->base, &r, &ignored))
        return false;
    *id = r.id;
    return r.kind == MED_REFERENCE_LOCAL && med_str_eqz(r.type, type) && r.version.len == 0;
}

static const med_write *written(const subject *s, uint32_t type, med_str id)
{
    const med_changeset *c = s->call->change;
    for (size_t i = 0; i < c->n; i++) {
        const med_write *w = &c->writes[i];
        if (w->type == type && w->kind == MED_WRITE_PUT && med_str_eq(w->id, id))
            return w;
    }
    return NULL;
}

/* ---- attachments ---- */

/* The text of the Binary; empty when there is none. */
static bool find_binary(subject *s, med_str id, med_str *text, med_err *err)
{
    med_call *call = s->call;
    med_stored stored;
    uint32_t type = number_of(call, "Binary");
    const med_write *w = written(s, type, id);
    *text = MED_STR_EMPTY;
    if (w != NULL) {
        *text = w->text;
        return true;
    }
    enum med_found found = med_view_latest(call->view, call->arena, type, id, &stored, err);
    if (found == MED_FOUND && stored.change != MED_DELETED)
        *text = stored.text;
    return found != MED_FAILED;
}

static bool check_size(const med_json *j, uint32_t attachment, size_t bytes, med_err *err)
{
    int64_t size;
    uint32_t said = med_json_member(j, attachment, MED_STR("size"));
    if (said == 0 || !med_str_to_int64(med_json_raw(j, said), &size)
        || (size >= 0 && (uint64_t)size == bytes))
        return true;
    (void)MED_FAIL(err, MED_ISSUE_VALUE, "the size is not that of the attached bytes: they are %zu",
                   bytes);
    (void)med_err_status(err, 422);
    return med_err_at(err, MED_STR("DocumentReference.content.attachment.size"));
}

static bool check_hash(const med_json *j, uint32_t attachment, med_str bytes, med_err *err)
{
    uint8_t digest[MED_SHA1_BYTES];
    med_buf text;
    uint32_t said = med_json_member(j, attachment, MED_STR("hash"));
    if (said == 0 || med_json_kind_at(j, said) != MED_JSON_STRING)
        return true;
    if (!med_sha1(bytes, digest))
        return MED_FAIL_MEMORY(err);
    med_buf_init(&text, DIGEST_TEXT);
    med_base64_encode(&text, (med_str){(const char *)digest, sizeof digest});
    bool same = !text.failed && med_json_string_is(j, said, med_buf_str(&text));
    if (!same) {
        (void)MED_FAIL(err, MED_ISSUE_VALUE,
                       "the hash is not that of the attached bytes: their SHA-1 in base64 is %.*s",
                       MED_STR_ARG(med_buf_str(&text)));
        (void)med_err_status(err, 422);
        (void)med_err_at(err, MED_STR("DocumentReference.content.attachment.hash"));
    }
    med_buf_free(&text);
    return same;
}

/* Against the bytes that `data` stands for. */
static bool check_data(subject *s, uint32_t attachment, med_str data, med_err *err)
{
    med_str bytes = MED_STR_EMPTY;
    return (data.len == 0 || med_base64_decode(s->call->arena, data, &bytes, err))
           && check_size(&s->j, attachment, bytes.len, err)
           && check_hash(&s->j, attachment, bytes, err);
}

static bool check_binary(subject *s, uint32_t attachment, med_str text, med_err *err)
{
    med_json j;
    med_str data;
    return med_json_parse(s->call->arena, text, &j, NULL, err)
           && string_at(s, &j, 0, "data", &data, err) && check_data(s, attachment, data, err);
}

/* Is it too much for an event loop? */
static bool wants_worker(subject *s, size_t bytes)
{
    s->again = !s->call->on_worker && bytes > LOOP_BYTES;
    return s->again;
}

static bool check_url(subject *s, uint32_t attachment, med_err *err)
{
    const med_call *call = s->call;
    med_str url, id, text;
    if (!string_at(s, &s->j, attachment, "url", &url, err))
        return false;
    if (!is_local(s, url, "Binary", &id))
        return true;
    if (!find_binary(s, id, &text, err))
        return false;
    if (text.len > 0)
        return wants_worker(s, text.len) || check_binary(s, attachment, text, err);
    bool is_new = call->change->writes[s->write].expect == MED_EXPECT_NEW;
    return !is_new || !call->fhir->check_references
           || wrong(err, 422, "DocumentReference.content.attachment.url",
                    "there is no Binary of that id on this server");
}

static bool check_attachment(subject *s, uint32_t attachment, med_err *err)
{
    med_str data;
    if (!string_at(s, &s->j, attachment, "data", &data, err))
        return false;
    if (data.len == 0)
        return check_url(s, attachment, err);
    return wants_worker(s, data.len) || check_data(s, attachment, data, err);
}

static bool check_attachments(subject *s, med_err *err)
{
    const med_json *j = &s->j;
    uint32_t content = med_json_member(j, 0, MED_STR("content"));
    if (content == 0 || med_json_kind_at(j, content) != MED_JSON_ARRAY)
        return true;
    for (uint32_t e = content + 1; e < j->nodes[content].next; e = j->nodes[e].next) {
        uint32_t attachment = med_json_kind_at(j, e) == MED_JSON_OBJECT
                                  ? med_json_member(j, e, MED_STR("attachment"))
                                  : 0;
        if (attachment != 0 && med_json_kind_at(j, attachment) == MED_JSON_OBJECT
            && !check_attachment(s, attachment, err))
            return false;
    }
    return true;
}

/* ---- replacing ---- */

/* The replaced reference as a write of the same commit, resting on the version that was read. */
static bool put_superseded(subject *s, const med_stored *old, const med_json *j, uint32_t status,
                           med_err *err)
{
    enum { MORE = 64 };
    med_call *call = s->call;
    const med_json_edit edit = {
        .node = status, .kind = MED_JSON_REPLACE, .text = MED_STR("\"superseded\"")};
    med_str text = MED_STR_EMPTY;
    med_buf buf;
    med_buf_init(&buf, old->text.len + MORE);
    bool ok = med_json_edit_apply(call->arena, j, 0, &edit, 1, &buf, err)
              && (med_arena_copy(call->arena, med_buf_str(&buf), &text) || MED_FAIL_MEMORY(err));
    med_buf_free(&buf);
    return ok
           && med_change_put_text(
               call,
               &(med_stored){
                   .type = old->type, .id = old->id, .version = old->version, .text = text},
               err);
}

static bool check_patient(subject *s, const med_json *old, med_err *err)
{
    med_str ours, theirs;
    if (!string_at(s, &s->j, 0, "subject.reference", &ours, err)
        || !string_at(s, old, 0, "subject.reference", &theirs, err))
        return false;
    return theirs.len == 0 || med_str_eq(ours, theirs)
           || wrong(err, 422, "DocumentReference.relatesTo",
                    "what is replaced is a document of another patient");
}

static bool supersede(subject *s, med_str id, med_err *err)
{
    med_call *call = s->call;
    uint32_t type = number_of(call, "DocumentReference");
    med_stored old;
    med_json j;
    med_str status;
    if (written(s, type, id) != NULL)
        return true; /* the change says itself what becomes of it */
    enum med_found found = med_view_latest(call->view, call->arena, type, id, &old, err);
    if (found != MED_FOUND || old.change == MED_DELETED)
        return found != MED_FAILED; /* a missing one is the reference check's to name */
    if (!med_json_parse(call->arena, old.text, &j, NULL, err)
        || !string_at(s, &j, 0, "status", &status, err) || !check_patient(s, &j, err))
        return false;
    if (med_str_eqz(status, "current"))
        return put_superseded(s, &old, &j, med_json_member(&j, 0, MED_STR("status")), err);
    bool is_new = call->change->writes[s->write].expect == MED_EXPECT_NEW;
    return !is_new || !med_str_eqz(status, "superseded")
           || wrong(err, 409, "DocumentReference.relatesTo",
                    "what is to be replaced is superseded already: replace the one in force");
}

static bool supersede_replaced(subject *s, med_err *err)
{
    const med_json *j = &s->j;
    med_str status, code, target, id;
    uint32_t relates = med_json_member(j, 0, MED_STR("relatesTo"));
    if (relates == 0 || med_json_kind_at(j, relates) != MED_JSON_ARRAY)
        return true;
    if (!string_at(s, j, 0, "status", &status, err))
        return false;
    if (!med_str_eqz(status, "current"))
        return true;
    for (uint32_t e = relates + 1; e < j->nodes[relates].next; e = j->nodes[e].next) {
        if (!string_at(s, j, e, "code", &code, err)
            || !string_at(s, j, e, "target.reference", &target, err))
            return false;
        if (med_str_eqz(code, "replaces") && is_local(s, target, "DocumentReference", &id)
            && !supersede(s, id, err))
            return false;
    }
    return true;
}

/* ---- all of a change ---- */

static bool complete(subject *s, med_err *err)
{
    const med_write *w = &s->call->change->writes[s->write];
    return med_json_parse(s->call->arena, w->text, &s->j, NULL, err) && check_attachments(s, err)
           && (s->again || supersede_replaced(s, err));
}

enum med_step med_document_reference_complete(med_call *call, med_err *err)
{
    uint32_t type = number_of(call, "DocumentReference");
    size_t own = call->write, n_own = call->n_writes, n = call->change->n;
    for (size_t i = 0; i < n; i++) {
        const med_write *w = &call->change->writes[i];
        subject s = {.call = call, .write = i};
        if (w->type != type || w->kind != MED_WRITE_PUT || w->index_only)
            continue;
        if (!complete(&s, err))
            return MED_STEP_FAILED;
        if (s.again)
            return MED_STEP_AGAIN;
    }
    call->write = own; /* the answer is about what the client sent */
    call->n_writes = n_own;
    return MED_STEP_OK;
}
