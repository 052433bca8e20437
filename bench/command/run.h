/* One execution of a sweep: every round of every point in a process of its own and a line in the journal, then table and plots.
 * It resumes an interrupted execution: finished rounds are kept. */
#ifndef BENCH_COMMAND_RUN_H
#define BENCH_COMMAND_RUN_H

#include "bench/sweep/sweep.h"

#include <stdio.h>

struct run_request {
    char *const *words; /* of the command line after the name of the program; NULL-terminated */
    const char *sweep_path;
    const char *program;  /* this program: it is started again for every round */
    const char *results;  /* folder in which NAME/run-N/ is made */
    const char *scale;    /* of the sweep file's scales, or NULL: what the file says */
    const char *baseline; /* an implementation in place of the sweep's own baseline, or NULL */
    bool many;            /* more points than SWEEP_POINTS_UNASKED are fine */
    bool fresh;           /* a folder of its own, whatever there is to go on with */
    bool retry;           /* rounds that crashed, timed out, ran out of memory or were wrong are measured again */
};

enum run_end {
    RUN_COMPLETE,
    RUN_FAILED,      /* a point crashed, timed out, was wrong, out of memory or internal */
    RUN_INTERRUPTED, /* not every point was measured */
};

/* Runs it, with progress and a summary on out. False: the run itself failed; what was measured is kept and, if possible, drawn. */
bool run_sweep(const struct run_request *request, FILE *out, enum run_end *end, struct error *error);

#endif
