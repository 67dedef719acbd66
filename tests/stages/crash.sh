#!/bin/sh
# kill -9, power cuts, bit flips, full disk, I/O errors, no memory (tests/crash)
. tests/stages/common.sh
[ -x tests/crash/run ] || { skip "tests/crash/run is not there yet"; exit 0; }
build "release" build -Dwerror=true -Dtests=true || exit 1
mode=short
[ "$MEDULLA_LONG" = 0 ] || mode=long
MEDULLA_BIN=$PWD/build/medulla
TMPDIR=$STAGE_DIR
export MEDULLA_BIN TMPDIR
code=0
tests/crash/run "$mode" >"$STAGE_DIR/crash.log" 2>&1 || code=$?
tail -n 60 "$STAGE_DIR/crash.log"
count_log "$STAGE_DIR/crash.log" line "$code"
