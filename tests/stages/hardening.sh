#!/bin/sh
# the finished program carries every protection the build asks for
. tests/stages/common.sh
if ! build "release" build -Dwerror=true -Dtests=true; then
    exit 1
elif [ -x build/medulla ]; then
    check "build/medulla" tools/check_hardening.sh build/medulla build
else
    skip "build/medulla is not there yet"
fi

# The exposure level of the service unit (security grade of systemd, 0 is best): at most 1.5.
exposure() {
    grade=$(systemd-analyze security --offline=true --no-pager deploy/systemd/medulla.service \
        | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
    echo "exposure level $grade"
    awk -v grade="$grade" 'BEGIN { exit !(grade != "" && grade <= 1.5) }'
}
if command -v systemd-analyze >/dev/null 2>&1; then
    check "medulla.service" exposure
else
    skip "no systemd-analyze here"
fi
