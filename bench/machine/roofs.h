/* The machine limits ("roofs"): bandwidth over a ladder of working sets, and the rate of multiply-adds, for some numbers of
 * threads. The bound of a throughput follows from them. docs/reference/machine.md explains them. */
#ifndef BENCH_MACHINE_ROOFS_H
#define BENCH_MACHINE_ROOFS_H

#include "bench/base/error.h"
#include "bench/machine/cuda/limits.h"
#include "bench/machine/kernels/roof_kernels.h"

#include <jansson.h>
#include <stdio.h>

enum { ROOF_SETS_MAX = 32, ROOF_COUNTS_MAX = 32, ROOF_THREADS_MAX = THREADS_MAX };

/* Rates are 0 where there is no such kernel, or where the processor lacks the instruction set. */
struct roof {
    int threads;
    double bandwidth[ROOF_KERNEL_COUNT][ROOF_SETS_MAX]; /* bytes a second, as the program counts its reads and writes */
    double rate[DTYPE_COUNT][LEVEL_COUNT];              /* operations a second in registers; a multiply-add counts 2 */
    double exponentials[DTYPE_COUNT][LEVEL_COUNT];      /* a second, of the function that implementations use, in the first cache */
};

struct roofs {
    double set[ROOF_SETS_MAX]; /* the ladder, ascending: bytes of all arrays of all threads */
    int n_sets;
    bool shortened;                    /* the ladder ends before it should, for want of memory */
    enum level level;                  /* of the bandwidths */
    struct roof roof[ROOF_COUNTS_MAX]; /* one for each number of threads */
    int n_roofs;
    struct device_limits device; /* 0 where there is none, or nobody asked */
};

/* Makes the ladder: 16 KiB to 1 GiB by factors of 2, and on to at least twice the largest cache; shortened to a quarter of the
 * memory that is available. Bytes; 0 where they are not known. */
void roofs_ladder(double largest_cache, double available, struct roofs *roofs);

/* Measures the ladder of *roofs, in this process, for each of n numbers of threads. Takes about two seconds for each number. */
bool roofs_measure(const int *threads, int n, struct roofs *roofs, struct error *error);

/* The internal command roofs: reads {"threads": [1, 2], "device": whether to measure the device as well}, measures the machine
 * limits, writes roofs_to_json(). */
bool roofs_command(FILE *in, FILE *out, struct error *error);

/* The same in a child, `program roofs`, so that this process holds neither so much memory nor threads. *roofs is what
 * roofs_from_json() accepts; the caller frees it. */
bool roofs_run(const char *program, const int *threads, int n, bool device, json_t **roofs, struct error *error);

/* {"level": "avx512", "shortened": false, "sets": [bytes], "threads": [{"threads": 1, "MB_per_s": {"copy": [one a set],
 * "copy_nt": null where there is no such kernel, ...}, "MFLOP_per_s": {"float32": {"baseline":, ...}, "float64":}, "MEXP_per_s": likewise}],
 * "device": null or {"MB_per_s":, "MFLOP_per_s":}}: rates
 * rounded to millions. NULL when out of memory. */
json_t *roofs_to_json(const struct roofs *roofs);

/* And back. False, with the reason, for anything that roofs_to_json() could not have written. */
bool roofs_from_json(const json_t *json, struct roofs *roofs, struct error *error);

/* The limits with this number of threads, or NULL. */
const struct roof *roofs_find(const struct roofs *roofs, int threads);

/* The highest bandwidth of any kernel at one step of the ladder. */
double roof_bandwidth(const struct roof *roof, int set);

struct bound {
    double bandwidth, rate;       /* that hold for this work: bytes and operations a second */
    double bytes_s, operations_s; /* seconds that the bytes, and the operations with the exponentials, take at least */
    double seconds;               /* the greater of the two */
    bool bytes_bind;
};

/* The least time of some work: its bytes at the highest bandwidth of any kernel at the steps of the ladder around its working
 * set, its operations at the rate of the dtype and instruction set (the best one where a library computes), and after them its
 * exponentials at theirs. False where that was not measured. */
bool roofs_bound(const struct roofs *roofs, const struct work *work, int threads, enum level level, enum dtype dtype,
                 struct bound *bound);

/* The same on the device, whose memory serves all of its traffic. False where its limits were not measured. */
bool roofs_device_bound(const struct roofs *roofs, const struct work *work, struct bound *bound);

/* {"GB_per_s":, "GFLOP_per_s":, "seconds":, "binds": "bytes" or "operations", "share": of the bound in what was measured}. NULL
 * when out of memory. */
json_t *bound_to_json(const struct bound *bound, double median_seconds);

#endif
