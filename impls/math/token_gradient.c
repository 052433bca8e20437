/* See token_gradient.h. */
#include "impls/math/token_gradient.h"

#include "impls/math/mixer.h"

int64_t token_gradient_scratch(const struct problem *p)
{
    return 3 * p->d + mixer_size(p) + mixer_gradient_scratch(p);
}

void token_gradient(const struct problem *p, const struct token *token, real *scratch)
{
    int64_t d = p->d;
    bool gated = p->form == FORM_NORMALISED;
    real *w_adjoint = scratch, *x = w_adjoint + d, *x_adjoint = x + d, *q_adjoint = x_adjoint + d,
         *rest = q_adjoint + mixer_size(p);
    const real *s = token->s, *lambda = token->lambda;
    if (token->h_adjoint != NULL)
        x_adjoint = token->h_adjoint;
#pragma omp simd
    for (int64_t c = 0; c < d; c++) {
        w_adjoint[c] = gated ? s[c] - lambda[c] * s[c] : s[c];
        x[c] = token->h[c] - token->v[c];
    }
    mixer_apply_gradient(p, token->q, x, w_adjoint, x_adjoint, token->theta_adjoint != NULL ? q_adjoint : NULL, rest);
    if (token->theta_adjoint != NULL)
        mixer_activate_gradient(p, token->theta, token->q, q_adjoint, token->theta_adjoint, rest);

    real kept = token->add ? 1 : 0;
    real *v_adjoint = token->v_adjoint, *lambda_adjoint = token->lambda_adjoint;
    if (v_adjoint != NULL) {
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            v_adjoint[c] = (kept != 0 ? v_adjoint[c] : 0) + w_adjoint[c] - x_adjoint[c];
    }
    if (lambda_adjoint != NULL) {
#pragma omp simd
        for (int64_t c = 0; c < d; c++) {
            real change = gated ? token->before[c] - token->w[c] : token->before[c];
            lambda_adjoint[c] = (kept != 0 ? lambda_adjoint[c] : 0) + s[c] * change;
        }
    }
}
