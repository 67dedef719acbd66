/* Every statement is there, compiles on the schema, and goes to its rows by a key: none walks
 * through a table. */
#include "kit.h"

#include <sqlite3.h>

#include "store/sqlite/statement.h"

static const struct {
    const char *name, *sql;
} statements[] = {
#define STATEMENT_ROW(name, sql) {#name, sql},
    STATEMENTS(STATEMENT_ROW)
#undef STATEMENT_ROW
};

/* These are meant to see all rows of a small table, or are not queries. */
static bool may_scan(const char *name)
{
    return strcmp(name, "NAMES") == 0 || strcmp(name, "NOTES") == 0
           || strncmp(name, "PATIENT_ALL", 11) == 0 || strcmp(name, "REFERRERS") == 0
           || strcmp(name, "EMPTY_POSTING") == 0;
}

static bool is_command(const char *sql)
{
    return strncmp(sql, "BEGIN", 5) == 0 || strcmp(sql, "COMMIT") == 0
           || strcmp(sql, "ROLLBACK") == 0 || strncmp(sql, "PRAGMA", 6) == 0
           || strstr(sql, "FROM pending") != NULL;
}

static void no_statement_walks_through_a_table(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    char path[80];
    (void)snprintf(path, sizeof path, "%s/medulla.db", k->path);
    kit_close(k);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "medulla-check-unix"),
                     SQLITE_OK);
    for (size_t i = 0; i < COUNT(statements); i++) {
        if (is_command(statements[i].sql))
            continue;
        char sql[1000];
        (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", statements[i].sql);
        sqlite3_stmt *stmt = NULL;
        if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
            fail_msg("%s: %s", statements[i].name, sqlite3_errmsg(db));
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *detail = (const char *)sqlite3_column_text(stmt, 3);
            bool bad = strncmp(detail, "SCAN ", 5) == 0 && strcmp(detail, "SCAN CONSTANT ROW") != 0;
            bad = bad || strstr(detail, "TEMP B-TREE") != NULL;
            if (bad && !may_scan(statements[i].name))
                fail_msg("%s: %s", statements[i].name, detail);
        }
        (void)sqlite3_finalize(stmt);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    kit_open(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_statement_walks_through_a_table, kit_setup,
                                        kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
