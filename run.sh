#!/bin/bash
# Installs missing packages, builds, and runs the program. --help prints bench/command/help.txt.
set -euo pipefail

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

# Two runs started together build one after the other. MAKEFLAGS of a calling make must not reach this build.
mkdir -p "$here/build"
if ! MAKEFLAGS='' flock "$here/build" make -C "$here" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "The build failed. Its output is in $log" >&2
    exit 2
fi

exec "$here/build/bench" "${arguments[@]}"
