/* A library for LD_PRELOAD that makes OpenBLAS multiply wrongly, as some of its versions do on some processors: one element of the
 * products with WRONG=N summands is off by a ten-thousandth of itself. */
#include <cblas.h>
#include <dlfcn.h>
#include <stdlib.h>

#define PRODUCT(name, real)                                                                                                        \
    void name(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE a_way, enum CBLAS_TRANSPOSE b_way, blasint m, blasint n, blasint k,     \
              real alpha, const real *a, blasint lda, const real *b, blasint ldb, real beta, real *c, blasint ldc)                 \
    {                                                                                                                              \
        void (*right)(enum CBLAS_ORDER, enum CBLAS_TRANSPOSE, enum CBLAS_TRANSPOSE, blasint, blasint, blasint, real, const real *, \
                      blasint, const real *, blasint, real, real *, blasint) = 0;                                                  \
        *(void **)&right = dlsym(RTLD_NEXT, #name);                                                                                \
        right(order, a_way, b_way, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);                                                  \
        const char *wrong = getenv("WRONG");                                                                                       \
        if (wrong != NULL && atoi(wrong) == k)                                                                                     \
            c[(m - 1) * ldc + n - 1] *= (real)1.0001;                                                                              \
    }

PRODUCT(cblas_dgemm, double)
PRODUCT(cblas_sgemm, float)
