#!/bin/bash -p
# Every implementation of the registry must be free of data races, and the planted race must be found.
#
#   tests/races.sh FOLDER      FOLDER holds the program races, built with ThreadSanitizer
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
folder=$1
failed=0

# Archer tells ThreadSanitizer what libomp's forks and barriers order; the libraries themselves are not watched.
archer=$(dirname "$(dirname "$(dirname "$(clang -print-resource-dir)")")")/lib/libarcher.so
[[ -e $archer ]] || { echo "races: $archer is missing" >&2 && exit 2; }
export OMP_TOOL_LIBRARIES=$archer OMP_WAIT_POLICY=passive TSAN_OPTIONS=ignore_noninstrumented_modules=1:exitcode=66

still=()
setarch -R true 2>/dev/null && still=(setarch -R) # kernels that spread addresses widely confuse older sanitizers

mapfile -t names < <(sed -n 's/^    X(\([a-z_0-9]*\)).*/\1/p' impls/registry/registry.c | awk '!seen[$0]++')
[[ ${#names[@]} -gt 0 ]] || { echo "races: impls/registry/registry.c names no implementation" >&2 && exit 2; }
"${still[@]}" "$folder/races" "${names[@]}" >"$folder/races.log" 2>&1
status=$?
if [[ $status == 0 ]]; then
    echo "races: none in ${names[*]}; $(tail -n 1 "$folder/races.log")"
else
    grep -m 20 -A 12 'WARNING: ThreadSanitizer' "$folder/races.log" >&2 || tail -n 20 "$folder/races.log" >&2
    echo "races: status $status; all of it is in $folder/races.log" >&2
    failed=1
fi

"${still[@]}" "$folder/races" planted_race >"$folder/planted.log" 2>&1
status=$?
if [[ $status == 66 ]] && grep -q 'data race.*planted_race.c' "$folder/planted.log"; then
    echo "races: the planted one is found"
else
    echo "races: the planted one was not found (status $status, see $folder/planted.log): this test is blind" >&2
    failed=1
fi
exit $failed
