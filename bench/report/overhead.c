/* See overhead.h. */
#include "bench/report/overhead.h"

#include "bench/base/statistics.h"

#include <math.h>
#include <stdlib.h>

bool overhead_of(const struct records *records, struct overhead *overhead, struct error *error)
{
    *overhead = (struct overhead){.median = NAN, .longest = NAN};
    double *seconds = malloc((records->n + 1) * sizeof *seconds);
    if (seconds == NULL)
        return fail(error, "out of memory for %zu rounds", records->n);
    for (size_t i = 0; i < records->n; i++) {
        double one = column_number(&records->record[i], COLUMN_PROCESS_HARNESS);
        if (isnan(one))
            continue;
        seconds[overhead->rounds++] = one;
        overhead->above += one > OVERHEAD_BOUND;
    }
    statistics_sort(seconds, overhead->rounds);
    overhead->median = statistics_median(seconds, overhead->rounds);
    if (overhead->rounds > 0)
        overhead->longest = seconds[overhead->rounds - 1];
    free(seconds);
    return true;
}

void overhead_print(const struct overhead *overhead, FILE *out)
{
    if (overhead->rounds == 0)
        return;
    fprintf(out, "Harness overhead: %.1f ms per round (median of %zu); %zu above %.0f ms, max %.1f ms\n", 1e3 * overhead->median,
            overhead->rounds, overhead->above, 1e3 * OVERHEAD_BOUND, 1e3 * overhead->longest);
}
