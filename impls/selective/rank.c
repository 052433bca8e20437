/* See rank.h. */
#include "impls/selective/rank.h"

#include "impls/math/low_rank.h"
#include "impls/math/mixer.h"
#include "impls/math/vector.h"

#define INLINE static inline __attribute__((always_inline))
#define UNIT 0x1p-52   /* of rounding of the r numbers */
#define LEAST_SD2 1e-5 /* the LayerNorm's epsilon */
#define FAR 1e100      /* a power of a matrix that has grown so far does not shrink again */

enum {
    ALONE_FIRST = 2, /* plain iterations before Newton's method is tried, at r = 1 ... */
    FIRST = 8,       /* ... and beyond; twice as many each time it was too early */
    NEWTON = 16,     /* steps of it */
    SQUARINGS = 60,  /* of a matrix, until its norm shows whether its powers shrink */
    STALL = 64,      /* iterations without a smaller change: what is left is rounding, if it is as small as that */
    CORRECTIONS = 2  /* of the r numbers, by what the d numbers leave of the equation */
};
#define NOISE 64.0 /* as small as that: so many units of rounding of what the map is summed from */

/* Doubles of map.rest: J, its copy or square (r,r), and four vectors. */
static int64_t rest_size(int64_t r)
{
    return 2 * r * r + 4 * r;
}

int64_t rank_numbers(const struct problem *p)
{
    int64_t r = p->r;
    return 3 * r * r + 5 * r + rest_size(r) + 2 * r + 1;
}

int64_t rank_scratch(const struct problem *p)
{
    return (p->r + 3) * p->d + p->r + low_rank_scratch(p);
}

INLINE double largest(const double *x, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = !(fabs(x[i]) <= most) ? fabs(x[i]) : most; /* NaN stays */
    return most;
}

INLINE double inner(const double *x, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Solves A x = y in place, A (n,n) overwritten. False: a pivot is no larger than tiny times the largest entry, or 1. */
INLINE bool solve(int64_t n, double *A, double *y, double tiny)
{
    double least = tiny * fmax(1, largest(A, n * n));
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++)
            pivot = fabs(A[i * n + k]) > fabs(A[pivot * n + k]) ? i : pivot;
        if (fabs(A[pivot * n + k]) <= least)
            return false;
        for (int64_t j = k; j < n && pivot != k; j++) {
            double swap = A[k * n + j];
            A[k * n + j] = A[pivot * n + j];
            A[pivot * n + j] = swap;
        }
        double swap = y[k];
        y[k] = y[pivot];
        y[pivot] = swap;
        for (int64_t i = k + 1; i < n; i++) {
            double factor = A[i * n + k] / A[k * n + k];
            for (int64_t j = k + 1; j < n; j++)
                A[i * n + j] -= factor * A[k * n + j];
            y[i] -= factor * y[k];
        }
    }
    for (int64_t k = n - 1; k >= 0; k--) {
        for (int64_t j = k + 1; j < n; j++)
            y[k] -= A[k * n + j] * y[j];
        y[k] /= A[k * n + k];
    }
    return true;
}

/* ---- The map --------------------------------------------------------------------------------------------------------------- */

/* y (n rows of `columns`) <- E y: F z = S y with F = I + S tril(gram, strict), row after row. */
static void core(const struct rank_map *map, double *y, int64_t columns)
{
    int64_t r = map->r;
    for (int64_t i = 0; i < r; i++)
        for (int64_t k = 0; k < columns; k++) {
            double sum = y[i * columns + k];
            for (int64_t j = 0; j < i && map->gram != NULL; j++)
                sum -= map->gram[i * r + j] * y[j * columns + k];
            y[i * columns + k] = map->strength[i] * sum;
        }
}

/* centred (d) = row less its mean. */
static void centre_row(const real *row, real *centred, int64_t d)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < d; c++)
        sum += row[c];
    sum /= (real)d;
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        centred[c] = row[c] - sum;
}

/* Where the parts of a map lie, and E; gram is filled in its lower triangle. */
static struct rank_map map_begin(const struct problem *p, const real *q, double *numbers)
{
    int64_t r = p->r, d = p->d;
    struct rank_map map = {.r = r, .start = numbers};
    map.shift = map.start + r;
    map.centre = map.shift + r;
    map.slope = map.centre + r;
    map.along = map.slope + r * r;
    map.spread = map.along + r;
    map.strength = map.spread + r * r;
    double *gram = map.strength + r;
    map.rest = gram + r * r;
    for (int64_t i = 0; i < r; i++) {
        map.strength[i] = (double)q[r * d + i];
        for (int64_t j = 0; j < i && mixer_facts[p->mixer].product; j++)
            gram[i * r + j] = (double)dot(q + i * d, q + j * d, d);
    }
    map.gram = mixer_facts[p->mixer].product ? gram : NULL;
    return map;
}

