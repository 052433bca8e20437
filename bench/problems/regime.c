/* See regime.h. */
#include "bench/problems/regime.h"

#include "bench/base/random.h"
#include "bench/problems/spectrum.h"

#include <math.h>
#include <string.h>

/* Streams of the counter-based generator; a redraw takes the next of its own. draw.c has those below 16. */
enum { REDRAWS = 200, BISECTIONS = 60 };

/* s alpha of a drawn mixer stays this far below the value it is near. */
#define STRENGTH_GAP 3e-4
/* ... and aims so far above kappa, since lambda is not quite 0. */
#define HEADROOM 1.02

static double logit(double p)
{
    return log(p) - log1p(-p);
}

static double sigmoid(double a)
{
    return 1 / (1 + exp(-a));
}

int64_t regime_scratch(const struct problem *p)
{
    return problem_m(p) + 3 * p->d;
}

/* Marks `count` of n channels at random: channel i with the probability (still wanted) / (still to come). */
static void choose(uint64_t seed, uint64_t first, int64_t n, int64_t count, double *mark)
{
    for (int64_t i = 0; i < n; i++) {
        mark[i] = random_uniform(seed, STREAM_CHANNELS, first + (uint64_t)i) * (double)(n - i) < (double)count;
        count -= mark[i] > 0;
    }
}

/* mark (d): 1 for the channels that are mixed in this token. Kronecker: marks of the two factors first, in mark1 and mark2. */
static void choose_channels(const struct problem *p, uint64_t seed, int64_t token, double *mark, double *mark1, double *mark2)
{
    int64_t d = p->d, n1, n2;
    uint64_t first = (uint64_t)(token * 2 * d);
    if (p->mixer != MIXER_KRONECKER) {
        int64_t count = (d + 3) / 4 > p->r ? (d + 3) / 4 : p->r;
        choose(seed, first, d, count < d ? count : d, mark);
        return;
    }
    kronecker_sizes(d, &n1, &n2);
    choose(seed, first, n1, (n1 + 1) / 2, mark1);
    choose(seed, first + (uint64_t)d, n2, (n2 + 1) / 2, mark2);
    for (int64_t i = 0; i < d; i++)
        mark[i] = mark1[i / n2] * mark2[i % n2];
}

/* Raw theta whose s alpha (kronecker: s D1) is near `strength` on the marked channels and whose vectors vanish on the others. */
static bool sample_mixer(const struct problem *p, const struct regime *regime, uint32_t stream, int64_t token, const double *mark,
                         const double *mark1, const double *mark2, double *theta, double *scratch)
{
    int64_t d = p->d, m = problem_m(p), n1, n2;
    uint64_t first = (uint64_t)(token * m);
    double near = fmin(fmax(1, HEADROOM * regime->kappa), p->s) / p->s;
    for (int64_t k = 0; k < m; k++)
        theta[k] = random_normal(regime->seed, stream, first + (uint64_t)k);
    switch (p->mixer) {
    case MIXER_DPLR:
    case MIXER_HOUSEHOLDER:
        for (int64_t i = 0; i < p->r; i++)
            for (int64_t c = 0, marked = 0; c < d; c++) {
                marked += mark[c] > 0;
                theta[i * d + c] *= mark[c] * (p->mixer == MIXER_HOUSEHOLDER || marked % p->r == i);
            }
        for (int64_t k = p->r * d; k < m; k++)
            theta[k] = logit(near * (1 - STRENGTH_GAP * exp(theta[k] / 4)));
        return true;
    case MIXER_KRONECKER:
        kronecker_sizes(d, &n1, &n2);
        for (int64_t i = 0; i < n1; i++)
            for (int64_t j = 0; j <= i; j++)
                *theta++ *= mark1[i] * mark1[j];
        for (int64_t i = 0; i < n2; i++)
            for (int64_t j = 0; j <= i; j++)
                *theta++ *= mark2[i] * mark2[j];
        for (int64_t i = 0; i < n1 + n2; i++)
            theta[i] = logit((i < n1 ? near : 1) * (1 - STRENGTH_GAP * exp(theta[i] / 4)));
        return true;
    default: { /* dense: I - Q = N / ||N||_2 on the marked channels */
        for (int64_t k = 0; k < m; k++)
            theta[k] *= mark[k / d] * mark[k % d];
        memcpy(scratch, theta, (size_t)m * sizeof *theta);
        double norm = spectrum_norm_2(d, scratch);
        for (int64_t k = 0; k < m; k++)
            theta[k] = (k / d == k % d) - theta[k] / norm;
        return norm > 0;
    }
    }
}

/* theta with every strength (alpha, D1; dense: I - Q) times c. */
static void weaken(const struct problem *p, const double *theta, double c, double *out)
{
    int64_t d = p->d, m = problem_m(p), n1, n2, from = p->r * d, to = m;
    memcpy(out, theta, (size_t)m * sizeof *out);
    if (p->mixer == MIXER_DENSE) {
        for (int64_t k = 0; k < m; k++)
            out[k] = (k / d == k % d) - c * ((k / d == k % d) - theta[k]);
        return;
    }
    if (p->mixer == MIXER_KRONECKER) {
        kronecker_sizes(d, &n1, &n2);
        from = n1 * (n1 + 1) / 2 + n2 * (n2 + 1) / 2;
        to = from + n1;
    }
    for (int64_t k = from; k < to; k++)
        out[k] = logit(c * sigmoid(theta[k]));
}

