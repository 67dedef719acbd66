#!/bin/sh
# the examples of README and docs do what they say
. tests/stages/common.sh
[ -x tests/docs/run_examples.py ] || { skip "tests/docs/run_examples.py is not there yet"; exit 0; }
build "release" build -Dwerror=true -Dtests=true || exit 1
[ -x build/medulla ] || { skip "build/medulla is not there yet"; exit 0; }
code=0
tests/docs/run_examples.py --program build/medulla >"$STAGE_DIR/docs.log" 2>&1 || code=$?
cat "$STAGE_DIR/docs.log"
count_log "$STAGE_DIR/docs.log" line "$code"
