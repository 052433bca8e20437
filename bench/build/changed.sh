#!/bin/bash -p
# Sources that are other ones than at the last build are made again even where they look older than what was made of them: from an archive,
# copied with their times, or put back. make itself compares times alone.
#
#   bench/build/changed.sh BUILD      BUILD: the folder of a build; its file sources lists those of the last build, and is as old as its end
set -uo pipefail
# shellcheck source=bench/build/environment.sh
. "$(dirname "$0")/environment.sh"
build=$1 list=$1/sources
mkdir -p "$build"
find Makefile bench impls plots tasks tests train -type f ! -name '*.md' -print0 | sort -z | xargs -0 sha256sum >"$list.new" || exit 0
if [[ -e $list ]] && ! cmp -s "$list" "$list.new"; then
    # Those of both lists whose sums differ and that are not newer than the end of the last build; then those that are gone, of which no
    # time tells.
    while IFS= read -r file; do
        [[ $file -nt $list ]] || touch -c -- "$file" 2>/dev/null || rm -rf "$build/objects" "$build/unused" "$build/kernels"
    done < <(awk '{ file = substr($0, 67) } NR == FNR { sum[file] = $1; next } file in sum && sum[file] != $1 { print file }' "$list" "$list.new")
    if [[ -n $(awk '{ file = substr($0, 67) } NR == FNR { there[file]; next } !(file in there)' "$list.new" "$list") ]]; then
        rm -f "$build/build_identity.c" "$build/bench"
    fi
fi
mv -f "$list.new" "$list"
