/* What stands for an implementation of the device where the CUDA Toolkit was not there to compile it: it supports nothing, and says
 * why. */
#ifndef IMPLS_CUDA_ABSENT_ABSENT_H
#define IMPLS_CUDA_ABSENT_ABSENT_H

#include "impls/impl.h"

void cuda_absent_supports(const struct problem *, const struct settings *, const struct environment *, struct support *);
void cuda_absent_count(const struct problem *, const struct settings *, const struct environment *, int64_t l, struct work *);
struct status cuda_absent_plan(const struct problem *, const struct settings *, const struct environment *, struct plan **plan);
struct status cuda_absent_forward(struct plan *, const struct inputs *, const struct outputs *, struct trace *);
void cuda_absent_destroy(struct plan *);

#endif
