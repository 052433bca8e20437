#!/bin/bash
# Installs missing packages, builds, and runs the program. --help prints bench/command/help.txt.
set -euo pipefail

# A standard stream that is closed would give its number to the next file: it is held, so that using it still fails. A reader that goes away
# is for the program to notice.
[[ -e /dev/fd/0 ]] || exec 0>/dev/null
[[ -e /dev/fd/1 ]] || exec 1</dev/null
[[ -e /dev/fd/2 ]] || exec 2>/dev/null

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
log=$here/build/build.log

stop() { # LINE...: whoever can read them or not
    printf '%s\n' "$@" >&2 || :
    exit 2
}

# As the program has it: what cannot be printed is status 2, and a reader that has gone has read what it wanted.
help() {
    local reason
    trap '' PIPE
    { reason=$(LC_ALL=C cat "$here/bench/command/help.txt" 2>&1 >&3); } 3>&1 || [[ $reason == *'Broken pipe' ]] ||
        stop "standard output: cannot be written: ${reason##*: }"
    exit 0
}

install=()
arguments=()
while [[ $# -gt 0 && $1 != -- ]]; do
    case $1 in
    --help | -h) help ;;
    --no-install) install=(--no-install) ;;
    *) arguments+=("$1") ;;
    esac
    shift
done
arguments+=("$@") # all after -- belongs to another program
if [[ ${#arguments[@]} == 0 ]]; then
    stop "$(<"$here/bench/command/help.txt")"
fi

"$here/bench/build/install.sh" "${install[@]}" run || exit 2

# Two runs started together build one after the other. MAKEFLAGS of a calling make must not reach this build.
mkdir -p "$here/build"
if ! MAKEFLAGS='' flock "$here/build" make -C "$here" >"$log" 2>&1; then
    stop "$(tail -n 20 "$log")" "The build failed. Its output is in $log"
fi

exec "$here/build/bench" "${arguments[@]}"
