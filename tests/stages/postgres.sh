#!/bin/sh
# the store in PostgreSQL: its unit tests, several processes on one database, black-box tests
. tests/stages/common.sh

if ! sh tests/postgres/server.sh have; then
    skip "PostgreSQL is not installed"
    exit 0
fi

database=$(mktemp -d /tmp/medulla-pg.XXXXXX)
trap 'sh tests/postgres/server.sh stop "$database"' EXIT
trap 'exit 143' TERM INT HUP
MEDULLA_TEST_POSTGRES=$(sh tests/postgres/server.sh start "$database") || {
    cat "$database.log" "$database/log" 2>/dev/null
    fail "a PostgreSQL server starts"
    exit 0
}
MEDULLA_TEST_STORE=postgres
export MEDULLA_TEST_STORE MEDULLA_TEST_POSTGRES

# The whole suite on this store is `MEDULLA_TEST_STORE=postgres ./test`; here is what uses it most.
# unit_tests DIR: those of the store that are not about the files of SQLite, and searches; `twins`
# gives one history and the same questions to both kinds of store.
tests="store/write store/note store/parts store/scan store/model store/care store/threads store/postgres
    search/search search/scope search/words search/lists search/twins"
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

# api_tests PROGRAM TEST...: black-box tests against servers of which each has its own database.
api_tests() {
    MEDULLA_BIN=$1
    shift
    export MEDULLA_BIN
    start_server "$MEDULLA_BIN" || { fail "the server starts"; return; }
    code=0
    node --test --test-reporter=tap "$@" >"$STAGE_DIR/node.log" 2>&1 || code=$?
    [ "$code" = 0 ] || grep -E -A25 '^ *not ok' "$STAGE_DIR/node.log" | head -n 200
    count_log "$STAGE_DIR/node.log" node "$code"
    check "the server still lives and stops cleanly" stop_server
}

if [ -x build/medulla ]; then
    set -- tests/api/0[1-69]-*.test.mjs tests/api/12-running.test.mjs tests/api/12-search.test.mjs \
        tests/api/13-move.test.mjs tests/api/13-rest.test.mjs tests/api/14-*.test.mjs \
        tests/api/16-async.test.mjs tests/api/16-parameters.test.mjs tests/api/17-*.test.mjs
    if [ "$MEDULLA_LONG" = 1 ]; then # the clients come with the stage `api`
        # shellcheck disable=SC2046 # a list of words
        set -- $(find tests/api -maxdepth 1 -name '*.test.mjs' ! -name '13-clients*' | sort)
    fi
    api_tests "$PWD/build/medulla" "$@"
fi
if [ "$MEDULLA_LONG" = 1 ] && build "ASan and UBSan" build-asan -Db_sanitize=address,undefined \
    -Db_lundef=false -Doptimization=1; then
    unit_tests build-asan
fi
