#!/bin/sh
# check_hardening.sh PROGRAM [BUILD_DIR] - fails unless PROGRAM carries every protection that
# the build asks for, and (given BUILD_DIR) unless every source was compiled with the flags.
set -eu
program=$1
build=${2-}
faults=0

# want WHAT COMMAND...: the command must succeed.
want() {
    what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "ok      $what"
    else
        echo "MISSING $what"
        faults=$((faults + 1))
    fi
}

dump=$(mktemp -d)
trap 'rm -rf "$dump"' EXIT
LC_ALL=C readelf -W -h "$program" >"$dump/header"
LC_ALL=C readelf -W -l "$program" >"$dump/segments"
LC_ALL=C readelf -W -d "$program" >"$dump/dynamic"
LC_ALL=C readelf -W --dyn-syms "$program" >"$dump/symbols"

writable_and_executable() { grep -Eq '^ +LOAD .* RWE ' "$dump/segments"; }
no() { ! "$@"; }

want 'position independent (ET_DYN with PIE)' sh -c "grep -q 'Type:.*DYN' '$dump/header' && grep -q 'FLAGS_1.*PIE' '$dump/dynamic'"
want 'bound at start (BIND_NOW)' grep -Eq 'BIND_NOW|FLAGS_1.*NOW' "$dump/dynamic"
want 'relocations read-only (GNU_RELRO)' grep -q GNU_RELRO "$dump/segments"
want 'stack not executable' grep -Eq 'GNU_STACK .* RW +' "$dump/segments"
want 'no segment writable and executable' no writable_and_executable
want 'code apart from data (separate-code)' grep -Eq '^ +LOAD .* R E ' "$dump/segments"
want 'stack protector (__stack_chk_fail)' grep -q __stack_chk_fail "$dump/symbols"
want 'fortified calls (_chk functions)' grep -Eq '__(memcpy|snprintf|vsnprintf|memset|fprintf|read)_chk' "$dump/symbols"
want 'no run path' no grep -Eq 'RPATH|RUNPATH' "$dump/dynamic"

if [ -n "$build" ]; then
    for flag in -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
        -fno-strict-aliasing -fno-strict-overflow -fno-delete-null-pointer-checks \
        -D_FORTIFY_SOURCE=3 -ftrivial-auto-var-init=zero; do
        want "every source compiled with $flag" python3 -c '
import json, sys
rows = json.load(open(sys.argv[1] + "/compile_commands.json"))
ours = [r for r in rows if "medulla" in r.get("output", "")]
sys.exit(0 if ours and all(sys.argv[2] in r["command"].split() for r in ours) else 1)
' "$build" "$flag"
    done
fi
[ "$faults" = 0 ] || { echo "hardening: $faults missing in $program" >&2; exit 1; }
echo "hardening: all there in $program"
