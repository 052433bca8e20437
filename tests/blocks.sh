#!/bin/bash -p
# Every block of a page is what its folder of results gives (docs/results/README.md); make docs writes them anew. And a block that is
# not is found, named by page and line, and written.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
mapfile -t pages < <(find README.md docs results/reference/README.md -name '*.md' | sort)
"$build/bench" blocks --check "${pages[@]}"

folder=$(mktemp -d "$build/blocks-XXXXXX") # below the root: folders in blocks are relative to it
trap 'rm -rf "$folder"' EXIT
page=$folder/page.md
failed=0

# STATUS TEXT COMMAND...: the command ends so, and says that.
expect() {
    local status=0 said
    said=$("${@:3}" 2>&1) || status=$?
    [[ $status -eq $1 && $said == *"$2"* ]] && return
    echo "blocks: ${*:3}: status $status, not $1; it said: $said" >&2
    failed=1
}

printf '# A page\n\n<!-- block\ncount: results/reference/quick\n-->\nold\n<!-- end -->\nafter\n' >"$page"
expect 1 "page.md:3: this block is stale" "$build/bench" blocks --check "$page"
expect 0 "page.md: written" "$build/bench" blocks "$page"
expect 0 "" "$build/bench" blocks --check "$page" README.md
if ! grep -q '| 46 | 46 |' "$page" || grep -q old "$page" || [[ $(tail -n 1 "$page") != after ]]; then
    echo "blocks: the page is not as it should be:" >&2
    cat "$page" >&2
    failed=1
fi
sed -i 's/| 46 | 46 |/| 46 | 47 |/' "$page"
expect 1 "page.md:3: this block is stale" "$build/bench" blocks --check README.md "$page"
printf '<!-- block\ncount: results/reference/nowhere\n-->\n<!-- end -->\n' >"$page"
expect 2 "page.md:2:1: " "$build/bench" blocks --check "$page"
expect 2 "expected markdown pages after it" "$build/bench" blocks
expect 2 "only for the command blocks" "$build/bench" list --check

exit $failed
