/* The matrix product of OpenBLAS, which layers and dense steps are made of: how fast it is, beside the rate of multiply-adds
 * (roofs.h), whether it is right, and what in the environment chose how it computes. docs/reference/machine.md explains it. */
#ifndef BENCH_MACHINE_PRODUCT_H
#define BENCH_MACHINE_PRODUCT_H

#include "bench/base/error.h"
#include "impls/impl.h"

#include <jansson.h>
#include <stdio.h>

enum { PRODUCT_CORE_SIZE = 64, PRODUCT_FORCED_SIZE = 256 };

/* On one thread; there is as much of it for every thread, since the library's own threads are off. */
struct product_rates {
    char core[PRODUCT_CORE_SIZE]; /* what the library takes the processor for */
    double rate[DTYPE_COUNT];     /* operations a second; a multiply-add counts 2 */
};

struct product {
    char forced[PRODUCT_FORCED_SIZE]; /* "OPENBLAS_CORETYPE=Prescott": variables that are set; "" where none is */
    struct product_rates here;        /* with them; what everything here computes with */
    struct product_rates free;        /* by the library's own choice; the same where none is set */
};

/* The variables that OpenBLAS reads, with their values, as far as they go; "" where none is set. Those of OpenMP are not among them:
 * they do not change what it does on one thread. */
void product_forced(char text[PRODUCT_FORCED_SIZE]);

/* Compares products with sums in double precision, then measures the rate, in this process. False, with the place, where one is wrong
 * by more than rounding explains: no exact answer, no layer and no dense step of this process can be trusted then. */
bool product_measure(struct product_rates *rates, struct error *error);

/* The internal command product: the same, written as {"core":, "MFLOP_per_s": {"float32":, "float64":}}. */
bool product_command(FILE *out, struct error *error);

/* In a child, `program product`, and where variables are set in a second one without them. */
bool product_run(const char *program, struct product *product, struct error *error);

/* How many times faster the library is by its own choice, of the dtype that loses most; 0 where nothing is set. */
double product_loss(const struct product *product);

/* {"core":, "MFLOP_per_s": {...}, "forced": null or {"by": "OPENBLAS_CORETYPE=Prescott", "free": {"core":, "MFLOP_per_s":}}}. NULL when
 * out of memory. */
json_t *product_to_json(const struct product *product);

/* One sentence for a reader: "OPENBLAS_CORETYPE=Prescott: 12.3 GFLOP/s in float32 and ... ; ... by the library's own choice". "" where
 * json, product_to_json()'s, has nothing that is forced. */
void product_describe(const json_t *json, size_t capacity, char *text);

#endif
