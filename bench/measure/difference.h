/* What `against:` of a sweep's test asks for: how far the states that one implementation returns are from those of another, both with
 * the settings of the test, on what a trained model feeds its recurrences, and how many of the model's decisions are the same. */
#ifndef BENCH_MEASURE_DIFFERENCE_H
#define BENCH_MEASURE_DIFFERENCE_H

#include "bench/measure/measure.h"
#include "train/training.h"

/* Adds "difference" to the accuracy that the finding holds (schema.def). States: over the first `test_batch` of the examples and all
 * blocks; what the states before a block were computed by is the recurrence of the training. Decisions: over all examples, each model
 * with one recurrence in all of its blocks; answer (samples,T) are those of the request, as training_evaluate() leaves them. A status
 * that is neither ok nor not_converged becomes the finding's. */
bool difference_add(const struct point *point, struct training *training, const struct evaluation_request *request, int64_t T,
                    const int32_t *answer, struct finding *finding, struct error *error);

#endif
