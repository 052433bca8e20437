/* See disturbance.h. */
#include "bench/problems/disturbance.h"

#include "bench/base/random.h"
#include "bench/problems/textbook.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define UNITS 200.0
#define NOTHING 4.0 /* units of rounding of the inputs: an answer below is what differences of them leave */

enum { FEW = 64 };

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

double rounding_nothing(enum dtype dtype)
{
    return NOTHING * unit(dtype);
}

double disturbance_draw(uint64_t seed, uint32_t stream, int64_t k, int64_t n)
{
    double normal = random_normal(seed, stream, (uint64_t)k);
    return n < FEW ? copysign(fmax(1, fabs(normal)), normal) : normal;
}

_Static_assert(STREAM_DISTURBANCE_MORE + TENSORS_MAX <= STREAM_ORDER,
               "one tensor more than there are streams: a second range of them");

/* Tensors of the vector cell came first: their streams are those of their numbers. */
static uint32_t stream_of(enum tensor_id id)
{
    return id <= TENSOR_H0 ? STREAM_DISTURBANCE + (uint32_t)id : STREAM_DISTURBANCE_MORE + (uint32_t)id;
}

/* The mean step of a channel, or of a head, before what it may read of the output. */
static double mean_step(const struct tensors *sequence, int64_t channel)
{
    const struct problem *p = &sequence->problem;
    const int64_t steps = tensor_of_sequence(p, TENSOR_DT) / p->T;
    const double *dt = sequence->owned[TENSOR_DT];
    bool raw = tensor_elements(p, TENSOR_W_DT) > 0;
    double sum = 0;
    for (int64_t t = 0; t < p->T; t++) {
        double x = dt[t * steps + channel];
        sum += raw ? fmax(x, 0) + log1p(exp(-fabs(x))) : x;
    }
    return fmax(sum / (double)p->T, DBL_MIN);
}

/* What tensor id is moved by beside a share of itself: what is computed from it is rounded, too, where it is 0 itself. theta, and the step
 * before its softplus: by as much as 1; rates: by so much that exp(-dt A), which long memory multiplies with itself, moves by a unit. */
static double beside_itself(const struct tensors *sequence, enum tensor_id id, int64_t k, double before)
{
    const struct problem *p = &sequence->problem;
    if (id == TENSOR_A) {
        const int64_t same =
            tensor_elements(p, TENSOR_A) * p->T / tensor_of_sequence(p, TENSOR_DT); /* of all states of a channel */
        return k % same == 0 ? 1 / mean_step(sequence, k / same) : before;
    }
    return id == TENSOR_THETA || (id == TENSOR_DT && tensor_elements(p, TENSOR_W_DT) > 0);
}

