/* Tensors of the selective cell, drawn as a fresh layer of the released code has them (train/layers/fp_mamba.c): what the problem of a
 * measure is made of where nothing has been learnt. docs/reference/regimes.md is the user's page. */
#ifndef BENCH_PROBLEMS_FRESH_H
#define BENCH_PROBLEMS_FRESH_H

#include "bench/problems/regime.h"
#include "impls/contract/support.h"

/* Element i of a tensor in double precision. */
double fresh_element(const struct problem *problem, const struct regime *regime, enum tensor_id id, int64_t i);

#endif
