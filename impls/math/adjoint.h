/* The adjoint of the outputs that a backward() is given: h (B,T,d) and final (B,d), either of which may be NULL, then zero. A final state
 * beside the outputs, of the selective cell, is the caller's to see to. */
#ifndef IMPLS_MATH_ADJOINT_H
#define IMPLS_MATH_ADJOINT_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define adjoint_set VARIANT(adjoint_set)
#define adjoint_add VARIANT(adjoint_add)
#define adjoint_add_token VARIANT(adjoint_add_token)
#define adjoint_put VARIANT(adjoint_put)

/* out (B,T,d) = the adjoint of h, in which that of the final state counts at the last token; or out += it. */
void adjoint_set(const struct problem *problem, const struct outputs *grad_outputs, int threads, real *out);
void adjoint_add(const struct problem *problem, const struct outputs *grad_outputs, int threads, real *out);

/* The same for one token (b,t): out (d) += it. */
void adjoint_add_token(const struct problem *problem, const struct outputs *grad_outputs, int64_t b, int64_t t, real *out);

/* to (n) = from (n), or to += from; nothing where to is NULL. */
void adjoint_put(real *to, const real *from, int64_t n, bool add);

#endif
