#!/bin/sh
# a stranger's try on a bare Debian 12 (debootstrap): ./run build, then the demo
. tests/stages/common.sh
if [ "$(id -u)" != 0 ]; then
    skip "needs root"
    exit 0
fi
if ! command -v debootstrap >/dev/null 2>&1; then
    apt-get -q -y install --no-install-recommends debootstrap >/dev/null 2>&1 || true
fi
if ! command -v debootstrap >/dev/null 2>&1 || ! unshare --mount true 2>/dev/null; then
    skip "no debootstrap or no namespaces here"
    exit 0
fi
code=0
tests/bare/try.sh >"$STAGE_DIR/bare.log" 2>&1 || code=$?
tail -n 40 "$STAGE_DIR/bare.log"
if [ "$code" = 0 ]; then pass "bare Debian 12"; else fail "bare Debian 12"; fi
