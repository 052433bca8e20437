/* See warning_find.h. */
#include "bench/measure/warning_find.h"

#include "bench/base/statistics.h"
#include "bench/machine/cpu.h"
#include "bench/machine/team.h"
#include "bench/measure/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { QUARTILES_LEAST = 4 /* samples whose middle half means something */ };

struct threading threading_here(int threads)
{
    struct cpu cpu;
    cpu_read(&cpu);
    return (struct threading){threads, cpu.sockets * cpu.cores_per_socket, cpu.threads_per_core,
                              threads_are_pinned(getenv("OMP_PLACES"), getenv("OMP_PROC_BIND"), getenv("GOMP_CPU_AFFINITY")),
                              team_processors(threads)};
}

/* How many threads shared a core or may have. */
static double crowded_threads(const struct threading *threading)
{
    bool too_many = (threading->cores > 0 && threading->threads > threading->cores) ||
                    (threading->processors > 0 && threading->threads > threading->processors);
    bool astray = threading->threads > 1 && threading->threads_per_core > 1 && !threading->pinned;
    return too_many || astray ? threading->threads : 0;
}

/* What is above a threshold by less than the resolution may be nothing. */
static double beyond_doubt(double figure, enum warning_code code, double resolution)
{
    return figure > warnings[code].threshold + resolution ? figure : NAN;
}

static double apart(double a, double b)
{
    return fmin(a, b) > 0 ? fmax(a, b) / fmin(a, b) - 1 : NAN;
}

/* The first sample over the slowest of the others. */
static double slowness_of_first(const double *seconds, size_t n)
{
    double slowest = 0;
    for (size_t i = 1; i < n; i++)
        slowest = fmax(slowest, seconds[i]);
    return slowest > 0 ? seconds[0] / slowest : NAN;
}

/* Half the middle half of the samples over their median. *good: false when out of memory. */
static double width_of(const double *seconds, size_t n, bool *good)
{
    double *sorted = malloc((n + 1) * sizeof *sorted);
    *good = sorted != NULL;
    if (sorted == NULL || n < QUARTILES_LEAST) {
        free(sorted);
        return NAN;
    }
    memcpy(sorted, seconds, n * sizeof *sorted);
    statistics_sort(sorted, n);
    double width = (statistics_quantile(sorted, n, 0.75) - statistics_quantile(sorted, n, 0.25)) / 2 / statistics_median(sorted, n);
    free(sorted);
    return width;
}

struct noted {
    enum warning_code code;
    double figure;
};

/* Notes every figure in a list and returns it; NULL, and the list is gone, when out of memory. */
static json_t *note_all(json_t *list, const struct noted *noted, size_t n)
{
    bool good = list != NULL;
    for (size_t i = 0; good && i < n; i++)
        good = warning_note(list, noted[i].code, noted[i].figure);
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

json_t *warnings_of_round(const double *seconds, size_t n, const struct load *load, const struct threading *threading)
{
    bool good;
    double width = width_of(seconds, n, &good);
    const struct noted noted[] = {
        {WARNING_BUSY, beyond_doubt(load->others, WARNING_BUSY, load->resolution)},
        {WARNING_STEAL, beyond_doubt(load->steal, WARNING_STEAL, load->resolution)},
        {WARNING_CLOCK, apart(load->addition_s[0], load->addition_s[1])},
        {WARNING_THROTTLE, load->throttled},
        {WARNING_QUOTA, load->stopped},
        {WARNING_SMT, crowded_threads(threading)},
        {WARNING_FIRST_SLOW, slowness_of_first(seconds, n)},
        {WARNING_WIDE, width},
    };
    return good ? note_all(json_array(), noted, sizeof noted / sizeof noted[0]) : NULL;
}

bool warnings_of_record(json_t *record)
{
    const struct noted noted[] = {
        {WARNING_MEMORY, line_number(record, COLUMN_PROCESS_PEAK_BYTES) / line_number(record, COLUMN_LIMIT_MEMORY)},
        {WARNING_SHARE, line_number(record, COLUMN_BOUND_SHARE)},
    };
    const json_t *before = json_object_get(record, "warnings");
    json_t *list = note_all(json_is_array(before) ? json_deep_copy(before) : json_array(), noted, sizeof noted / sizeof noted[0]);
    return list != NULL && json_object_set_new(record, "warnings", list) == 0;
}
