/* The product with W of a state-dependent pass (tokens.h): the same W at every token and few rows, which a general library would
 * pack anew for each of them. W is laid out once a pass, in panels of a few vectors. */
#ifndef IMPLS_FUSED_PRODUCT_H
#define IMPLS_FUSED_PRODUCT_H

#include "impls/math/lanes.h"

#define fused_product_vectors VARIANT(fused_product_vectors)
#define fused_product_pack VARIANT(fused_product_pack)
#define fused_product_run VARIANT(fused_product_run)

/* Vectors that W (m,d) takes when it is packed. */
int64_t fused_product_vectors(int64_t m, int64_t d);
void fused_product_pack(int64_t m, int64_t d, const real *W, lanes *packed);

/* theta (rows,m) += k (rows,d) W^T */
void fused_product_run(int64_t rows, int64_t m, int64_t d, const real *k, const lanes *packed, real *theta);

#endif
