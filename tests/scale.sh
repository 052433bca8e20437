#!/bin/bash
# What a run costs beside measuring, against how many records it holds: check, start, resume and draw of runs whose journals were made
# (tests/scale/make_run.c) from one measured record of each of two measures. Writes a table and a picture.
#
#   tests/scale.sh BUILD [FOLDER]      make scale
#
#   check    checks the sweep file and counts its points
#   start    the run lacks its first point: until that is measured, and table and plots are drawn
#   resume   nothing is left to measure: until table and plots are drawn
#   draw     redraws them from the journal
#
# SIZES="1000 3000" are the numbers of records; FOLDER is results/reference/scale unless it is given. Runs lie in a folder of their own in
# TMPDIR: where that is a disk, start waits for it.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
build=$(realpath "$1")
out=${2:-results/reference/scale}
read -ra sizes <<<"${SIZES:-1000 3000 10000 30000 100000}"
[[ -x /usr/bin/time ]] || { echo "scale: no /usr/bin/time; expected GNU time (Debian: apt-get install time)" >&2 && exit 2; }
mkdir -p "$out"
out=$(realpath "$out")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

run='run: {rounds: 1, samples: 5, calibration: none}'
cat >seed.yaml <<EOF
name: seed
problem: {B: 2, T: 32, d: 8, mixer: householder}
$run
grids:
  - {measure: throughput, impls: fixed_point, settings: {l: 4}}
  - {measure: convergence, impls: fixed_point, problem: {dtype: float64}, settings: {l: 50}}
EOF
"$build/bench" seed.yaml --results seed >log 2>&1 || { cat log >&2 && exit 1; }

# A sweep of so many points, or a few less: eight of nine of throughput, the others of convergence.
sweep() {
    cat <<EOF
name: made
problem: {B: 2, mixer: householder}
$run
grids:
  - {measure: throughput, impls: [fixed_point, fixed_point_fused], problem: {T: {from: 1, to: $(($1 / 225)), step: 1}, d: {from: 1, to: 20, step: 1}}, settings: {l: [1, 2, 4, 8, 16]}}
  - {measure: convergence, impls: fixed_point, problem: {dtype: float64, T: {from: 1, to: $(($1 / 225)), step: 1}, d: [4, 8, 16, 32, 64]}, settings: {l: 50}, regime: {kappa: [0.5, 0.6, 0.7, 0.8, 0.9]}}
EOF
}

# cost NAME RECORDS COMMAND...: a row of the table.
cost() {
    /usr/bin/time -o time -f '%e %U %S %M' "${@:3}" >log 2>&1 || { cat log >&2 && exit 1; }
    tail -n 1 time | awk -v OFS=, -v name="$1" -v records="$2" '{ print name, records, $1, $2 + $3, int($4 * 1024 / 1e6 + 0.5) }' |
        tee -a table.csv
}

model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
echo "# $(date -u '+%Y-%m-%d %H:%M') UTC; $(nproc) processors, ${model:-of an unknown model}; load average before: $(cut -d ' ' -f 1 /proc/loadavg)" >table.csv
echo 'command,records,wall_s,processor_s,peak_MB' | tee -a table.csv
for size in "${sizes[@]}"; do
    [[ $size =~ ^[0-9]+$ && $size -ge 225 ]] || { echo "scale: SIZES has $size; expected whole numbers from 225 on" >&2 && exit 2; }
    rm -rf results
    sweep "$size" >made.yaml
    "$build/make-run" made.yaml seed/seed/run-1/journal.jsonl results
    journal=results/made/run-1/journal.jsonl
    records=$(wc -l <"$journal")
    sed -i 1d "$journal"
    cost check "$records" "$build/bench" check made.yaml
    cost start "$records" "$build/bench" made.yaml --results results
    [[ $(wc -l <"$journal") -eq $records ]] || { echo "scale: the run holds $(wc -l <"$journal") records, not $records" >&2 && exit 1; }
    cost resume "$records" "$build/bench" made.yaml --results results
    [[ $(wc -l <"$journal") -eq $records ]] || { echo "scale: a run that had nothing to measure measured" >&2 && exit 1; }
    cost draw "$records" "$build/bench" draw results/made/run-1
done

for command in check start resume draw; do
    awk -F , -v command="$command" '$1 == command { print $2, $3, $4, $5 }' table.csv >"$command.dat"
done
cat >scale.gp <<'EOF'
set terminal svg size 900, 420 font "sans,12" background "white"
set output "scale.svg"
set multiplot layout 1, 2
set logscale xy
set grid
set key top left reverse Left
set xlabel "records"
set ylabel "processor time [s]"
plot for [name in "check start resume draw"] name.".dat" using 1:3 with linespoints pointtype 7 pointsize 0.5 title name
set ylabel "peak memory [MB]"
plot for [name in "check start resume draw"] name.".dat" using 1:4 with linespoints pointtype 7 pointsize 0.5 title name
EOF
gnuplot scale.gp
cp table.csv "$out/scale.csv"
cp scale.svg "$out/scale.svg"
echo "written: $out/scale.csv, $out/scale.svg"
