#!/bin/sh
# A PostgreSQL server of our own, for tests: `server.sh start DIR` makes and starts one in DIR (a
# path short enough for a socket) and prints how libpq finds it, `server.sh stop DIR` ends it and
# removes DIR; `halt` and `begin` in between keep it. `server.sh standby DIR OF` makes a streaming
# standby. Socket only, page checks on; as root it runs as an unprivileged user, because PostgreSQL
# refuses root. `server.sh have` says whether there is one to start.
set -eu

for bin in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) /usr/local/bin /usr/bin; do
    if [ -x "$bin/initdb" ] && [ -x "$bin/pg_ctl" ]; then
        break
    fi
    bin=
done

as_user() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    elif getent passwd postgres >/dev/null; then
        setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
    else
        setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
    fi
}

start() {
    mkdir -p "$1"
    chmod 755 "$1"
    if [ "$(id -u)" = 0 ]; then
        chown "$(as_user id -u):$(as_user id -g)" "$1"
    fi
    as_user "$bin/initdb" -D "$1/data" -U medulla --auth=trust --data-checksums \
        --encoding=UTF8 --locale=C --no-instructions >"$1.log" 2>&1
    # shellcheck disable=SC2016
    cat >>"$1/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$1'
max_connections = 200
shared_buffers = 128MB
fsync = ${MEDULLA_TEST_FSYNC:-on}
log_min_messages = fatal
CONF
    as_user "$bin/pg_ctl" -D "$1/data" -l "$1/log" -w -t 30 start >>"$1.log" 2>&1
    echo "host=$1 user=medulla dbname=postgres"
}

# A streaming standby of the server in $2.
standby() {
    if [ "$(id -u)" = 0 ]; then
        chown "$(as_user id -u):$(as_user id -g)" "$1"
    fi
    as_user "$bin/pg_basebackup" -h "$2" -U medulla -D "$1/data" -R -c fast >>"$1.log" 2>&1
    echo "unix_socket_directories = '$1'" >>"$1/data/postgresql.conf"
    as_user "$bin/pg_ctl" -D "$1/data" -l "$1/log" -w -t 30 start >>"$1.log" 2>&1
    echo "host=$1 user=medulla dbname=postgres"
}

stop() {
    [ ! -d "$1/data" ] || as_user "$bin/pg_ctl" -D "$1/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$1" "$1.log"
}

case ${1-} in
have) [ -n "$bin" ] ;;
start) start "$2" ;;
stop) stop "$2" ;;
restart) as_user "$bin/pg_ctl" -D "$2/data" -l "$2/log" -m "${3:-fast}" -w restart >/dev/null 2>&1 ;;
standby) standby "$2" "$3" ;;
halt) as_user "$bin/pg_ctl" -D "$2/data" -m fast -w stop >/dev/null 2>&1 ;;
begin) as_user "$bin/pg_ctl" -D "$2/data" -l "$2/log" -w -t 30 start >/dev/null 2>&1 ;;
*) echo "server.sh have | start DIR | restart DIR [MODE] | halt DIR | begin DIR | standby DIR OF | stop DIR" >&2; exit 2 ;;
esac
