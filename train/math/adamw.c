/* See adamw.h. */
#include "train/math/adamw.h"

#include "impls/math/vector.h"

enum { CHUNK = 4096 }; /* numbers whose squares are added in the dtype, before they are added in double */

double gradient_norm(const struct parameters *parameters)
{
    double sum = 0;
    for (int i = 0; i < parameters->n; i++) {
        const struct parameter *parameter = &parameters->item[i];
        const real *gradient = parameter->gradient;
        for (int64_t from = 0; from < parameter->size; from += CHUNK) {
            int64_t n = parameter->size - from < CHUNK ? parameter->size - from : CHUNK;
            sum += (double)dot(gradient + from, gradient + from, n);
        }
    }
    return sqrt(sum);
}

void adamw_update(const struct parameters *parameters, const struct adamw *adamw, int threads)
{
    real beta1 = (real)adamw->beta[0], beta2 = (real)adamw->beta[1], scale = (real)adamw->scale, epsilon = (real)adamw->epsilon;
    real rate = (real)adamw->rate, correct1 = (real)adamw->correction[0], correct2 = (real)adamw->correction[1];
#pragma omp parallel num_threads(threads)
    for (int i = 0; i < parameters->n; i++) {
        const struct parameter *parameter = &parameters->item[i];
        real *w = parameter->value, *first = parameter->first, *second = parameter->second;
        const real *gradient = parameter->gradient;
        real decay = parameter->decayed ? (real)adamw->decay : 0;
#pragma omp for simd schedule(static) nowait
        for (int64_t k = 0; k < parameter->size; k++) {
            real g = scale * gradient[k];
            first[k] = beta1 * first[k] + (1 - beta1) * g;
            second[k] = beta2 * second[k] + (1 - beta2) * g * g;
            w[k] -= rate * (decay * w[k] + first[k] * correct1 / (real_sqrt(second[k] * correct2) + epsilon));
        }
    }
}
