#!/bin/sh
# HTTP alone: the protocol, and rows N01 N03 N04 N05 N06 N11, directly and through nginx
. tests/stages/common.sh

set -- tests/http/*.test.mjs
run() {
    code=0
    node --test --test-reporter=tap "$@" >"$STAGE_DIR/node.log" 2>&1 || code=$?
    grep -E '^# N[0-9]+ ' "$STAGE_DIR/node.log" | sed 's/^# //' || true
    if [ "$code" != 0 ]; then
        grep -v '^ *# Subtest' "$STAGE_DIR/node.log" | grep -E -A25 '^ *not ok' | head -n 400
    fi
    count_log "$STAGE_DIR/node.log" node "$code"
}

if build "release" build -Dwerror=true; then
    MEDULLA_HTTP_LAB=$PWD/build/tests/http/echo_server run "$@"
fi
if build "ASan and UBSan" build-asan -Db_sanitize=address,undefined -Db_lundef=false \
    -Doptimization=1; then
    ASAN_OPTIONS=detect_stack_use_after_return=1:abort_on_error=1:detect_leaks=1
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export ASAN_OPTIONS UBSAN_OPTIONS
    MEDULLA_HTTP_LAB=$PWD/build-asan/tests/http/echo_server MEDULLA_SANITIZED=1 run "$@"
fi
