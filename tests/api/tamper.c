/* tamper.c - runs SQL on a store that nobody has open, past everything that guards it.
 *
 *     build/tests/api/tamper DATA SQL
 *
 * For tests of what notices it. Pages get their right check values, so that only the missing or
 * foreign row is wrong. */
#include <stdio.h>

#include "store/sqlite/connection.h"

int main(int argc, char **argv)
{
    char file[4096];
    char *message = NULL;
    med_err err = {0};
    struct connection c;
    if (argc != 3) {
        (void)fputs("usage: tamper DATA SQL\n", stderr);
        return 2;
    }
    (void)snprintf(file, sizeof file, "%s/medulla.db", argv[1]);
    if (!med_connection_open(&c, file, NULL, CONNECTION_WRITER, 1 << 20, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int rc = sqlite3_exec(c.db, argv[2], NULL, NULL, &message);
    int changed = sqlite3_changes(c.db);
    if (rc != SQLITE_OK)
        (void)fprintf(stderr, "%s\n", message);
    sqlite3_free(message);
    med_connection_close(&c);
    (void)printf("%d rows changed\n", changed);
    return rc == SQLITE_OK && changed > 0 ? 0 : 1;
}
