/* Drawn inputs, cached in a folder during a run: every round of every point that shares them would draw the same bits again. The
 * files are safetensors with a description; a damaged one is drawn again. Only time depends on the cache. */
#ifndef BENCH_MEASURE_CACHE_H
#define BENCH_MEASURE_CACHE_H

#include "bench/problems/inputs.h"
#include "bench/sweep/point.h"

/* True when the folder holds the inputs of this point, and they are whole: *tensors is as if they had been drawn. */
bool cache_load(const char *folder, const struct point *point, struct tensors *tensors);

/* Stores drawn inputs, if there is plenty of room on the disk. */
void cache_store(const char *folder, const struct point *point, const struct tensors *tensors);

/* The tensors of a point: read from its file, which must have that digest (NULL: any), taken from the cache folder, or drawn and
 * stored there (NULL: no cache). False as tensors_sample() and tensors_read(). */
bool tensors_make(const struct point *point, const char *folder, const char *digest, struct tensors *tensors, struct error *error);

/* Removes the folder and what is in it. */
void cache_remove(const char *folder);

#endif
