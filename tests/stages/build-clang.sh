#!/bin/sh
# builds with clang, warnings are errors
. tests/stages/common.sh
CC=clang
export CC
build "clang, -Werror" build-clang -Dwerror=true || exit 1
