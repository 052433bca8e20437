#!/bin/bash
# Plants the bugs of tests/mutants/list, one at a time, in a copy of the tree, and runs the suites that should notice. Prints a line a mutant:
# killed (by which suite), survived, equivalent (with the reason that the list gives), does not build, or does not apply: the old text does
# not stand exactly once in its file any more.
#
#   tests/mutants.sh [PATTERN]      make mutants; MUTANTS=folder for the copy (build/mutants)
#
# Takes about an hour on two cores: each mutant compiles what it changed. A warning is an error here, too: a variable that nothing uses any
# more does not build. A test that hangs is stopped after 300 s, which kills the mutant.
set -euo pipefail
export LC_ALL=C
home=$(cd "$(dirname "$0")/.." && pwd)
copy=${MUTANTS:-$home/build/mutants}
list=$home/tests/mutants/list
pattern=${1:-.}
flags=(NVCC= LEVELS=baseline DEFINES=)

mkdir -p "$copy"
find "$copy" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
(cd "$home" && git ls-files -co --exclude-standard -z -- . ':!tests/fuzz/corpus' | tar --null -T - -cf - --ignore-failed-read) | tar -xf - -C "$copy"
cd "$copy"
unset MAKEFLAGS MAKELEVEL

# One suite in the copy, plainly or ("sanitized") under AddressSanitizer and UBSan. Of kernels=NAME: the CUDA implementation of that name on
# the CPU (tests/cuda/kernels.c). Status 3: it does not build.
run_suite() {
    local way=plain sanitize=
    [[ $2 == sanitized ]] && way=address sanitize=address,undefined
    if [[ $1 == kernels=* ]]; then
        nice make "${flags[@]}" "build/kernels-$way" >log 2>&1 || return 3
        CK_DEFAULT_TIMEOUT=300 nice timeout 300 "build/kernels-$way" some "${1#*=}" >log 2>&1
    else
        CK_DEFAULT_TIMEOUT=300 nice make "${flags[@]}" SANITIZE=$sanitize test "SUITE=$1" >log 2>&1 && return
        grep -q '^[0-9]*%: Checks' log && return 1
        return 3
    fi
}

# What becomes of a mutant ($file, $old, $new) by the suites that should notice.
judge() {
    local way=$1 text rest suite status verdict=survived
    text=$(<"$file")
    rest=${text#*"$old"}
    [[ $rest != "$text" && $rest != *"$old"* ]] || { echo "does not apply" && return; }
    cp "$file" kept
    printf '%s\n' "${text/"$old"/"$new"}" >"$file"
    for suite in ${suites//,/ }; do
        status=0
        run_suite "$suite" "$way" || status=$?
        [[ $status -eq 0 ]] && continue
        verdict=$([[ $status -eq 3 ]] && echo "does not build" || echo "killed by $suite$([[ $way == plain ]] || echo ', sanitized')")
        break
    done
    cp kept "$file"
    echo "$verdict"
}

# Without a bug every suite passes, or what is killed would not be the bug's.
for suite in $(grep -v '^#' "$list" | grep -e "$pattern" | cut -f 2 | tr , '\n' | sort -u); do
    run_suite "$suite" plain || { echo "$suite fails without a bug:" >&2; tail -n 5 log >&2; exit 2; }
done

declare -A count=()
note() {
    printf '%s\t%s\t%s\n' "$id" "$1" "$file"
    local key=${1%%[: ]*}
    count[$key]=$((${count[$key]:-0} + 1))
}

# What survives is tried again under sanitizers, which see what is read or written out of bounds.
survivors=()
while IFS=$'\t' read -r id suites file old new reason; do
    verdict=$(judge plain)
    if [[ $verdict == survived ]]; then
        survivors+=("$id"$'\t'"$suites"$'\t'"$file"$'\t'"$old"$'\t'"$new"$'\t'"$reason")
    else
        note "$verdict"
    fi
done < <(grep -v '^#' "$list" | grep -e "$pattern")
for line in "${survivors[@]}"; do
    IFS=$'\t' read -r id suites file old new reason <<<"$line"
    verdict=$(judge sanitized)
    [[ $verdict == survived && -n $reason ]] && verdict="equivalent: $reason"
    note "$verdict"
done
for key in "${!count[@]}"; do echo "${count[$key]} $key"; done | sort -rn
[[ ${count[survived]:-0} -eq 0 && ${count[does]:-0} -eq 0 ]]
