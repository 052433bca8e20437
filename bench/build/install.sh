#!/bin/bash -p
# Finds missing packages, names them, and installs them.
#
#   bench/build/install.sh [--no-install] NEED...      NEED: run, test, lint or clang (second column of packages.txt)
#
# With --no-install it prints the command instead and changes nothing. Exit status: 0 everything is there, 2 not.
set -euo pipefail
# shellcheck source=bench/build/environment.sh
. "$(dirname "$0")/environment.sh"

table=$(dirname "$0")/packages.txt
missing=() # package names
purposes=()

there() { # PROBE NAME
    case $1 in
    command) command -v "$2" ;;
    library) pkg-config --exists "$2" ;;
    clang) compgen -G "$(clang -print-resource-dir)/$2" ;;
    header) [[ -e /usr/include/$2 || -e /usr/local/include/$2 ]] ;;
    *) echo "bench/build/packages.txt: unknown probe: $1" >&2 && exit 2 ;;
    esac >/dev/null 2>&1
}

look() { # NEED...
    local package need probe name purpose
    missing=() purposes=()
    while read -r package need probe name purpose; do
        [[ $package == '#'* || -z $package || " $* " != *" $need "* ]] && continue
        there "$probe" "$name" || { missing+=("$package") && purposes+=("$purpose"); }
    done <"$table"
}

stop() { # LINE...
    printf '%s\n' "$@" >&2
    exit 2
}

install=yes
[[ ${1:-} == --no-install ]] && install=no && shift
look "$@"
[[ ${#missing[@]} == 0 ]] && exit 0

{
    echo "Missing on this machine:"
    for i in "${!missing[@]}"; do
        printf '  %-18s %s\n' "${missing[i]}" "${purposes[i]}"
    done
} >&2

command -v apt-get >/dev/null ||
    stop "This system has no apt-get. Please install these packages (Debian names): ${missing[*]}"

# Only root may install: with sudo where it exists.
as_root=
[[ $(id -u) == 0 ]] || as_root="sudo "
# Where something else installs just now, apt-get waits for it: ten minutes at most.
get="${as_root}env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600"
fetch="$get install -y --no-install-recommends ${missing[*]}"
# The package lists are updated only if the ones present do not suffice. Simulating needs no rights and changes nothing.
apt-get install --simulate --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || fetch="$get update && $fetch"

[[ $install == yes ]] || stop "Nothing was installed. To install, run:" "  $fetch"
if [[ -n $as_root ]] && ! command -v sudo >/dev/null; then
    stop "You are not root and there is no sudo. Please ask an administrator to run:" "  ${fetch//sudo /}"
fi

# For another apt-get that updates the package lists just now it does not wait: try again, for ten minutes at most.
patiently() { # COMMAND: holds only names from the table
    local said try
    for try in {1..120}; do
        { said=$(LC_ALL=C bash -c "$1" </dev/null 2>&1 | tee /dev/fd/3) && return; } 3>&2
        [[ $said == *'Could not get lock'* ]] || return 1
        echo "Another installation is under way; waiting for it ($try of 120)" >&2
        sleep 5
    done
    return 1
}

echo "Installing: $fetch" >&2
# An installation that was killed is to be ended first, and package lists may be outdated: do both and try once more.
repair="${as_root}env DEBIAN_FRONTEND=noninteractive dpkg --configure -a"
patiently "$fetch" || patiently "$repair; $get update && $fetch" ||
    stop "Installing failed (see above). It needs a network and the right to install. The command was:" "  $fetch"

look "$@"
[[ ${#missing[@]} == 0 ]] || stop "Installed, but still not found: ${missing[*]}"
