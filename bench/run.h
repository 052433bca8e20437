/* One execution of a sweep: every point measured in a process of its own, every round a line in the journal, then table and
 * plots. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "bench/sweep.h"

#include <stdio.h>

struct run_request {
    const char *sweep_path;
    const char *program; /* this program: it is started again for every round */
    const char *results; /* folder in which NAME/RUN/ is made */
    bool many;           /* more points than SWEEP_POINTS_UNASKED are fine */
};

enum run_end {
    RUN_COMPLETE,
    RUN_FAILED,      /* a point crashed, timed out, was wrong, out of memory or internal */
    RUN_INTERRUPTED, /* not every point was measured */
};

/* Runs it, with progress and a closing summary on out. False: the run itself failed; what was measured is kept and, if possible,
 * drawn. */
bool run_sweep(const struct run_request *request, FILE *out, enum run_end *end, struct error *error);

/* Table, summary and plots once more from the journal and the sweep file in a run's folder; nothing is measured. */
bool run_draw(const char *folder, FILE *out, struct error *error);

#endif
