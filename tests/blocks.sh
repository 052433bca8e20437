#!/bin/bash
# Every block of a page is what its folder of results gives (docs/results/README.md); make docs writes them anew.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t pages < <(find README.md docs results/reference/README.md -name '*.md' | sort)
"${BUILD:-build}/bench" blocks --check "${pages[@]}"
