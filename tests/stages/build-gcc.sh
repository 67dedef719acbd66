#!/bin/sh
# builds with gcc as a release, warnings are errors
. tests/stages/common.sh
build "gcc, -Werror" build -Dwerror=true -Dtests=true || exit 1
