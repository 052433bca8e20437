/* One run of the program on the tiny sweep of the suite faults, and what it left behind. */
#ifndef TESTS_SUPPORT_OUTCOME_H
#define TESTS_SUPPORT_OUTCOME_H

#include "bench/base/process.h"

#include <stdbool.h>
#include <stddef.h>

enum { OUTCOME_POINTS = 2 };
extern const char outcome_sweep[], outcome_trained_sweep[]; /* the second: a training, and what depends on it */

struct outcome {
    bool ended; /* by itself, in time */
    int status;
    char errors[PROCESS_ERRORS_SIZE];
    size_t records;      /* in the journal that has most of them */
    bool complete;       /* one whole record a point, each ok, with the table and every picture */
    bool failed;         /* there is a record of a failed point */
    const char *unsound; /* what must never be left behind, or NULL */
};

/* Runs a command that leaves its results in a folder, and looks at all that is there then. The first call should see a run in which
 * nothing fails: what it leaves is what later ones are complete by. */
struct outcome outcome_run(const char *const *argv, const char *results);

#endif
