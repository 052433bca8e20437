/* Translates a point for train/: the model, the recipe, and the recurrence inside it. */
#ifndef BENCH_SWEEP_RECIPE_H
#define BENCH_SWEEP_RECIPE_H

#include "bench/sweep/point.h"
#include "train/training.h"

struct model_spec point_model(const struct point *point, enum dtype dtype);
struct recipe point_recipe(const struct point *point);
enum dtype point_train_dtype(const struct point *point);

/* How the recurrence is computed in training, in the evaluation of an accuracy point, and in the implementation that it is
 * compared with: with the settings of the evaluation; there may be no implementation (-1). */
struct recurrence point_train_recurrence(const struct point *point);
struct recurrence point_test_recurrence(const struct point *point);
struct recurrence point_against_recurrence(const struct point *point);

/* The task of a point, for the caller to close; false with the reason. */
bool point_task(const struct point *point, struct task **task, struct error *error);

/* Examples for training, checks and tests never overlap: seeds of a sweep lie below 2^53, and checks and tests have seeds of
 * their own. */
uint64_t point_check_seed(const struct point *point); /* of the checks whether a target is reached */
uint64_t point_test_seed(const struct point *point);

#endif
