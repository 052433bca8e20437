#!/bin/bash -p
# What makes finished rounds stale and what does not: files of a copy of the source are changed, and the identities of implementations and
# measures compared. Then the list of what decides is held against the objects: whatever a measure calls must be on it.
# BUILD names the folder of the build (build).
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
build=${BUILD:-build}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

say() {
    echo "build_identity: $*" >&2
    failed=1
}

mkdir "$folder/tree"
cp -r bench impls tasks train "$folder/tree/"
identity() { # TREE [FLAGS [CUDA-FLAGS [HEADERS]]]
    "$1/bench/build/build_identity.sh" "${2:-flags}" "${3:-cuda}" shown "${4:-headers}" | sed -n 's/^    {"\([^"]*\)", "\([^"]*\)"},/\1 \2/p'
}
first=$(identity "$folder/tree")

measures=$(sed -n 's/^ *X(\([a-z_]*\),.*/\1/p' bench/sweep/measures.h | tr '\n' ' ')
recurrent="convergence throughput gradient reach memory roots" # what judges by the answers of implementations
learning="training accuracy memory selective/memory delta/memory selective_heads/memory" # what a step of training decides
vector=$(sed -n '/define IMPLEMENTATIONS/,/[^\\]$/s/^ *X(\([a-z_]*\)).*/\1/p' impls/registry/registry.c | tr '\n' ' ')
selective=$(sed -n '/define SELECTIVE_IMPLEMENTATIONS/,/[^\\]$/s/^ *X(\([a-z_]*\)).*/selective\/\1/p' impls/registry/registry.c | tr '\n' ' ')
delta=$(for name in $vector; do [[ ! -e impls/delta/$name.c ]] || echo "$name"; done | tr '\n' ' ') # those have a row of the first table
heads_alone=$(for name in $vector; do [[ ! -e impls/selective_heads/$name.c || -e impls/$name.c ]] || echo "$name"; done | tr '\n' ' ')
heads=$(sed -n '/define SELECTIVE_HEADS_IMPLEMENTATIONS/,/[^\\]$/s/^ *X(\([a-z_]*\)).*/selective_heads\/\1/p' impls/registry/registry.c | tr '\n' ' ')
cpu="$vector $selective $heads"
cuda=$(sed -n 's/^ *X(\([a-z_]*\),.*/\1/p' impls/cuda/registry.h | tr '\n' ' ')
of_delta=$(for name in $recurrent; do echo "delta/$name"; done | tr '\n' ' ')
of_selective=$(for name in $recurrent; do echo "selective/$name"; done | tr '\n' ' ') # the measures of that cell: what judges there is its own
of_heads=$(for name in $recurrent; do echo "selective_heads/$name"; done | tr '\n' ' ')
first_cell=$measures
measures="$measures $of_selective $of_delta $of_heads"
[[ $(wc -l <<<"$first") == $(wc -w <<<"$measures $cpu $cuda plugin") ]] || say "expected $measures $cpu $cuda plugin: $first"

differ() { # WHAT EXPECTED ROWS
    local changed
    changed=$(diff <(echo "$first") <(echo "$3") | sed -n 's/^> \([^ ]*\) .*/\1/p' | sort | tr '\n' ' ' || true)
    [[ $changed == "$(tr ' ' '\n' <<<"$2" | sed '/^$/d' | sort | tr '\n' ' ')" ]] || say "$1: changed '$changed', not '$2'"
}

# A sed script on a file of the copy, and what must be stale then; the file is put back.
after() { # FILE SCRIPT EXPECTED
    [[ -e $1 ]] || { say "$1 is gone: name another file of that room here" && return; }
    sed -i "$2" "$folder/tree/$1"
    ! cmp -s "$1" "$folder/tree/$1" || say "$1: nothing was changed by $2"
    differ "$1 ($2)" "$3" "$(identity "$folder/tree")"
    cp "$1" "$folder/tree/$1"
}
more='$ a int added_by_a_test;'

# ---- What changes nothing ----------------------------------------------------------------------------------------------

