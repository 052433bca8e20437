#!/bin/bash -p
# Whether two commits compute the same bits: hashes what every implementation leaves on the shared cases, forward, trace and gradients, in
# every dtype and at every instruction level that this machine has (tests/outputs/outputs.c). Bits depend on machine, compiler and OpenBLAS, so that
# both commits are built here; CUDA is left out.
#
#   tests/outputs.sh              prints the hashes of this tree
#   tests/outputs.sh OLD [NEW]    compares two commits, or a commit and this tree; status 1 where they differ
#
# LEVELS limits the instruction levels that are built, as in make.
set -euo pipefail
export LC_ALL=C
unset CDPATH MAKEFLAGS MAKELEVEL
cd "$(dirname "$0")/.."
home=$PWD
driver=$home/tests/outputs/outputs.c
inputs=8b8de11687866080 # the hash of the inputs: they are made on the spot, and are always these
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

give_up() {
    echo "outputs: $*" >&2
    exit 2
}

hashes() { # TREE BUILD: of a tree that lies there, built in that folder of it
    local tree=$1 build=$2 objects=()
    local only=(NVCC= "BUILD=$build" ${LEVELS:+"LEVELS=$LEVELS" "DEFINES=$([[ $LEVELS != *avx512* ]] || echo -DLEVELS_X86=1)"})
    cd "$tree"
    # shellcheck disable=SC2016 # the Makefile's own names of the objects that implementations are made of
    mapfile -t objects < <(printf 'include Makefile\nprint-objects: ; @printf "%%s\\n" $(sort $(IMPLS) $(CUDA) $(REGISTRY))\n' | make -s -f - "${only[@]}" print-objects)
    [[ ${#objects[@]} -gt 10 ]] || give_up "no objects of implementations in $tree"
    make "${only[@]}" "${objects[@]}" >"$folder/build.log" 2>&1 || { cat "$folder/build.log" >&2 && give_up "$tree cannot be built"; }
    ${CC:-gcc} -std=c11 -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$tree" -c "$driver" -o "$folder/driver.o" || give_up "the driver does not fit $tree"
    # shellcheck disable=SC2046 # words
    ${CXX:-g++} "$folder/driver.o" "${objects[@]}" -fopenmp -pthread $(pkg-config --libs openblas) -lm -o "$folder/outputs" || give_up "$tree cannot be linked"
    OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 "$folder/outputs" >"$folder/out" || give_up "$tree: the driver failed"
    [[ $(head -n 1 "$folder/out") == "inputs $inputs" ]] || give_up "the inputs are not those that they always were: $(head -n 1 "$folder/out"), not $inputs"
    cat "$folder/out"
    cd "$home"
}

commit() { # NAME PLACE
    git rev-parse --quiet --verify "$1^{commit}" >"$folder/log" || give_up "$1 names no commit"
    mkdir "$folder/$2"
    git archive "$1" | tar -x -C "$folder/$2"
    hashes "$folder/$2" build
}

if [[ $# -eq 0 ]]; then
    hashes "$home" build/outputs
    exit
fi
commit "$1" old >"$folder/before"
if [[ $# -gt 1 ]]; then commit "$2" new; else hashes "$home" build/outputs; fi >"$folder/after"
if cmp -s "$folder/before" "$folder/after"; then
    echo "The same bits: $(($(wc -l <"$folder/before") - 1)) variants, $(awk -F'[( ]' '{ n += $(NF - 1) } END { print n }' "$folder/before") runs."
    exit
fi
echo "Different bits:"
diff "$folder/before" "$folder/after" | sed -n 's/^\([<>] [^:]*\).*/\1/p' | head -n 40
exit 1
