#!/bin/bash -p
# What ptxas reports of every kernel, for every compute capability that the build compiles for: no register may spill, no kernel may have
# a stack frame (its local memory is the card's slow one), and the registers and shared memory are those of docs/cuda-resources.md.
#
#   tests/cuda_resources.sh             checks; without nvcc it says so and checks its own reading of reports alone
#   tests/cuda_resources.sh --write     writes the table anew, after a kernel or the Toolkit has changed (make cuda-resources)
#
# BUILD names the folder of the build (build). The table is compared where the Toolkit is the one that it was made with.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
table=docs/cuda-resources.md
failed=0

say() {
    echo "cuda_resources: $*" >&2
    failed=1
}

# Of a report, "file target registers shared kernel" for each kernel and target, and "! what" for whatever must not be: REPORT NAME
read_report() {
    c++filt <"$1" | sed 's/(anonymous namespace)/{anonymous}/g' | awk -v file="$2" '
        function short(name) { gsub(/\([A-Za-z_ ]+\)/, "", name); sub(/\(.*/, "", name); sub(/^void /, "", name); gsub(/ /, "", name); return name }
        function unread() { if (kernel != "") print "! " file ": " kernel " for " target ": no registers, or no stack frame, are told" }
        /Compiling entry function/ {
            unread()
            split($0, quoted, "\047")
            kernel = short(quoted[2]); target = quoted[4]; framed = 0
        }
        /bytes stack frame/ {
            framed = 1
            if ($1 != 0 || $5 != 0 || $9 != 0) print "! " file ": " kernel " for " target ":" $0
        }
        /cumulative stack size/ { print "! " file ": " kernel " for " target ": has a stack" }
        /Used [0-9]+ registers/ {
            shared = 0
            for (i = 2; i < NF; i++) {
                if ($i == "registers,") registers = $(i - 1)
                if ($(i + 1) == "bytes" && $(i + 2) ~ /^smem/) shared = $i
            }
            if (kernel != "" && framed) print file, target, registers, shared, kernel
            else print "! " file ": registers of no kernel, or of one whose stack frame is not told"
            kernel = ""
        }
        END { unread() }'
}

# The reading itself: of a report that is as it should be, of one that spills, has a stack, or was cut off.
prove_reading() {
    local folder entry="ptxas info    : Compiling entry function '_Z4scani' for 'sm_90'"
    local frame="    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" used="ptxas info    : Used 26 registers, used 1 barriers, 2052 bytes smem, 440 bytes cmem[0]"
    folder=$(mktemp -d)
    expect() { # EXPECTED LINE...
        local expected=$1
        shift
        printf '%s\n' "$@" >"$folder/report"
        [[ $(read_report "$folder/report" x.cu) == "$expected" ]] || say "a report is misread: $(read_report "$folder/report" x.cu), not $expected"
    }
    expect "x.cu sm_90 26 2052 scan" "$entry" "$frame" "$used"
    expect "! x.cu: scan for sm_90:    8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
x.cu sm_90 26 2052 scan" "$entry" "    8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads" "$used"
    expect "! x.cu: scan for sm_90: has a stack
x.cu sm_90 26 2052 scan" "$entry" "$frame" "${used/2052/16 bytes cumulative stack size, 2052}"
    expect "! x.cu: scan for sm_90: no registers, or no stack frame, are told" "$entry" "$frame"
    expect "! x.cu: registers of no kernel, or of one whose stack frame is not told" "$entry" "$used"
    rm -r "$folder"
}

# One row a kernel: its registers and static shared memory for each target.
write_table() { # TOOLKIT TARGET...
    local toolkit=$1
    shift
    cat <<END_OF_TEXT
# Registers and shared memory of the kernels

What ptxas of CUDA $toolkit reports: registers a thread / bytes of static shared memory a block. No kernel spills registers or has a stack
frame: \`tests/cuda_resources.sh\` holds the build to that, and to this table. \`make cuda-resources\` writes it anew.

END_OF_TEXT
    printf '| file | kernel |'
    printf ' %s |' "$@"
    printf '\n|---|---|'
    printf -- '---|%.0s' "$@"
    printf '\n'
    awk -v targets="$*" '
        { key = $1 " | `" $5 "`"; if (!(key in seen)) { seen[key] = 1; order[++n] = key } cell[key, $2] = $3 " / " $4 }
        END {
            count = split(targets, target, " ")
            for (i = 1; i <= n; i++) {
                line = "| " order[i] " |"
                for (k = 1; k <= count; k++) line = line " " cell[order[i], target[k]] " |"
                print line
            }
        }'
}

prove_reading
{ read -r nvcc _ && read -r flags; } <"$build/flags-cuda" || say "$build/flags-cuda cannot be read: is $build built?"
if [[ ${nvcc:-} != */* ]]; then
    echo "cuda_resources: SKIPPED: built without nvcc, so there is no report of ptxas to read"
    exit $failed
fi

mapfile -t targets < <(grep -oE 'code=sm_[0-9a-z]+' <<<"$flags" | sed 's/code=//')
[[ ${#targets[@]} -gt 0 ]] || say "no compute capability in $build/flags-cuda"
rows=
for source in impls/cuda/*.cu bench/machine/cuda/*.cu; do
    [[ -e $source ]] || continue
    report=$build/objects/${source%.cu}.ptxas
    [[ -e $report ]] || { say "$report is missing" && continue; }
    read=$(read_report "$report" "$source")
    while read -r line; do
        say "${line#! }"
    done < <(grep '^!' <<<"$read" || true)
    read=$(grep -v '^!' <<<"$read" || true)
    for target in "${targets[@]}"; do
        grep -q "^$source $target " <<<"$read" || say "$report tells of no kernel for $target"
    done
    rows+=$read$'\n'
done

toolkit=$("$nvcc" --version | sed -n 's/.*release [0-9.]*, V\([0-9.]*\).*/\1/p')
now=$(sed '/^$/d' <<<"$rows" | LC_ALL=C sort -s -k1,1 -k5,5 | write_table "$toolkit" "${targets[@]}")
if [[ ${1:-} == --write ]]; then
    echo "$now" >$table
elif ! grep -q "ptxas of CUDA $toolkit reports" $table; then
    echo "cuda_resources: $table is of another Toolkit than $toolkit: not compared"
elif ! diff <(echo "$now") $table >&2; then
    say "$table is not what ptxas reports (<): make cuda-resources writes it anew"
fi
exit $failed
