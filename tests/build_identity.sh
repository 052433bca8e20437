#!/bin/bash
# What changes the identity of an implementation's build, and what does not: a small room is built in folders of its own.
set -euo pipefail
script=$(cd "$(dirname "$0")/.." && pwd)/bench/build/build_identity.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# Leaves the rows of the table for a room in which these files were replaced: FOLDER FLAGS [FILE SOURCE]...
identity() {
    local place=$folder/$1 flags=$2
    shift 2
    mkdir -p "$place"/{,objects/}{impls/{registry,math,cuda},bench,train}
    printf '#define ROWS(X) \\\n    X(one) \\\n    X(two)\n' >"$place/impls/registry/registry.c"
    printf '#define ROWS(X) \\\n    X(card, EXACT, "...")\n' >"$place/impls/cuda/registry.h"
    echo 'int card(int x) { return x; }' >"$place/impls/cuda/card.c"
    echo 'int device(int x) { return x - 1; }' >"$place/impls/cuda/device.c"
    echo 'int one(int x) { return x + 1; }' >"$place/impls/one.c"
    echo 'int two(int x) { return x + 2; }' >"$place/impls/two.c"
    echo 'int scan(int x) { return x + 3; }' >"$place/impls/math/scan.c"
    echo 'int timing(int x) { return x + 4; }' >"$place/bench/timing.c"
    echo 'int speed(int x) { return x + 5; }' >"$place/bench/speed.c"
    echo 'int error(int x) { return x + 6; }' >"$place/bench/error.c"
    echo 'int learn(int x) { return x + 7; }' >"$place/bench/learn.c"
    echo 'int course(int x) { return x + 8; }' >"$place/bench/course.c"
    echo 'int layer(int x) { return x + 9; }' >"$place/train/layer.c"
    while [[ $# -gt 0 ]]; do
        printf '%s\n' "$2" >"$place/$1"
        shift 2
    done
    local file
    (
        cd "$place"
        for file in impls/{registry/registry,one,two,math/scan,cuda/card,cuda/device} bench/{timing,speed,error,learn,course} train/layer; do
            gcc -O2 -g "-ffile-prefix-map=$PWD=." -c "$file.c" -o "objects/$file.o"
        done
        "$script" "$flags" shown "impls/registry/registry.c impls/cuda/registry.h" "speed error learn" "learn course" objects/*/*.o objects/*/*/*.o | grep '^    {"'
    )
}

# EXPECTED is the names of the rows that must differ from those of the first build.
differ() { # WHAT EXPECTED ROWS
    local changed
    changed=$(diff <(echo "$first") <(echo "$3") | sed -n 's/^> *{"\([a-z]*\)".*/\1/p' | tr '\n' ' ' || true)
    [[ $changed == "$2" ]] || { echo "build_identity: $1: changed '$changed', not '$2'" >&2 && failed=1; }
}

first=$(identity first O2)
[[ $(wc -l <<<"$first") == 6 ]] || { echo "build_identity: expected rows one, two, card, speed, error, learn: $first" >&2 && exit 1; }

differ "the same again" "" "$(identity first O2)"
differ "another folder" "" "$(identity another/folder O2)"
differ "a comment" "" "$(identity comment O2 impls/one.c $'/* why */\n\nint one(int x)\n{\n    return x + 1; // so\n}')"
differ "an implementation" "one " "$(identity own O2 impls/one.c 'int one(int x) { return x + 7; }')"
differ "shared arithmetic" "one two card learn " "$(identity shared O2 impls/math/scan.c 'int scan(int x) { return x + 7; }')"
differ "an implementation on the device" "card " "$(identity card O2 impls/cuda/card.c 'int card(int x) { return x + 7; }')"
differ "what those share" "card " "$(identity device O2 impls/cuda/device.c 'int device(int x) { return x + 7; }')"
differ "a measure" "error " "$(identity measure O2 bench/error.c 'int error(int x) { return x + 7; }')"
differ "what measures share" "speed error learn " "$(identity measures O2 bench/timing.c 'int timing(int x) { return x + 7; }')"
differ "a layer" "learn " "$(identity layer O2 train/layer.c 'int layer(int x) { return x + 7; }')"
differ "what learning shares" "learn " "$(identity course O2 bench/course.c 'int course(int x) { return x + 7; }')"
differ "the flags" "one two card speed error learn " "$(identity flags O3)"
differ "one more implementation" "three " "$(identity more O2 impls/registry/registry.c \
    $'#define ROWS(X) \\\n    X(one) \\\n    X(two) \\\n    X(three)\nint added;')"

exit $failed
