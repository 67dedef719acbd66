#!/bin/sh
# unit tests, in the release build and under ASan and UBSan
. tests/stages/common.sh

unit_tests() {
    code=0
    meson test -C "$1" --suite unit --no-rebuild --print-errorlogs --num-processes 2 \
        --timeout-multiplier 5 \
        >"$STAGE_DIR/meson.log" 2>&1 || code=$?
    if [ "$code" = 0 ]; then
        grep -E '^(Ok|Fail|Skipped):' "$STAGE_DIR/meson.log" | tr -s ' \n' ' '
        echo
    else
        cat "$STAGE_DIR/meson.log"
    fi
    count_log "$1/meson-logs/testlog.json" meson "$code"
}

if build "release" build -Dwerror=true -Dtests=true; then
    unit_tests build
fi
if build "ASan and UBSan" build-asan -Db_sanitize=address,undefined -Db_lundef=false \
    -Doptimization=1; then
    ASAN_OPTIONS=detect_stack_use_after_return=1:abort_on_error=1
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export ASAN_OPTIONS UBSAN_OPTIONS
    unit_tests build-asan
fi
