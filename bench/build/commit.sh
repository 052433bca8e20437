#!/bin/bash -p
# Writes the C source of build_commit() and build_changed(): the commit that the program was built from ("unknown": none), and whether
# sources differed from it. Neither is part of a build identity or of the key of a point.
#
#   bench/build/commit.sh >commit.c
set -euo pipefail
# shellcheck source=bench/build/environment.sh
. "$(dirname "$0")/environment.sh"
cd "$(dirname "$0")/../.."

commit=unknown changed=-1
# A checkout inside another repository does not count.
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