differ "the same again" "" "$(identity "$folder/tree")"
cp -r "$folder/tree" "$folder/another place"
differ "another folder" "" "$(identity "$folder/another place")"
echo 'echo from BASH_ENV; cd /' >"$folder/said first"
# shellcheck disable=SC2016 # of the inner shell
differ "another environment" "" "$(cd / && env -i PATH="$PATH" LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 CDPATH="$folder:$PWD" TZ=Asia/Tokyo BASH_ENV="$folder/said first" \
    ENV="$folder/said first" TMPDIR=/nonexistent GREP_OPTIONS=-v GREP_COLORS=mt=1 POSIXLY_CORRECT=1 AWKPATH=/nonexistent IFS=/ SHELLOPTS=xtrace \
    'BASH_FUNC_sed%%=() { echo from a function; }' bash -p -c "umask 077
    $(declare -f identity)
    identity '$folder/tree'" 2>"$folder/warnings")"
find "$folder/another place" -name '*.[ch]' -exec sed -i 's/$/\r/' {} +
differ "the line endings of another system" "" "$(identity "$folder/another place")"
after impls/fixed_point.c '1 i /* why */ // so' ""
after impls/math/scan.c 's/^    /\t  /; $ a \\n' ""
after bench/measure/throughput.c '/^#include <stdio.h>/d' ""
for file in bench/journal/journal.c bench/report/table.c bench/command/run.c bench/command/help.txt bench/main.c bench/sweep/sweep.c bench/sweep/key.c \
    bench/base/yaml.c bench/machine/roofs.c bench/machine/machine.c bench/machine/device.c bench/command/held.c impls/registry/registry.c; do
    after "$file" "$more" ""
