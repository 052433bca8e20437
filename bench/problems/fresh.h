/* Tensors of the cells with a matrix state, drawn as fresh layers of the released code have them (of selective: train/layers/fp_mamba.c):
 * what the problem of a measure is made of where nothing has been learnt. docs/reference/regimes.md is the user's page. */
#ifndef BENCH_PROBLEMS_FRESH_H
#define BENCH_PROBLEMS_FRESH_H

#include "bench/problems/regime.h"
#include "impls/contract/support.h"

/* The elements of a tensor that are drawn together, 1 to FRESH_MOST: its size is a multiple of that. */
enum { FRESH_MOST = 1024 };
int64_t fresh_together(const struct problem *problem, enum tensor_id id);

/* So many of them, from element i on, in double precision. */
void fresh_elements(const struct problem *problem, const struct regime *regime, enum tensor_id id, int64_t i, double *elements);

#endif