bool tensors_disturbed(const struct tensors *tensors, double size, uint64_t seed, struct tensors *disturbed, struct error *error)
{
    if (!tensors_sequence(tensors, 0, disturbed, error))
        return false;
    const struct problem *p = &disturbed->problem;
    /* downwards: there is a most that s may be */
    disturbed->problem.s *= 1 - fabs(size * disturbance_draw(seed, STREAM_DISTURBANCE + 5, 0, 1));
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        double *x = disturbed->owned[id];
        int64_t n = tensor_elements(p, id);
        double beside = 0;
        for (int64_t k = 0; x != NULL && k < n; k++) {
            double change = size * disturbance_draw(seed, stream_of(id), k, n);
            beside = beside_itself(disturbed, id, k, beside);
            x[k] += beside > 0 ? change * (beside + fabs(x[k])) : change * x[k];
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
        mixing[i] = 1 + size * disturbance_draw(1, STREAM_DISTURBANCE_MIX, i, p->T * p->d);
}

double rounding_tiny(enum dtype dtype)
{
    return (dtype == DTYPE_FLOAT32 ? (double)FLT_MIN : DBL_MIN) / unit(dtype);
}

/* h (T,d), f(h), and how far disturbances have moved that so far: at most anywhere, and of a token relative to its own. A
 * difference of residuals would not do, since these are hardly ever above 1. */
struct moving {
    const double *h, *next;
    double tiny;
    double far, token;
};

static void note(struct moving *moving, const struct problem *p, const double *after)
{
    for (int64_t t = 0; t < p->T; t++) {
        double far = 0, length = moving->tiny;
        for (int64_t i = t * p->d; i < (t + 1) * p->d; i++) {
            double one = fabs(after[i] - moving->next[i]);
            far = isfinite(one) ? fmax(far, one) : INFINITY;
            length = fmax(length, fabs(moving->next[i]));
        }
        moving->far = fmax(moving->far, far);
        moving->token = fmax(moving->token, far / length);
    }
}

/* Disturbed inputs and h, one seed. room (3,T,d). */
static bool move(const struct tensors *sequence, double size, uint64_t seed, double *room, struct moving *moving,
                 struct error *error)
{
    const struct problem *p = &sequence->problem;
    int64_t n = p->T * p->d;
    double *at = room, *after = at + n, *mixing = after + n;
    const struct textbook_rounding rounding = {.mixing = disturbance_of_mixing(p) ? mixing : NULL};
    struct tensors disturbed;
    if (!tensors_disturbed(sequence, size, seed, &disturbed, error))
        return false;
    mixing_disturbed(p, size, mixing);
    for (int64_t i = 0; i < n; i++)
        at[i] = moving->h[i] * (1 + size * disturbance_draw(seed, STREAM_DISTURBANCE_H, i, n));
    bool good = textbook_apply_rounded(&disturbed.problem, &disturbed.inputs, &rounding, at, after) || fail_memory(error);
    if (good)
        note(moving, p, after);
    tensors_free(&disturbed);
    return good;
}

bool disturbance_of_map(const struct tensors *sequence, enum dtype dtype, const double *h, const double *next, double *equation,
                        double *residual, struct error *error)
{
    const struct problem *p = &sequence->problem;
    const struct yardstick yardstick = inputs_yardstick(p, &sequence->inputs, dtype);
    double size = rounding_disturbance(dtype), length = norm_max(h, p->T * p->d);
    struct moving moving = {.h = h, .next = next, .tiny = rounding_tiny(dtype)};
    double *room = malloc((size_t)(3 * p->T * p->d) * sizeof *room);
    bool good = room != NULL || fail_memory(error);
    for (uint64_t seed = 1; seed <= ROUNDING_DISTURBANCES && good; seed++)
        good = move(sequence, size, seed, room, &moving, error);
    free(room);
    if (equation != NULL)
        *equation = moving.far / (length > yardstick.tiny ? length : yardstick.scale) / size;
    if (residual != NULL)
        *residual = moving.token / size;
    return good;
}

struct yardstick inputs_yardstick(const struct problem *p, const struct inputs *inputs, enum dtype dtype)
{
    const struct cell_facts *cell = &cell_facts[p->cell];
    const double *driven = inputs->tensor[cell->driven], *initial = inputs->tensor[cell->initial];
    double tiny = rounding_tiny(dtype), v = norm_max(driven, tensor_of_sequence(p, cell->driven));
    double before = initial != NULL ? norm_max(initial, tensor_of_sequence(p, cell->initial)) : 0,
           scale = fmax(tiny, fmax(v, before));
    return (struct yardstick){.tiny = fmax(tiny, rounding_nothing(dtype) * scale), .scale = scale};
}

double rounding_beside(const struct problem *p, const struct inputs *inputs, enum dtype dtype, const double *h)
{
    const double *v = inputs->v, *lambda = inputs->lambda; /* NULL in a cell whose answer is no sum of them and something else */
    const struct yardstick yardstick = inputs_yardstick(p, inputs, dtype);
    double length = norm_max(h, p->T * p->d), kept = 0, most = yardstick.tiny;
    if (length <= yardstick.tiny)
        return 0;
    for (int64_t t = 0; lambda != NULL && t < p->T;
         t++, v += p->d, lambda += p->d) { /* roundings are as good as independent: their squares add up */
        kept = hypot(fmin(norm_max(lambda, p->d), 1) * kept, rounding_nothing(dtype) * norm_max(v, p->d));
        most = fmax(most, kept);
    }
    return most / length;
}
