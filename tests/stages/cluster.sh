#!/bin/sh
# several PostgreSQL servers and processes: failover, reading from standbys, three servers of one store
. tests/stages/common.sh

if ! sh tests/postgres/server.sh have; then
    skip "PostgreSQL is not installed"
    exit 0
fi
if build "release" build -Dwerror=true -Dtests=true; then
    MEDULLA_BIN=$PWD/build/medulla
    export MEDULLA_BIN
    code=0
    node --test --test-reporter=tap tests/cluster/*.test.mjs >"$STAGE_DIR/node.log" 2>&1 || code=$?
    [ "$code" = 0 ] || grep -E -A25 '^ *not ok' "$STAGE_DIR/node.log" | head -n 200
    grep -E '^# [0-9]+ acknowledged' "$STAGE_DIR/node.log" || true
    count_log "$STAGE_DIR/node.log" node "$code"
fi
