/* prepare.c - what a write needs that no commit has to wait for: packing, hashing, sorting. */
#include "store/part.h"
#include "store/prepare_rows.h"
#include "store/sqlite/sqlite_impl.h"

bool med_sqlite_prepare(const med_store *store, med_arena *a, med_write *w, med_err *err)
{
    struct sqlite_store *s = (struct sqlite_store *)(uintptr_t)store; /* contexts are lent */
    med_str type = med_names_type(&s->names, w->type);
    if (type.len == 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the store has no type with number %u", w->type);
    if (w->id.len == 0 || w->id.len > MED_ID_BYTES)
        return MED_FAIL(err, MED_ISSUE_VALUE, "an id has 1 to %d characters", (int)MED_ID_BYTES);
    w->ident = med_store_ident(store, type, w->id);
    if (w->kind != MED_WRITE_PUT)
        return true;
    if (w->index_only)
        return med_rows_prepare(a, &w->rows, err);
    med_siphash128(*med_keyring_check(&s->keys, med_keyring_current(&s->keys)), w->text, w->hash);
    return med_rows_prepare(a, &w->rows, err) && med_parts_pack(&s->packer, a, w, err);
}
