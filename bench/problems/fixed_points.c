/* See fixed_points.h. */
#include "bench/problems/fixed_points.h"

#include "bench/problems/lapack.h"
#include "bench/problems/textbook.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CERTAIN 1e-9     /* residual of a fixed point by the textbook */
#define SAME 1e-6        /* relative distance of outputs that are one fixed point: two that merge are known to half of the digits */
#define NEARLY_REAL 1e-3 /* relative imaginary part of an eigenvalue that may be real without its rounding */
#define ON_EIGENVALUE 1e-9
enum { NEWTON_MOST = 50 };

static double inner(const double *x, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* At most one at each eigenvalue of Z, and two at each of A. */
static int64_t candidates_most(const struct problem *p)
{
    return 2 * p->r + 2 + 2 * p->r;
}

/* A token, and what it is worked out in. */
struct search {
    const struct problem *problem;
    const struct inputs *inputs;
    int64_t t;
    const struct selective_token *token;
    const double *H;
    const struct token_equation *equation;
    struct fixed_points *found;
    int64_t n;                    /* 2 r + 2 */
    double *Z, *re, *im, *vector; /* (n,n), (n), (n), (n,n) */
    double *A, *right, *left;     /* (r,r): overwritten, and its vectors */
    double *A_re, *A_im;          /* (r) */
    double *C, *k, *f;            /* (r,r), (r), (r) */
    double c0;
    double *slope, *step, *line; /* (r,r), (r), (r) */
    double *slope_re, *slope_im; /* (r) */
    double *next;                /* (d) */
};

static int64_t search_size(const struct problem *p)
{
    int64_t r = p->r, n = 2 * r + 2;
    return 2 * n * n + 2 * n + 5 * r * r + 8 * r + p->d;
}

static void divide_room(struct search *w, double *room)
{
    int64_t r = w->problem->r, n = 2 * r + 2;
    w->n = n;
    w->Z = room;
    w->vector = w->Z + n * n;
    w->re = w->vector + n * n;
    w->im = w->re + n;
    w->A = w->im + n;
    w->right = w->A + r * r;
    w->left = w->right + r * r;
    w->C = w->left + r * r;
    w->slope = w->C + r * r;
    w->A_re = w->slope + r * r;
    w->A_im = w->A_re + r;
    w->k = w->A_im + r;
    w->f = w->k + r;
    w->step = w->f + r;
    w->line = w->step + r;
    w->slope_re = w->line + r;
    w->slope_im = w->slope_re + r;
    w->next = w->slope_im + r;
}

bool fixed_points_make(const struct problem *p, struct fixed_points *found)
{
    int64_t most = candidates_most(p);
    *found = (struct fixed_points){.point = calloc((size_t)most, sizeof *found->point),
                                   .room = calloc((size_t)(most * (p->r + p->d) + search_size(p)), sizeof(double))};
    if (found->point == NULL || found->room == NULL)
        return false;
    for (int64_t i = 0; i < most; i++) {
        found->point[i].g = found->room + search_size(p) + i * (p->r + p->d);
        found->point[i].y = found->point[i].g + p->r;
    }
    return true;
}

void fixed_points_free(struct fixed_points *found)
{
    free(found->point);
    free(found->room);
    *found = (struct fixed_points){0};
}

int fixed_points_at(const struct problem *p, const struct fixed_points *found, const double *y, double tolerance, double *distance)
{
    int at = -1;
    double least = INFINITY;
    for (int i = 0; i < found->n; i++) {
        double apart = distance_max(y, found->point[i].y, p->d);
        at = apart < least ? i : at;
        least = fmin(least, apart);
    }
    if (distance != NULL)
        *distance = least;
    return least <= tolerance ? at : -1;
}

/* ---- The equations of h -------------------------------------------------------------------------------------------------------- */

/* C, k, f and c0 of the token, by its own LayerNorm at g = e1. */
static void write_down(struct search *w)
{
    const struct token_equation *e = w->equation;
    int64_t r = e->r, d = e->d;
    double sd = token_equation_output(e, e->e1, w->next); /* leaves pc - Vc e1 in e->w */
    w->c0 = sd * sd;
    for (int64_t i = 0; i < r; i++) {
        w->k[i] = inner(e->V + i * d, e->w, d) / (double)d;
        w->f[i] = inner(e->A + i * r, e->e1, r) - e->e2[i];
        for (int64_t j = 0; j < r; j++)
            w->C[i * r + j] = inner(e->V + i * d, e->V + j * d, d) / (double)d;
    }
}

static void fill_Z(struct search *w)
{
    const struct token_equation *e = w->equation;
    int64_t r = e->r, n = w->n, one = 2 * r, s = one + 1;
    memset(w->Z, 0, (size_t)(n * n) * sizeof *w->Z);
    for (int64_t i = 0; i < r; i++) {
        for (int64_t j = 0; j < r; j++) {
            w->Z[i * n + j] = e->A[i * r + j];
            w->Z[(r + i) * n + j] = w->C[i * r + j];
            w->Z[(r + i) * n + r + j] = e->A[j * r + i];
        }
        w->Z[i * n + one] = w->f[i];
        w->Z[(r + i) * n + one] = -2 * w->k[i];
        w->Z[s * n + r + i] = w->f[i];
    }
    w->Z[one * n + s] = 1;
    w->Z[s * n + one] = w->c0;
}

/* ---- One candidate ------------------------------------------------------------------------------------------------------------- */

/* Newton's method on g = F(g), from g (r), for as long as it gains. */
static void polish(struct search *w, double *g)
{
    const struct token_equation *e = w->equation;
    int64_t r = e->r;
    double before = INFINITY;
    for (int l = 0; l < NEWTON_MOST; l++) {
        double change = 0, size = 0;
        token_equation_step(e, g, w->step);
        token_equation_slope(e, g, w->slope);
        for (int64_t i = 0; i < r; i++) {
            w->step[i] -= g[i];
            for (int64_t j = 0; j < r; j++)
                w->slope[i * r + j] = (i == j) - w->slope[i * r + j];
        }
        if (!lapack_solve(r, w->slope, w->step))
            return;
        for (int64_t i = 0; i < r; i++) {
            change = fmax(change, fabs(w->step[i]));
            size = fmax(size, fabs(g[i]));
        }
        if (change >= before && change <= SAME * size)
            return; /* rounding is reached */
        for (int64_t i = 0; i < r; i++)
            g[i] += w->step[i];
        before = change;
    }
}

/* Polishes the candidate that stands behind those that were found, and counts it if it is a fixed point that is not among them. */
static void try(struct search *w)
{
    const struct problem *p = w->problem;
    struct fixed_points *found = w->found;
    struct fixed_point *point = &found->point[found->n];
    polish(w, point->g);
    point->sd = token_equation_output(w->equation, point->g, point->y);
    textbook_selective_apply(p, w->inputs, NULL, w->t, w->token, w->H, point->y, w->next, NULL);
    point->residual = distance_max(point->y, w->next, p->d);
    if (!(point->residual <= CERTAIN) || fixed_points_at(p, found, point->y, SAME, NULL) >= 0)
        return;
    token_equation_slope(w->equation, point->g, w->slope);
    if (!lapack_eigen(p->r, w->slope, w->slope_re, w->slope_im, NULL, NULL))
        return;
    point->rho = 0;
    point->most = -INFINITY;
    for (int64_t i = 0; i < p->r; i++) {
        point->rho = fmax(point->rho, hypot(w->slope_re[i], w->slope_im[i]));
        point->most = fmax(point->most, w->slope_re[i]);
    }
    found->n++;
}

/* ---- All of them --------------------------------------------------------------------------------------------------------------- */

/* From the eigenvectors of Z: each holds its h. Of a pair that is hardly a pair the real part is one. */
static void try_vectors(struct search *w)
{
    int64_t r = w->problem->r, n = w->n;
    for (int64_t i = 0; i < n; i++) {
        const double *vector = w->vector + i * n;
        double one = vector[2 * r], *g = w->found->point[w->found->n].g;
        if (!(w->re[i] > 0) || w->im[i] < 0 || w->im[i] > NEARLY_REAL * w->re[i] || one == 0)
            continue;
        for (int64_t k = 0; k < r; k++)
            g[k] = w->equation->e1[k] + vector[k] / one;
        try(w);
    }
}

/* From the two points of a line h + u v at which the variance is s^2, s the i-th eigenvalue of A, v and l its vectors: h solves
 * (s I - A) h = f, up to what of f lies along v. */
static void try_line(struct search *w, int64_t i)
{
    const struct token_equation *e = w->equation;
    int64_t r = e->r;
    double s = w->A_re[i], *h = w->line;
    const double *v = w->right + i * r, *l = w->left + i * r;
    double overlap = inner(l, v, r), along = inner(l, w->f, r) / overlap;
    for (int64_t a = 0; a < r; a++) {
        h[a] = w->f[a] - along * v[a];
        for (int64_t b = 0; b < r; b++)
            w->slope[a * r + b] = (a == b) * s - e->A[a * r + b] + v[a] * l[b] / overlap;
    }
    if (!lapack_solve(r, w->slope, h))
        return;
    double square = 0, mixed = 0, level = w->c0 - s * s;
    for (int64_t a = 0; a < r; a++) {
        double Cv = inner(w->C + a * r, v, r);
        square += v[a] * Cv;
        mixed += h[a] * Cv - w->k[a] * v[a];
        level += h[a] * (inner(w->C + a * r, h, r) - 2 * w->k[a]);
    }
    double root = sqrt(fmax(mixed * mixed - square * level, 0)); /* of square u^2 + 2 mixed u + level */
    for (int sign = -1; sign <= 1 && square > 0; sign += 2) {
        double *g = w->found->point[w->found->n].g;
        for (int64_t a = 0; a < r; a++)
            g[a] = e->e1[a] + h[a] + (sign * root - mixed) / square * v[a];
        try(w);
    }
}

static bool near_eigenvalue(const struct search *w, double sd)
{
    bool near = false;
    for (int64_t i = 0; i < w->problem->r; i++)
        near = near || hypot(w->A_re[i] - sd, w->A_im[i]) <= ON_EIGENVALUE * sd;
    return near;
}

static int by_sd(const void *a, const void *b)
{
    double x = ((const struct fixed_point *)a)->sd, y = ((const struct fixed_point *)b)->sd;
    return (x > y) - (x < y);
}

bool fixed_points_find(const struct problem *p, const struct inputs *inputs, int64_t t, const struct selective_token *token,
                       const double *H, const struct token_equation *equation, struct fixed_points *found)
{
    struct search w = {.problem = p, .inputs = inputs, .t = t, .token = token, .H = H, .equation = equation, .found = found};
    divide_room(&w, found->room);
    found->n = found->n_stable = 0;
    write_down(&w);
    fill_Z(&w);
    memcpy(w.A, equation->A, (size_t)(p->r * p->r) * sizeof *w.A);
    if (!lapack_eigen(w.n, w.Z, w.re, w.im, w.vector, NULL) || !lapack_eigen(p->r, w.A, w.A_re, w.A_im, w.right, w.left))
        return false;
    try_vectors(&w);
    for (int64_t i = 0; i < p->r; i++)
        if (w.A_re[i] > 0 && w.A_im[i] == 0)
            try_line(&w, i);
    qsort(found->point, (size_t)found->n, sizeof *found->point, by_sd);
    found->merged = found->n % 2 == 0;
    found->eigenvalue = false;
    for (int i = 0; i < found->n; i++) {
        found->n_stable += found->point[i].rho < 1;
        found->eigenvalue = found->eigenvalue || near_eigenvalue(&w, found->point[i].sd);
    }
    return true;
}
