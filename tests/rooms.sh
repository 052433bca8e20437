#!/bin/bash
# A room may look down, never up: checks the #include lines of every source, and that the objects of rooms that are pure
# arithmetic reach for no file, terminal or environment, and that no test is forgotten. BUILD names the folder of the build (build).
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

say() {
    echo "rooms: $*" >&2
    failed=1
}

# Room, and a pattern of what its sources may include.
rules=(
    "impls  impls/.*"
    "tasks  tasks/.*|bench/base/random\.h"
    "train  (train|tasks)/.*|(impls/impl|impls/math/(real|vector|activation|blas)|impls/contract/support|bench/base/random)\.h"
    "plots  plots/.*|bench/(base|machine|sweep|journal|report)/.*"
    "bench  (bench|plots|train|tasks|impls)/.*"
)
for rule in "${rules[@]}"; do
    read -r room allowed <<<"$rule"
    [[ -d $room ]] || continue
    while IFS=: read -r file line include; do
        header=${include#*\"}
        header=${header%\"*}
        [[ $header =~ ^($allowed)$ ]] || say "$file:$line: $room/ may not include $header"
    done < <(grep -rnE --include='*.[ch]' --include='*.cc' --include='*.cu' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$room")
done

# The __..._chk names are what the same calls become in a hardened build.
forbidden='printf|fprintf|vprintf|vfprintf|puts|putchar|fputs|fputc|fwrite|perror|exit|_exit|abort|__assert_fail'
forbidden+='|fopen|fopen64|open|open64|openat|read|write|socket|getenv|secure_getenv|setenv|system|popen|fork|execve|time'
seen=0
for object in "${BUILD:-build}"/objects/{impls,impls/contract,impls/math,impls/fused,impls/cuda,tasks}/*.o; do
    source=${object#*/objects/}
    [[ -e ${source%%.*}.c || -e ${source%%.*}.cu ]] || continue # left behind by a file that is gone
    seen=$((seen + 1))
    called=$(nm -u "$object" | awk '{print $2}' | grep -xE "($forbidden)|__($forbidden)_chk" | tr '\n' ' ' || true)
    [[ -z $called ]] || say "$object calls $called"
done
[[ $seen -gt 0 ]] || say "no objects of impls/ and tasks/ in ${BUILD:-build}"

for file in tests/*/test_*.c; do
    name=${file##*/test_}
    grep -qx "SUITE(${name%.c})" tests/suites.h || say "$file has no line in tests/suites.h"
done

exit $failed
