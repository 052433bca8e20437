/* The tensors of a problem: drawn from its regime (regime.h), or taken from a file. */
#ifndef BENCH_PROBLEMS_INPUTS_H
#define BENCH_PROBLEMS_INPUTS_H

#include "bench/base/error.h"
#include "bench/base/safetensors.h"
#include "bench/problems/regime.h"
#include "impls/contract/support.h"

struct tensors {
    struct problem problem;
    struct inputs inputs;     /* of problem.dtype */
    bool out_of_reach;        /* after a failure: no draw of this problem has the kappa that was asked for */
    bool changed;             /* after a failure: the file no longer holds the bytes that were asked for */
    void *owned[TENSORS_MAX]; /* the same tensors by their enum tensor_id, for tensors_free */
};

/* Draws the tensors of a problem. False: out of memory, or a kappa that this problem cannot have (out_of_reach). */
bool tensors_sample(const struct problem *problem, const struct regime *regime, struct tensors *tensors, struct error *error);

/* The tensors of a problem from a file; with a digest (NULL: any), only from the bytes that have it (else: changed). */
bool tensors_read(const char *path, const struct problem *problem, const char *digest, struct tensors *tensors,
                  struct error *error);

/* Describes the tensors that there are, for writing them; returns how many. */
size_t tensors_list(const struct tensors *tensors, struct tensor tensor[TENSORS_MAX]);

/* Whether a file of tensors fits a problem: names and shapes, before anything is computed. */
bool tensors_check(const char *path, const struct problem *problem, struct error *error);

/* Whether every number of a file that fits is finite in the dtype of the problem; else the first place that is not, in words. The
 * whole file is read. */
bool tensors_finite(const char *path, const struct problem *problem, struct error *error);

/* The inputs of sequence b alone in float64, whatever the dtype: what the exact answer and the textbook compute with. */
bool tensors_sequence(const struct tensors *tensors, int64_t b, struct tensors *sequence, struct error *error);

/* The same in another dtype. */
bool tensors_sequence_as(const struct tensors *tensors, int64_t b, enum dtype dtype, struct tensors *sequence, struct error *error);

/* v, W and h0 change their signs: other inputs, at the same place in memory, whose answers and iterates are those of the first with
 * the sign changed, in every bit: theta + W k(h) stays as it is, and what rounding does to it. */
void tensors_mirror(struct tensors *tensors);

void tensors_free(struct tensors *tensors);

#endif
