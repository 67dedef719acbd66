#!/bin/sh
# check_headers.sh [ROOT] - fails on a header that does not compile alone.
set -eu
cd "${1:-$(dirname "$0")/..}"
status=0
for header in $(find src -name '*.h' ! -name banned.h | sort); do
    gcc -std=c17 -D_GNU_SOURCE -DPCRE2_CODE_UNIT_WIDTH=8 -Isrc -I"$(pkg-config --variable=includedir libpq)" -fsyntax-only -x c "$header" \
        || status=1
done
echo "headers: $(find src -name '*.h' | wc -l) compiled alone"
exit $status
