#!/bin/sh
# black-box tests over HTTP; the long form against the program built with ASan and UBSan
. tests/stages/common.sh

set -- tests/api/*.test.mjs
[ -f "$1" ] || { skip "tests/api has no test yet"; exit 0; }
if [ "$MEDULLA_LONG" = 1 ]; then
    build "ASan and UBSan" build-asan -Db_sanitize=address,undefined -Db_lundef=false \
        -Doptimization=1 || exit 1
    MEDULLA_BIN=$PWD/build-asan/medulla
else
    build "release" build -Dwerror=true -Dtests=true || exit 1
    MEDULLA_BIN=$PWD/build/medulla
fi
ASAN_OPTIONS=abort_on_error=1:detect_leaks=1
UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export MEDULLA_BIN ASAN_OPTIONS UBSAN_OPTIONS
start_server "$MEDULLA_BIN" || { fail "the server starts"; exit 1; }
code=0
node --test --test-reporter=tap "$@" >"$STAGE_DIR/node.log" 2>&1 || code=$?
if [ "$code" != 0 ]; then
    grep -v '^ *# Subtest' "$STAGE_DIR/node.log" | grep -E -A25 '^ *not ok' | head -n 400
fi
count_log "$STAGE_DIR/node.log" node "$code"
check "the server still lives and stops cleanly" stop_server
if grep -E 'AddressSanitizer|runtime error|LeakSanitizer' "$STAGE_DIR/server.log"; then
    fail "no sanitizer report in the server's log"
fi
