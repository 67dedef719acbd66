/* bundle.c - https://hl7.org/fhir/R4/bundle.html */
#include "fhir/bundle.h"

#include "fhir/respond.h"

void med_bundle_open(med_bundle *b, med_call *call, const char *type)
{
    char id[MED_UUID_LEN], now[MED_INSTANT_LEN];
    *b = (med_bundle){.call = call};
    med_buf_init(&b->buf, MED_JSON_MAX_BYTES);
    b->writer = med_json_writer_to(&b->buf);
    med_random_uuid(call->fhir->random, id);
    med_instant_format(med_now(call->fhir->clock), now);
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "resourceType", MED_STR("Bundle"));
    med_json_pair(&b->writer, "id", (med_str){id, sizeof id});
    med_json_pair(&b->writer, "type", med_str_from(type));
    med_json_pair(&b->writer, "timestamp", (med_str){now, sizeof now});
}

void med_bundle_total(med_bundle *b, uint64_t total)
{
    med_json_key(&b->writer, MED_STR("total"));
    med_json_int(&b->writer, (int64_t)total);
}

static bool links_open(const med_bundle *b)
{
    return b->writer.depth == 2 && !b->in_entries;
}

void med_bundle_link(med_bundle *b, const char *relation, med_str path_and_query)
{
    if (!links_open(b)) {
        med_json_key(&b->writer, MED_STR("link"));
        med_json_open(&b->writer, '[');
    }
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "relation", med_str_from(relation));
    med_json_pair(&b->writer, "url",
                  med_arena_printf(b->call->arena, "%.*s%s%.*s", MED_STR_ARG(b->call->fhir->base),
                                   path_and_query.len > 0 ? "/" : "", MED_STR_ARG(path_and_query)));
    med_json_close(&b->writer, '}');
}

void med_bundle_entry_plain(med_bundle *b)
{
    if (links_open(b))
        med_json_close(&b->writer, ']');
    if (!b->in_entries) {
        med_json_key(&b->writer, MED_STR("entry"));
        med_json_open(&b->writer, '[');
        b->in_entries = true;
    }
    med_json_open(&b->writer, '{');
}

void med_bundle_entry(med_bundle *b, uint32_t type, med_str id)
{
    const med_fhir *f = b->call->fhir;
    med_str name = med_type_name(f->pack, med_schema_pack_type(f->schema, type));
    med_bundle_entry_plain(b);
    med_json_key(&b->writer, MED_STR("fullUrl"));
    med_buf *out = b->writer.out;
    /* Base, type and id need no escapes. */
    med_json_raw_value(&b->writer, MED_STR("\""));
    med_buf_add(out, f->base);
    med_buf_addc(out, '/');
    med_buf_add(out, name);
    med_buf_addc(out, '/');
    med_buf_add(out, id);
    med_buf_addc(out, '"');
}

bool med_bundle_resource(med_bundle *b, const med_stored *s, const med_shape *shape, med_err *err)
{
    med_json_key(&b->writer, MED_STR("resource"));
    med_json_raw_value(&b->writer, MED_STR_EMPTY);
    return med_render_shaped(b->call, b->writer.out, s, shape, err);
}

void med_bundle_entry_close(med_bundle *b)
{
    med_json_close(&b->writer, '}');
}

bool med_bundle_close(med_bundle *b, med_err *err)
{
    if (b->in_entries || links_open(b))
        med_json_close(&b->writer, ']');
    med_json_close(&b->writer, '}');
    med_fhir_response *r = &b->call->response;
    bool kept = !b->buf.failed && med_arena_copy(b->call->arena, med_buf_str(&b->buf), &r->body);
    med_bundle_free(b);
    if (!kept)
        return MED_FAIL_MEMORY(err);
    r->status = 200;
    return true;
}

void med_bundle_free(med_bundle *b)
{
    med_buf_free(&b->buf);
}
