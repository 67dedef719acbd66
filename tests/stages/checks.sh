#!/bin/sh
# layers, sizes, banned things, format, headers, traces, notice; and the checks' own tests
. tests/stages/common.sh
for tool in layers.py sizes.py banned.py format.sh headers.sh workplace.py notice.py links.py; do
    if [ -x "tools/check_$tool" ]; then
        check "$tool" "tools/check_$tool"
    fi
done
check "tables in docs" tools/doc_tables.py --check
code=0
python3 tests/tools/test_checks.py >"$STAGE_DIR/unittest.log" 2>&1 || code=$?
[ "$code" = 0 ] || cat "$STAGE_DIR/unittest.log"
count_log "$STAGE_DIR/unittest.log" unittest "$code"
