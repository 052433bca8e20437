/* Drawn inputs, kept in a folder while a run goes on: every round of every point that shares them would draw the same bits again. The
 * files are safetensors and say what they hold; one that is not whole is drawn again. Nothing depends on the cache but time. */
#ifndef BENCH_MEASURE_CACHE_H
#define BENCH_MEASURE_CACHE_H

#include "bench/problems/inputs.h"
#include "bench/sweep/point.h"

/* True when the folder holds the inputs of this point, and they are whole: *tensors is as if they had been drawn. */
bool cache_load(const char *folder, const struct point *point, struct tensors *tensors);

/* Keeps drawn inputs, if there is plenty of room on the disk. */
void cache_store(const char *folder, const struct point *point, const struct tensors *tensors);

/* The tensors of a point: read from its file, or drawn; what is drawn is kept in the folder and taken from there the next time, unless
 * that is NULL. False as tensors_sample() and tensors_read(). */
bool tensors_make(const struct point *point, const char *folder, struct tensors *tensors, struct error *error);

/* Removes the folder and what is in it. */
void cache_remove(const char *folder);

#endif
