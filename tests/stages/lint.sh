#!/bin/sh
# cppcheck over every source; the long form adds gcc -fanalyzer and clang-tidy
. tests/stages/common.sh
lint() {
    code=0
    tools/lint.py "$1" "$2" >"$STAGE_DIR/lint.log" 2>&1 || code=$?
    [ "$code" = 0 ] || cat "$STAGE_DIR/lint.log"
    echo "$1: $(tail -n 1 "$STAGE_DIR/lint.log")" >"$STAGE_DIR/last"
    cat "$STAGE_DIR/last"
    count_log "$STAGE_DIR/lint.log" line "$code"
}
build "gcc" build -Dwerror=true -Dtests=true || exit 1
lint cppcheck build
[ "$MEDULLA_LONG" = 1 ] || exit 0
lint analyzer build
CC=clang
export CC
build "clang" build-clang -Dwerror=true && lint tidy build-clang
