/* See disturbance.h. */
#include "bench/problems/disturbance.h"

#include "bench/base/random.h"
#include "bench/problems/textbook.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define UNITS 200.0

static double unit(enum dtype dtype)
{
    return dtype == DTYPE_FLOAT32 ? 0x1p-24 : 0x1p-53;
}

double rounding_allowed(enum dtype dtype)
{
    return UNITS * unit(dtype);
}

/* A problem may be chaotic, so near the dtype's rounding; but above the rounding of double itself. */
double rounding_disturbance(enum dtype dtype)
{
    return 2 * unit(dtype) * (dtype == DTYPE_FLOAT64 ? 1000 : 1);
}

bool tensors_disturbed(const struct tensors *tensors, double size, uint64_t seed, struct tensors *disturbed, struct error *error)
{
    if (!tensors_sequence(tensors, 0, disturbed, error))
        return false;
    const struct problem *p = &disturbed->problem;
    int64_t m = problem_m(p);
    const int64_t n[TENSORS_MAX] = {p->T * p->d, p->T * p->d, p->T * m, m * p->d, p->d};
    disturbed->problem.s *= 1 + size * random_normal(seed, STREAM_DISTURBANCE + 5, 0);
    for (int i = 0; i < TENSORS_MAX; i++) {
        double *x = disturbed->owned[i];
        for (int64_t k = 0; x != NULL && k < n[i]; k++) {
            double change = size * random_normal(seed, STREAM_DISTURBANCE + (uint32_t)i, (uint64_t)k);
            x[k] += i == 2 ? change * (1 + fabs(x[k])) : change * x[k];
        }
    }
    return true;
}

bool disturbance_of_mixing(const struct problem *p)
{
    return mixer_facts[p->mixer].product && p->r > 1;
}

void mixing_disturbed(const struct problem *p, double size, double *mixing)
{
    for (int64_t i = 0; i < p->T * p->d; i++)
        mixing[i] = 1 + size * random_normal(1, STREAM_DISTURBANCE_MIX, (uint64_t)i);
}

double rounding_tiny(enum dtype dtype)
{
    return (dtype == DTYPE_FLOAT32 ? (double)FLT_MIN : DBL_MIN) / unit(dtype);
}

bool disturbance_of_map(const struct tensors *sequence, enum dtype dtype, const double *h, const double *next, double *equation,
                        double *residual, struct error *error)
{
    int64_t n = sequence->problem.T * sequence->problem.d;
    double size = rounding_disturbance(dtype), tiny = rounding_tiny(dtype), equation_most = 0, residual_most = 0;
    double before = textbook_residual_above(&sequence->problem, h, next, tiny);
    const struct yardstick yardstick = inputs_yardstick(&sequence->problem, &sequence->inputs, dtype);
    double *moved = malloc((size_t)(2 * n) * sizeof *moved);
    bool good = moved != NULL || fail_memory(error);
    for (uint64_t seed = 1; seed <= DISTURBANCES && good && moved != NULL; seed++) {
        double *after = moved + n;
        struct tensors disturbed;
        good = tensors_disturbed(sequence, size, seed, &disturbed, error);
        if (!good)
            break;
        for (int64_t i = 0; i < n; i++)
            moved[i] = h[i] * (1 + size * random_normal(seed, STREAM_DISTURBANCE_H, (uint64_t)i));
        good = textbook_apply(&disturbed.problem, &disturbed.inputs, moved, after) || fail_memory(error);
        if (good) {
            equation_most = fmax(equation_most, distance_max_to(after, next, n, &yardstick) / size);
            residual_most =
                fmax(residual_most, fabs(textbook_residual_above(&disturbed.problem, moved, after, tiny) - before) / size);
        }
        tensors_free(&disturbed);
    }
    free(moved);
    if (equation != NULL)
        *equation = equation_most;
    if (residual != NULL)
        *residual = residual_most;
    return good;
}

struct yardstick inputs_yardstick(const struct problem *p, const struct inputs *inputs, enum dtype dtype)
{
    double tiny = rounding_tiny(dtype), v = norm_max(inputs->v, p->T * p->d);
    double h0 = inputs->h0 != NULL ? norm_max(inputs->h0, p->d) : 0;
    return (struct yardstick){.tiny = tiny, .scale = fmax(tiny, fmax(v, h0))};
}
