/* Seconds that a process ran, for limits of time: those in which it was stopped, or its control group frozen, or the machine slept,
 * did not pass for it. Nobody tells it so: who looks at the clock at least once a second, and finds that several have passed, was
 * not running. */
#ifndef BENCH_BASE_RUNNING_H
#define BENCH_BASE_RUNNING_H

#include <stdbool.h>

struct running {
    double seconds; /* that it ran */
    double looked;  /* of the monotonic clock */
};

void running_begin(struct running *running);

/* Counts what has passed since the last look, at most a second ago but for a busy machine; with counts false nothing of it. Returns
 * the seconds that it ran. Of a longer gap one second counts, so that a limit comes even where every look is late. */
double running_look(struct running *running, bool counts);

/* Seconds that this process ran since some time in the past, for who cannot look often: the first call starts a thread that does.
 * */
double running_seconds(void);

#endif
