/* See place.h. */
#include "bench/measure/place.h"

#include "bench/problems/tensor_place.h"
#include "bench/problems/textbook.h"

#include <math.h>

int64_t place_furthest(const double *a, const double *b, int64_t n)
{
    int64_t furthest = 0;
    double most = -1;
    for (int64_t i = 0; i < n; i++) {
        double apart = fabs(a[i] - b[i]);
        if (!isfinite(a[i]) || !isfinite(b[i]))
            return i;
        if (apart > most) {
            most = apart;
            furthest = i;
        }
    }
    return furthest;
}

int64_t place_of_residual(const struct problem *problem, const double *h, const double *next)
{
    int64_t d = problem->d, worst = 0;
    double most = -1;
    for (int64_t t = 0; t < problem->T; t++) {
        double residual = distance_max(h + t * d, next + t * d, d);
        if (residual > most) {
            most = residual;
            worst = t;
        }
    }
    return worst * d + place_furthest(h + worst * d, next + worst * d, d);
}

int place_digits(enum dtype dtype)
{
    return dtype == DTYPE_FLOAT32 ? 9 : 17;
}

void place_say(const struct problem *problem, int64_t b, int64_t i, enum dtype dtype, const double *h, const double *reference,
               const char *after, const struct checks *checks, struct finding *finding)
{
    int digits = place_digits(dtype);
    char place[TENSOR_PLACE_SIZE];
    output_place(problem, b, i, place);
    finding_say(finding, RESULT_WRONG, "%s%s: %.*g for %.*g, differs by %.3g from %s; tolerance %.3g", place, after, digits, h[i],
                digits, reference[i], checks->iterate, checks->against, checks->tolerance);
    finding->b = b;
    finding->t = i / problem->d;
}

void place_channel(const struct subject *subject, struct finding *finding)
{
    const struct problem *p = &subject->tensors.problem;
    int64_t b = finding->b, t = finding->t, i = (b * p->T + t) * p->d;
    if (finding->result != (enum result)STATUS_DIVERGED || b < 0 || b >= p->B || t < 0 || t >= p->T)
        return;
    for (int64_t c = 0; c < p->d; c++) {
        double value;
        to_doubles(p->dtype, subject->h, i + c, 1, &value);
        if (isfinite(value))
            continue;
        char place[TENSOR_PLACE_SIZE];
        output_place(p, b, t * p->d + c, place);
        finding_say(finding, finding->result, "%s: the state is not finite", place);
        return;
    }
}
