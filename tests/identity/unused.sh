#!/bin/bash -p
# Adds a field that no point uses to a copy of bench/sweep/ in a folder: in the middle of the table, so that all later ones move.
#
#   tests/identity/unused.sh FOLDER      FOLDER/bench/sweep is made where it is not there
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
sweep=$1/bench/sweep
mkdir -p "$sweep"
[[ -e $sweep/field.c ]] || cp "$here"/bench/sweep/* "$sweep/"

rule='static bool uses_nothing(const struct point *point)\n{\n    (void)point;\n    return false;\n}\n'
sed -i "0,/^static bool is_drawn/s//$rule\n&/" "$sweep/field.c"
sed -i 's/^FIELD(KAPPA,/FIELD(UNUSED, "unused", REGIME, RECURRENCE, "1", "", uses_nothing, INT(1, 2))\n&/' "$sweep/fields.def"
if ! grep -q UNUSED "$sweep/fields.def" || ! grep -q uses_nothing "$sweep/field.c"; then
    echo "$0: the table of fields is not where it was" >&2
    exit 1
fi
