/* database.h - a database of its own for each test, in the server that MEDULLA_TEST_POSTGRES names;
 * its name is that of the test's directory ("/tmp/medulla-test-XXXXXX"). */
#ifndef MED_TESTS_DATABASE_H
#define MED_TESTS_DATABASE_H

#include <stdbool.h>

enum { TEST_DATABASE = 200 };

/* MEDULLA_TEST_STORE=postgres */
bool test_store_is_postgres(void);
void test_database_run(const char *conninfo, const char *sql);
void test_database_make(const char *dir, char conninfo[TEST_DATABASE]);
void test_database_drop(const char *dir);

#endif
