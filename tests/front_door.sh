#!/bin/bash -p
# run.sh and bench/build/install.sh on machines that lack things: each machine is a folder of commands that PATH is set to. apt-get, sudo and
# id are stand-ins; nothing is installed anywhere.
set -uo pipefail
home=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

say() {
    echo "front_door: $*" >&2
    failed=1
}

# A machine with the tools of every system, and these besides; "root", "user" say who uses it.
machine() { # WHO COMMAND...
    rm -rf "${folder:?}/bin"
    mkdir "$folder/bin"
    : >"$folder/log"
    local tool
    for tool in bash env cat dirname ln tee; do
        ln -s "$(type -P $tool)" "$folder/bin/$tool"
    done
    command_is id 'echo '"$([[ $1 == root ]] && echo 0 || echo 1000)"
    shift
    for tool in "$@"; do
        command_is "$tool" :
    done
}

command_is() { # NAME SCRIPT
    printf '#!/bin/bash\n%s\n' "$2" >"$folder/bin/$1"
    chmod +x "$folder/bin/$1"
}

# An apt-get that logs how it was called and does SCRIPT.
apt_is() {
    command_is apt-get "echo \"apt-get \$*\" >>'$folder/log'; $1"
}

# Runs a command there, from another folder, and checks its status and, with patterns, what it said.
expect() { # WHAT STATUS COMMAND... -- PATTERN...
    local what=$1 status=$2 command=() output got pattern
    shift 2
    while [[ $# -gt 0 && $1 != -- ]]; do
        command+=("$1")
        shift
    done
    shift
    output=$(cd / && PATH=$folder/bin "${command[@]}" 2>&1)
    got=$?
    [[ $got == "$status" ]] || say "$what: status $got, not $status: $output"
    for pattern in "$@"; do
        grep -qF -- "$pattern" <<<"$output" || say "$what: did not say '$pattern': $output"
    done
}

calls() { # WHAT EXPECTED
    [[ $(cat "$folder/log") == "$2" ]] || say "$1: called '$(cat "$folder/log")', not '$2'"
}

machine user
expect "help" 0 "$home/run.sh" --help -- "./run.sh FILE.yaml"
expect "help among arguments" 0 "$home/run.sh" sweep.yaml --help -- "./run.sh FILE.yaml"
# shellcheck disable=SC2016 # of the inner shell
for row in '2 >/dev/full' '2 >&-' '2 >&- 2>&-' '0 <&-' '0 <&- 2>&-'; do
    expect "help ${row#* }" "${row%% *}" bash -c '"$1" --help '"${row#* }" - "$home/run.sh" --
done
# shellcheck disable=SC2016 # likewise
expect "what cannot be printed" 2 bash -c '"$1" --help >/dev/full' - "$home/run.sh" -- "standard output: cannot be written: No space left"
# shellcheck disable=SC2016 # likewise
expect "an error that nobody can read" 2 bash -c '"$1" 2>/dev/full' - "$home/run.sh" --
expect "no argument" 2 "$home/run.sh" -- "./run.sh FILE.yaml"

# The one header that is looked for by its path is really there: these tests are built with it.
packages=$(awk '$1 !~ /^#/ && $2 == "run" && $3 != "header" {printf " %s", $1}' "$home/bench/build/packages.txt")
simulate="apt-get install --simulate --no-install-recommends$packages"
install="apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends$packages"

machine root
apt_is :
expect "--no-install as root" 2 "$home/run.sh" --no-install x.yaml -- "  env DEBIAN_FRONTEND=noninteractive $install"
calls "--no-install as root" "$simulate"

machine user
apt_is :
expect "--no-install as a user" 2 "$home/run.sh" x.yaml --no-install -- "  sudo env DEBIAN_FRONTEND=noninteractive $install"
expect "no sudo" 2 "$home/run.sh" x.yaml -- "ask an administrator to run" "  env DEBIAN_FRONTEND=noninteractive $install"
calls "neither installs" "$simulate"$'\n'"$simulate"

machine root
apt_is 'exit 100'
expect "no lists yet" 2 "$home/run.sh" --no-install x.yaml -- \
    "  env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 update && env DEBIAN_FRONTEND=noninteractive $install"
expect "no network" 2 "$home/run.sh" x.yaml -- "Installing failed" "network" "$install"

machine root
expect "no apt-get" 2 "$home/run.sh" x.yaml -- "no apt-get" "libyaml-dev"

# An apt-get that installs: the commands appear, and a pkg-config that finds everything.
machine user
command_is sudo "echo sudo >>'$folder/log'; exec \"\$@\""
apt_is "[[ \$4 == -y ]] || exit 0
for tool in gcc g++ make objcopy gnuplot pkg-config; do ln -s '$(type -P true)' '$folder/bin/'\$tool; done"
expect "installing" 0 "$home/bench/build/install.sh" run -- "Missing on this machine" "libopenblas-dev" "Installing: sudo env"
calls "installing" "$simulate"$'\nsudo\n'"$install"
expect "nothing is missing" 0 "$home/bench/build/install.sh" --no-install run --
calls "nothing is missing" "$simulate"$'\nsudo\n'"$install"

# An installation that was killed: apt-get refuses until dpkg has ended it.
machine root
command_is dpkg "echo \"dpkg \$*\" >>'$folder/log'"
apt_is "[[ \$* != *--simulate* ]] || exit 0
[[ \$(<'$folder/log') == *'dpkg --configure -a'* ]] || { echo 'E: dpkg was interrupted, you must manually run dpkg --configure -a' >&2; exit 100; }
for tool in gcc g++ make objcopy gnuplot pkg-config; do ln -sf '$(type -P true)' '$folder/bin/'\$tool; done"
expect "an installation that was killed" 0 "$home/bench/build/install.sh" run -- "dpkg was interrupted"

# What a shell reads first, or where cd looks, is nobody's business here.
machine user
echo 'echo from BASH_ENV' >"$folder/first"
for variable in "BASH_ENV=$folder/first" "ENV=$folder/first" "CDPATH=$(dirname "$home")" POSIXLY_CORRECT=1 TMPDIR=/nonexistent; do
    said=$(cd "$(dirname "$home")" && env "$variable" PATH="$folder/bin" "./${home##*/}/run.sh" --help 2>&1)
    [[ $said == "$(<"$home/bench/command/help.txt")" ]] || say "with $variable: help says: ${said:0:200}"
done

# Another apt-get updates the lists at first: no reason to give up.
machine root
command_is sleep "echo sleep >>'$folder/log'"
apt_is "[[ \$4 == -y ]] || exit 0
[[ \$(<'$folder/log') == *sleep* ]] || { echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)' >&2; exit 100; }
for tool in gcc g++ make objcopy gnuplot pkg-config; do ln -s '$(type -P true)' '$folder/bin/'\$tool; done"
expect "two installations at once" 0 "$home/bench/build/install.sh" run -- "Another installation is under way"
calls "two installations at once" "$simulate"$'\n'"$install"$'\nsleep\n'"$install"

machine root
apt_is :
expect "installed in vain" 2 "$home/bench/build/install.sh" run -- "Installed, but still not found:$packages"

# ---- A built checkout -----------------------------------------------------------------------------------------------------------
# Of run.sh alone: the program is a stand-in that says its arguments, and make a stand-in that says that it was called.

checkout() {
    rm -rf "${folder:?}/checkout"
    mkdir -p "$folder/checkout/bench/build" "$folder"/checkout/{build,impls,plots,tasks,train}
    cp "$home/run.sh" "$folder/checkout/"
    printf '#!/bin/sh\n' >"$folder/checkout/bench/build/install.sh"
    printf '#!/bin/sh\necho "program $*"\n' >"$folder/checkout/build/bench"
    touch -d @1000000000 "$folder/checkout/Makefile" "$folder/checkout/bench/main.c"
    chmod -R a+rX "$folder"
    chmod +x "$folder/checkout/bench/build/install.sh" "$folder/checkout/build/bench"
}

# As somebody who may write to none of it, whoever runs this.
# shellcheck disable=SC2317 # it is called by its name
stranger() {
    if [[ $(id -u) == 0 ]]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        chmod -R a-w "$folder/checkout"
        "$@"
    fi
}

# WHAT STATUS PATTERN COMMAND...
said() {
    local what=$1 status=$2 pattern=$3 output got
    shift 3
    output=$(cd / && "$@" 2>&1)
    got=$?
    # shellcheck disable=SC2053 # it is a pattern
    [[ $got == "$status" && $output == $pattern ]] || say "$what: status $got, not $status: $output"
    [[ -w $folder/checkout ]] || chmod -R u+w "$folder/checkout"
}

machine root flock make
command_is make "echo made >>'$folder/log'"
tools=$folder/bin:$PATH

checkout
said "a checkout of someone else" 0 "program list" stranger env PATH="$tools" "$folder/checkout/run.sh" list
calls "a checkout of someone else" ""
touch "$folder/checkout/bench/main.c"
touch -d @1000000000 "$folder/checkout/build/bench"
said "an old build of someone else" 2 "*bench/main.c is newer than build/bench*ask the owner*" \
    stranger env PATH="$tools" "$folder/checkout/run.sh" list
rm -r "$folder/checkout/build"
said "no build of someone else" 2 "*it is not built yet: work on a copy*" stranger env PATH="$tools" "$folder/checkout/run.sh" list

checkout
said "a file system with locks" 0 "program list" env PATH="$tools" "$folder/checkout/run.sh" list
command_is flock "echo 'flock: 10: No locks available' >&2; exit 71"
said "a file system without locks" 0 "program list" env PATH="$tools" "$folder/checkout/run.sh" list
calls "a build in any case" $'made\nmade'

exit $failed