struct rank_map rank_map_make(const struct problem *p, const struct equation *e, real *scratch, double *numbers)
{
    int64_t r = p->r, d = p->d;
    struct rank_map map = map_begin(p, e->q, numbers);
    real *pc = scratch, *Vc = pc + d, *row = Vc + r * d;
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        row[c] = e->base[c] + e->response[c] * e->x[c];
    centre_row(row, pc, d);
    map.variance = (double)dot(pc, pc, d) / (double)d + LEAST_SD2;
    for (int64_t i = 0; i < r; i++) {
        const real *u = e->q + i * d;
        real *V = Vc + i * d;
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            row[c] = e->response[c] * u[c];
        centre_row(row, V, d);
        map.start[i] = (double)dot(u, e->x, d);
        map.shift[i] = map.start[i] - (double)dot(u, e->bias, d);
        map.along[i] = (double)dot(V, pc, d) / (double)d;
        for (int64_t j = 0; j <= i; j++)
            map.spread[i * r + j] = map.spread[j * r + i] = (double)dot(V, Vc + j * d, d) / (double)d;
    }
    for (int64_t i = 0; i < r; i++) {
        const real *u = e->q + i * d;
        map.centre[i] = (double)dot_weighted(e->gain, u, pc, d);
        for (int64_t j = 0; j < r; j++)
            map.slope[i * r + j] = (double)dot_weighted(e->gain, u, Vc + j * d, d);
    }
    core(&map, map.start, 1);
    core(&map, map.shift, 1);
    core(&map, map.centre, 1);
    core(&map, map.slope, r);
    return map;
}

/* sd(g)^2, with its half gradient spread g - along in `half` (r). */
INLINE double squares(const struct rank_map *map, const double *g, double *half)
{
    double sum = map->variance;
    for (int64_t i = 0; i < map->r; i++) {
        half[i] = inner(map->spread + i * map->r, g, map->r) - map->along[i];
        sum += g[i] * (half[i] - map->along[i]);
    }
    return sum < LEAST_SD2 ? LEAST_SD2 : sum;
}

/* next = the map at g, J (r,r) its derivative there (NULL: not wanted): [slope + (centre - slope g) half^T / sd^2] / sd. half (r) is scratch. */
INLINE void evaluate(const struct rank_map *map, const double *g, double *next, double *J, double *half)
{
    int64_t r = map->r;
    double sd2 = squares(map, g, half), inverse = 1 / sqrt(sd2);
    for (int64_t i = 0; i < r; i++) {
        double apart = map->centre[i] - inner(map->slope + i * r, g, r);
        next[i] = map->shift[i] - apart * inverse;
        for (int64_t j = 0; j < r && J != NULL; j++)
            J[i * r + j] = (map->slope[i * r + j] + apart * half[j] / sd2) * inverse;
    }
}

void rank_map_apply(const struct rank_map *map, const double *g, double *next)
{
    evaluate(map, g, next, NULL, map->rest);
}

/* ---- Where it leads -------------------------------------------------------------------------------------------------------- */

/* How far rounding can move one application near g. */
INLINE double rounding(const struct rank_map *map, const double *g)
{
    int64_t r = map->r;
    double *half = map->rest, sd2 = squares(map, g, half), sum = largest(map->centre, r);
    sum += (double)r * largest(map->slope, r * r) * largest(g, r);
    return UNIT * (largest(g, r) + largest(map->shift, r) + sum / sqrt(sd2) * (1 + map->variance / sd2));
}

/* The iteration from where g is, for so many steps; more of them follow with the same state. */
struct descent {
    double least; /* the smallest change so far */
    int64_t since, done;
    bool rests;
};

