#!/bin/bash
# Makes sure that what this project needs is on the machine: finds what is missing, says so, installs it.
#
#   bench/build/install.sh [--no-install] NEED...      NEED is run, test, lint or clang: the second column of bench/build/packages.txt
#
# With --no-install it prints the exact command instead, and changes nothing. Exit status: 0 everything is there (quietly), 2 not.
set -euo pipefail

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
    stop "This system has no apt-get. Please install these (their Debian names are given): ${missing[*]}"

# Only root may install; sudo is the way there when it exists.
as_root=
[[ $(id -u) == 0 ]] || as_root="sudo "
get="${as_root}env DEBIAN_FRONTEND=noninteractive apt-get"
fetch="$get install -y --no-install-recommends ${missing[*]}"
# The lists of packages are fetched only where those at hand do not do; simulating needs no rights and changes nothing.
apt-get install --simulate --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || fetch="$get update && $fetch"

[[ $install == yes ]] || stop "Nothing was installed. The command is:" "  $fetch"
if [[ -n $as_root ]] && ! command -v sudo >/dev/null; then
    stop "You are not root and there is no sudo. Please ask an administrator to run:" "  ${fetch//sudo /}"
fi

echo "Installing: $fetch" >&2
# Nothing but names from the table is in these commands. Lists can be older than the archive: one more try with new ones.
bash -c "$fetch" </dev/null >&2 || bash -c "$get update && $fetch" </dev/null >&2 ||
    stop "Installing failed (see above). This needs the network and the right to install. The command was:" "  $fetch"

look "$@"
[[ ${#missing[@]} == 0 ]] || stop "Installed, and yet not found: ${missing[*]}"
