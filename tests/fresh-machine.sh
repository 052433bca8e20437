#!/bin/bash -p
# The README's commands on a fresh machine: a minimal system of this host's release is made in a folder (debootstrap, from the mirror
# that this host's apt uses), given make and git and nothing else, and the checkout's files are copied in. Needs root, the network
# and debootstrap; takes some minutes. Not part of make test.
#
#   tests/fresh-machine.sh [install]      with "install", only as far as installing what is missing
#
# FRESH_RELEASE, FRESH_MIRROR, FRESH_COMPONENTS (with commas) and FRESH_KEYRING in the environment ask for another system: an Ubuntu on
# a Debian, for example.
set -euo pipefail
home=$(cd "$(dirname "$0")/.." && pwd)
only=${1:-all}
place=$(mktemp -d)
root=$place/root
failed=0

[[ $(id -u) == 0 ]] || { echo "fresh-machine: this needs root" >&2 && exit 2; }
command -v debootstrap >/dev/null || { echo "fresh-machine: please install debootstrap" >&2 && exit 2; }

trap 'umount "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$place"' EXIT

say() {
    echo "fresh-machine: $*"
}

# Runs a command there as a user, in a folder, without a terminal: WHO FOLDER COMMAND.
there() {
    chroot --userspec="$1" "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME="/home/$1" \
        bash -c "cd '$2' && $3" </dev/null 2>&1
}

# WHAT STATUS PATTERN WHO FOLDER COMMAND: PATTERN (extended) must match a line of what it prints.
expect() {
    local what=$1 status=$2 pattern=$3 got=0
    shift 3
    say "$what: $3"
    there "$@" >"$place/output" || got=$?
    if [[ $got == "$status" ]] && grep -qE -- "$pattern" "$place/output"; then
        tail -n 3 "$place/output" | sed 's/^/    /'
    else
        say "FAILED: status $got, not $status, or nothing like '$pattern':"
        tail -n 40 "$place/output" | sed 's/^/    /'
        failed=1
    fi
}

state() {
    there root / "dpkg-query -W; find /home -not -path '*/.git/*' -type f | xargs sha256sum" | sha256sum
}

# shellcheck source=/dev/null
release=${FRESH_RELEASE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
# shellcheck disable=SC2016 # these are apt's own variables
targets=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | grep "^$release " || true)
mirror=${FRESH_MIRROR:-$(awk 'NR == 1 {print $2}' <<<"$targets")}
components=${FRESH_COMPONENTS:-$(awk -v mirror="$mirror" '$2 == mirror {print $3}' <<<"$targets" | sort -u | paste -sd ,)}
[[ -n $mirror ]] || { say "this host's apt has no mirror of $release: please name one in FRESH_MIRROR" && exit 2; }
# A release that this debootstrap does not know yet is made as Ubuntu's always were.
script=
[[ -e /usr/share/debootstrap/scripts/$release ]] || script=gutsy

say "making a minimal $release"
# shellcheck disable=SC2086 # no script is no argument
debootstrap --variant=minbase --components="${components:-main}" ${FRESH_KEYRING:+"--keyring=$FRESH_KEYRING"} "$release" "$root" "$mirror" $script \
    >"$place/debootstrap" 2>&1 || { tail -n 20 "$place/debootstrap" && exit 1; }
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump Acquire >"$root/etc/apt/apt.conf.d/90host"
there root / "apt-get install -y --no-install-recommends make git && useradd --create-home researcher" >"$place/output" ||
    { cat "$place/output" && exit 1; }
for user in root researcher; do
    mkdir -p "$root/home/$user/checkout"
    git -C "$home" ls-files -z --cached --others --exclude-standard | (cd "$home" && xargs -0 ls -d 2>/dev/null) |
        tar -C "$home" -c -T - | tar -C "$root/home/$user/checkout" -x
    there root / "chown -R $user: /home/$user"
done

before=$(state)
command='env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc g\+\+ binutils pkg-config .*gnuplot-nox'
expect "root, --no-install" 2 "^  $command\$" root /home/root/checkout "./run.sh --no-install sweeps/quick.yaml"
expect "a user, --no-install" 2 "^  sudo $command\$" researcher /home/researcher/checkout "./run.sh --no-install sweeps/quick.yaml"
expect "a user without sudo" 2 "ask an administrator" researcher /home/researcher/checkout "./run.sh sweeps/quick.yaml"
expect "a user without sudo" 2 "ask an administrator" researcher /home/researcher/checkout "make test"
expect "help" 0 "Exit status" researcher / "/home/researcher/checkout/run.sh --help"
[[ $(state) == "$before" ]] || { say "FAILED: something changed" && failed=1; }

if [[ $only == install ]]; then
    expect "installing" 0 "Setting up gnuplot" root /home/root/checkout "bench/build/install.sh run test"
    expect "everything is there" 0 "^nothing$" root /home/root/checkout "bench/build/install.sh run test; echo nothing"
else
    for user in root researcher; do
        expect "$user" 0 "^[0-9]+ passed, 0 failed\$" "$user" "/home/$user/checkout" "make test"
        expect "$user" 0 "results/" "$user" "/home/$user/checkout/sweeps" "../run.sh quick.yaml"
    done
fi

[[ $failed == 0 ]] && say "all as expected"
exit $failed
