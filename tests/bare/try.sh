#!/bin/sh
# try.sh [DIR] - tries the project as a stranger would: on a bare Debian 12 that has only sh and
# root, made here by debootstrap, out of what is committed. `./run build` must build, the demo
# must answer, and `./run` must go down cleanly. DIR is kept and used again when given (a second
# try is then much quicker); without it all is made in a fresh folder and removed.
#
# Where packages come from is taken from this machine (apt sources and settings, npm settings,
# certificates) and copied into the new one, as somebody who sets up a machine would. Needs root.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
suite=bookworm

if [ $# -gt 0 ]; then
    root=$1
    mkdir -p "$root"
else
    root=$(mktemp -d /var/tmp/medulla-bare.XXXXXX)
    trap 'rm -rf "$root"' EXIT
fi

mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' \
    | sed -n "s/ $suite\$//p" | head -n 1)
[ -n "$mirror" ] || { echo "try.sh: this machine has no $suite in its apt sources" >&2; exit 1; }

if [ ! -f "$root/etc/debian_version" ]; then
    echo "== a bare Debian 12 in $root"
    debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 \
        || { tail -n 20 "$root.log" >&2; exit 1; }
    rm -f "$root.log"
fi

# This machine's way to the registries.
copy() {
    for from; do
        [ -e "$from" ] || continue
        mkdir -p "$root$(dirname "$from")"
        cp -rL "$from" "$root$(dirname "$from")/"
    done
}
rm -f "$root"/etc/apt/sources.list.d/*
apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sort -u \
    | sed -n "s/^\(.*\) \($suite[a-z-]*\)\$/deb \1 \2 main/p" >"$root/etc/apt/sources.list"
copy /etc/resolv.conf /etc/hosts /usr/local/share/ca-certificates /etc/npmrc /usr/etc/npmrc
copy $(grep -lE 'Acquire|Proxy' /etc/apt/apt.conf /etc/apt/apt.conf.d/* 2>/dev/null || true)
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/host-ca.crt"
mkdir -p "$root/root"
npmrc=$(npm config get userconfig 2>/dev/null || true)
[ ! -f "$npmrc" ] || grep -E '^(registry|.*proxy|cafile|strict-ssl)' "$npmrc" >"$root/root/.npmrc" || true
proxies=$(env | grep -iE '^(https?|no|all)_proxy=' || true)

rm -rf "$root/src"
mkdir "$root/src"
git -C "$here" archive HEAD | tar -x -C "$root/src"

cat >"$root/try" <<'INSIDE'
#!/bin/sh
set -eu
cd /src
! command -v update-ca-certificates >/dev/null || update-ca-certificates >/dev/null 2>&1
! command -v gcc >/dev/null || echo "(used again: gcc is there already)"
began=$(date +%s)
./run build
echo "== ./run build took $(($(date +%s) - began)) s"
./build/medulla version

MEDULLA_HTTP_LISTEN=127.0.0.1:18080 MEDULLA_ADMIN_LISTEN=127.0.0.1:19464
export MEDULLA_HTTP_LISTEN MEDULLA_ADMIN_LISTEN
began=$(date +%s)
./run >/tmp/demo.log 2>&1 &
pid=$!
trap 'kill -9 $pid 2>/dev/null || true' EXIT
# Only what is there by now may be used: node came with the build's packages.
cat >/tmp/ask.mjs <<'JS'
const base = 'http://127.0.0.1:18080/fhir';
let answer;
for (let tries = 0; !answer?.ok && tries < 600; tries++) {
  answer = await fetch(`${base}/Patient?_count=1&_total=accurate`).catch(() => null);
  if (!answer?.ok) await new Promise((resolve) => setTimeout(resolve, 100));
}
if (!answer?.ok) throw new Error('the demo did not answer');
const bundle = await answer.json();
if (!(bundle.total > 0)) throw new Error('the demo has no patient');
console.log(`the demo answers, ${bundle.total} patients`);
JS
node /tmp/ask.mjs || { cat /tmp/demo.log; exit 1; }
echo "== ./run served the demo after $(($(date +%s) - began)) s"
kill -TERM $pid
wait $pid
trap - EXIT
echo "bare: ok"
INSIDE
chmod +x "$root/try"

# A mount namespace of its own: nothing stays mounted, whatever happens. CI machines may be slow
# at their first apt-get; two hours are a limit, not a wish.
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
    NODE_EXTRA_CA_CERTS=/etc/host-ca.crt $proxies \
    timeout 7200 unshare --mount --pid --fork --kill-child sh -ec '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        exec chroot "$1" /try' sh "$root"
