#!/bin/bash -p
# Installs missing packages, builds, and runs the program. --help prints bench/command/help.txt.
set -euo pipefail
unset CDPATH # cd would go elsewhere, and say so

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

# A checkout that belongs to someone else, or lies on a read-only disk: its program will do, if it is that of its sources.
if [[ -x $here/build/bench && (! -w $here/build || (-e $log && ! -w $log)) ]]; then
    newer=$(cd "$here" && find Makefile bench impls plots tasks train -newer build/bench -regex '.*\(Makefile\|\.[ch]\|\.cc\|\.cu\|\.def\|\.gp\)' -print -quit)
    [[ -z $newer ]] || stop "$here: $newer is newer than build/bench, and you may not write to build/ there." \
        "Expected a program as new as its sources: ask the owner of that folder to run ./run.sh list, or work on a copy of it."
    exec "$here/build/bench" "${arguments[@]}"
fi

# Neither flags of a calling make nor settings of the user's reach the build: the same source has the same identities everywhere. The
# program itself has the user's environment again, which some of its commands need.
build() {
    # shellcheck source=bench/build/environment.sh
    . "$here/bench/build/environment.sh"
    unset MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEFILES MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
    exec make -C "$here" {lock}<&-
}

# Two runs started together build one after the other, where the file system has locks.
mkdir -p "$here/build" || stop "$here: expected a folder that you may write to, for it is not built yet: work on a copy of it."
exec {lock}<"$here/build"
flock "$lock" 2>/dev/null || :
(build) >"$log" 2>&1 || stop "$(tail -n 20 "$log")" "The build failed. Its output is in $log"
exec {lock}<&-

exec "$here/build/bench" "${arguments[@]}"
