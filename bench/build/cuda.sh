#!/bin/bash -p
# Finds the compiler of the CUDA Toolkit (never installed by this project), tries what it can compile for, and reports what the build
# did with it. For the Makefile.
#
#   bench/build/cuda.sh find BUILD CXX TARGETS [NVCC]   writes BUILD/cuda-found, three lines: the path of nvcc, those of the compute
#                                                       capabilities TARGETS that it compiles for with the host compiler CXX, and why
#                                                       it is not used; empty where there is nothing to say
#   bench/build/cuda.sh say BUILD                       prints one line of that: the Toolkit and its targets, or why there is none
#
# NVCC: that one; otherwise the one on PATH, then that of CUDA_HOME (/usr/local/cuda).
set -euo pipefail
# shellcheck source=bench/build/environment.sh
. "$(dirname "$0")/environment.sh"

# As a text that make, shells and C take as it is.
plain() {
    tr '\n\t' '  ' | tr -cd '[:alnum:] .,:;()/_+=-' | cut -c 1-130 | sed 's/  */ /g; s/^ //; s/ $//'
}

version_of() { # NVCC
    "$1" --version 2>/dev/null | sed -n 's/.*release \([0-9.]*\).*/\1/p'
}

# Compiles next to nothing for these targets; what goes wrong is left in FOLDER/said.
compiles() { # NVCC CXX FOLDER TARGET...
    local codes=() target
    for target in "${@:4}"; do
        codes+=(-gencode "arch=compute_$target,code=[sm_$target,compute_$target]")
    done
    "$1" -ccbin "$2" -std=c++20 "${codes[@]}" -c "$3/probe.cu" -o "$3/probe.o" >"$3/said" 2>&1 </dev/null
}

find_nvcc() { # BUILD CXX TARGETS [NVCC]
    local build=$1 cxx=$2 nvcc='' candidate known=() reason='' told='' lasting=yes target
    for candidate in "${4:-$(type -P nvcc || true)}" "${4:-${CUDA_HOME:-/usr/local/cuda}/bin/nvcc}"; do
        candidate=$(type -P "$candidate" || true)
        [[ -z $candidate ]] || ! "$candidate" --version >/dev/null 2>&1 </dev/null || { nvcc=$candidate && break; }
    done
    # Trying takes a second: once for this compiler, host compiler and targets.
    told="$nvcc $(stat -L -c '%Y %s' "$nvcc" 2>/dev/null || true) $(version_of "$nvcc" || true) $($cxx --version 2>/dev/null | head -n 1 || true) $3"
    mkdir -p "$build"
    [[ ! -s $build/cuda-found || $(sed -n 4p "$build/cuda-found") != "$told" ]] || return 0
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    printf '#include <cuda_runtime.h>\n__global__ void probe() {}\n' >"$folder/probe.cu"
    # shellcheck disable=SC2086 # several targets
    if [[ -n $nvcc ]] && compiles "$nvcc" "$cxx" "$folder" $3; then
        read -ra known <<<"$3"
    elif [[ -n $nvcc ]]; then
        for target in $3; do
            if compiles "$nvcc" "$cxx" "$folder" "$target"; then
                known+=("$target")
            else
                reason=${reason:-$(plain <"$folder/said")}
                grep -q 'nsupported gpu arch' "$folder/said" || lasting=no # the disk is full, say: tried again next time
            fi
        done
        [[ ${#known[@]} -gt 0 ]] || reason=$(echo "nvcc of CUDA $(version_of "$nvcc") cannot compile for sm_${3// / or sm_}${reason:+: $reason}" | plain)
    fi
    # shellcheck disable=SC2015 # nothing to say is fine
    {
        [[ ${#known[@]} == 0 ]] && echo || echo "$nvcc"
        echo "${known[*]}"
        [[ ${#known[@]} == 0 ]] && echo "$reason" || echo
        [[ $lasting == no || ${#known[@]} == 0 ]] && echo || echo "$told"
    } >"$build/cuda-found.new"
    mv -f "$build/cuda-found.new" "$build/cuda-found"
}

case $1 in
find) find_nvcc "${@:2}" ;;
say)
    { IFS= read -r nvcc && IFS= read -r targets && IFS= read -r reason; } <"$2/cuda-found"
    if [[ -z $nvcc ]]; then
        echo "CUDA: ${reason:-no CUDA Toolkit (nvcc) found}; GPU implementations are unsupported in this build."
    else
        version=$(version_of "$nvcc")
        echo "CUDA: compiled with CUDA Toolkit ${version:-of unknown version} ($nvcc) for sm_${targets// / sm_} and PTX."
    fi
    ;;
esac
