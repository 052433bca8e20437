#!/bin/bash -p
# Writes the C source of build_identity(): for each implementation a hash of the source that computes its numbers, for each measure a
# hash of the source that measures. A finished round is reused only while these hashes stay the same.
#
#   bench/build/build_identity.sh FLAGS CUDA-FLAGS SHOWN-FLAGS HEADERS >build_identity.c
#   bench/build/build_identity.sh --files     what is hashed for whom: "NAME FILE", a line each
#
# FLAGS: the compiler and its flags. CUDA-FLAGS: the same for nvcc. SHOWN-FLAGS: what build_flags() returns. HEADERS: what defines the
# libraries that are compiled into what measures (headers.sh).
#
# Sources are hashed, not objects: objects hold the numbers of the sweep fields, so one more field would make everything stale.
# Comments, white space and #include lines do not count, since they compute nothing.
#
# An implementation is its own file, and every file of impls/ that no implementation owns, since it may use any of them. Shared files
# of impls/cuda/ count only for the implementations there. Of the registries, its own row alone: a new implementation must not make
# the rounds of all others stale. What computes another cell than the first has an identity of its own, CELL/NAME, of the files in the
# folder of that cell; these count for no others, nor does impls/fused/ for it.
#
# A measure is bench/measure/NAME.c and worker.c, what translates a point (translated, below), and what these reach in the rooms that
# decide. An included header counts, and every source of it: a file whose first include it is. Of problems, tasks and train the whole
# room counts, since their tables name files that nobody includes; with train also the arithmetic that it shares with the
# implementations. A measure of a recurrence judges by the answers of a few implementations (bench/problems/exact.c), which count with
# that arithmetic; it has an identity for each cell, with the implementations of that cell. Parsing of sweep files, journal,
# report, plots and command decide no number and are never reached.
# What calls plug-ins (bench/plugin/) is no implementation's; it has the identity "plugin", which goes into the keys of their rounds.
# tests/build_identity.sh compares this with the symbols of the objects.
set -euo pipefail
# shellcheck source=bench/build/environment.sh
. "$(dirname "$0")/environment.sh"
cd "$(dirname "$0")/../.."

translated="bench/sweep/translate.c bench/sweep/options.c"
deciding="bench/base/ bench/machine/ bench/problems/ bench/measure/ tasks/ train/ bench/sweep/translate. bench/sweep/options. bench/sweep/recipe."
whole="bench/problems/ tasks/ train/"
arithmetic="impls/impl.h impls/contract/ impls/math/" # what train/ shares with the implementations
judges=bench/problems/exact.c # names the implementations that it has its answers from
registries="impls/registry/registry.c impls/cuda/registry.h"

# Those beside the first: each a folder of impls/. What takes one of them only has a row of the first table; what takes the first, too, has a
# row of that cell's own table as well.
cells="selective delta selective_heads"

rows() { # FILE...: names of the rows of a table, each once: an implementation has a row for each cell with a file of its own
    sed -n 's/^ *X(\([a-z][a-z0-9_]*\)[,)].*/\1/p' "$@" | awk '!seen[$0]++'
}

rows_of_cell() { # CELL
    tr -d '\r' <"${registries%% *}" | sed -n "/define ${1^^}_IMPLEMENTATIONS/,/[^\\\\]\$/s/^ *X(\([a-z][a-z0-9_]*\)).*/\1/p"
}

# shellcheck disable=SC2086 # several files
first=$(for name in $(rows $registries); do [[ ! -e impls/$name.c && ! -e impls/cuda/$name.cu ]] || echo "$name"; done)
in_cells=$(for cell in $cells; do rows_of_cell "$cell" | sed "s|^|$cell/|"; done)
only_there=$(for cell in $cells; do for name in $(rows "${registries%% *}"); do [[ -e impls/$name.c || ! -e impls/$cell/$name.c ]] || echo "$cell/$name"; done; done)
implementations=$(echo "$first" && sed 's|.*/||' <<<"$only_there")
owners_in_cells=$in_cells$'\n'$only_there
on_device=$(rows "${registries##* }")
measures=$(rows bench/sweep/measures.h)
recurrent=$(sed -n 's/^ *X(\([a-z_]*\), *[A-Z_| ]*OF_RECURRENCE.*/\1/p' bench/sweep/measures.h)
named=$(tr '\n' ' ' <"$judges" | sed -n 's/.* names\[\] = {\([^}]*\)}.*/\1/p' | grep -o '[a-z_0-9]*')
judging=$(for name in $named; do [[ ! -e impls/$name.c ]] || echo "impls/$name.c"; done)
judging_in_cells=$(for cell in $cells; do for name in $named; do [[ ! -e impls/$cell/$name.c ]] || echo "impls/$cell/$name.c"; done; done)
[[ -n $implementations && -n $in_cells && -n $measures && -n $recurrent ]] || { echo "$0: no implementation or no measure found in the tables" >&2 && exit 1; }
for name in $named; do
    grep -q "/$name\.c$" <<<"$judging"$'\n'"$judging_in_cells" || { echo "$0: $judges names $name, which is no implementation" >&2 && exit 1; }
