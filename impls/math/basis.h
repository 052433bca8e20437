/* Orthonormal vectors of each sequence, as Krylov and Anderson methods build them up: a vector holds all n = T d elements of one
 * sequence, and sequences have nothing to do with each other. A vector is made orthogonal by Gram and Schmidt's projection on all
 * before it at once, carried out twice: what one pass leaves by rounding the second takes away.
 *
 * Sums are taken over stretches of so many elements and then added in order, so that they are the same bits on any number of threads
 * and in any company. */
#ifndef IMPLS_MATH_BASIS_H
#define IMPLS_MATH_BASIS_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define basis_reals VARIANT(basis_reals)
#define basis_open VARIANT(basis_open)
#define basis_close VARIANT(basis_close)
#define basis_dots VARIANT(basis_dots)
#define basis_append VARIANT(basis_append)
#define basis_add VARIANT(basis_add)
#define basis_count VARIANT(basis_count)

enum { BASIS_STRETCH = 2048 };

struct basis {
    int64_t B, n, most; /* sequences, elements of a vector, vectors at most */
    int64_t stretches;
    int threads;
    real *q;         /* (B,most,n) */
    int64_t *count;  /* (B) vectors so far; set it back to begin anew */
    bool *grown;     /* (B) whether the last append added a vector */
    double *c;       /* (B,most+1) see below */
    double *again;   /* (B,most+1) the same of the second projection */
    double *partial; /* (B,stretches,most+1) */
};

/* Reals that basis_open() allocates. */
double basis_reals(const struct problem *problem, int64_t most);

/* False: no memory; nothing is left then. */
bool basis_open(const struct problem *problem, int64_t most, int threads, struct basis *basis);
void basis_close(struct basis *basis);

/* In all of these `which` (B) says of which sequences it is done, and w is (B,n). */

/* c_j = q_j . w for j < count, and c_count = w . w. */
void basis_dots(struct basis *basis, const bool *which, const real *w);

/* w <- what of w is orthogonal to the vectors so far, with c_j = q_j . w of what w was and c_count its norm afterwards. Where that
 * is more than least times the norm of what it was, w over its norm becomes the next vector, else c_count = 0 and the count stays. */
void basis_append(struct basis *basis, const bool *which, double least, real *w);

/* w += sum_j c_j x_j for j < n_of (B), of vectors x (B,most,n), which may be the basis' own; c (B,most+1). */
void basis_add(const struct basis *basis, const bool *which, const real *x, const double *c, const int64_t *n_of, real *w);

/* Adds to work what appending a vector to `vectors` others costs, of all sequences. */
void basis_count(const struct problem *problem, double vectors, struct work *work);

#endif
