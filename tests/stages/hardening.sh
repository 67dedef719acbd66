#!/bin/sh
# the finished program carries every protection the build asks for
. tests/stages/common.sh
build "release" build -Dwerror=true || exit 1
if [ -x build/medulla ]; then
    check "build/medulla" tools/check_hardening.sh build/medulla build
else
    skip "build/medulla is not there yet"
fi
