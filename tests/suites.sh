#!/bin/bash -p
# Runs suites of the tests, as many at a time as there are processors: no test hangs on how fast the machine is. A line a suite as it
# ends; what a suite that failed said stands below it. The last line is "N passed, N failed", of all of them.
#
#   tests/suites.sh BUILD SUITE...     the output of each stays in BUILD/logs/SUITE
#
# A suite fails that says nothing of how many passed, and one in which a sanitizer spoke.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=bench/build/environment.sh
. bench/build/environment.sh
export build=$1 logs=$1/logs
shift
mkdir -p "$logs"
rm -f "$logs"/* "$logs.txt"

# shellcheck disable=SC2317 # called by way of xargs
run() { # SUITE
    local from=$SECONDS verdict note=''
    BUILD=$build OMP_WAIT_POLICY=passive CK_RUN_SUITE=$1 "$build/tests" >"$logs/$1" 2>&1 </dev/null || note='; it failed'
    verdict=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$logs/$1" | tail -n 1)
    grep -aqE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$logs/$1" && note='; a sanitizer spoke'
    { # in one piece, for others print as well
        printf '%-18s %4d s  %s%s\n' "$1" $((SECONDS - from)) "${verdict:-no verdict}" "$note"
        [[ -z $note ]] || grep -av '^Running suite\|^[0-9]*%: Checks' "$logs/$1" | tail -n 60
    } >"$logs/$1.said"
    cat "$logs/$1.said"
    echo "$1 ${verdict:-0 passed, 1 failed}${note:+ (not clean)}" >>"$logs.txt"
}
export -f run

printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'run {}'

awk '{ passed += $2; failed += $4; unclean += /not clean/ && $4 == 0 } END { printf "%d passed, %d failed\n", passed, failed + unclean; exit failed + unclean > 0 || passed == 0 }' "$logs.txt"
status=$?
[[ $(wc -l <"$logs.txt") == "$#" ]] || status=1
exit $status
