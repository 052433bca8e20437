#!/bin/bash
# Finds the compiler of the CUDA Toolkit (never installed by this project) and reports what the build did with it. For the Makefile.
#
#   bench/build/cuda.sh find                  prints the path of nvcc, or nothing
#   bench/build/cuda.sh say NVCC TARGETS      prints one line: the Toolkit and its targets, or that there is none
set -euo pipefail

case $1 in
find)
    for nvcc in "$(command -v nvcc || true)" "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"; do
        [[ -x $nvcc ]] && "$nvcc" --version >/dev/null 2>&1 && echo "$nvcc" && exit 0
    done
    ;;
say)
    if [[ -z $2 ]]; then
        echo "CUDA: no CUDA Toolkit (nvcc) found; GPU implementations are unsupported in this build."
    else
        version=$("$2" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')
        echo "CUDA: compiled with CUDA Toolkit ${version:-of unknown version} ($2) for $3."
    fi
    ;;
esac
