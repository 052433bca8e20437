/* From a point to what train/ is told: the model, the recipe, the recurrence inside it. */
#ifndef BENCH_SWEEP_RECIPE_H
#define BENCH_SWEEP_RECIPE_H

#include "bench/sweep/point.h"
#include "train/training.h"

struct model_spec point_model(const struct point *point, enum dtype dtype);
struct recipe point_recipe(const struct point *point);
enum dtype point_train_dtype(const struct point *point);

/* How the recurrence is carried out while the model is trained, while an accuracy point evaluates it, and what that is compared
 * with: the settings are those of the evaluation, and there may be no implementation (-1). */
struct recurrence point_train_recurrence(const struct point *point);
struct recurrence point_test_recurrence(const struct point *point);
struct recurrence point_against_recurrence(const struct point *point);

/* The task of a point, for the caller to close; false with the reason. */
bool point_task(const struct point *point, struct task **task, struct error *error);

/* Examples of the three purposes never meet: a sweep's seeds lie below 2^53, and each purpose but training has seeds of its own. */
uint64_t point_check_seed(const struct point *point); /* of the checks whether a target is reached */
uint64_t point_test_seed(const struct point *point);

#endif
