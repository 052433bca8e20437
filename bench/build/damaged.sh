#!/bin/bash -p
# Removes products of an earlier build that are not whole, so that make makes them again: those cut short by a power cut, a full disk or
# by hand, and objects whose list of headers is lost. A build that is killed leaves none: the Makefile writes aside, then renames.
#
#   bench/build/damaged.sh BUILD      BUILD: the folder of a build; one that is not there is fine
set -uo pipefail
# shellcheck source=bench/build/environment.sh
. "$(dirname "$0")/environment.sh"
build=$1
[[ -d $build ]] || exit 0

rooms=()
for room in objects unused kernels suites driver; do
    [[ ! -d $build/$room ]] || rooms+=("$build/$room")
done

remove() { # FILE...
    echo "not whole, made again: $*" >&2
    rm -f -- "$@"
}

# Everything that the linker and the assembler made ends with a table that its beginning points to; size reads it.
mapfile -t -d '' made < <({
    find "$build" -maxdepth 1 -type f -regex '.*/\(bench\|tests\|keys\|races\|fuzz\|kernels\|bugs\|limits\|device\)[a-z-]*' -print0
    find "$build" -maxdepth 1 -type f -regex '.*\.so[.0-9]*' -print0
    [[ ${#rooms[@]} == 0 ]] || find "${rooms[@]}" -type f \( -name '*.o' -o -regex '.*\.so[.0-9]*' -o -path "$build/suites/*" ! -name '*.new' \) -print0
})
programs=()
for file in "${made[@]}"; do
    if [[ ! -s $file ]]; then
        remove "$file"
        continue
    fi
    programs+=("$file")
    # Its headers, and the last line of their list (the Makefile's).
    [[ $file != *.o || -e ${file%.o}.d ]] || remove "$file"
done
if [[ ${#programs[@]} -gt 0 ]]; then
    while IFS= read -r line; do
        line=${line#*size: }
        file=${line%: *}
        [[ ! -e $file ]] || remove "$file"
    done < <(printf '%s\0' "${programs[@]}" | xargs -0 size 2>&1 >/dev/null)
fi
[[ ${#rooms[@]} == 0 ]] || while IFS= read -r -d '' list; do
    remove "$list" "${list%.d}.o"
done < <(find "${rooms[@]}" -name '*.d' -print0 | xargs -0 -r grep -LZxF '# whole')

[[ ! -e $build/build_identity.c || $(tail -n 1 "$build/build_identity.c") == '}' ]] || remove "$build/build_identity.c"
exit 0
