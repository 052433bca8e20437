#!/bin/bash -p
# Prints a hash of the headers of Random123, from wherever the compiler takes them: all drawn numbers are compiled from them. For the
# Makefile.
#
#   bench/build/headers.sh COMPILER FLAG...
set -euo pipefail
# shellcheck source=bench/build/environment.sh
. "$(dirname "$0")/environment.sh"
printf '#include <Random123/philox.h>\n' | "$@" -x c -M -MT made - 2>/dev/null | tr -s ' \\\n' '\n' | grep '/Random123/' | sed 's/.*\(Random123\/.*\)/\1 &/' |
    LC_ALL=C sort | while read -r _ file; do cat "$file"; done | sha256sum | cut -c 1-16
