/* Where trainings are stored: RESULTS/trained/KEY/, shared by all sweeps and runs that need the same one. KEY is the whole key
 * of the point of the training, so another build or machine has another folder. */
#ifndef BENCH_MEASURE_TRAINED_H
#define BENCH_MEASURE_TRAINED_H

#include "bench/sweep/point.h"

#include <limits.h>

/* The folder of the training that a point is or depends on; false, with an empty path, where it has none. */
bool trained_folder(const char *results, const struct point *point, const struct conditions *conditions, char path[PATH_MAX]);

/* One process at a time works on a training; another one waits, and finds it done. Makes the folder. The lock ends when its file is
 * closed in this process and in the children that inherited it. Where a file system has no locks, everybody gets one. */
enum trained_lock { TRAINED_LOCKED, TRAINED_TAKEN, TRAINED_LOCK_FAILED };
enum trained_lock trained_lock(const char *folder, bool wait, int *file, struct error *error);

/* The progress of a training, in a file of its folder: "step 1200 of 4000, ...". Replaced as a whole. */
void trained_say(const char *folder, const char *text);
bool trained_hear(const char *folder, size_t capacity, char text[capacity]);

#endif
