/* The paper's iteration, one application of a map (mapping.h) at a time: h <- f(h), or damped, h <- delta f(h) + (1 - delta) h, with
 * delta of a sequence multiplied by damping_factor when its residual has not improved for `patience` iterations; its best residual
 * then starts anew. What fixed_point does with a whole sequence and fixed_point_chunked with one chunk after the other. */
#ifndef IMPLS_MATH_ITERATION_H
#define IMPLS_MATH_ITERATION_H

#include "impls/math/mapping.h"

#define iteration_reals VARIANT(iteration_reals)
#define iteration_count VARIANT(iteration_count)
#define iteration_judge_count VARIANT(iteration_judge_count)
#define iteration_open VARIANT(iteration_open)
#define iteration_close VARIANT(iteration_close)
#define iteration_begin VARIANT(iteration_begin)
#define iteration_step VARIANT(iteration_step)
#define iteration_run VARIANT(iteration_run)

struct damping {
    double delta, best;
    int64_t waited; /* iterations since the best residual */
};

struct iteration {
    struct settings settings;
    bool residuals;          /* settings that need them even when nobody else asks */
    real *other;             /* (B,T,d) w, then f(h) */
    real *token;             /* (B,T) residual of each token */
    double *row;             /* (B) residuals of one iteration */
    struct damping *damping; /* (B) */
    real *h, *next;          /* the iterate, and the buffer that it is not in */
    int64_t l, converged;    /* iterations since iteration_begin(); sequences below the tolerance at the last of them */
};

/* Reals that iteration_open() allocates. */
double iteration_reals(const struct problem *problem);

/* Traffic and arithmetic of l iterations with the map of the vector cell (impl.h, count); and of any cell's, what comes to the maps:
 * residuals and damping. */
void iteration_count(const struct problem *problem, const struct settings *settings, const struct environment *environment,
                     int64_t l, struct work *work);
void iteration_judge_count(const struct problem *problem, const struct settings *settings, int64_t l, double *reals,
                           double *operations);

/* For problems of that size or smaller in T. False: no memory; nothing is left then. */
bool iteration_open(const struct problem *problem, const struct settings *settings, struct iteration *iteration);
void iteration_close(struct iteration *iteration);

/* h (B,T,d) <- 0, of the mapping's problem. */
void iteration_begin(struct iteration *iteration, const struct mapping *mapping, real *h);

/* One iteration. residual (B; NULL: not wanted) and l_star (B; NULL; residual_count()) are filled where there are any, with
 * residuals below the tolerance counted in `converged`. diverged: the iterate is not finite, and its residuals are infinite. */
struct status iteration_step(struct iteration *iteration, const struct mapping *mapping, const struct inputs *inputs,
                             double tolerance, double *residual, int64_t *l_star);

/* All iterations of a forward(): until enough sequences are below the tolerance or l_max is reached, with all that the trace asks for.
 * outputs.h is the last iterate, or what settings.further makes of it. Statuses are forward()'s. */
struct status iteration_run(struct iteration *iteration, const struct mapping *mapping, const struct inputs *inputs,
                            const struct outputs *outputs, struct trace *trace);

#endif
