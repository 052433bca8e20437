/* The process that measures one round of one point: reads the point on standard input, writes the result on standard output. Its
 * crash becomes a record of the run that started it. */
#ifndef BENCH_MEASURE_WORKER_H
#define BENCH_MEASURE_WORKER_H

#include "bench/measure/measure.h"

#include <stdio.h>

#define WORKER_OUTSIDE "outside"

/* The request: {"point": {...}, "samples": 10, "time_limit": 60, "checkpoint_every": seconds, "memory_limit": bytes or 0,
 * "results": folder or null, "cache": folder or null, "digest": of the file of inputs, or null, "trained": folder or null, "locked":
 * whether this process has inherited its lock}. NULL when out of memory. */
char *worker_request(const struct point *point, const struct limits *limits);

/* Reads a request, measures, writes {"result":, "message":, "place":, "inputs":, MEASURE: {...}, "load":, "warnings":, "changed":
 * true where the file of inputs is another one, "began": monotonic clock, "stages": {seconds of each}}; or, where something outside
 * failed, {WORKER_OUTSIDE: what}. False when the request is invalid or writing failed. */
bool worker_run(FILE *in, FILE *out, struct error *error);

#endif
