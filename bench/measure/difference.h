/* What `against:` of a sweep's test asks for: how far the states that one implementation returns are from those of another, both with
 * the settings of the test, on what a trained model feeds its recurrences. */
#ifndef BENCH_MEASURE_DIFFERENCE_H
#define BENCH_MEASURE_DIFFERENCE_H

#include "bench/measure/measure.h"
#include "train/training.h"

/* Over the first `test_batch` of the examples and all blocks; adds "difference" to the accuracy that the finding holds (schema.def). What
 * the states before a block were computed by is the recurrence of the training. A status that is neither ok nor not_converged becomes
 * the finding's. */
bool difference_add(const struct point *point, struct training *training, struct finding *finding, struct error *error);

#endif
