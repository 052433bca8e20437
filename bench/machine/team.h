/* The threads of this process as they really are: an environment variable, a limit of processes or a mask of processors can leave
 * fewer than were asked for, and nobody says so. */
#ifndef BENCH_MACHINE_TEAM_H
#define BENCH_MACHINE_TEAM_H

#include <stdbool.h>

enum { TEAM_REASON_SIZE = 200 };

/* How many threads work when so many are asked for. Where it is fewer, the reason says why and what to do; nothing else is changed
 * by asking. What the environment lets OpenMP decide by itself (OMP_DYNAMIC, OMP_MAX_ACTIVE_LEVELS) is decided here, from now on:
 * as many as are asked for. */
int team_threads(int wanted, char reason[TEAM_REASON_SIZE]);

/* Processors that these threads may run on, taken together; 0 where that cannot be seen. Fewer than threads: some share one. */
int team_processors(int threads);

#endif
