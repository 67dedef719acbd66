#!/bin/sh
# the store in PostgreSQL: its unit tests, several processes on one database
. tests/stages/common.sh

if ! sh tests/postgres/server.sh have; then
    skip "PostgreSQL is not installed"
    exit 0
fi

start_database || exit 0

# The whole suite on this store is `MEDULLA_TEST_STORE=postgres ./test`; here is what uses it most. The
# black-box tests of this store are the release pass of the stage `api`.
# unit_tests DIR: those of the store that are not about the files of SQLite, and searches; `twins`
# gives one history and the same questions to both kinds of store.
tests="store/write store/note store/parts store/scan store/model store/care store/threads store/postgres
    store/plans search/search search/scope search/words search/lists search/twins"
[ "$MEDULLA_LONG" != 1 ] || tests="$tests search/model search/plan"
unit_tests() {
    for test in $tests; do
        name=$(echo "$test" | tr / _)
        code=0
        "$1/tests/unit/${test%/*}/test_$name" >"$STAGE_DIR/$name.log" 2>&1 || code=$?
        ok=$(grep -c '^\[       OK' "$STAGE_DIR/$name.log" || true)
        bad=$(grep -c '^\[  FAILED  \] [a-z]' "$STAGE_DIR/$name.log" || true)
        if [ "$code" != 0 ]; then
            cat "$STAGE_DIR/$name.log"
            [ "$bad" != 0 ] || bad=1
        fi
        count "$ok" "$bad" 0
        echo "$name: $ok passed, $bad failed"
    done
}

if build "release" build -Dwerror=true -Dtests=true; then
    unit_tests build
fi

if [ "$MEDULLA_LONG" = 1 ] && build "ASan and UBSan" build-asan -Db_sanitize=address,undefined \
    -Db_lundef=false -Doptimization=1; then
    unit_tests build-asan
fi
