/* See operators.h. The terms of the mean are kept and added in the order of the rows, in double. */
#include "train/math/operators.h"

#include "impls/math/vector.h"

static double row_entropy(int64_t classes, real *logits, int32_t target, double weight, int32_t *answer)
{
    int32_t best = 0;
    for (int32_t c = 1; c < classes; c++)
        best = logits[c] > logits[best] ? c : best;
    *answer = best;
    real sum = 0, largest = logits[best], wanted = target >= 0 ? logits[target] : 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < classes; c++) {
        logits[c] = exponential(logits[c] - largest);
        sum += logits[c];
    }
    real scale = target >= 0 ? (real)weight / sum : 0;
#pragma omp simd
    for (int64_t c = 0; c < classes; c++)
        logits[c] *= scale;
    if (target < 0)
        return 0;
    logits[target] -= (real)weight;
    return log((double)sum) + (double)largest - (double)wanted;
}

double cross_entropy(int threads, int64_t N, int64_t classes, real *logits, const int32_t *target, int32_t *answer, double *terms)
{
    int64_t scored = 0;
    for (int64_t n = 0; n < N; n++)
        scored += target[n] >= 0;
    double weight = scored > 0 ? 1 / (double)scored : 0, sum = 0;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t n = 0; n < N; n++)
        terms[n] = row_entropy(classes, logits + n * classes, target[n], weight, &answer[n]);
    for (int64_t n = 0; n < N; n++)
        sum += terms[n];
    return sum * weight;
}
