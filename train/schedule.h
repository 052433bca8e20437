/* What a recipe says about step by step: rates, lengths, l_max. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "train/training.h"

enum { STAGES_MAX = 64 };

/* False, with the reason, when the recipe makes no sense. */
bool recipe_check(const struct recipe *recipe, const struct task *task, size_t capacity, char reason[]);

/* Learning rate of a step, counted from 1: rises to recipe->learning_rate at step `warmup`, then falls to 0 at the last step, or stays. */
double schedule_rate(const struct recipe *recipe, int64_t step);

/* Lengths of the curriculum, of those that the task has: 2 3 4 6 8 12 16 24 ... below the recipe's, which is the last. Without a
 * curriculum that one alone. Returns how many. */
int schedule_lengths(const struct recipe *recipe, const struct task *task, int64_t lengths[STAGES_MAX]);

/* ceil(Gamma(k, 1)) of a step, at least 1 (Marsaglia and Tsang, ACM TOMS 26, 2000). */
int64_t schedule_l_max(const struct recipe *recipe, int64_t step);

#endif
