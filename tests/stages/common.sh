# common.sh - what the stages share; sourced, with the repository as working directory.
# shellcheck shell=sh
set -eu
. tools/lib.sh

passed=0
failed=0
skipped=0

# count PASSED FAILED SKIPPED
count() {
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    echo "$passed $failed $skipped" >"$STAGE_DIR/counts"
}

pass() {
    echo "ok      $*"
    count 1 0 0
}

fail() {
    echo "FAILED  $*"
    count 0 1 0
}

skip() {
    echo "skipped $*"
    count 0 0 1
}

# check NAME COMMAND...: one test; what the command says is shown when it fails.
check() {
    name=$1
    shift
    if "$@" >"$STAGE_DIR/check.log" 2>&1; then
        pass "$name ($(tail -n 1 "$STAGE_DIR/check.log"))"
    else
        cat "$STAGE_DIR/check.log"
        fail "$name"
    fi
}

# count_log LOG KIND CODE: takes the counts out of a runner's output (tools/count_tests.py).
count_log() {
    counts=$(python3 tools/count_tests.py "$2" "$1" "$3") || return 1
    # shellcheck disable=SC2086 # three numbers
    count $counts
}

# build NAME DIR OPTION...: builds quietly; one test.
build() {
    name=$1
    shift
    if build_in "$@" >"$STAGE_DIR/build.log" 2>&1; then
        pass "$name"
    else
        grep -E -A8 'FAILED|error|ERROR' "$STAGE_DIR/build.log" | head -n 80
        fail "$name"
        return 1
    fi
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# await_url URL PID: until URL answers 200, at most 20 s, or the process is gone.
await_url() {
    tries=0
    until curl -s -o /dev/null -f --max-time 2 "$1"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 200 ] || ! kill -0 "$2" 2>/dev/null; then
            return 1
        fi
        sleep 0.1
    done
}

# start_server PROGRAM [FLAG...]: an empty server of its own; sets MEDULLA_URL (the FHIR base),
# MEDULLA_ORIGIN and server_pid. Its log is $STAGE_DIR/server.log. ./test ends what stays.
start_server() {
    program=$1
    shift
    port=$(free_port)
    server_data=$(mktemp -d "$STAGE_DIR/data.XXXXXX")
    if [ "${MEDULLA_TEST_STORE-}" = postgres ]; then # a database of its own
        psql -q -c "CREATE DATABASE stage_$port" "$MEDULLA_TEST_POSTGRES" || return 1
        set -- "$@" --store "postgres:$MEDULLA_TEST_POSTGRES dbname=stage_$port"
    fi
    MEDULLA_ADMIN_LISTEN= "$program" serve --data "$server_data/store" --listen "127.0.0.1:$port" --auth off "$@" \
        >"$STAGE_DIR/server.log" 2>&1 &
    server_pid=$!
    MEDULLA_ORIGIN=http://127.0.0.1:$port
    MEDULLA_URL=$MEDULLA_ORIGIN/fhir
    export MEDULLA_URL MEDULLA_ORIGIN
    if ! await_url "$MEDULLA_ORIGIN/health/ready" "$server_pid"; then
        tail -n 20 "$STAGE_DIR/server.log"
        return 1
    fi
}

# stop_server: SIGTERM must end it with 0.
stop_server() {
    kill -TERM "$server_pid"
    wait "$server_pid"
}

# start_database: a PostgreSQL server of the stage's own, and with it every store of the tests until
# stop_database. Needs no more than tests/postgres/server.sh have.
start_database() {
    database=$(mktemp -d /tmp/medulla-pg.XXXXXX) # short enough for a socket
    trap stop_database EXIT
    trap 'exit 143' TERM INT HUP
    MEDULLA_TEST_POSTGRES=$(sh tests/postgres/server.sh start "$database") || {
        cat "$database.log" "$database/log" 2>/dev/null
        fail "a PostgreSQL server starts"
        stop_database
        return 1
    }
    MEDULLA_TEST_STORE=postgres
    export MEDULLA_TEST_STORE MEDULLA_TEST_POSTGRES
}

stop_database() {
    trap - EXIT
    sh tests/postgres/server.sh stop "$database"
    MEDULLA_TEST_STORE=sqlite
    unset MEDULLA_TEST_POSTGRES
}
