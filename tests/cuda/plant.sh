#!/bin/bash -p
# Copies impls/cuda/ into a folder, with one bug of planted.list in it.
#
#   tests/cuda/plant.sh NAME FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
read -r _ file script < <(grep -F "$1 " tests/cuda/planted.list)
mkdir -p "$2/impls/cuda"
cp impls/cuda/*.{h,cu} "$2/impls/cuda/"
sed -i "$script" "$2/impls/cuda/$file"
if [[ $1 != *.none.* ]] && cmp -s "impls/cuda/$file" "$2/impls/cuda/$file"; then
    echo "$1: the line of tests/cuda/planted.list changes nothing in $file" >&2
    exit 1
fi
