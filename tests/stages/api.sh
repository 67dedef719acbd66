#!/bin/sh
# black-box tests over HTTP: the release program on PostgreSQL, then the one with ASan and UBSan on SQLite
. tests/stages/common.sh

set -- tests/api/*.test.mjs
ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=1
UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
TSAN_OPTIONS=halt_on_error=1
export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS

# The clients that 13-clients.test.mjs drives, by their lock file.
install_clients() {
    clients=tests/api/clients
    cmp -s $clients/package-lock.json $clients/node_modules/.medulla-lock && return
    if (cd $clients && npm ci) >"$STAGE_DIR/npm.log" 2>&1; then
        cp $clients/package-lock.json $clients/node_modules/.medulla-lock
    else
        tail -n 20 "$STAGE_DIR/npm.log"
        fail "npm fetches the clients"
    fi
}

# run PROGRAM TEST...: against a server of its own; the tests start others with other settings.
run() {
    MEDULLA_BIN=$1
    shift
    export MEDULLA_BIN
    start_server "$MEDULLA_BIN" || { fail "the server starts"; return; }
    code=0
    node --test --test-reporter=tap "$@" >"$STAGE_DIR/node.log" 2>&1 || code=$?
    if [ "$code" != 0 ]; then
        grep -v '^ *# Subtest' "$STAGE_DIR/node.log" | grep -E -A25 '^ *not ok' | head -n 400
    fi
    count_log "$STAGE_DIR/node.log" node "$code"
    check "the server still lives and stops cleanly" stop_server
    if grep -h -E -A20 'Sanitizer|runtime error' "$STAGE_DIR/server.log" "$STAGE_DIR/node.log"; then
        fail "no sanitizer report in a server's log"
    fi
}

install_clients
if build "release" build -Dwerror=true -Dtests=true; then
    if [ "$MEDULLA_TEST_STORE" = postgres ] || ! sh tests/postgres/server.sh have; then
        run "$PWD/build/medulla" "$@"
    elif start_database; then
        run "$PWD/build/medulla" "$@"
        stop_database
    fi
fi
if build "ASan and UBSan" build-asan -Db_sanitize=address,undefined -Db_lundef=false \
    -Doptimization=1; then
    run "$PWD/build-asan/medulla" "$@"
fi
if [ "$MEDULLA_LONG" = 1 ] && build "TSan" build-tsan -Db_sanitize=thread -Db_lundef=false \
    -Doptimization=1 -Dtests=false; then
    run "$PWD/build-tsan/medulla" "$@"
fi