INLINE void descend(const struct rank_map *map, double *g, int64_t steps, struct descent *descent)
{
    int64_t r = map->r;
    double *half = map->rest, *next = half + r;
    for (int64_t k = 0; k < steps && !descent->rests; k++, descent->done++) {
        double change = 0;
        evaluate(map, g, next, NULL, half);
        for (int64_t i = 0; i < r; i++) {
            double moved = fabs(next[i] - g[i]);
            change = !(moved <= change) ? moved : change; /* NaN stays, and is at rest */
            g[i] = next[i];
        }
        bool less = descent->done == 0 || change < descent->least;
        descent->least = less ? change : descent->least;
        descent->since = less ? 0 : descent->since + 1;
        descent->rests =
            !(change > UNIT * largest(g, r)) || (descent->since >= STALL && descent->least <= NOISE * rounding(map, g));
    }
}

/* g = the start. False: nothing is finite, and g is NaN. */
INLINE bool begin(const struct rank_map *map, double *g)
{
    int64_t r = map->r;
    double all = map->variance + largest(map->start, r) + largest(map->shift, r) + largest(map->centre, r) +
                 largest(map->slope, r * r) + largest(map->along, r) + largest(map->spread, r * r);
    for (int64_t i = 0; i < r; i++)
        g[i] = isfinite(all) ? map->start[i] : NAN;
    return isfinite(all);
}

bool rank_map_settle(const struct rank_map *map, double *g)
{
    struct descent descent = {0};
    if (!begin(map, g))
        return true;
    descend(map, g, EQUATION_ITERATIONS, &descent);
    return descent.rests;
}

/* Whether the powers of J (r,r) shrink: its eigenvalues lie within the unit circle. J is overwritten, other (r,r) too. */
static bool shrinks(int64_t r, double *J, double *other)
{
    for (int k = 0; k < SQUARINGS; k++) {
        double norm = 0;
        for (int64_t i = 0; i < r; i++) {
            double sum = 0;
            for (int64_t j = 0; j < r; j++)
                sum += fabs(J[i * r + j]);
            norm = !(sum <= norm) ? sum : norm;
        }
        if (norm < 1 || !(norm < FAR))
            return norm < 1;
        for (int64_t i = 0; i < r; i++)
            for (int64_t j = 0; j < r; j++) {
                other[i * r + j] = 0;
                for (int64_t n = 0; n < r; n++)
                    other[i * r + j] += J[i * r + n] * J[n * r + j];
            }
        double *swap = J;
        J = other;
        other = swap;
    }
    return false;
}

/* Newton's method for the fixed point, from g (r) to landing (r). close: each step is at most a quarter of the one before, so that g is
 * within the ball around the landing in which the landing is the only one (Kantorovich). False: it does not get there. */
INLINE bool newton(const struct rank_map *map, const double *g, double *landing, bool close)
{
    int64_t r = map->r;
    double *half = map->rest, *step = half + r, *J = step + 3 * r, before = INFINITY;
    memcpy(landing, g, (size_t)r * sizeof *g);
    for (int k = 0; k < NEWTON; k++) {
        evaluate(map, landing, step, J, half);
        for (int64_t i = 0; i < r; i++)
            step[i] -= landing[i];
        for (int64_t i = 0; i < r * r; i++)
            J[i] = (double)(i % (r + 1) == 0) - J[i];
        if (!solve(r, J, step, UNIT))
            return false;
        double size = largest(step, r);
        for (int64_t i = 0; i < r; i++)
            landing[i] += step[i];
        if (size <= UNIT * largest(landing, r) || (size > before / 4 && size <= NOISE * rounding(map, landing)))
            return true;
        if (!(size < INFINITY) || (close && size > before / 4))
            return false;
        before = size;
    }
    return false;
}

/* r = 1, where a theorem decides: the derivative of the map, lin(g) / sd(g)^3 with lin linear in g, is below 1 in size all the way
 * from g to the landing, and above 0; or below 1 in size as far beyond the landing, too. Then the map contracts what lies between onto
 * the landing, and iterates from g stay there. */
static bool alone_leads(const struct rank_map *map, double g, double landing)
{
    double slope = *map->slope, centre = *map->centre, along = *map->along, spread = *map->spread;
    double at = slope * map->variance - centre * along, by = centre * spread - slope * along;
    double low = fmin(g, landing), high = fmax(g, landing);
    if (at + by * low < 0 || at + by * high < 0) {
        double reach = high - low;
        low = landing - reach;
        high = landing + reach;
    }
    double lin = fmax(fabs(at + by * low), fabs(at + by * high));
    double where = spread > 0 ? along / spread : low, least = where < low ? low : where > high ? high : where;
    double sd2 = fmax(map->variance + least * (spread * least - 2 * along), LEAST_SD2);
    return lin < sd2 * sqrt(sd2);
}

