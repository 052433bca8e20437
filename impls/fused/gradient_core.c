/* See gradient_core.h. */
#include "impls/fused/gradient_core.h"

#include "impls/math/activation.h"
#include "impls/math/low_rank.h"
#include "impls/math/mixer.h"

int64_t fused_gradient_core_size(int64_t r)
{
    return 4 * r + 7 * r * r;
}

void fused_gradient_core_lay(int64_t r, real *at, struct fused_gradient_core *core)
{
    real **const rows[] = {&core->inverse, &core->unit, &core->S, &core->S_adjoint};
    real **const squares[] = {&core->E, &core->N, &core->W, &core->C, &core->E_adjoint, &core->N_adjoint, &core->scratch};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++, at += r)
        *rows[i] = at;
    for (size_t i = 0; i < sizeof squares / sizeof squares[0]; i++, at += r * r)
        *squares[i] = at;
}

/* What was summed of x becomes what it is of u. */
static void scale(int64_t r, const struct fused_gradient_core *core)
{
    for (int64_t i = 0; i < r; i++) {
        real squares = core->N[i * r + i];
        core->inverse[i] = norm_inverse(squares);
        core->unit[i] = real_sqrt(squares) > NORM_LEAST;
        for (int64_t j = 0; j <= i; j++) {
            real both = core->inverse[i] * core->inverse[j];
            core->N[j * r + i] = core->N[i * r + j] *= both;
            core->W[j * r + i] = core->W[i * r + j] *= both;
        }
    }
}

bool fused_gradient_core_make(const struct problem *p, const real *raw, bool solve, const struct fused_gradient_core *core)
{
    int64_t r = p->r;
    scale(r, core);
    for (int64_t i = 0; i < r * r; i++)
        core->E[i] = core->E_adjoint[i] = 0;
    for (int64_t i = 0; i < r; i++) { /* F E = S */
        core->S[i] = core->E[i * r + i] = (real)p->s * sigmoid(raw[i]);
        for (int64_t j = 0; j < i && mixer_facts[p->mixer].product; j++)
            for (int64_t k = 0; k <= j; k++)
                core->E[i * r + k] -= core->S[i] * core->N[i * r + j] * core->E[j * r + k];
    }
    if (!solve || low_rank_inverse_of(p, core->S, core->W, core->N, core->C, core->scratch))
        return true;
    for (int64_t i = 0; i < r * r; i++)
        core->C[i] = (real)NAN;
    return false;
}

/* E = F^{-1} S: with Y = F^{-T} E_adjoint the adjoint of S is the diagonal of Y, and that of F is -Y E^T, which leads on to S and N. */
void fused_gradient_core_back(const struct problem *p, const struct fused_gradient_core *core)
{
    int64_t r = p->r;
    real *Y = core->scratch;
    for (int64_t i = 0; i < r * r; i++) {
        core->N_adjoint[i] = 0;
        Y[i] = core->E_adjoint[i];
    }
    for (int64_t i = r - 1; i >= 0; i--)
        for (int64_t j = i + 1; j < r && mixer_facts[p->mixer].product; j++)
            for (int64_t k = 0; k < r; k++)
                Y[i * r + k] -= core->S[j] * core->N[j * r + i] * Y[j * r + k];
    for (int64_t i = 0; i < r; i++) {
        core->S_adjoint[i] = Y[i * r + i];
        for (int64_t j = 0; j < i && mixer_facts[p->mixer].product; j++) {
            real F_adjoint = 0;
            for (int64_t k = 0; k < r; k++)
                F_adjoint -= Y[i * r + k] * core->E[j * r + k];
            core->S_adjoint[i] += F_adjoint * core->N[i * r + j];
            core->N_adjoint[i * r + j] = core->N_adjoint[j * r + i] = F_adjoint * core->S[i];
        }
    }
}
