/* See load.h. */
#include "bench/machine/load.h"

#include "bench/base/clock.h"
#include "bench/base/files.h"
#include "bench/base/parse.h"
#include "bench/machine/groups.h"
#include "bench/machine/pace.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define TICK 0.01     /* seconds: the unit of /proc/stat, whatever the kernel's own */
#define SHORTEST 0.05 /* seconds below which a few ticks say nothing */
#define MARGIN 2      /* ticks by which rounding can move a difference of counters that have several parts */

enum { FIRST_LINE = 512, CORES_MAX = 4096 };

/* The columns of a line "cpu  user nice system idle iowait irq softirq steal ...", over all processors. Time of guests is in user
 * already. */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, COLUMNS };

/* Up to n numbers, separated by blanks, from where a text stands; how many there are. */
static int read_numbers(const char *text, double *number, int n)
{
    int found = 0;
    for (char *end; found < n; found++, text = end) {
        number[found] = strtod(text, &end);
        if (end == text)
            break;
    }
    return found;
}

static void count_system(const char *root, struct load_counts *counts)
{
    static const char name[] = "cpu ";
    char path[PATH_MAX], text[FIRST_LINE];
    double ticks[COLUMNS];
    counts->busy = counts->steal = NAN;
    snprintf(path, sizeof path, "%s/proc/stat", root);
    if (!files_read_small(path, sizeof text, text) || strncmp(text, name, strlen(name)) != 0 ||
        read_numbers(text + strlen(name), ticks, COLUMNS) < COLUMNS)
        return;
    counts->busy = TICK * (ticks[USER] + ticks[NICE] + ticks[SYSTEM] + ticks[IRQ] + ticks[SOFTIRQ]);
    counts->steal = TICK * ticks[STEAL];
}

/* Virtual machines do not show this. */
static double count_throttle(const char *root)
{
    double total = NAN;
    for (int core = 0; core < CORES_MAX; core++) {
        char path[PATH_MAX], text[32];
        double count;
        snprintf(path, sizeof path, "%s/sys/devices/system/cpu/cpu%d/thermal_throttle/core_throttle_count", root, core);
        if (!files_read_small(path, sizeof text, text) || read_numbers(text, &count, 1) < 1)
            break;
        total = isnan(total) ? count : total + count;
    }
    return total;
}

void load_count(const char *root, struct load_counts *counts)
{
    struct timespec own;
    struct rusage usage;
    count_system(root, counts);
    counts->throttle = count_throttle(root);
    counts->stops = groups_stops(root);
    counts->switches = getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_nivcsw : NAN;
    counts->own = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own) == 0 ? (double)own.tv_sec + 1e-9 * (double)own.tv_nsec : NAN;
    counts->at = clock_seconds();
}

void load_between(const struct load_counts *before, const struct load_counts *after, struct load *load)
{
    double elapsed = after->at - before->at, own = after->own - before->own;
    double others = after->busy - before->busy - own;
    bool enough = elapsed >= SHORTEST;
    /* Far fewer ticks than this process alone used: the system's counters do not count it (some containers). */
    bool counted = others >= -(MARGIN * TICK + own / 4);
    load->others = enough && counted ? fmax(others, 0) / elapsed : NAN;
    load->steal = enough ? (after->steal - before->steal) / elapsed : NAN;
    load->resolution = MARGIN * TICK / elapsed;
    load->switches = elapsed > 0 ? (after->switches - before->switches) / elapsed : NAN;
    load->throttled = after->throttle - before->throttle;
    load->stopped = after->stops - before->stops;
}

void load_begin(struct load_counts *before, struct load *load)
{
    load->addition_s[0] = pace_addition();
    load_count("", before);
}

void load_end(const struct load_counts *before, struct load *load)
{
    struct load_counts after;
    load_count("", &after);
    load_between(before, &after, load);
    load->addition_s[1] = pace_addition();
}

json_t *load_to_json(const struct load *load)
{
    return json_pack("{so so so s[oo]}", "others", json_number(load->others), "steal", json_number(load->steal), "switches",
                     json_number(load->switches), "addition_s", json_number(load->addition_s[0]), json_number(load->addition_s[1]));
}
