/* structure_attachment.c - an Attachment that holds its data has the size and the hash of it.
 * https://hl7.org/fhir/R4/datatypes.html#Attachment */
#include "base/base64.h"
#include "base/digest.h"
#include "validate/structure_check.h"

static void check_size(med_check *c, const med_check_frame *f, size_t bytes)
{
    int64_t size;
    uint32_t said = med_json_member(c->j, f->node, MED_STR("size"));
    if (said == 0 || !med_str_to_int64(med_json_raw(c->j, said), &size))
        return;
    if (size < 0 || (uint64_t)size != bytes)
        med_check_problem(c, f->node, NULL, MED_ISSUE_VALUE,
                          "the size is not that of the data, which has %zu bytes", bytes);
}

/* The digest of the data, as text. False without memory. */
static bool digest_of(med_str data, size_t bytes, med_arena *a, med_buf *out)
{
    med_err err = {0};
    med_str decoded = MED_STR_EMPTY;
    uint8_t digest[MED_SHA1_BYTES];
    if (bytes > 0 && !med_base64_decode(a, data, &decoded, &err))
        return false;
    if (!med_sha1(decoded, digest))
        return false;
    med_base64_encode(out, (med_str){(const char *)digest, sizeof digest});
    return !out->failed;
}

/* A warning on writes, but for documents (fhir/document_reference.c): what is written there is
 * not one thing (an example of the specification has hexadecimal digits in base64). */
static void tell(med_check *c, uint32_t node, med_str right)
{
    static const char text[] = "the hash is not that of the data: its SHA-1 in base64 is %.*s";
    if (c->options->strict)
        med_check_problem(c, node, NULL, MED_ISSUE_VALUE, text, MED_STR_ARG(right));
    else
        med_check_warning(c, node, NULL, MED_ISSUE_VALUE, text, MED_STR_ARG(right));
}

static void check_hash(med_check *c, const med_check_frame *f, med_str data, size_t bytes)
{
    enum {
        DIGEST_TEXT = 64,
        ARENA_SPARE = 64 << 10
    }; /* an arena's first block is more than 4 KiB */
    uint32_t said = med_json_member(c->j, f->node, MED_STR("hash"));
    if (said == 0 || med_json_kind_at(c->j, said) != MED_JSON_STRING)
        return;
    med_arena *a = med_arena_new(bytes + ARENA_SPARE);
    med_buf text;
    med_buf_init(&text, DIGEST_TEXT);
    if (a == NULL || !digest_of(data, bytes, a, &text))
        c->out_of_memory = true;
    else if (!med_json_string_is(c->j, said, med_buf_str(&text)))
        tell(c, said, med_buf_str(&text));
    med_buf_free(&text);
    med_arena_free(a);
}

void med_check_attachment(med_check *c, const med_check_frame *f)
{
    size_t bytes;
    uint32_t data = med_json_member(c->j, f->node, MED_STR("data"));
    if (data == 0 || med_json_kind_at(c->j, data) != MED_JSON_STRING || c->j->nodes[data].escaped)
        return;
    med_str text = med_json_raw(c->j, data);
    if (!med_base64_check(text, &bytes))
        return; /* said already */
    check_size(c, f, bytes);
    check_hash(c, f, text, bytes);
}
