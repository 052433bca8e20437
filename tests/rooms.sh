#!/bin/bash -p
# Holds the source to the table of rooms in docs/architecture.md: who may include whom, no circle among rooms or files, no folder that
# is too full. The objects of pure rooms reach for no file, terminal or environment, and no suite is forgotten. BUILD names the folder of
# the build (build).
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
page=docs/architecture.md
most=25 # sources in a folder
build=${BUILD:-build}
failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

say() {
    echo "rooms: $*" >&2
    failed=1
}

# ---- The table -----------------------------------------------------------------------------------------------------------

# Rows of "room|what it may use|below or nothing|pure": what it may use are rooms ("impls/math/") and headers, braces written out.
table=$(
    sed -n '/^| room |/,/^$/{/^|/p}' "$page" | tail -n +3 | while IFS='|' read -r _ room _ uses pure _; do
        room=${room//[\` ]/} below=
        [[ $uses != *'and below'* ]] || below=below
        # shellcheck disable=SC2016 # these are Markdown's
        names=$(grep -o '`[^`]*`' <<<"$uses" | tr -d '`' | while IFS= read -r name; do
            head=${name%%\{*} tail=${name##*\}}
            [[ $name == *\{* ]] || { echo "$name" && continue; }
            name=${name#*\{} && name=${name%\}*}
            tr , '\n' <<<"$name" | sed "s|.*|$head&$tail|"
        done | tr '\n' ' ' || true)
        [[ $uses != *everything* ]] || names='*'
        echo "$room|$names|$below|${pure// /}"
    done
)
[[ $(wc -l <<<"$table") -gt 20 ]] || say "$page: the table of rooms is not there"

# "from to line" of every include of the source, from and to being files.
includes=$(grep -rnE --include='*.[ch]' --include='*.cc' --include='*.cu' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' \
    bench impls tasks train plots tests | sed -E 's/^([^:]*):([0-9]*):[^"]*"([^"]*)".*/\1 \3 \2/')

# ---- Includes, and circles -----------------------------------------------------------------------------------------------

# Prints what is wrong with the includes, a line each; and "edge FROM TO" of each arrow between rooms.
judge() {
    awk -F'|' '
    function room_of(file,    i) { # a row of its own, else the longest room above it
        if (file in row) return file
        for (i = length(file); i > 0; i--)
            if (substr(file, i, 1) == "/" && substr(file, 1, i) in row) return substr(file, 1, i)
        return ""
    }
    function allow(room, name) { if (!((room, name) in may)) { may[room, name] = 1; list[room] = list[room] " " name } }
    FNR == NR {
        order[++rooms] = $1; row[$1] = 1; below[$1] = $3
        n = split($2, name, " ")
        for (i = 1; i <= n; i++) { allow($1, name[i]); direct[$1] = direct[$1] " " name[i] }
        next
    }
    FNR == 1 { # "and below": what the named rooms may use, until nothing is new
        for (again = 1; again;) {
            again = 0
            for (i = 1; i <= rooms; i++) {
                if (below[order[i]] == "") continue
                n = split(list[order[i]], name, " ")
                for (k = 1; k <= n; k++) {
                    m = name[k] in row ? split(list[name[k]], other, " ") : 0
                    for (j = 1; j <= m; j++)
                        if (other[j] != order[i] && !((order[i], other[j]) in may)) { allow(order[i], other[j]); again = 1 }
                }
            }
        }
        for (i = 1; i <= rooms; i++) {
            n = split(direct[order[i]], name, " ")
            for (k = 1; k <= n; k++) if (name[k] ~ /\/$/) print "edge " order[i] " " name[k]
        }
    }
    {
        split($0, part, " "); from = part[1]; to = part[2]
        room = room_of(from); used = room_of(to)
        if (room == "") print from ": lies in no room"
        else if (used == "") print from ":" part[3] ": " to " lies in no room"
        else if (room != used && !((room, used) in may) && !((room, to) in may) && !((room, "*") in may))
            print from ":" part[3] ": " room " may not include " to
    }' <(echo "$table") <(echo "$includes")
}
judged=$(judge)
while IFS= read -r line; do
    say "$line"
done < <(grep -v '^edge ' <<<"$judged" || true)

# Names each circle that the arrows "FROM TO" on the standard input make.
circles() { # WHAT
    while IFS= read -r line; do
        say "a circle of $1: $line"
    done < <(tsort 2>&1 >/dev/null | awk '/contains a loop/ { if (loop != "") print loop; loop = ""; next } { loop = loop " " $2 } END { if (loop != "") print loop }')
}
circles rooms < <(sed -n 's/^edge //p' <<<"$judged" | sort -u)

# Who calls whom, from the symbols of the objects; of what is compiled several times, all variants are one.
find "$build/objects" -path "$build/objects/tests" -prune -o -name '*.o' -print | while IFS= read -r object; do
    source=${object#"$build"/objects/}
    source=${source%%.*}
    [[ ! -e $source.c && ! -e $source.cc && ! -e $source.cu ]] || echo "$object"
done >"$folder/objects"
xargs nm -A -P <"$folder/objects" | awk -v skip="$build/objects/" '
    { file = substr($1, length(skip) + 1); sub(/[.:].*$/, "", file) }
    $3 == "U" { used[file " " $2] = 1 }
    $3 ~ /^[TDBRVW]$/ { home[$2] = file }
    END { for (use in used) { split(use, part, " "); if (part[2] in home && home[part[2]] != part[1]) print part[1], home[part[2]] } }' |
    sort -u >"$folder/calls"
[[ -s $folder/calls ]] || say "no objects in $build"
circles files <"$folder/calls"

# A source begins with its own header: which sources a header stands for can be read from them (bench/build/build_identity.sh does).
while IFS= read -r header; do
    for source in "${header%.h}".{c,cc,cu}; do
        [[ ! -e $source ]] || grep -m 1 '^#include "' "$source" | grep -qF "\"$header\"" || say "$source does not begin with its own header"
    done
done < <(find bench impls tasks train plots -name '*.h')

# ---- Folders -------------------------------------------------------------------------------------------------------------

while read -r n room; do
    [[ $n -le $most ]] || say "$room has $n sources, more than $most"
done < <(find bench impls tasks train plots tests -name '*.c' -o -name '*.cc' -o -name '*.cu' | sed 's|/[^/]*$||' | sort | uniq -c)

while IFS='|' read -r room _; do
    [[ -e $room ]] || say "$page: there is no $room"
done <<<"$table"

for suites in tests/*/; do # a row of its own, or the name of the room whose suites it has
    grep -q "^$suites|" <<<"$table" || grep -qE "^([a-z]+/)?$(basename "$suites")/\|" <<<"$table" || say "$suites is named after no room"
done

for file in tests/*/test_*.c; do
    name=${file##*/test_}
    grep -qE "^SUITE\(${name%.c}[,)]" tests/suites.h || say "$file has no line in tests/suites.h"
done

# ---- Purity --------------------------------------------------------------------------------------------------------------

# The __..._chk names are what the same calls become in a hardened build.
forbidden='printf|fprintf|vprintf|vfprintf|puts|putchar|fputs|fputc|fwrite|perror|exit|_exit|abort|__assert_fail'
forbidden+='|fopen|fopen64|open|open64|openat|read|write|socket|getenv|secure_getenv|setenv|system|popen|fork|execve|time'
seen=0
while IFS='|' read -r room _ _ pure; do
    [[ $pure == yes ]] || continue
    for object in "$build/objects/$room"*.o; do
        source=${object#*/objects/}
        [[ -e ${source%%.*}.c || -e ${source%%.*}.cu ]] || continue # left behind by a file that is gone
        seen=$((seen + 1))
        called=$(nm -u "$object" | awk '{print $2}' | grep -xE "($forbidden)|__($forbidden)_chk" | tr '\n' ' ' || true)
        [[ -z $called ]] || say "$object calls $called"
    done
done <<<"$table"
[[ $seen -gt 0 ]] || say "no objects of pure rooms in $build"

# ---- One way to files ------------------------------------------------------------------------------------------------------

# bench/base/files.h: whoever opened a file by himself would follow links and wait for pipes.
files='f(re)?open(64)?|open(64)?|openat(64)?|creat|opendir|fdopendir|mkdir(at)?|rmdir|rename(at)?2?|unlink(at)?|remove|mk[dos]*temps?(64)?'
files+='|mknod|mkfifo|link(at)?|symlink(at)?|truncate(64)?'
seen=0
while IFS= read -r object; do
    room=${object#"$build"/objects/}
    [[ $room == bench/* || $room == plots/* || $room == train/* || $room == tasks/* ]] || continue
    [[ $room != bench/base/files.o && $room != bench/base/files_write.o && $room != bench/base/fence.o ]] || continue
    [[ $room != bench/base/inherited.o ]] || continue # /dev/null, for streams that are closed
    seen=$((seen + 1))
    called=$(nm -u "$object" | awk '{ sub(/@.*/, "", $2); print $2 }' | grep -xE "($files)|__($files)_2" | tr '\n' ' ' || true)
    [[ -z $called ]] || say "$object calls $called; expected functions of bench/base/files.h"
done <"$folder/objects"
[[ $seen -gt 50 ]] || say "no objects of bench in $build"

exit $failed
