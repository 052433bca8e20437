#!/bin/bash -p
# The same sweep twice, and how often the 95 % intervals of a point exclude each other: what the intervals are worth on this machine.
# Were all rounds of both runs alike, intervals from the lowest to the highest of six medians would exclude each other in 2 of 924
# cases; more than that is noise that lasts longer than a round, which a single run cannot see.
#
#   tests/aa.sh [SWEEP.yaml]      make aa
set -euo pipefail
home=$(cd "$(dirname "$0")/.." && pwd)
sweep=${1:-$home/sweeps/aa.yaml}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for which in first second; do
    "$home/run.sh" "$sweep" --results "$folder/$which" >"$folder/log" || { cat "$folder/log" >&2 && exit 1; }
done
# Points of one table beside those of the other, by key. A point with an interval has no message, so no comma hides in quotes.
awk -F , '
    FNR == 1 { file++; for (i = 1; i <= NF; i++) column[$i] = i; next }
    { key = $column["key"]; low = $column["seconds_per_call_low"]; high = $column["seconds_per_call_high"]; median = $column["seconds_per_call_median"] }
    low == "" || low == "NA" { next }
    file == 1 { l[key] = low; h[key] = high; m[key] = median; next }
    key in l {
        n++
        apart += low > h[key] || high < l[key]
        ratio = median / m[key]
        shift[n] = ratio > 1 ? ratio - 1 : 1 / ratio - 1
        width[n] = (high - low) / 2 / median
    }
    function middle(list, n,   i, k, t) {
        for (i = 2; i <= n; i++)
            for (k = i; k > 1 && list[k] < list[k - 1]; k--) { t = list[k]; list[k] = list[k - 1]; list[k - 1] = t }
        return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
    }
    END {
        if (n == 0) { print "no point has an interval in both runs"; exit 1 }
        printf "%d points; intervals that exclude each other: %d (%.1f %%)\n", n, apart, 100 * apart / n
        printf "median half width of an interval: %.1f %%; median shift from run to run: %.1f %%\n", 100 * middle(width, n), 100 * middle(shift, n)
    }' "$folder"/first/*/run-1/table.csv "$folder"/second/*/run-1/table.csv
