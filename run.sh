#!/bin/bash -p
# Installs missing packages, builds, and runs the program. --help prints bench/command/help.txt.
set -euo pipefail
unset CDPATH # cd would go elsewhere, and say so

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
log=$here/build/build.log

install=()
arguments=()
while [[ $# -gt 0 && $1 != -- ]]; do
    case $1 in
    --help | -h) exec cat "$here/bench/command/help.txt" ;;
    --no-install) install=(--no-install) ;;
    *) arguments+=("$1") ;;
    esac
    shift
done
arguments+=("$@") # all after -- belongs to another program
if [[ ${#arguments[@]} == 0 ]]; then
    cat "$here/bench/command/help.txt" >&2
    exit 2
fi

"$here/bench/build/install.sh" "${install[@]}" run || exit 2

# Two runs started together build one after the other. Neither flags of a calling make nor settings of the user's reach this build: the same
# source has the same identities everywhere. The program itself has the user's environment again, which some of its commands need.
build() {
    # shellcheck source=bench/build/environment.sh
    . "$here/bench/build/environment.sh"
    unset MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEFILES MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
    exec flock "$here/build" make -C "$here"
}
mkdir -p "$here/build"
if ! (build) >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "The build failed. Its output is in $log" >&2
    exit 2
fi

exec "$here/build/bench" "${arguments[@]}"