/* theta <- theta weakened until ||I - Q||_2 = kappa, by bisection; it is 0 at c = 0 and norm >= kappa at c = 1. */
static bool weaken_to(const struct problem *p, double kappa, double *theta, const double *lambda, double *weak)
{
    double low = 0, high = 1;
    struct spectrum spectrum;
    for (int i = 0; i < BISECTIONS; i++) {
        double c = (low + high) / 2;
        weaken(p, theta, c, weak);
        if (!spectrum_token(p, weak, lambda, false, &spectrum))
            return false;
        *(spectrum.norm < kappa ? &low : &high) = c;
        if (high - low < 1e-15)
            break;
        if (p->mixer != MIXER_HOUSEHOLDER && i == 0) { /* linear in c: one evaluation tells, the rest confirms it */
            double guess = c * kappa / spectrum.norm;
            low = guess * (1 - 1e-14);
            high = guess * (1 + 1e-14) < 1 ? guess * (1 + 1e-14) : 1;
        }
    }
    weaken(p, theta, (low + high) / 2, weak);
    memcpy(theta, weak, (size_t)problem_m(p) * sizeof *theta);
    return true;
}

static void draw_free(const struct problem *p, const struct regime *regime, int64_t token, double *theta, double *lambda)
{
    int64_t d = p->d, m = problem_m(p);
    for (int64_t c = 0; c < d; c++)
        lambda[c] = regime->lambda_max * random_uniform(regime->seed, STREAM_LAMBDA, (uint64_t)(token * d + c));
    for (int64_t k = 0; k < m; k++) {
        theta[k] = random_normal(regime->seed, STREAM_THETA, (uint64_t)(token * m + k));
        if (p->mixer == MIXER_DENSE)
            theta[k] = (k / d == k % d) - theta[k] / (2 * sqrt((double)d));
    }
}

static enum regime_outcome without_memory(struct error *error)
{
    fail_memory(error);
    return REGIME_NO_MEMORY;
}

enum regime_outcome regime_token(const struct problem *p, const struct regime *regime, int64_t token, double *theta, double *lambda,
                                 double *scratch, struct error *error)
{
    int64_t d = p->d;
    bool normalised = p->form == FORM_NORMALISED;
    if (!(regime->kappa > 0) || p->mixer == MIXER_NONE) {
        draw_free(p, regime, token, theta, lambda);
        return REGIME_SAMPLED;
    }
    double *mark = scratch, *mark1 = mark + d, *mark2 = mark1 + d;
    scratch = mark2 + d;
    choose_channels(p, regime->seed, token, mark, mark1, mark2);
    /* The largest lambda of a mixed channel; normalised: so small that ||G (I - Q)||_2 can reach a kappa near 1. */
    double near_one = regime->kappa < 1 ? (1 - regime->kappa) / 4 : 0.002;
    double mixed = normalised ? fmin(0.002, near_one) : 1 - regime->kappa;
    if (mixed < 0)
        mixed = 0;
    for (int64_t c = 0; c < d; c++) {
        double u = random_uniform(regime->seed, STREAM_LAMBDA, (uint64_t)(token * d + c));
        lambda[c] = mark[c] > 0 ? fmin(mixed, regime->lambda_max) * u : regime->lambda_max * (0.9 + 0.1 * u);
    }
    for (uint32_t attempt = 0; attempt < REDRAWS; attempt++) {
        struct spectrum spectrum;
        if (!sample_mixer(p, regime, STREAM_THETA + attempt, token, mark, mark1, mark2, theta, scratch))
            continue;
        if (!spectrum_token(p, theta, lambda, false, &spectrum))
            return without_memory(error);
        if (isnan(spectrum.kappa)) {
            fail(error, "kappa cannot be prescribed for a %s mixer of d = %lld: it is computed up to d = %d", mixer_names[p->mixer],
                 (long long)d, SPECTRUM_WIDTH);
            return REGIME_OUT_OF_REACH;
        }
        if (!normalised && spectrum.norm >= regime->kappa)
            return weaken_to(p, regime->kappa, theta, lambda, scratch) ? REGIME_SAMPLED : without_memory(error);
        if (normalised && spectrum.kappa >= regime->kappa) {
            for (int64_t c = 0; c < d; c++)
                if (mark[c] > 0)
                    lambda[c] = 1 - (1 - lambda[c]) * regime->kappa / spectrum.kappa;
            return REGIME_SAMPLED;
        }
    }
    fail(error, "no draw of this problem has a kappa of %g: the largest possible is about s = %g", regime->kappa, p->s);
    return REGIME_OUT_OF_REACH;
}
