#!/bin/sh
# nginx.sh DIR UPSTREAM PORT - runs the shipped deploy/nginx/medulla.conf in the foreground, with
# its four marked lines changed and nothing else: TLS on 127.0.0.1:PORT under the name
# fhir.example.org, with a certificate made here (DIR/chain.pem), in front of UPSTREAM
# (HOST:PORT). All it writes is below DIR. Ends with SIGTERM or SIGQUIT. MEDULLA_EDGE_EDIT is a
# sed expression that takes a rule out, for tests that must then fail.
set -eu
dir=$1
upstream=$2
port=$3
here=$(cd "$(dirname "$0")/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin

mkdir -p "$dir/tmp"
if [ ! -f "$dir/chain.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=fhir.example.org -addext subjectAltName=DNS:fhir.example.org \
        -keyout "$dir/key.pem" -out "$dir/chain.pem" 2>/dev/null
fi
sed -e "s#server 127.0.0.1:8080; .*#server $upstream;#" \
    -e "s#listen 443#listen 127.0.0.1:$port#" \
    -e "s#/etc/medulla/tls#$dir#" \
    -e "s#/var/log/nginx/medulla#$dir/medulla#" \
    -e "${MEDULLA_EDGE_EDIT-}" \
    "$here/deploy/nginx/medulla.conf" >"$dir/medulla.conf"
cat >"$dir/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $dir/nginx.pid;
error_log $dir/nginx.error.log warn;
$([ "$(id -u)" != 0 ] || echo 'user root;')
events { worker_connections 8192; }
http {
    client_body_temp_path $dir/tmp/body;
    proxy_temp_path $dir/tmp/proxy;
    fastcgi_temp_path $dir/tmp/fastcgi;
    uwsgi_temp_path $dir/tmp/uwsgi;
    scgi_temp_path $dir/tmp/scgi;
    include $dir/medulla.conf;
}
CONF
exec nginx -c "$dir/nginx.conf" -e "$dir/nginx.error.log"
