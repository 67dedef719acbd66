#!/bin/sh
# the shipped nginx configuration: what it refuses, replaces and lets through
. tests/stages/common.sh
code=0
node --test --test-reporter=tap tests/edge/edge.test.mjs >"$STAGE_DIR/node.log" 2>&1 || code=$?
[ "$code" = 0 ] || cat "$STAGE_DIR/node.log"
count_log "$STAGE_DIR/node.log" node "$code"
