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

/* The channels of one token that are mixed. */
struct marks {
    double *all;          /* (d) 1 for those that are */
    double *first, *last; /* (n1), (n2) of the two factors of a Kronecker product */
};

/* ---- One of each kind ---------------------------------------------------------------------------------------------------- */

static void choose_any(const struct problem *p, uint64_t seed, uint64_t first, const struct marks *marks)
{
    int64_t d = p->d, count = (d + 3) / 4 > p->r ? (d + 3) / 4 : p->r;
    choose(seed, first, d, count < d ? count : d, marks->all);
}

/* A quarter of them: half of the first factor's and half of the other's. */
static void choose_factors(const struct problem *p, uint64_t seed, uint64_t first, const struct marks *marks)
{
    int64_t d = p->d, n1, n2;
    kronecker_sizes(d, &n1, &n2);
    choose(seed, first, n1, (n1 + 1) / 2, marks->first);
    choose(seed, first + (uint64_t)d, n2, (n2 + 1) / 2, marks->last);
    for (int64_t i = 0; i < d; i++)
        marks->all[i] = marks->first[i / n2] * marks->last[i % n2];
}

/* A raw strength whose sigmoid is a little below `near`, from a standard normal. */
static double near_strength(double near, double normal)
{
    return logit(near * (1 - STRENGTH_GAP * exp(normal / 4)));
}

/* Vectors that may share channels, or that share none, and alpha. */
static bool draw_vectors(const struct problem *p, double near, const struct marks *marks, double *theta, double *scratch)
{
    int64_t d = p->d;
    (void)scratch;
    for (int64_t i = 0; i < p->r; i++)
        for (int64_t c = 0, marked = 0; c < d; c++) {
            marked += marks->all[c] > 0;
            theta[i * d + c] *= marks->all[c] * (mixer_facts[p->mixer].product || marked % p->r == i);
        }
    for (int64_t k = p->r * d; k < problem_m(p); k++)
        theta[k] = near_strength(near, theta[k]);
    return true;
}

/* Of a triangle (n,n), row by row, only the marked rows and columns stay. Returns where it ends. */
static double *mark_triangle(int64_t n, bool upper, const double *mark, double *theta)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = upper ? i : 0; j <= (upper ? n - 1 : i); j++)
            *theta++ *= mark[i] * mark[j];
    return theta;
}

/* Two triangles, D1 near `near` and D2 near 1. */
static bool draw_triangles(const struct problem *p, bool upper, double near, const struct marks *marks, double *theta)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    theta = mark_triangle(n1, upper, marks->first, theta);
    theta = mark_triangle(n2, upper, marks->last, theta);
    for (int64_t i = 0; i < n1 + n2; i++)
        theta[i] = near_strength(i < n1 ? near : 1, theta[i]);
    return true;
}

static bool draw_lower(const struct problem *p, double near, const struct marks *marks, double *theta, double *scratch)
{
    (void)scratch;
    return draw_triangles(p, false, near, marks, theta);
}

static bool draw_upper(const struct problem *p, double near, const struct marks *marks, double *theta, double *scratch)
{
    (void)scratch;
    return draw_triangles(p, true, near, marks, theta);
}

/* I - Q = N / ||N||_2 on the marked channels. */
static bool draw_matrix(const struct problem *p, double near, const struct marks *marks, double *theta, double *scratch)
{
    int64_t d = p->d, m = problem_m(p);
    (void)near;
    for (int64_t k = 0; k < m; k++)
        theta[k] *= marks->all[k / d] * marks->all[k % d];
    memcpy(scratch, theta, (size_t)m * sizeof *theta);
    double norm = spectrum_norm_2(d, scratch);
    for (int64_t k = 0; k < m; k++)
        theta[k] = (k / d == k % d) - theta[k] / norm;
    return norm > 0;
}

static void weaken_alpha(const struct problem *p, double c, double *theta)
{
    for (int64_t k = p->r * p->d; k < problem_m(p); k++)
        theta[k] = logit(c * sigmoid(theta[k]));
}

