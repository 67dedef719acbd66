#include "database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

bool test_store_is_postgres(void)
{
    const char *which = getenv("MEDULLA_TEST_STORE");
    return which != NULL && strcmp(which, "postgres") == 0;
}

void test_database_run(const char *conninfo, const char *sql)
{
    PGconn *c = PQconnectdb(conninfo);
    if (PQstatus(c) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(c));
    PGresult *r = PQexec(c, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s", PQresultErrorMessage(r));
    PQclear(r);
    PQfinish(c);
}

static const char *server_and_name(const char *dir, const char **name)
{
    const char *server = getenv("MEDULLA_TEST_POSTGRES");
    assert_non_null(server);
    *name = strrchr(dir, '-') + 1;
    return server;
}

void test_database_make(const char *dir, char conninfo[TEST_DATABASE])
{
    char sql[128];
    const char *name;
    const char *server = server_and_name(dir, &name);
    (void)snprintf(sql, sizeof sql, "CREATE DATABASE \"test%s\"", name);
    test_database_run(server, sql);
    (void)snprintf(conninfo, TEST_DATABASE, "%s dbname=test%s", server, name);
}

void test_database_drop(const char *dir)
{
    char sql[128];
    const char *name;
    const char *server = server_and_name(dir, &name);
    (void)snprintf(sql, sizeof sql, "DROP DATABASE \"test%s\" WITH (FORCE)", name);
    test_database_run(server, sql);
}
