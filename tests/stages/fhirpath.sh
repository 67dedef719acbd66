#!/bin/sh
# the public FHIRPath suites, with a least score each, against the build with ASan and UBSan
. tests/stages/common.sh
build "ASan and UBSan" build-asan -Db_sanitize=address,undefined -Db_lundef=false \
    -Doptimization=1 || exit 1

ASAN_OPTIONS=abort_on_error=1:detect_leaks=1
UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export ASAN_OPTIONS UBSAN_OPTIONS
for suite in official js; do
    code=0
    node tests/fhirpath/suite.mjs build-asan/tests/fhirpath/fhirpath_evaluate \
        definitions/node_modules/hl7.fhir.r4.examples "$suite" >"$STAGE_DIR/$suite.log" 2>&1 \
        || code=$?
    cat "$STAGE_DIR/$suite.log"
    case $code in
    0) pass "fhirpath-$suite" ;;
    77) skip "fhirpath-$suite: shared data absent" ;;
    *) fail "fhirpath-$suite" ;;
    esac
done