static void weaken_first(const struct problem *p, double c, double *theta)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    int64_t from = problem_m(p) - n1 - n2;
    for (int64_t k = from; k < from + n1; k++)
        theta[k] = logit(c * sigmoid(theta[k]));
}

static void weaken_matrix(const struct problem *p, double c, double *theta)
{
    int64_t d = p->d;
    for (int64_t k = 0; k < d * d; k++)
        theta[k] = (k / d == k % d) - c * ((k / d == k % d) - theta[k]);
}

// clang-format off
static const struct {
    /* Which channels of the token whose random numbers begin at `first` are mixed. */
    void (*choose)(const struct problem *, uint64_t seed, uint64_t first, const struct marks *);
    /* Standard normals (m) -> raw theta whose s alpha (s D1) is s `near` on the marked channels and whose vectors vanish on the others.
     * False: try again. */
    bool (*draw)(const struct problem *, double near, const struct marks *, double *theta, double *scratch);
    /* Every strength (alpha; D1; I - Q itself) times c. */
    void (*weaken)(const struct problem *, double c, double *theta);
} draws[MIXER_COUNT] = {
    [MIXER_DPLR]           = {choose_any,     draw_vectors, weaken_alpha},
    [MIXER_HOUSEHOLDER]    = {choose_any,     draw_vectors, weaken_alpha},
    [MIXER_KRONECKER]      = {choose_factors, draw_lower,   weaken_first},
    [MIXER_DENSE]          = {choose_any,     draw_matrix,  weaken_matrix},
    [MIXER_KRONECKER_ROWS] = {choose_factors, draw_upper,   weaken_first},
};
// clang-format on

/* ---- All mixers ------------------------------------------------------------------------------------------------------------ */

static bool sample_mixer(const struct problem *p, const struct regime *regime, uint32_t stream, int64_t token,
                         const struct marks *marks, double *theta, double *scratch)
{
    int64_t m = problem_m(p);
    uint64_t first = (uint64_t)(token * m);
    double near = fmin(fmax(1, HEADROOM * regime->kappa), p->s) / p->s;
    for (int64_t k = 0; k < m; k++)
        theta[k] = random_normal(regime->seed, stream, first + (uint64_t)k);
    return draws[p->mixer].draw(p, near, marks, theta, scratch);
}

/* theta with every strength times c. */
static void weaken(const struct problem *p, const double *theta, double c, double *out)
{
    memcpy(out, theta, (size_t)problem_m(p) * sizeof *out);
    draws[p->mixer].weaken(p, c, out);
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
        if (!mixer_facts[p->mixer].product && i == 0) { /* linear in c: one evaluation tells, the rest confirms it */
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
        if (mixer_facts[p->mixer].given)
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
    const struct marks marks = {scratch, scratch + d, scratch + 2 * d};
    scratch += 3 * d;
    draws[p->mixer].choose(p, regime->seed, (uint64_t)(token * 2 * d), &marks);
    /* The largest lambda of a mixed channel; normalised: so small that ||G (I - Q)||_2 can reach a kappa near 1. */
    double near_one = regime->kappa < 1 ? (1 - regime->kappa) / 4 : 0.002;
    double mixed = normalised ? fmin(0.002, near_one) : 1 - regime->kappa;
    if (mixed < 0)
        mixed = 0;
    for (int64_t c = 0; c < d; c++) {
        double u = random_uniform(regime->seed, STREAM_LAMBDA, (uint64_t)(token * d + c));
        lambda[c] = marks.all[c] > 0 ? fmin(mixed, regime->lambda_max) * u : regime->lambda_max * (0.9 + 0.1 * u);
    }
    for (uint32_t attempt = 0; attempt < REDRAWS; attempt++) {
        struct spectrum spectrum;
        if (!sample_mixer(p, regime, STREAM_THETA + attempt, token, &marks, theta, scratch))
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
                if (marks.all[c] > 0)
                    lambda[c] = 1 - (1 - lambda[c]) * regime->kappa / spectrum.kappa;
            return REGIME_SAMPLED;
        }
    }
    fail(error, "no draw of this problem has a kappa of %g: the largest possible is about s = %g", regime->kappa, p->s);
    return REGIME_OUT_OF_REACH;
}
