#!/bin/bash
# The CUDA Toolkit, which is never installed: where its compiler is, and what the build did with it. The Makefile calls this.
#
#   bench/build/cuda.sh find                  prints the path of nvcc, or nothing
#   bench/build/cuda.sh say NVCC TARGETS      says on one line whether there is one (NVCC is not empty), and what it compiled for
set -euo pipefail

case $1 in
find)
    for nvcc in "$(command -v nvcc || true)" "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"; do
        [[ -x $nvcc ]] && "$nvcc" --version >/dev/null 2>&1 && echo "$nvcc" && exit 0
    done
    ;;
say)
    if [[ -z $2 ]]; then
        echo "CUDA: no CUDA Toolkit (nvcc); implementations on the device are listed as unsupported."
    else
        version=$("$2" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')
        echo "CUDA: compiled by CUDA Toolkit ${version:-of unknown version} ($2) for $3."
    fi
    ;;
esac
