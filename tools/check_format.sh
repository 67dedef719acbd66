#!/bin/sh
# check_format.sh [ROOT] - fails on a C file that clang-format would change.
set -eu
cd "${1:-$(dirname "$0")/..}"
find src tests bench tools -name '*.[ch]' ! -path 'src/demo/data_*' -print0 \
    | xargs -0 -r clang-format --style=file --dry-run --Werror --ferror-limit=3
echo "format: $(find src tests bench tools -name '*.[ch]' | wc -l) files as .clang-format wants them"
