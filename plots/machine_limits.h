/* The machine limits from machine.json of a run, and their lines in a roofline plot. */
#ifndef PLOTS_MACHINE_LIMITS_H
#define PLOTS_MACHINE_LIMITS_H

#include "bench/journal/records.h"
#include "bench/machine/roofs.h"

enum { LIMITS_CACHES_MAX = 8, ROOF_LINES_MAX = LIMITS_CACHES_MAX + 1 };

struct machine_limits {
    bool known;        /* false: the run left none, or none that make sense */
    const char *other; /* why those that are there do not count, as a sentence; or NULL */
    struct roofs roofs;
    struct {
        int level;
        double bytes; /* of one */
        int sharing;  /* processors that share one; 0: not known */
    } cache[LIMITS_CACHES_MAX];
    int n_caches;
};

/* Reads FOLDER/machine.json. A run without limits is nothing wrong; those of a file that changed, or under which none of the records
 * that name theirs was measured, do not count. False when out of memory. */
bool machine_limits_read(const char *folder, const struct records *records, struct machine_limits *limits, struct error *error);

/* Operations a second can be at most min(ceiling, bandwidth of where the data are * operations per byte). */
struct roof_lines {
    struct {
        double bandwidth;   /* GB/s */
        double set;         /* bytes of the working set that it was measured with */
        char name[16];      /* "L2", "memory" */
    } line[ROOF_LINES_MAX]; /* the caches from the smallest on, then the largest working set */
    int n;
    double ceiling;   /* GFLOP/s, of the best level */
    enum dtype dtype; /* that it belongs to */
};

/* The lines for some records: the highest of what their threads and dtypes allow. False where nothing was measured with so many
 * threads. */
bool roof_lines_make(const struct machine_limits *limits, struct record *const *record, size_t n, struct roof_lines *lines);

/* How many operations of a record's point take as long as one of its exponentials, by the rates that its bound follows from; NaN where
 * these are not known. */
double machine_limits_exponential(const struct machine_limits *limits, const struct record *record);

#endif
