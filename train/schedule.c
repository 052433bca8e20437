/* See schedule.h. */
#include "train/schedule.h"

#include "bench/base/random.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { ATTEMPTS = 64 };

static bool positive(double x)
{
    return isfinite(x) && x > 0;
}

static bool not_negative(double x)
{
    return isfinite(x) && x >= 0;
}

static bool share(double x)
{
    return x > 0 && x <= 1;
}

bool recipe_check(const struct recipe *recipe, const struct task *task, size_t capacity, char *reason)
{
    const struct {
        bool right;
        const char *words;
    } rules[] = {
        {recipe->steps >= 1, "steps must be 1 or more"},
        {recipe->batch >= 1, "batch must be 1 or more"},
        {positive(recipe->learning_rate), "learning_rate must be above 0"},
        {recipe->warmup >= 0, "warmup must be 0 or more steps"},
        {(int)recipe->schedule >= 0 && recipe->schedule < SCHEDULE_COUNT, "unknown schedule"},
        {not_negative(recipe->weight_decay), "weight_decay must be 0 or more"},
        {not_negative(recipe->grad_clip), "grad_clip must be 0 (any norm) or more"},
        {!recipe->curriculum || share(recipe->curriculum_accuracy), "the accuracy of a curriculum must be in (0,1]"},
        {!recipe->curriculum || recipe->curriculum_window >= 1, "the window of a curriculum must be 1 or more steps"},
        {not_negative(recipe->gamma) && recipe->gamma < 1e6, "gamma must be 0 (off) or more, below a million"},
        {recipe->target == 0 || share(recipe->target), "target must be 0 (none) or a share"},
        {recipe->target == 0 || recipe->check_every >= 1, "a target must be checked every 1 or more steps"},
        {recipe->target == 0 || recipe->check_samples >= 1, "a target must be checked on 1 or more examples"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!rules[i].right) {
            snprintf(reason, capacity, "%s", rules[i].words);
            return false;
        }
    }
    if (task_width(task, recipe->length, true) < 1) {
        const struct task_facts *facts = task_facts(task);
        snprintf(reason, capacity, "%s: the length %lld must be between %lld and %lld", facts->name, (long long)recipe->length,
                 (long long)facts->shortest, (long long)facts->longest);
        return false;
    }
    return true;
}

double schedule_rate(const struct recipe *recipe, int64_t step)
{
    if (step <= recipe->warmup)
        return recipe->learning_rate * (double)step / (double)recipe->warmup;
    double left = (double)(recipe->steps - step) / (double)(recipe->steps - recipe->warmup); /* 0 at the last step */
    switch (recipe->schedule) {
    case SCHEDULE_COSINE:
        return recipe->learning_rate * 0.5 * (1 - cos(M_PI * left));
    case SCHEDULE_LINEAR:
        return recipe->learning_rate * left;
    default:
        return recipe->learning_rate;
    }
}

int schedule_lengths(const struct recipe *recipe, const struct task *task, int64_t lengths[STAGES_MAX])
{
    int n = 0;
    for (int64_t whole = 2; recipe->curriculum && whole < recipe->length && n < STAGES_MAX - 2; whole *= 2) {
        int64_t pair[2] = {whole, whole + whole / 2};
        for (int i = 0; i < 2; i++)
            if (pair[i] < recipe->length && task_width(task, pair[i], true) > 0)
                lengths[n++] = pair[i];
    }
    lengths[n++] = recipe->length;
    return n;
}

int64_t schedule_l_max(const struct recipe *recipe, int64_t step)
{
    double k = recipe->gamma, boost = 1;
    uint64_t at = (uint64_t)step * ATTEMPTS;
    if (k < 1) { /* Gamma(k) = Gamma(k + 1) U^(1/k) */
        boost = pow(random_uniform(recipe->seed, STREAM_GAMMA_BOOST, at), 1 / k);
        k += 1;
    }
    double d = k - 1.0 / 3, c = 1 / sqrt(9 * d), drawn = d;
    for (int i = 0; i < ATTEMPTS; i++, at++) { /* accepts more than 95 of 100 */
        double x = random_normal(recipe->seed, STREAM_GAMMA, at), v = pow(1 + c * x, 3);
        double u = random_uniform(recipe->seed, STREAM_GAMMA_ACCEPT, at);
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v)) {
            drawn = d * v;
            break;
        }
    }
    double rounded = ceil(drawn * boost);
    return rounded < 1 ? 1 : (int64_t)rounded;
}
