/* See mixer.h. What a mixer does stands in a file of its own, mixer_<name>.c. */
#include "impls/math/mixer.h"

#include "impls/math/mixer_row.h"
#include "impls/math/vector.h"

#define DECLARE(NAME, name) extern const struct mixer_row VARIANT(mixer_##name);
#define ROW(NAME, name) [MIXER_##NAME] = &VARIANT(mixer_##name),
MIXERS(DECLARE)
static const struct mixer_row *const rows[MIXER_COUNT] = {MIXERS(ROW)};

int64_t mixer_size(const struct problem *p)
{
    return rows[p->mixer]->size != NULL ? rows[p->mixer]->size(p) : 0;
}

int64_t mixer_scratch(const struct problem *p)
{
    int64_t own = rows[p->mixer]->scratch != NULL ? rows[p->mixer]->scratch(p) : 0;
    return p->d + own; /* d for the unit vectors of mixer_matrix */
}

int64_t mixer_gradient_scratch(const struct problem *p)
{
    return rows[p->mixer]->gradient_scratch != NULL ? rows[p->mixer]->gradient_scratch(p) : 0;
}

void mixer_activate(const struct problem *p, const real *theta, real *q, real *scratch)
{
    rows[p->mixer]->activate(p, theta, q, scratch);
}

void mixer_apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    rows[p->mixer]->apply(p, q, x, y, scratch);
}

void mixer_matrix(const struct problem *p, const real *q, real *matrix, real *scratch)
{
    real *unit = scratch;
    fill(unit, 0, p->d);
    for (int64_t j = 0; j < p->d; j++) {
        unit[j] = 1;
        mixer_apply(p, q, unit, matrix + j * p->d, scratch + p->d);
        unit[j] = 0;
    }
}

void mixer_apply_gradient(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                          real *q_adjoint, real *scratch)
{
    rows[p->mixer]->apply_gradient(p, q, x, adjoint, x_adjoint, q_adjoint, scratch);
}

void mixer_activate_gradient(const struct problem *p, const real *theta, const real *q, const real *q_adjoint, real *theta_adjoint,
                             real *scratch)
{
    rows[p->mixer]->activate_gradient(p, theta, q, q_adjoint, theta_adjoint, scratch);
}

double mixer_activate_operations(const struct problem *p)
{
    return rows[p->mixer]->activate_operations != NULL ? rows[p->mixer]->activate_operations(p) : 0;
}

double mixer_apply_operations(const struct problem *p)
{
    return rows[p->mixer]->apply_operations != NULL ? rows[p->mixer]->apply_operations(p) : 0;
}
