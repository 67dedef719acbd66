/* note_file.c - files that belong to notes, for every process of the store. On a connection of
 * their own, piece by piece: neither commits nor readers wait for them. */
#include <unistd.h>

#include "base/mem.h"
#include "store/postgres/postgres_impl.h"

enum { PIECE = 1 << 20 };

/* As much of a piece as there is; -1 when the file can not be read. */
static ssize_t read_piece(int fd, off_t at, char *to)
{
    ssize_t n = 0, more = 1;
    while (n < PIECE && more > 0) {
        more = pread(fd, to + n, (size_t)(PIECE - n), at + n);
        n += more > 0 ? more : 0;
    }
    return more < 0 ? -1 : n;
}

static bool write_piece(int fd, med_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n <= 0)
            return false;
        bytes = med_str_skip(bytes, (size_t)n);
    }
    return true;
}

static bool put_pieces(struct pg_connection *c, med_str name, int fd, char *room, med_err *err)
{
    struct pg_parameters cut = {0};
    ssize_t n = 0;
    med_pg_bytes(&cut, name);
    bool good = med_pg_run(c, STATEMENT_CUT_NOTE_FILE, &cut, err);
    for (off_t piece = 0; good; piece++) {
        struct pg_parameters p = {0};
        n = read_piece(fd, piece * PIECE, room);
        if (n <= 0)
            break;
        med_pg_bytes(&p, name);
        med_pg_int(&p, piece);
        med_pg_bytes(&p, (med_str){room, (size_t)n});
        good = med_pg_run(c, STATEMENT_ADD_NOTE_FILE, &p, err);
    }
    return good && (n >= 0 || MED_FAIL(err, MED_ISSUE_EXCEPTION, "the file can not be read"));
}

bool med_pg_put_note_file(med_store *store, med_str name, int fd, med_err *err)
{
    struct pg_connection c = {.conninfo = med_pg_of(store)->conninfo};
    char *room = MED_NEW(PIECE, char);
    bool good = room != NULL ? med_pg_connect(&c, err) && put_pieces(&c, name, fd, room, err)
                             : MED_FAIL_MEMORY(err);
    med_pg_disconnect(&c);
    med_free(room);
    return good;
}

static enum med_found get_piece(struct pg_connection *c, med_str name, int64_t piece, int fd,
                                med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_bytes(&p, name);
    med_pg_int(&p, piece);
    PGresult *r = med_pg_ask(c, STATEMENT_NOTE_FILE, &p, err);
    bool there = r != NULL && PQntuples(r) == 1;
    bool good = r != NULL
                && (!there || write_piece(fd, med_pg_bytes_at(r, 0, 0))
                    || MED_FAIL(err, MED_ISSUE_NO_STORE, "the file can not be written here"));
    PQclear(r);
    return !good ? MED_FAILED : there ? MED_FOUND : MED_ABSENT;
}

enum med_found med_pg_get_note_file(med_store *store, med_str name, int fd, med_err *err)
{
    struct pg_connection c = {.conninfo = med_pg_of(store)->conninfo};
    int64_t piece = 0;
    enum med_found found = med_pg_connect(&c, err) ? MED_FOUND : MED_FAILED;
    while (found == MED_FOUND)
        found = get_piece(&c, name, piece++, fd, err);
    med_pg_disconnect(&c);
    return found == MED_ABSENT && piece > 1 ? MED_FOUND : found;
}
