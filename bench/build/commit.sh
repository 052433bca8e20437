#!/bin/bash
# Writes the C source of build_commit() and build_changed(): which commit of this repository the program was built from, "unknown" where
# there is none, and whether sources differed from it. No identity of a build and no key of a point holds any of this.
#
#   bench/build/commit.sh >commit.c
set -euo pipefail
cd "$(dirname "$0")/../.."

commit=unknown changed=-1
# A checkout inside another repository is none of that one.
if [[ $(git rev-parse --show-toplevel 2>/dev/null) == $(pwd -P) ]] && commit=$(git rev-parse --verify --quiet HEAD); then
    changed=$([[ -z $(git --no-optional-locks status --porcelain -- Makefile bench impls plots tasks train) ]] && echo 0 || echo 1)
else
    commit=unknown
fi

cat <<END
/* Made by bench/build/commit.sh. */
#include "bench/base/build.h"

const char *build_commit(void)
{
    return "$commit";
}

int build_changed(void)
{
    return $changed;
}
END
