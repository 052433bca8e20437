#!/bin/bash
# Draws lines for the list of mutants: operators over random lines of the rooms that decide numbers. The same seed draws the same mutants
# from the same sources. A line that a mutant changes stands once in its file.
#
#   tests/mutants/draw.sh SEED HOW_MANY
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.."

# Rooms and the suites that should notice, in the order in which they are tried.
rooms() {
    cat <<'END'
impls contract,stopping,plan_memory,solvers,implementations,gradients,basis,quasi_deer,fused,backward
impls/math contract,solvers,plan_memory,implementations,gradients,basis,fused,backward
impls/fused fused,plan_memory,gradients,backward,implementations
impls/cuda kernels=quasi_deer_cuda,kernels=fixed_point_cuda,kernels=structured_sequential_cuda,kernels=fixed_point_fused_cuda,kernels=dense_sequential_cuda
train forward,layers,adamw,training,schedule,start_values
train/layers forward,layers
train/math forward,layers,adamw
tasks tasks,families,groups,task_names
bench/measure gradient_measure,reach,sampling,cache,warning,accuracy,run
bench/report summary,table,comparison,columns,warning,blocks
END
}

while read -r room suites; do
    for file in "$room"/*.[ch] "$room"/*.cu; do
        notice=$suites
        [[ $file == *.cu ]] && notice=kernels=$(basename "$file" .cu)
        [[ $file == impls/cuda/*.c ]] && continue # of the host: other programs stand for it on the CPU
        [[ ! -f $file ]] || awk -v file="$file" -v suites="$notice" '{ print file "\t" suites "\t" $0 }' "$file"
    done
done < <(rooms) | awk -F '\t' -v seed="$1" -v wanted="$2" '
    # MINSTD: the same numbers in every awk
    function below(n) { seed = (seed * 16807) % 2147483647; return seed % n }
    # One operator at a place of the line where it fits; "" where none does.
    function mutate(text, op,    from, to, at, rest, n, places, k) {
        from = operator[op]; to = becomes[op]; n = 0; rest = text; k = 0
        while ((at = index(rest, from)) > 0) { places[++n] = k + at; k += at + length(from) - 1; rest = substr(rest, at + length(from)) }
        if (n == 0) return ""
        at = places[1 + below(n)]
        return substr(text, 1, at - 1) to substr(text, at + length(from))
    }
    BEGIN {
        operator[1] = " + "; becomes[1] = " - "; operator[2] = " - "; becomes[2] = " + "; operator[3] = " * "; becomes[3] = " / "
        operator[4] = " < "; becomes[4] = " <= "; operator[5] = " <= "; becomes[5] = " < "; operator[6] = " > "; becomes[6] = " >= "
        operator[7] = " >= "; becomes[7] = " > "; operator[8] = " == "; becomes[8] = " != "; operator[9] = " && "; becomes[9] = " || "
        operator[10] = " || "; becomes[10] = " && "; operator[11] = " + 1"; becomes[11] = " + 2"; operator[12] = " - 1"; becomes[12] = ""
        operator[13] = " += "; becomes[13] = " -= "; operator[14] = "1 - "; becomes[14] = "1 + "; operator[15] = " = 0;"; becomes[15] = " = 1;"
        operator[16] = "[i]"; becomes[16] = "[i + 1]"; operator[17] = "2 * "; becomes[17] = "3 * "; operator[18] = "(!"; becomes[18] = "("
        OPERATORS = 20 # 19: a statement is dropped; 20: the two arguments of a call change places
    }
    function times(text, whole,    n, at) {
        while ((at = index(whole, text)) > 0) { n++; whole = substr(whole, at + length(text)) }
        return n
    }
    { line[++lines] = $3; of[lines] = $1; notice[lines] = $2; all[$1] = all[$1] "\n" $3 }
    END {
        while (drawn < wanted && tries++ < 100000) {
            k = 1 + below(lines); op = 1 + below(OPERATORS); text = line[k]; sub(/^ +/, "", text); changed = ""
            if (text ~ /^[*\/#]|^ \*|\/\* |include|snprintf|status_at|support_no|fail\(|"/ || length(text) < 8) continue
            if (text ~ /^work->/ || (k in taken) || times(text, all[of[k]]) != 1) continue # work: what a call costs, by hand
            if (op <= 18) changed = mutate(text, op)
            else if (op == 19 && text ~ /^[a-z][^=]*(=|\+=|-=|\(|\+\+)[^{]*;$/ && text !~ /^(return|const|int|double|real|float|bool|static|struct|for|while|if|else|enum|size_t|char|unsigned|void|free|case|default|break|continue|goto|extern|uint)/) changed = ";"
            else if (op == 20 && match(text, /\([a-z_]+, [a-z_]+\)/)) {
                inner = substr(text, RSTART + 1, RLENGTH - 2); comma = index(inner, ", ")
                changed = substr(text, 1, RSTART) substr(inner, comma + 2) ", " substr(inner, 1, comma - 1) substr(text, RSTART + RLENGTH - 1)
            }
            if (changed == "" || changed == text) continue
            taken[k] = 1
            printf "drawn-%02d\t%s\t%s\t%s\t%s\n", ++drawn, notice[k], of[k], text, changed
        }
    }'
