/* How PostgreSQL answers each statement of the store: never by walking through a table, whatever
 * its statistics say. Skipped where MEDULLA_TEST_STORE is not postgres. */
#include "kit.h"

#include <libpq-fe.h>
#include <math.h>

#include "store/postgres/postgres_impl.h"

static const struct {
    const char *name, *sql;
} statements[] = {
#define STATEMENT_ROW(name, sql) {#name, sql},
    STATEMENTS(STATEMENT_ROW)
#undef STATEMENT_ROW
};

/* These are meant to see all rows of a small table, or of every one, or whether there is one. */
static bool may_walk(const char *name)
{
    return strcmp(name, "OTHERS") == 0 || strcmp(name, "IS_EMPTY") == 0
           || strcmp(name, "USES_OF_NOBODY") == 0 || strcmp(name, "NAMES") == 0
           || strcmp(name, "NOT_IN_FEED") == 0 || strcmp(name, "DROP_NODE") == 0
           || strcmp(name, "EMPTY_POSTING") == 0;
}

static bool is_command(const char *sql)
{
    return strncmp(sql, "BEGIN", 5) == 0 || strcmp(sql, "COMMIT") == 0
           || strcmp(sql, "ROLLBACK") == 0;
}

static int parameters_of(const char *sql)
{
    int most = 0;
    for (const char *at = strchr(sql, '$'); at != NULL; at = strchr(at + 1, '$')) {
        int number = (int)strtol(at + 1, NULL, 10);
        most = number > most ? number : most;
    }
    return most;
}

/* The session's settings as the store has them. */
static PGconn *planner(struct kit *k)
{
    PGconn *c = PQconnectdb(k->database);
    PQclear(PQexec(c, med_pg_session()));
    return c;
}

/* What EXPLAIN says of a statement, without numbers: as it is planned for whatever values. */
static void plan_of(PGconn *c, size_t i, char *out, size_t room)
{
    char sql[4000];
    (void)snprintf(sql, sizeof sql, "PREPARE one AS %s", statements[i].sql);
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", statements[i].name, PQresultErrorMessage(r));
    PQclear(r);
    int n = parameters_of(statements[i].sql);
    (void)snprintf(sql, sizeof sql, "EXPLAIN (COSTS OFF) EXECUTE one");
    for (int p = 0; p < n; p++)
        (void)snprintf(sql + strlen(sql), sizeof sql - strlen(sql), "%sNULL%s", p == 0 ? "(" : ", ",
                       p == n - 1 ? ")" : "");
    r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", statements[i].name, PQresultErrorMessage(r));
    out[0] = '\0';
    for (int row = 0; row < PQntuples(r); row++)
        (void)snprintf(out + strlen(out), room - strlen(out), "%s\n", PQgetvalue(r, row, 0));
    PQclear(r);
    PQclear(PQexec(c, "DEALLOCATE one"));
}

enum { PLAN_ROOM = 6000 };

/* It goes through a table, or through all rows of an index for each row of something else. */
static bool walks(const char *plan)
{
    if (strstr(plan, "Seq Scan") != NULL || strstr(plan, "Hash Join") != NULL
        || strstr(plan, "Merge Join") != NULL || strstr(plan, "Join Filter") != NULL)
        return true;
    bool few = false; /* what is above takes only some */
    for (const char *at = plan; *at != '\0'; at += strcspn(at, "\n") + 1) {
        size_t line = strcspn(at, "\n") + 1;
        const char *next = at + line + strspn(at + line, " ");
        bool scan = memmem(at, line, " using ", 7) != NULL;
        if (scan && !few && strncmp(next, "Index Cond", 10) != 0)
            return true;
        few = memmem(at, line, "Limit", 5) != NULL
              || (few && memmem(at, line, "LockRows", 8) != NULL);
    }
    return false;
}

static int look_at_plans(struct kit *k, const char *when)
{
    int walking = 0;
    PGconn *c = planner(k);
    for (size_t i = 0; i < COUNT(statements); i++) {
        char plan[PLAN_ROOM];
        if (is_command(statements[i].sql) || may_walk(statements[i].name))
            continue;
        plan_of(c, i, plan, sizeof plan);
        if (walks(plan))
            print_message("%s, %s:\n%s", statements[i].name, when, plan);
        walking += walks(plan);
    }
    PQfinish(c);
    return walking;
}

