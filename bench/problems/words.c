/* See words.h. */
#include "bench/problems/words.h"

#include "bench/base/random.h"
#include "tasks/group.h"

#include <math.h>
#include <string.h>

enum { DEGREE = 5 };

const char *const words_names[2] = {"none", "A5"};

bool words_check(const struct problem *p, struct error *error)
{
    if (p->d == DEGREE)
        return true;
    return fail(error, "words of A5 are %d x %d matrices; expected d = %d, not %lld", DEGREE, DEGREE, DEGREE, (long long)p->d);
}

void words_token(const struct regime *regime, int64_t T, int64_t b, int64_t t, double *v, double *lambda, double *theta)
{
    static struct group group; /* the same whoever fills it first; drawing makes it before threads begin */
    double lambda_max = regime->lambda_max;
    if (group.order == 0)
        group_make("A5", &group);
    int element = (int)(random_uniform(regime->seed, STREAM_WORDS, (uint64_t)(b * T + t)) * group.order);
    const uint8_t *image = group.element[element];
    memset(theta, 0, DEGREE * DEGREE * sizeof *theta);
    for (int i = 0; i < DEGREE; i++) {
        lambda[i] = lambda_max;
        theta[i * DEGREE + image[i]] = lambda_max; /* A_t takes entry i to image[i], Q_t back */
        v[i] = 0;
    }
    for (int i = 0; i < DEGREE && t == 0; i++)
        v[image[i]] = i - (DEGREE - 1) / 2.0;
}

double words_tracked(const struct problem *p, const double *h, const double *exact)
{
    int64_t right = 0;
    for (int64_t t = 0; t < p->T; t++) {
        double most = 0;
        for (int64_t c = 0; c < p->d; c++) {
            double distance = fabs(h[t * p->d + c] - exact[t * p->d + c]);
            most = distance > most || isnan(distance) ? (isnan(distance) ? INFINITY : distance) : most;
        }
        right += most < 0.5;
    }
    return (double)right / (double)p->T;
}