/* r > 1: the powers of the derivative shrink at both ends, which lie close together (newton()). */
static bool leads(const struct rank_map *map, const double *g, const double *landing)
{
    int64_t r = map->r;
    double *half = map->rest, *next = half + r, *J = half + 4 * r, *other = J + r * r;
    evaluate(map, landing, next, J, half);
    if (!shrinks(r, J, other))
        return false;
    evaluate(map, g, next, J, half);
    return shrinks(r, J, other);
}

/* rank_map_land(), given up after `most` iterations, of which g is the last then. */
INLINE bool land_of(const struct rank_map *map, double *g, int64_t most)
{
    int64_t r = map->r, steps = r == 1 ? ALONE_FIRST : FIRST;
    double *landing = map->rest + 2 * r; /* (r), left alone by what is called */
    struct descent descent = {0};
    if (!begin(map, g))
        return true;
    while (descent.done < most) {
        descend(map, g, steps < most - descent.done ? steps : most - descent.done, &descent);
        if (descent.rests)
            return true;
        if (newton(map, g, landing, r > 1) && (r == 1 ? alone_leads(map, *g, *landing) : leads(map, g, landing))) {
            memcpy(g, landing, (size_t)r * sizeof *g);
            return true;
        }
        steps = descent.done;
    }
    return false;
}

/* The compiler is told where it is one number: most of the time is else that of loops around it. */
static bool land(const struct rank_map *map, double *g, int64_t most)
{
    struct rank_map one = *map;
    one.r = 1;
    return map->r == 1 ? land_of(&one, g, most) : land_of(map, g, most);
}

bool rank_map_land(const struct rank_map *map, double *g)
{
    return land(map, g, EQUATION_ITERATIONS);
}

/* ---- A token --------------------------------------------------------------------------------------------------------------- */

static enum answer not_there(enum answer answer, real *y, real *xt, int64_t d)
{
    fill(y, (real)NAN, d);
    fill(xt, (real)NAN, d);
    return answer;
}

/* xt = x - U g */
static void take(const struct problem *p, const struct equation *e, const double *g, real *xt)
{
    memcpy(xt, e->x, (size_t)p->d * sizeof(real));
    for (int64_t i = 0; i < p->r; i++)
        add_scaled(-(real)g[i], e->q + i * p->d, xt, p->d);
}

/* g = E U^T (x - p) + E U^T V g */
static enum answer solve_linear(const struct problem *p, const struct equation *e, real *y, real *xt, real *scratch)
{
    int64_t d = p->d, r = p->r;
    real *g = scratch, *rest = g + r;
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        xt[c] = e->x[c] - (e->base[c] + e->response[c] * e->x[c]);
    for (int64_t i = 0; i < r; i++)
        g[i] = dot(e->q + i * d, xt, d);
    if (r > 0 && !low_rank_solve(p, e->q, e->response, g, rest))
        return not_there(ANSWER_SINGULAR, y, xt, d);
    memcpy(xt, e->x, (size_t)d * sizeof(real));
    for (int64_t i = 0; i < r; i++)
        add_scaled(-g[i], e->q + i * d, xt, d);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        y[c] = e->base[c] + e->response[c] * xt[c];
    return ANSWER_FOUND;
}

/* What the equation of d numbers says of g: y = LayerNorm(pc - Vc g), and left (r) = E U^T (x - y) - g. The r numbers are sums of products,
 * of which little may be left where V g takes most of p away; y and this are not. */
static double look(const struct problem *p, const struct equation *e, const struct rank_map *map, const double *g, real *y,
                   double *left, real *scratch)
{
    int64_t d = p->d, r = p->r;
    const real *pc = scratch, *Vc = pc + d;
    real *w = scratch + (r + 1) * d, *apart = w + d;
    memcpy(w, pc, (size_t)d * sizeof(real));
    for (int64_t i = 0; i < r; i++)
        add_scaled(-(real)g[i], Vc + i * d, w, d);
    norm_row(w, e->gain, e->bias, y, d);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        apart[c] = e->x[c] - y[c];
    for (int64_t i = 0; i < r; i++)
        left[i] = (double)dot(e->q + i * d, apart, d);
    core(map, left, 1);
    for (int64_t i = 0; i < r; i++)
        left[i] -= g[i];
    return largest(left, r);
}