/* Statistics that are old, new, or tell of other data than there is: no plan walks for that. */
static void no_plan_walks_through_a_table(void **state)
{
#define OF_STORE "(SELECT oid FROM pg_class WHERE relnamespace = 'medulla'::regnamespace)"
    static const char *const as_if[] = {
        "INSERT INTO medulla.target SELECT n, n, 0 FROM generate_series(1, 1000) AS n;"
        "INSERT INTO medulla.posting SELECT n, n, '', '' FROM generate_series(1, 1000) AS n;"
        "INSERT INTO medulla.code SELECT 9, n, '', '', '' FROM generate_series(1, 1000) AS n;"
        "INSERT INTO medulla.counter SELECT 9, n, 1 FROM generate_series(1, 1000) AS n;"
        "INSERT INTO medulla.part (hash, bytes) SELECT n::text::bytea, ''"
        " FROM generate_series(1, 1000) AS n;"
        "INSERT INTO medulla.part_use SELECT n, 1, n::text::bytea FROM generate_series(1, 1000) AS "
        "n",
        "ANALYZE",
        "UPDATE pg_class SET reltuples = 1e9, relpages = 1 WHERE oid IN " OF_STORE,
        "UPDATE pg_statistic s SET stadistinct = 1 FROM pg_attribute a WHERE starelid IN " OF_STORE
        " AND attrelid = starelid AND attnum = staattnum AND attname NOT IN ('rid', 'hash')",
        "UPDATE pg_statistic SET stadistinct = -1, stakind1 = 0, stakind2 = 0, stakind3 = 0"
        " WHERE starelid IN " OF_STORE,
        "UPDATE pg_class SET reltuples = 1, relpages = 1 WHERE oid IN " OF_STORE,
    };
    struct kit *k = *state;
    if (!k->postgres)
        skip();
    int walking = look_at_plans(k, "empty");
    kit_write_many(k, "statistics");
    for (size_t step = 0; step < COUNT(as_if); step++) {
        PGconn *c = PQconnectdb(k->database);
        PGresult *r = PQexec(c, as_if[step]);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            fail_msg("%s", PQresultErrorMessage(r));
        PQclear(r);
        PQfinish(c);
        walking += look_at_plans(k, as_if[step]);
    }
    assert_int_equal(walking, 0);
}

/* ---- explain ---- */

/* How often the server made a plan for the statement as it is, and how often one for its values. */
static void count_plans(struct pg_connection *c, enum statement id, int64_t *general, int64_t *own)
{
    char sql[200];
    med_err err = {0};
    (void)snprintf(sql, sizeof sql,
                   "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = "
                   "'%s'",
                   med_pg_name(id));
    PGresult *r = med_pg_ask_text(c, sql, &err);
    if (r == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(PQntuples(r), 1);
    *general = med_pg_int_at(r, 0, 0);
    *own = med_pg_int_at(r, 0, 1);
    PQclear(r);
}

static void explain_one(struct pg_connection *c, enum statement id, const struct pg_parameters *p)
{
    int64_t general = 0, own = 0, before = 0;
    med_err err = {0};
    if (!med_pg_run(c, id, p, &err))
        fail_msg("%s: %s", med_pg_name(id), err.text);
    count_plans(c, id, &before, &own);
    PGresult *r = med_pg_ask_plan(c, id, p, &err);
    if (r == NULL)
        fail_msg("%s: %s", med_pg_name(id), err.text);
    assert_non_null(strstr(PQgetvalue(r, 0, 0), "\"Actual Rows\""));
    PQclear(r);
    count_plans(c, id, &general, &own);
    assert_int_equal(general, before + 1);
    assert_int_equal(own, 0);
}

/* Of values of every kind, also those that a text could break on. */
static void what_is_explained_is_what_is_used(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    if (!k->postgres)
        skip();
    struct pg_connection c = {.conninfo = k->database};
    if (!med_pg_connect(&c, &err))
        fail_msg("%s", err.text);
    struct pg_parameters ints = {0}, reals = {0}, texts = {0}, arrays = {0};
    med_pg_int(&ints, INT64_MIN);
    explain_one(&c, STATEMENT_READ_RID, &ints);
    med_pg_int(&reals, 1);
    med_pg_int(&reals, -2);
    med_pg_real(&reals, -(double)INFINITY);
    med_pg_int(&reals, 0);
    med_pg_real(&reals, 0.1);
    med_pg_int(&reals, 10);
    explain_one(&c, STATEMENT_QUANTITY_UP, &reals);
    med_pg_int(&texts, 1);
    med_pg_bytes(&texts, (med_str){"a'\\\"\0\xff", 6});
    med_pg_int(&texts, 0);
    med_pg_bytes(&texts, MED_STR("12345678"));
    med_pg_int(&texts, 10);
    explain_one(&c, STATEMENT_STRING_UP, &texts);
    struct pg_array of[3];
    static const enum pg_element kinds[] = {PG_INT, PG_BYTES, PG_INT};
    for (size_t i = 0; i < 3; i++)
        med_pg_array_init(&of[i], kinds[i]);
    for (int i = 0; i < 3; i++) {
        med_pg_array_int(&of[0], i - 1);
        if (i == 1)
            med_pg_array_null(&of[1]);
        else
            med_pg_array_bytes(&of[1], i == 0 ? MED_STR("}',{\"\\") : MED_STR_EMPTY);
        med_pg_array_int(&of[2], i);
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(med_pg_add_array(&arrays, &of[i]));
    explain_one(&c, STATEMENT_BLOCK_FIRSTS, &arrays);
    for (size_t i = 0; i < 3; i++)
        med_pg_array_clear(&of[i]);
    arrays = (struct pg_parameters){0};
    for (size_t i = 0; i < 3; i++)
        assert_true(med_pg_add_array(&arrays, &of[i]));
    explain_one(&c, STATEMENT_BLOCK_FIRSTS, &arrays);
    for (size_t i = 0; i < 3; i++)
        med_pg_array_free(&of[i]);
    med_pg_disconnect(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_plan_walks_through_a_table, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(what_is_explained_is_what_is_used, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
