/* The vector-Jacobian product of the scan of the matrix state (matrix_scan.h), backwards in time: with o the adjoint of out, Hb what comes
 * from the tokens after and a = exp(-dt A),
 *
 *     Hh = Hb + o c^T       x: dt . (Hh b) + skip . o        dt: x . (Hh b) - sum_n A . a . Hh . H_{t-1}       skip: sum o . x
 *     Hb <- a . Hh          b: Hh^T (dt . x)    c: H_t^T o   A: - sum dt . a . Hh . H_{t-1}                    H0: Hb before the first
 *
 * States are recomputed chunk by chunk from those that the scan kept. Threads divide sequences, and parts of time where these are few. */
#ifndef IMPLS_SELECTIVE_MATRIX_SCAN_GRADIENT_H
#define IMPLS_SELECTIVE_MATRIX_SCAN_GRADIENT_H

#include "impls/selective/matrix_scan.h"

#define matrix_gradient_reals VARIANT(matrix_gradient_reals)
#define matrix_gradient_open VARIANT(matrix_gradient_open)
#define matrix_gradient_close VARIANT(matrix_gradient_close)
#define matrix_gradient_run VARIANT(matrix_gradient_run)

struct matrix_gradient {
    const struct matrix_scan *scan;
    int64_t parts;  /* of time */
    int64_t thread; /* reals a thread */
    real *memory;   /* of all threads, then of all parts */
};

/* Adjoints; NULL of those that are written: not wanted. */
struct matrix_adjoints {
    const real *out;   /* (B,T,d) */
    const real *final; /* (B,d,N) of the last states; NULL: zero */
    real *x;           /* (B,T,d), may be out; always wanted */
    real *dt;          /* (B,T,d) */
    real *b, *c;       /* (B,T,N), both or neither */
    real *A, *skip;    /* (d,N), (d); both only with dt */
    real *H0;          /* (B,d,N) */
    bool add;          /* to what A, skip and H0 hold */
};

/* Reals that matrix_gradient_open() allocates. */
double matrix_gradient_reals(const struct problem *problem, const char *split, int threads);

/* False: no memory; nothing is left then. The scan must outlive the gradient. */
bool matrix_gradient_open(const struct problem *problem, const char *split, const struct matrix_scan *scan,
                          struct matrix_gradient *gradient);
void matrix_gradient_close(struct matrix_gradient *gradient);

/* Of the rows of a scan that kept its states. */
void matrix_gradient_run(const struct matrix_gradient *gradient, const struct matrix_rows *rows,
                         const struct matrix_adjoints *adjoints);

#endif
