#!/bin/bash -p
# Prints the sources, without their endings, that a suite must be linked with beside its own: what its includes lead to. A header stands
# for the sources whose first include it is. Where the table of implementations is reached, or a table of train/, tasks/ or measures, whose
# rows nobody includes, the word "all" is printed instead.
#
#   tests/needs.sh tests/ROOM/test_NAME.c
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

grep -rHE --include='*.[ch]' --include='*.cc' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' bench impls tasks train plots tests/support tests/planted "$1" |
    sed -E 's/^([^:]*):[^"]*"([^"]*)".*/\1 \2/' | awk -v suite="$1" '
    function reach(file,    n, part, i) {
        if (file in reached) return
        reached[file] = 1
        n = split(uses[file] " " of[file], part, " ")
        for (i = 1; i <= n; i++) reach(part[i])
    }
    { uses[$1] = uses[$1] " " $2; if ($1 !~ /h$/ && !($1 in first)) { first[$1] = 1; of[$2] = of[$2] " " $1 } }
    END {
        reach(suite)
        for (file in reached) if (file ~ /^(impls|train|tasks|plots|bench\/measure|bench\/sweep)\/|^tests\/planted/) { print "all"; exit }
        for (file in reached) if (file !~ /h$/ && file != suite) { sub(/\.[a-z]*$/, "", file); print file }
    }' | sort
