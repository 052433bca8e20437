#!/bin/bash -p
# A build that was cut short anywhere is made whole by the next make. In a copy of the checkout and its build, which is left as it is.
#
#   tests/build.sh             products of each kind are cut short, emptied or lost, and look new
#   tests/build.sh --kills N   a build is killed N times, at moments spread over the time that it takes
#
# BUILD names the folder of the build (build); MAKEFLAGS holds the settings that it was made with.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/build/environment.sh
. bench/build/environment.sh
build=${BUILD:-build}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

say() {
    echo "build: $*" >&2
    failed=1
}

# Sources are copied, products linked: whatever makes them anew must put a new file in their place.
tree="$folder/it's a \"tree\" of \$HOME"
mkdir -p "$tree/$build"
touch "$folder/begun"
cp -rp Makefile run.sh bench impls plots sweeps tasks tests train "$tree/"
for part in objects bench flags flags-cuda build_identity.c commit.c cuda-found; do
    [[ ! -e $build/$part ]] || cp -al "$build/$part" "$tree/$build/"
done
unset MAKELEVEL
MAKEFLAGS=$(sed 's/ *-j[0-9]*//; s/ *--jobserver-[a-z]*=[^ ]*//' <<<"${MAKEFLAGS-}") # the calling make shares its jobs with nobody here
export MAKEFLAGS
make_it() {
    make --no-print-directory -C "$tree" "$build/bench" >"$folder/log" 2>&1
}
fingerprint() { # what the program says of itself
    (cd "$tree" && "./$build/bench" columns && "./$build/bench" list) 2>&1 | sha256sum
}
heals() { # WHAT
    make_it || { say "$1: make fails: $(tail -n 5 "$folder/log")" && return; }
    [[ $(fingerprint) == "$first" ]] || say "$1: the program is another one: $("$tree/$build/bench" list 2>&1 | head -n 3)"
}
make_it || { tail -n 20 "$folder/log" >&2 && exit 1; }
first=$(fingerprint)

# ---- At every moment --------------------------------------------------------------------------------------------------------

if [[ ${1-} == --kills ]]; then
    change() { # what a small change compiles: some objects of each kind, and the program
        touch "$tree/bench/base/text.h" "$tree/impls/gmres.c" "$tree/bench/measure/timing.cc" "$tree/plots/page.gp"
        rm -f "$tree/$build/build_identity.c"
    }
    change
    begun=$(date +%s%N)
    heals "a change"
    took=$(($(date +%s%N) - begun))
    left=0
    for ((i = 1; i <= $2; i++)); do
        change
        setsid make --no-print-directory -C "$tree" "$build/bench" >"$folder/log" 2>&1 &
        victim=$!
        sleep "$(awk -v all="$took" -v i="$i" -v n="$2" 'BEGIN { printf "%.3f", all / 1e9 * i / n }')"
        kill -KILL -- "-$victim" 2>/dev/null || true
        wait "$victim" 2>/dev/null && left=$((left + 1))
        heals "kill $i"
    done
    echo "build: $2 builds killed ($left had ended before), within $((took / 1000000)) ms; the next make made each whole: $([[ $failed == 0 ]] && echo yes || echo NO)"
    exit $failed
fi

# ---- What is not whole ----------------------------------------------------------------------------------------------------

cut() { # FILE BYTES: cut to so many from its beginning, or by so many from its end ("-1"); it looks new
    [[ -e $tree/$build/$1 ]] || { say "$1 is gone: name another product of that kind here" && return; }
    head -c "$2" "$tree/$build/$1" >"$folder/cut"
    chmod --reference="$tree/$build/$1" "$folder/cut"
    mv "$folder/cut" "$tree/$build/$1"
}
variant=$(cd "$build" && find objects/impls -name 'gmres.f32.*.o' | head -n 1)
cut objects/bench/main.o 0
cut objects/bench/base/text.o -1
cut objects/bench/measure/timing.o 1000
cut "$variant" 5000
cut objects/plots/scripts.o 64
cut objects/bench/base/number.d 0
cut objects/bench/base/error.d 40
cut objects/bench/sweep/sweep.d -8
cut build_identity.c 300
cut commit.c 60
rm "$tree/$build/objects/bench/base/pool.d"
for file in bench objects/bench/base/files.o objects/bench/base/files.d build_identity.c flags; do
    echo "left behind by a build that was killed" >"$tree/$build/$file.new"
done
heals "objects, lists of headers and generated sources cut short"
for bytes in 0 1 5000 -1; do
    cut bench "$bytes"
    heals "the program cut to $bytes bytes"
done

# A list of headers that was cut short must not hide that a header has changed.
cut objects/bench/base/parse.d -8
echo '#error "found"' >>"$tree/bench/base/parse.h"
! make_it || say "a change of a header was not seen after its list had been cut short"
cp -p bench/base/parse.h "$tree/bench/base/"
heals "a header that was mended"

# What looks older than what was made of it: from an archive, or put back with its time.
sed -i 's/"\\nTasks\\n"/"\\nOther tasks\\n"/' "$tree/bench/command/list.c"
touch -d 2001-01-01 "$tree/bench/command/list.c"
make_it || say "an old source: make fails: $(tail -n 5 "$folder/log")"
(cd "$tree" && "./$build/bench" list) | grep -q 'Other tasks' || say "a source that changed, but looks old, was not compiled"
cp -p bench/command/list.c "$tree/bench/command/"
heals "a source that was put back with its time"

# What was linked into the copy is as it was: nothing is written in place.
[[ -z $(find "$build/objects" "$build/bench" -newer "$folder/begun" 2>/dev/null) ]] || say "a product was written in place"
exit $failed
