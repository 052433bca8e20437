#!/bin/bash
# Writes the C source of build_identity(): for every implementation a hash of the code that computes its numbers, and for every
# measure one of the code that measures. A finished point is served again only while these stay the same.
#
#   bench/build/build_identity.sh FLAGS SHOWN-FLAGS 'REGISTRY REGISTRY-OF-CUDA' MEASURES LEARNING OBJECT... >build_identity.c
#
# FLAGS is a text naming the compiler and the flags, SHOWN-FLAGS what build_flags() says, MEASURES names the measures: the object of that name is the measure's own, every
# other one of bench/ counts for all of them. LEARNING names those measures and objects of bench/ that have to do with what is learnt:
# they and train/, tasks/ and the shared arithmetic count for each of these measures, for an accuracy hangs on the training before it.
# An implementation's hash covers its own objects and all of impls/ that no implementation owns, since any of it may be arithmetic that
# it uses; what impls/cuda/ shares counts for the implementations of the registry there alone. The registries are left out: one more
# implementation there must not make the points of all others stale. Debug information is left out: a comment, or another folder,
# changes nothing.
set -euo pipefail

flags=$1 shown=$2 registries=$3 measures=$4 learning=$5
shift 5

rows() { # REGISTRY...
    sed -n 's/^ *X(\([a-z][a-z0-9_]*\)[,)].*/\1/p' "$@"
}

# shellcheck disable=SC2086 # two files
implementations=$(rows $registries)
on_device=$(rows "${registries##* }")
[[ -n $implementations ]] || { echo "$0: $registries names no implementation" >&2 && exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# One file of hashes for each implementation and measure, one for the rest of impls/, one for the rest of bench/.
mkdir "$folder/own"
for object in "$@"; do
    file=${object#*objects/} # impls/math/scan.f32.avx2.o
    name=$(basename "${file%%.*}")
    case $file in
    impls/registry/registry.o) continue ;;
    impls/cuda/*) owner=$(grep -qx "$name" <<<"$implementations" && echo "$name" || echo cuda) ;;
    impls/*) owner=$(grep -qx "$name" <<<"$implementations" && echo "$name" || echo shared) ;;
    train/* | tasks/*) owner=$([[ $name == random ]] && echo harness || echo learning) ;;
    *)
        owner=harness
        [[ " $measures " != *" $name "* ]] || owner=$name
        [[ " $learning " != *" $name "* ]] || owner=learning
        ;;
    esac
    objcopy --strip-debug --enable-deterministic-archives "$object" "$folder/object"
    echo "$file $(sha256sum <"$folder/object")" >>"$folder/own/$owner"
done

hash_of() { # OWNER...
    (
        echo "$flags"
        for owner in "$@"; do
            [[ ! -e $folder/own/$owner ]] || LC_ALL=C sort "$folder/own/$owner"
        done
    ) | sha256sum | cut -c 1-32
}

cat <<'END'
/* Made by bench/build/build_identity.sh. */
#include "bench/base/build.h"

#include <string.h>

static const struct {
    const char *name, *hash;
} table[] = {
END
for implementation in $implementations; do
    owners=(shared "$implementation")
    ! grep -qx "$implementation" <<<"$on_device" || owners+=(cuda)
    echo "    {\"$implementation\", \"$(hash_of "${owners[@]}")\"},"
done
for measure in $measures; do
    owners=(harness "$measure")
    [[ " $learning " != *" $measure "* ]] || owners=(harness shared learning)
    echo "    {\"$measure\", \"$(hash_of "${owners[@]}")\"},"
done
cat <<'END'
};

const char *build_identity(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].hash;
    return NULL;
}

const char *build_flags(void)
{
END
echo "    return \"$shown\";"
echo "}"
