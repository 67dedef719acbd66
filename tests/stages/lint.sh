#!/bin/sh
# clang-tidy, cppcheck and gcc -fanalyzer over every source
. tests/stages/common.sh
lint() {
    code=0
    tools/lint.py "$1" "$2" >"$STAGE_DIR/lint.log" 2>&1 || code=$?
    [ "$code" = 0 ] || cat "$STAGE_DIR/lint.log"
    echo "$1: $(tail -n 1 "$STAGE_DIR/lint.log")" >"$STAGE_DIR/last"
    cat "$STAGE_DIR/last"
    count_log "$STAGE_DIR/lint.log" line "$code"
}
build "gcc" build -Dwerror=true -Dtests=true && lint analyzer build
lint cppcheck build
CC=clang
export CC
build "clang" build-clang -Dwerror=true && lint tidy build-clang
