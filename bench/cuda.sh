#!/bin/bash
# Says on one line whether a CUDA Toolkit was found. It is never installed.
set -euo pipefail

for nvcc in "$(command -v nvcc || true)" "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" /usr/local/cuda/bin/nvcc; do
    [[ -x $nvcc ]] || continue
    version=$("$nvcc" --version 2>/dev/null | sed -n 's/.*release \([0-9.]*\).*/\1/p')
    echo "CUDA Toolkit ${version:-of unknown version} found ($nvcc); nothing uses it yet."
    exit 0
done
echo "CUDA Toolkit not found; nothing uses it yet."