done
cp plots/*.c "$folder/tree/" # pictures are no part of it at all
differ "plots" "" "$(identity "$folder/tree")"

# ---- What does, and whose rounds -----------------------------------------------------------------------------------------

after impls/impl.h "$more" "$cpu $cuda $measures"
after impls/contract/problem.c "$more" "$cpu $cuda $measures"
after impls/math/scan.c "$more" "$cpu $cuda $measures"
for file in structured_sequential dense_sequential diagonal_scan; do
    after "impls/$file.c" "$more" "$file $recurrent"
done
after impls/selective/diagonal_scan.c "$more" "selective/diagonal_scan $of_selective"
after impls/selective/fixed_point.c "$more" "selective/fixed_point"
after impls/delta/delta_sequential.c "$more" "delta_sequential $of_delta"
after impls/delta/state.c "$more" "$delta $of_delta"
after impls/selective_heads/diagonal_scan.c "$more" "selective_heads/diagonal_scan $of_heads"
after impls/selective_heads/chunked_scan.c "$more" "chunked_scan"
after impls/selective_heads/chunk.c "$more" "$heads $heads_alone $of_heads"
for file in token.c token.h map.c; do
    after "impls/selective/$file" "$more" "$selective $of_selective"
done
after impls/fused/core.c "$more" "$cpu $cuda"
after impls/gmres.c "$more" "gmres"
after impls/cuda/diagonal_scan_cuda.cu "$more" "diagonal_scan_cuda"
after impls/cuda/device.c "$more" "$cuda"
after train/step.c "$more" "$learning"
after train/layers/lstm.c "$more" "$learning"
after train/math/adamw.c "$more" "$learning"
after tasks/parity.c "$more" "$measures" # words of a group are inputs of every measure
after bench/base/random.c "$more" "$measures"
after bench/base/statistics.c "$more" "convergence throughput reach accuracy roots selective/convergence selective/throughput selective/reach selective/roots delta/convergence delta/throughput delta/reach delta/roots selective_heads/convergence selective_heads/throughput selective_heads/reach selective_heads/roots"
after bench/base/safetensors.c "$more" "$measures"
after bench/machine/machine_memory.c "$more" "$measures"
after bench/machine/load.c "$more" "throughput selective/throughput delta/throughput selective_heads/throughput"
after bench/problems/exact.c "$more" "$measures"
after bench/problems/inputs.c "$more" "$measures"
after bench/measure/worker.c "$more" "$measures"
after bench/measure/subject.c "$more" "$recurrent accuracy $of_selective $of_delta $of_heads"
after bench/measure/sampling.c "$more" "throughput selective/throughput delta/throughput selective_heads/throughput"
after bench/measure/checkpoint.c "$more" "training accuracy"
after bench/measure/gradient.c "$more" "gradient selective/gradient delta/gradient selective_heads/gradient"
after bench/measure/accuracy.c "$more" "accuracy"
after bench/sweep/translate.c "$more" "$measures"
for file in adapter.c fprnn.h; do
    after "bench/plugin/$file" "$more" plugin
done
after bench/sweep/recipe.c "$more" "training accuracy"
differ "the flags" "$cpu $cuda $measures plugin" "$(identity "$folder/tree" other)"
differ "the flags of nvcc" "$cuda" "$(identity "$folder/tree" flags other)"
differ "the headers of Random123" "$measures" "$(identity "$folder/tree" flags cuda other)"

# One more of each kind: the others stay as they are.
sed -i 's/^    X(anderson)/    X(another) \\\n&/' "$folder/tree/impls/registry/registry.c"
cp impls/gmres.c "$folder/tree/impls/another.c"
differ "one more implementation" "another" "$(identity "$folder/tree")"
cp impls/registry/registry.c "$folder/tree/impls/registry/" && rm "$folder/tree/impls/another.c"
sed -i 's/^    X(reach,/    X(another, OF_RECURRENCE, false) \\\n&/' "$folder/tree/bench/sweep/measures.h"
cp bench/measure/reach.c "$folder/tree/bench/measure/another.c"
differ "one more measure" "another selective/another delta/another selective_heads/another" "$(identity "$folder/tree")"
cp bench/sweep/measures.h "$folder/tree/bench/sweep/" && rm "$folder/tree/bench/measure/another.c"

# ---- A field that no point uses --------------------------------------------------------------------------------------------

tests/identity/unused.sh "$folder/tree"
differ "a field more" "" "$(identity "$folder/tree")"
cat >"$folder/recurrence.yaml" <<'END'
name: recurrence
measure: [convergence, throughput, gradient, reach]
pass: [forward, backward]
impls: [fixed_point, structured_sequential]
problem: {T: [2, 3], d: 4, mixer: [none, dplr, kronecker, dense], form: [normalised, plain]}
regime: {kappa: [free, 0.5]}
settings: {l: 2}
END
cat >"$folder/learning.yaml" <<'END'
name: learning
measure: [training, accuracy]
task: A5
impls: structured_sequential
model: {layer: [fp_rnn, lstm], d_model: 8, d: 8}
recipe: {steps: 3, batch: 2, train_length: 4}
test: {test_length: 4}
END
keys=$("$build/keys" "$folder/recurrence.yaml" "$folder/learning.yaml")
more_keys=$("$build/keys-unused" "$folder/recurrence.yaml" "$folder/learning.yaml")
[[ $(wc -l <<<"$keys") -gt 60 ]] || say "too few keys: $keys"
[[ $keys == "$more_keys" ]] || say "a field that no point uses changes keys: $(diff <(echo "$keys") <(echo "$more_keys") | head -n 4)"

# ---- Whatever a measure calls is on the list --------------------------------------------------------------------------------

# From each measure's own object and the worker's along undefined symbols, as far as the rooms that may decide go.
bench/build/build_identity.sh --files >"$folder/needs"
find "$build/objects/bench" "$build/objects/tasks" "$build/objects/train" -name '*.o' | while IFS= read -r object; do
    source=${object#"$build"/objects/}
    source=${source%%.*}
    for ending in c cc; do
        [[ ! -e $source.$ending ]] || echo "$object"
    done
done | xargs nm -A -P >"$folder/symbols"
missing=$(awk -v skip="$build/objects/" -v measures="$first_cell" '
    function reach(file,    n, part, i) {
        if (file in reached || (file in foreign && file != own)) return
        if (file !~ /^(bench\/(base|machine|problems|measure)|tasks|train)\/|^bench\/sweep\/(translate|options|recipe)$/) return
        reached[file] = 1
        n = split(calls[file], part, " ")
        for (i = 1; i <= n; i++) if (part[i] in home) reach(home[part[i]])
    }
    FILENAME ~ /needs$/ { file = $2; sub(/\.[a-z]*$/, "", file); known[$1, file] = 1; next }
    { file = substr($1, length(skip) + 1); sub(/[.:].*$/, "", file) }
    $3 == "U" { calls[file] = calls[file] " " $2 }
    $3 ~ /^[TDBRVW]$/ { home[$2] = file }
    END {
        m = split(measures, measure, " ")
        for (i = 1; i <= m; i++) foreign["bench/measure/" measure[i]] = 1
        for (i = 1; i <= m; i++) {
            split("", reached)
            own = "bench/measure/" measure[i]
            reach(own); reach("bench/measure/worker"); reach("bench/sweep/translate")
            for (file in reached) { seen++; if (!((measure[i], file) in known)) print measure[i] " calls " file ", which is not on the list" }
        }
        if (seen < 100) print "only " seen + 0 " objects were seen"
    }' "$folder/needs" "$folder/symbols")
[[ -z $missing ]] || say "$missing"

exit $failed
