#!/bin/bash -p
# Every suite of the tests under AddressSanitizer and UBSan, two at a time, and what each took; the last line is the verdict.
#
#   tests/sanitize.sh BUILD     a build with SANITIZE=address,undefined; the output of each suite stays in BUILD/logs/
#
# SUITES limits the suites. Three are left out: the kernels of suite cuda run under sanitizers of their own in make test; suite scripts
# starts no program of this build; of faults, whose library would have to be loaded before AddressSanitizer's, nothing is left here.
set -uo pipefail
unset CDPATH
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=bench/build/environment.sh
. bench/build/environment.sh
export build=$1 logs=$1/logs
mkdir -p "$logs"
rm -f "$logs"/* "$logs.txt"
read -ra suites <<<"${SUITES:-$(sed -n 's/^SUITE(\(.*\))$/\1/p' tests/suites.h | grep -vxE 'cuda|faults|scripts' | tr '\n' ' ')}"

run() { # SUITE
    local from=$SECONDS verdict
    BUILD=$build OMP_WAIT_POLICY=passive CK_RUN_SUITE=$1 "$build/tests" >"$logs/$1" 2>&1 </dev/null
    verdict=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$logs/$1" | tail -n 1)
    grep -aqE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$logs/$1" && verdict+=', and a sanitizer spoke'
    printf '%-22s %5d s  %s\n' "$1" $((SECONDS - from)) "${verdict:-no verdict}" | tee -a "$logs.txt"
}
export -f run

printf '%s\n' "${suites[@]}" | xargs -P 2 -I{} bash -c 'run {}'

clean=$(grep -cE ' s  [1-9][0-9]* passed, 0 failed$' "$logs.txt")
echo "$clean of ${#suites[@]} suites are clean under AddressSanitizer and UBSan, in $((SECONDS / 60)) min"
[[ $clean == "${#suites[@]}" ]]
