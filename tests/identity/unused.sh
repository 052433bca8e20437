#!/bin/bash
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
if [[ -e $sweep/fields.def ]]; then
    sed -i 's/^FIELD(KAPPA,/FIELD(UNUSED, "unused", REGIME, TRAINED, "1", "", uses_nothing, INT(1, 2))\n&/' "$sweep/fields.def"
else
    sed -i 's/FIELD_KAPPA, /FIELD_UNUSED, &/' "$sweep/field.h"
    sed -i 's/^ *ROW(KAPPA,/    ROW(UNUSED, "unused", REGIME, TRAINED, "1", "", uses_nothing, INT(1, 2)),\n&/' "$sweep/field.c"
fi
[[ $(cat "$sweep"/field* | grep -c 'UNUSED') -ge 1 && $(grep -c uses_nothing "$sweep/field.c") -ge 1 ]] ||
    { echo "$0: the table of fields is not where it was" >&2 && exit 1; }
