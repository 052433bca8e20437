#!/bin/bash -p
# Runs fuzz targets, two at a time, each for a number of seconds, and says of each what it tried and reached. Where one fails, the
# input that made it fail and what was said are left in FOLDER, and the status is 1.
#
#   tests/fuzz.sh FOLDER SECONDS TARGET...      FOLDER holds the programs fuzz-TARGET
#
# What is found on the way is kept in FOLDER/found and is where the next run begins. SEED=0 tries other inputs each time.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
folder=$1 seconds=$2
shift 2

one() { # TARGET
    local folder=$1 seconds=$2 target=$3 seeds=tests/fuzz/corpus/$3 log=$1/$3.log status
    local found=$folder/found/$target more=() still=() tried reached
    [[ $target == sweep ]] && more=(sweeps)
    mkdir -p "$found"
    rm -f "$folder/$target"-{crash,leak,oom,timeout}-*
    setarch -R true 2>/dev/null && still=(setarch -R) # kernels that spread addresses widely confuse older sanitizers
    # The dictionary: every word of the examples.
    cat "$seeds"/* "${more[@]/%//quick.yaml}" | grep -aoE '[A-Za-z_]{2,24}' | sort -u | sed 's/.*/"&"/' >"$folder/$target.words"
    ASAN_OPTIONS=quarantine_size_mb=2 "${still[@]}" "$folder/fuzz-$target" -max_total_time="$seconds" -seed="${SEED:-1}" \
        -max_len=16384 -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
        -dict="$folder/$target.words" -artifact_prefix="$folder/$target-" \
        "$found" "$seeds" "${more[@]}" >"$log" 2>&1
    status=$?
    tried=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -n 1)
    if [[ $status == 0 && ${tried:-0} -gt 0 ]]; then
        echo "fuzz $target: $tried inputs tried, ${reached/ft:/and features:}, none failed" | sed 's/cov:/edges:/'
    else
        echo "fuzz $target: FAILED after ${tried:-an unknown number of} inputs (status $status)"
        echo "    the input: $(echo "$folder/$target"-*-*); what was said: $log"
        grep -m 3 -E 'ERROR|runtime error|does not hold|SUMMARY' "$log"
        return 1
    fi
}
export -f one

printf '%s\n' "$@" | xargs -P 2 -I {} bash -c 'one "$@"' one "$folder" "$seconds" {} || exit 1