done
[[ -n $judging ]] || { echo "$0: $judges names no implementations" >&2 && exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
find bench impls tasks train -name '*.[ch]' -o -name '*.cc' -o -name '*.cu' | sort >"$folder/sources"

# ---- Who needs which files -----------------------------------------------------------------------------------------------

files_of_implementations() {
    # shellcheck disable=SC2016 # awk's
    awk -v implementations="$(tr '\n' ' ' <<<"$implementations")" -v on_device="$(tr '\n' ' ' <<<"$on_device")" \
        -v in_cells="$(tr '\n' ' ' <<<"$in_cells")" -v owners="$(tr '\n' ' ' <<<"$owners_in_cells")" -v cells="$cells" '
        function cell_of(file,    cell, n, i) {
            n = split(cells, cell, " ")
            for (i = 1; i <= n; i++) if (index(file, "impls/" cell[i] "/") == 1) return cell[i]
            return ""
        }
        function called(name) { # what is only there has no other name
            if (!index(" " in_cells, " " name " ")) sub(/.*\//, "", name)
            return name
        }
        function of_cell(cell,    name, n, i, list) {
            n = split(owners, name, " ")
            for (i = 1; i <= n; i++) if (index(name[i], cell "/") == 1) list = list " " called(name[i])
            return list
        }
        function give(list,    name, n, i) { n = split(list, name, " "); for (i = 1; i <= n; i++) print name[i], $1 }
        /^impls\/registry\// || !/^impls\// { next }
        {
            own = $1
            gsub(/.*\/|\.[a-z]*$/, "", own)
            cell = cell_of($1)
            if (cell != "") give(index(" " owners, " " cell "/" own " ") && !/h$/ ? called(cell "/" own) : of_cell(cell))
            else if (index(" " implementations, " " own " ")) give(own)
            else give(/^impls\/cuda\// ? on_device : implementations " " in_cells)
        }' "$folder/sources"
}

files_of_measures() {
    xargs grep -HE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' <"$folder/sources" | sed -E 's/^([^:]*):[^"]*"([^"]*)".*/\1 \2/' |
        awk -v sources="$folder/sources" -v measures="$(tr '\n' ' ' <<<"$measures")" -v translated="$translated" -v deciding="$deciding" -v whole="$whole" -v arithmetic="$arithmetic" \
            -v recurrent=" $(tr '\n' ' ' <<<"$recurrent")" -v judging="$(tr '\n' ' ' <<<"$judging")" -v cells="$cells" \
            -v judging_in_cells="$(tr '\n' ' ' <<<"$judging_in_cells")" -v owners="$(tr '\n' ' ' <<<"$owners_in_cells")" '
        function within(file, list,    part, n, i) {
            n = split(list, part, " ")
            for (i = 1; i <= n; i++) if (index(file, part[i]) == 1) return part[i]
            return ""
        }
        function in_cell(file, cell,    own) { # what judges there, and what all of that cell share
            own = file
            gsub(/^impls\/|\.[a-z]*$/, "", own)
            return index(file, "impls/" cell "/") == 1 &&
                (within(file, judging_in_cells) != "" || file ~ /h$/ || !index(" " owners, " " own " "))
        }
        function reach(file,    room, i, n, part) {
            if (file in reached || (file in foreign && file != own) || within(file, deciding) == "") return
            reached[file] = 1
            room = within(file, whole)
            for (i = 1; i <= all && room != ""; i++)
                if (index(name[i], room) == 1) reach(name[i])
                else if (room == "train/" && within(name[i], arithmetic) != "") reached[name[i]] = 1
            n = split(uses[file] " " of[file], part, " ")
            for (i = 1; i <= n; i++) reach(part[i])
        }
        BEGIN {
            while ((getline line < sources) > 0) name[++all] = line
            n = split(measures, measure, " ")
            for (i = 1; i <= n; i++) foreign["bench/measure/" measure[i] ".c"] = 1
        }
        { uses[$1] = uses[$1] " " $2; if ($1 !~ /h$/ && !($1 in first)) { first[$1] = 1; of[$2] = of[$2] " " $1 } }
        END {
            for (m = 1; m <= n; m++) {
                split("", reached)
                own = "bench/measure/" measure[m] ".c"
                k = split(own " bench/measure/worker.c " translated, root, " ")
                for (i = 1; i <= k; i++) reach(root[i])
                judges = index(recurrent, " " measure[m] " ")
                for (i = 1; i <= all; i++)
                    if (name[i] in reached || (judges && within(name[i], arithmetic " " judging) != "")) print measure[m], name[i]
                k = judges ? split(cells, cell, " ") : 0
                for (c = 1; c <= k; c++)
                    for (i = 1; i <= all; i++)
                        if (name[i] in reached || within(name[i], arithmetic) != "" || in_cell(name[i], cell[c]))
                            print cell[c] "/" measure[m], name[i]
            }
        }'
}

files_of_plugins() {
    sed -n 's|^bench/plugin/[^/]*$|plugin &|p' "$folder/sources"
}

{
    files_of_implementations
    files_of_measures
    files_of_plugins
} >"$folder/needs"
[[ ${1-} != --files ]] || { cat "$folder/needs" && exit; }

# ---- What of a file computes ----------------------------------------------------------------------------------------------

# Each file without comments, white space and #include lines, and a registry without the rows of its table.
mkdir "$folder/bare"
cut -d ' ' -f 2 "$folder/needs" | sort -u >"$folder/files"
# shellcheck disable=SC2016 # awk's
xargs awk -v bare="$folder/bare/" -v registries="$registries" 'BEGIN { RS = "\001" } {
    out = FILENAME
    gsub(/\//, "%", out)
    out = bare out
    text = $0; kept = ""
    while (match(text, /\/\*|\/\/|"([^"\\\n]|\\.)*"|\047([^\047\\\n]|\\.)*\047/)) {
        found = substr(text, RSTART, RLENGTH)
        kept = kept substr(text, 1, RSTART - 1)
        text = substr(text, RSTART + RLENGTH)
        if (found == "/*") { at = index(text, "*/"); text = " " substr(text, at + 2) }
        else if (found == "//") { at = index(text, "\n"); text = substr(text, at) }
        else kept = kept found
    }
    kept = "\n" kept text
    gsub(/\n[ \t]*#[ \t]*include[^\n]*/, "", kept)
    if (index(registries, FILENAME)) gsub(/\n *X\([^\n]*/, "", kept)
    gsub(/[ \t\r\n]/, "", kept)
    printf "%s", kept >out
    close(out)
}' <"$folder/files"
(cd "$folder/bare" && sha256sum -- *) | awk '{ gsub(/%/, "/", $2); print $2, $1 }' | sort >"$folder/hashes"

flags=$1 cuda_flags=$2 shown=$3 headers=$4
# What is known of each name, one a line: "NAME FILE HASH".
awk 'FNR == NR { hash[$1] = $2; next } { print $0, hash[$2] }' "$folder/hashes" "$folder/needs" | sort >"$folder/known"
row_of() { # NAME: its row of the registry of CUDA, which says what it takes
    sed -n "s|^ *X($1,\(.*\)|\1|p" "${registries##* }" | tr -d ' \r\134'
}

hash_of() { # NAME
    {
        echo "$flags"
        [[ $'\n'$on_device$'\n' != *$'\n'$1$'\n'* ]] || echo "$cuda_flags"
        [[ $'\n'$measures$'\n' != *$'\n'${1##*/}$'\n'* ]] || echo "$headers"
        row_of "$1"
        grep "^$1 " "$folder/known"
    } | sha256sum | cut -c 1-32
}

cat <<'END'
/* Made by bench/build/build_identity.sh. */
#include "bench/base/build.h"

#include <string.h>

static const struct {
    const char *name, *hash;
} table[] = {
END
judged=$(for cell in $cells; do sed "s|^|$cell/|" <<<"$recurrent"; done)
for name in $implementations $in_cells $measures $judged plugin; do
    echo "    {\"$name\", \"$(hash_of "$name")\"},"
done
cat <<END
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
    return "$shown";
}
END
