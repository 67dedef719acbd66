/* checkpoint.c - moves the WAL into the file, on the commit thread's connection only.
 *
 * Nobody else checkpoints: two connections that do can lose commits with this SQLite
 * (med_sqlite_has_wal_race). The WAL begins anew when all of it is in the file and no reader
 * still looks at it; readers that stand in the way for too long lose their snapshot. */
#include "store/sqlite/sqlite_impl.h"

enum { FRAME = 4096 + 24 };

/* sqlite3_wal_hook: called after each commit with the size of the WAL. */
int med_sqlite_note_wal(void *store, sqlite3 *db, const char *name, int pages)
{
    struct sqlite_store *s = store;
    (void)db;
    (void)name;
    s->wal_pages = pages < 0 ? 0 : (size_t)pages;
    atomic_store(&s->wal_bytes, s->wal_pages * FRAME);
    return SQLITE_OK;
}

/* True when all of the WAL is in the file and nobody reads it: the next write begins it anew. */
static bool checkpoint(struct sqlite_store *s, int mode)
{
    int in_wal = 0;
    int moved = 0;
    int rc = sqlite3_wal_checkpoint_v2(s->writer.db, "main", mode, &in_wal, &moved);
    atomic_fetch_add(&s->checkpoints, 1);
    if (rc == SQLITE_OK)
        return in_wal == moved;
    if ((rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_FULL) {
        atomic_fetch_add(&s->sync_failures, 1);
        s->failed = true;
        med_sqlite_log(s, MED_LOG_ERROR,
                       "a checkpoint failed at the disk: no more writes until this process has "
                       "started again",
                       rc);
    }
    return false;
}

static void cut_readers(struct sqlite_store *s)
{
    for (unsigned i = 0; i < s->n_slots; i++)
        med_sqlite_view_cut(&s->slots[i]);
    atomic_fetch_add(&s->cuts, 1);
    med_sqlite_log(s, MED_LOG_WARN, "readers were ended because they held back the WAL", 0);
}

bool med_sqlite_checkpoint_all(struct sqlite_store *s)
{
    bool whole = checkpoint(s, SQLITE_CHECKPOINT_TRUNCATE);
    if (whole) {
        s->wal_pages = 0;
        atomic_store(&s->wal_bytes, 0);
    }
    return whole;
}

bool med_sqlite_wal_has_room(struct sqlite_store *s)
{
    return s->wal_pages < s->wal_serving / FRAME || checkpoint(s, SQLITE_CHECKPOINT_RESTART);
}

/* Below the bound nothing is done. From it on the WAL is moved as far as readers allow, again
 * each quarter of the bound; at twice the bound readers give way. */
void med_sqlite_checkpoint_if_due(struct sqlite_store *s, bool bulk)
{
    size_t bound = (bulk ? s->wal_bulk : s->wal_serving) / FRAME;
    if (s->wal_cut_due) {
        s->wal_cut_due = !med_sqlite_checkpoint_all(s);
        return;
    }
    if (s->wal_pages < bound) {
        s->wal_next_try = 0;
        return;
    }
    if (s->wal_pages < s->wal_next_try)
        return;
    bool whole = checkpoint(s, SQLITE_CHECKPOINT_RESTART);
    if (!whole && s->wal_pages >= bound * 2 && !s->failed) {
        cut_readers(s);
        whole = checkpoint(s, SQLITE_CHECKPOINT_RESTART);
    }
    s->wal_next_try = whole ? 0 : s->wal_pages + bound / 4;
}
