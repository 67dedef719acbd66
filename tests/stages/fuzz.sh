#!/bin/sh
# each libFuzzer target for 7 seconds (long: 10 minutes), from its corpus
. tests/stages/common.sh
CC=clang
export CC
build_target=fuzzers
build "fuzz targets" build-fuzz -Dfuzz=true -Db_sanitize=address,undefined \
    -Db_lundef=false -Doptimization=1 || exit 1
seconds=7 seed=1 # the same dice for the short run, new ones (0) for the long
[ "$MEDULLA_LONG" = 0 ] || seconds=600 seed=0

# fuzz TARGET: new inputs are kept out of the tree; a crash leaves its input in the log.
fuzz() {
    name=$(basename "$1")
    name=${name#fuzz_}
    mkdir -p "$STAGE_DIR/$name/new"
    set -- "$1" "$STAGE_DIR/$name/new"
    [ ! -d "tests/fuzz/corpus/$name" ] || set -- "$@" "tests/fuzz/corpus/$name"
    if nice -n 10 "$@" -max_total_time="$seconds" -seed="$seed" -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$STAGE_DIR/$name/" >"$STAGE_DIR/$name/log" 2>&1; then
        echo ok >"$STAGE_DIR/$name/verdict"
    else
        echo failed >"$STAGE_DIR/$name/verdict"
    fi
}

judge() {
    log=$STAGE_DIR/$1/log
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ "$(cat "$STAGE_DIR/$1/verdict")" = ok ]; then
        pass "fuzz $1 (${runs:-0} runs)"
    else
        tail -n 60 "$log"
        for input in "$STAGE_DIR/$1"/crash-* "$STAGE_DIR/$1"/timeout-* "$STAGE_DIR/$1"/oom-*; do
            [ ! -f "$input" ] || { echo "input, base64:"; head -c 4096 "$input" | base64; }
        done
        fail "fuzz $1"
    fi
}

targets=$(find build-fuzz/tests/fuzz -maxdepth 1 -type f -name 'fuzz_*' -perm -u+x | sort)
[ -n "$targets" ] || { skip "no fuzz target yet"; exit 0; }
other=
for target in $targets; do # two at a time
    if [ -z "$other" ]; then
        fuzz "$target" &
        other=$!
    else
        fuzz "$target"
        wait "$other"
        other=
    fi
done
[ -z "$other" ] || wait "$other"
for target in $targets; do
    name=$(basename "$target")
    judge "${name#fuzz_}"
done
