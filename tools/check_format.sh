#!/bin/sh
# check_format.sh [ROOT] - fails on a C file that clang-format would change.
set -eu
cd "${1:-$(dirname "$0")/..}"
find src tests bench tools -name '*.[ch]' ! -path 'src/demo/data_*' >"${TMPDIR:-/tmp}/format.$$"
trap 'rm -f "${TMPDIR:-/tmp}/format.$$"' EXIT
# One line a place; `clang-format -i FILE` mends it.
if xargs -r clang-format --style=file --dry-run --Werror <"${TMPDIR:-/tmp}/format.$$" 2>&1 \
    | grep ' error: '; then
    exit 1
fi
echo "format: $(wc -l <"${TMPDIR:-/tmp}/format.$$") files as .clang-format wants them"
