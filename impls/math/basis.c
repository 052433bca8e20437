/* See basis.h. */
#include "impls/math/basis.h"

#include "impls/contract/support.h"
#include "impls/math/vector.h"

#include <math.h>
#include <stdlib.h>

static int64_t stretches_of(const struct problem *p)
{
    return (p->T * p->d + BASIS_STRETCH - 1) / BASIS_STRETCH;
}

double basis_reals(const struct problem *p, int64_t most)
{
    double B = (double)p->B, doubles = B * ((double)most + 1) * (2 + (double)stretches_of(p)) + B;
    return B * (double)most * (double)p->T * (double)p->d + doubles * (double)sizeof(double) / (double)sizeof(real);
}

bool basis_open(const struct problem *p, int64_t most, int threads, struct basis *basis)
{
    *basis = (struct basis){.B = p->B, .n = p->T * p->d, .most = most, .stretches = stretches_of(p), .threads = threads};
    basis->q = memory_allocate(p->B * most * basis->n, sizeof(real));
    basis->count = memory_allocate(p->B, sizeof *basis->count);
    basis->grown = memory_allocate(p->B, sizeof *basis->grown);
    basis->c = memory_allocate(p->B * (most + 1), sizeof(double));
    basis->again = memory_allocate(p->B * (most + 1), sizeof(double));
    basis->partial = memory_allocate(p->B * basis->stretches * (most + 1), sizeof(double));
    if (basis->q != NULL && basis->count != NULL && basis->grown != NULL && basis->c != NULL && basis->again != NULL &&
        basis->partial != NULL)
        return true;
    basis_close(basis);
    return false;
}

void basis_close(struct basis *basis)
{
    free(basis->q);
    free(basis->count);
    free(basis->grown);
    free(basis->c);
    free(basis->again);
    free(basis->partial);
    *basis = (struct basis){0};
}

/* One look at the elements from ... to of sequence b: w minus what `taken` (most+1; NULL: nothing) says, then its products with the
 * vectors, where they are wanted, and with itself. */
static void look(const struct basis *basis, int64_t b, int64_t from, int64_t to, const double *taken, bool wanted, real *w,
                 double *products)
{
    int64_t k = basis->count[b], n = to - from;
    const real *q = basis->q + b * basis->most * basis->n + from;
    real *part = w + b * basis->n + from;
    for (int64_t j = 0; j < k && taken != NULL; j++)
        add_scaled(-(real)taken[j], q + j * basis->n, part, n);
    for (int64_t j = 0; j < k; j++)
        products[j] = wanted ? (double)dot(q + j * basis->n, part, n) : 0;
    products[k] = (double)dot(part, part, n);
}

/* The same of all elements, and the sums of the products in c (B,most+1). */
static void project(const struct basis *basis, const bool *which, const double *taken, bool wanted, real *w, double *c)
{
    int64_t width = basis->most + 1;
#pragma omp parallel for num_threads(basis->threads) schedule(static)
    for (int64_t i = 0; i < basis->B * basis->stretches; i++) {
        int64_t b = i / basis->stretches, from = i % basis->stretches * BASIS_STRETCH, to = from + BASIS_STRETCH;
        if (which[b])
            look(basis, b, from, to < basis->n ? to : basis->n, taken != NULL ? taken + b * width : NULL, wanted, w,
                 basis->partial + i * width);
    }
    for (int64_t b = 0; b < basis->B; b++)
        for (int64_t j = 0; j <= basis->count[b] && which[b]; j++) {
            double sum = 0;
            for (int64_t i = 0; i < basis->stretches; i++)
                sum += basis->partial[(b * basis->stretches + i) * width + j];
            c[b * width + j] = sum;
        }
}

void basis_dots(struct basis *basis, const bool *which, const real *w)
{
    project(basis, which, NULL, true, (real *)(uintptr_t)w, basis->c); /* nothing is taken from w */
}

void basis_append(struct basis *basis, const bool *which, double least, real *w)
{
    int64_t width = basis->most + 1;
    project(basis, which, NULL, true, w, basis->c);
    project(basis, which, basis->c, true, w, basis->again);
    for (int64_t b = 0; b < basis->B; b++)
        for (int64_t j = 0; j < basis->count[b] && which[b]; j++)
            basis->c[b * width + j] += basis->again[b * width + j];
    project(basis, which, basis->again, false, w, basis->again); /* which leaves nothing but the norm there */
    for (int64_t b = 0; b < basis->B; b++) {
        double *before = &basis->c[b * width + basis->count[b]], after = basis->again[b * width + basis->count[b]];
        if (which[b])
            *before = after > least * least * *before ? sqrt(after) : 0;
    }
#pragma omp parallel for num_threads(basis->threads) schedule(static)
    for (int64_t i = 0; i < basis->B * basis->stretches; i++) {
        int64_t b = i / basis->stretches, from = i % basis->stretches * BASIS_STRETCH, to = from + BASIS_STRETCH;
        double norm = which[b] ? basis->c[b * width + basis->count[b]] : 0;
        to = to < basis->n ? to : basis->n;
        if (norm > 0)
            set_scaled((real)(1 / norm), w + b * basis->n + from, basis->q + (b * basis->most + basis->count[b]) * basis->n + from,
                       to - from);
    }
    for (int64_t b = 0; b < basis->B; b++) {
        basis->grown[b] = which[b] && basis->c[b * width + basis->count[b]] > 0;
        basis->count[b] += basis->grown[b];
    }
}

void basis_add(const struct basis *basis, const bool *which, const real *x, const double *c, const int64_t *n_of, real *w)
{
#pragma omp parallel for num_threads(basis->threads) schedule(static)
    for (int64_t i = 0; i < basis->B * basis->stretches; i++) {
        int64_t b = i / basis->stretches, from = i % basis->stretches * BASIS_STRETCH, to = from + BASIS_STRETCH;
        to = to < basis->n ? to : basis->n;
        for (int64_t j = 0; which[b] && j < n_of[b]; j++)
            add_scaled((real)c[b * (basis->most + 1) + j], x + (b * basis->most + j) * basis->n + from, w + b * basis->n + from,
                       to - from);
    }
}

void basis_count(const struct problem *p, double vectors, struct work *work)
{
    /* three passes over the vector, two of which compute products, and over those before it; then it is written */
    double elements = (double)p->B * (double)p->T * (double)p->d;
    work->bytes += elements * (3 * vectors + 6 + 2) * sizeof(real);
    work->operations += elements * (8 * vectors + 6 + 1);
}