enum answer rank_solve(const struct problem *p, const struct equation *e, real *y, real *xt, real *scratch, double *numbers)
{
    int64_t r = p->r;
    if (e->gain == NULL)
        return solve_linear(p, e, y, xt, scratch);
    if (r == 0) {
        memcpy(xt, e->x, (size_t)p->d * sizeof(real));
#pragma omp simd
        for (int64_t c = 0; c < p->d; c++)
            scratch[c] = e->base[c] + e->response[c] * xt[c];
        norm_row(scratch, e->gain, e->bias, y, p->d);
        return ANSWER_FOUND;
    }
    struct rank_map map = rank_map_make(p, e, scratch, numbers);
    double *g = map.rest + rest_size(r), *left = g + r;
    if (e->at_most > 0 ? !land(&map, g, e->at_most - 1) : !rank_map_land(&map, g)) {
        if (e->at_most == 0)
            return not_there(ANSWER_NONE, y, xt, p->d);
        look(p, e, &map, g, y, left, scratch); /* the map once more: y is of iterate g, and xt of the next */
        for (int64_t i = 0; i < r; i++)
            g[i] += left[i];
        take(p, e, g, xt);
        return ANSWER_ITERATE;
    }
    double off = look(p, e, &map, g, y, left, scratch);
    for (int k = 0; k < CORRECTIONS && off > 4 * (double)REAL_EPSILON * (largest(map.start, r) + largest(g, r)); k++) {
        double *half = map.rest, *next = half + r, *J = half + 4 * r, before = off;
        evaluate(&map, g, next, J, half);
        for (int64_t i = 0; i < r * r; i++)
            J[i] = (double)(i % (r + 1) == 0) - J[i];
        memcpy(next, g, (size_t)r * sizeof *g);
        if (!solve(r, J, left, UNIT))
            break;
        for (int64_t i = 0; i < r; i++)
            g[i] += left[i];
        off = look(p, e, &map, g, y, left, scratch);
        if (off < before)
            continue;
        memcpy(g, next, (size_t)r * sizeof *g); /* nothing but rounding */
        look(p, e, &map, g, y, left, scratch);
        break;
    }
    take(p, e, g, xt);
    return ANSWER_FOUND;
}

/* (I - E K)^T (E^T gamma) without E: with eta from (F - S K)^T eta = -U^T pull - V^T L^T ybar, E^T gamma = S eta. */
enum answer rank_adjoint(const struct problem *p, const struct equation *e, const real *w, struct row_norm norm, const real *pull,
                         const real *ybar, real *lambda, real *scratch, double *numbers)
{
    int64_t r = p->r, d = p->d;
    struct rank_map map = map_begin(p, e->q, numbers);
    double *eta = map.rest + rest_size(r), *A = map.rest;
    real *through = scratch, *LV = through + d, *weighted = LV + r * d;
    if (e->gain != NULL)
        norm_row_adjoint(w, norm, e->gain, ybar, NULL, NULL, through, d);
    else
        memcpy(through, ybar, (size_t)d * sizeof(real));
    for (int64_t j = 0; j < r; j++) {
        const real *u = e->q + j * d;
        real *V = LV + j * d;
        eta[j] = -(double)dot(u, pull, d) - (double)dot_weighted(e->response, u, through, d);
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            weighted[c] = e->response[c] * u[c];
        if (e->gain == NULL) {
            memcpy(V, weighted, (size_t)d * sizeof(real));
            continue;
        }
        norm_row_through(w, norm, weighted, V, d);
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            V[c] *= e->gain[c];
    }
    for (int64_t i = 0; i < r; i++)
        for (int64_t j = 0; j < r; j++) { /* transposed */
            double F = (double)(i == j) + (j < i && map.gram != NULL ? map.strength[i] * map.gram[i * r + j] : 0);
            A[j * r + i] = F - map.strength[i] * (double)dot(e->q + i * d, LV + j * d, d);
        }
    memcpy(lambda, ybar, (size_t)d * sizeof(real));
    if (!isfinite(largest(A, r * r) + largest(eta, r))) {
        fill(lambda, (real)NAN, d);
        return ANSWER_NOT_FINITE;
    }
    if (!solve(r, A, eta, (double)REAL_EPSILON * (double)(16 + d))) {
        fill(lambda, (real)NAN, d);
        return ANSWER_SINGULAR;
    }
    for (int64_t i = 0; i < r; i++)
        add_scaled(-(real)(map.strength[i] * eta[i]), e->q + i * d, lambda, d);
    return ANSWER_FOUND;
}
