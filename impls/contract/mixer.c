/* The table of mixers: their names, and what is known of each apart from its arithmetic (impls/math/mixer.h). */
#include "impls/impl.h"

#define NAME(NAME, name) #name,
const char *const mixer_names[MIXER_COUNT] = {MIXERS(NAME)};

void kronecker_sizes(int64_t d, int64_t *n1, int64_t *n2)
{
    *n1 = 1;
    for (int64_t n = 1; n * n <= d; n++)
        if (d % n == 0)
            *n1 = n;
    *n2 = d / *n1;
}

/* r vectors (d), then r strengths. */
static int64_t vectors_m(const struct problem *p)
{
    return p->r * (p->d + 1);
}

static int64_t vectors_strengths(const struct problem *p)
{
    return p->r;
}

/* Two triangles, then the strengths of their rows. */
static int64_t triangles_m(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    return n1 * (n1 + 1) / 2 + n2 * (n2 + 1) / 2 + n1 + n2;
}

static int64_t triangles_strengths(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    return n1 + n2;
}

static int64_t matrix_m(const struct problem *p)
{
    return p->d * p->d;
}

// clang-format off
const struct mixer_facts mixer_facts[MIXER_COUNT] = {
    [MIXER_NONE]           = {.m = NULL},
    [MIXER_DPLR]           = {vectors_m,   vectors_strengths,   .takes_r = true, .takes_s = true},
    [MIXER_HOUSEHOLDER]    = {vectors_m,   vectors_strengths,   .takes_r = true, .takes_s = true, .product = true},
    [MIXER_KRONECKER]      = {triangles_m, triangles_strengths, .takes_s = true, .factored = true},
    [MIXER_DENSE]          = {matrix_m,    NULL,                .given = true},
    [MIXER_KRONECKER_ROWS] = {triangles_m, triangles_strengths, .takes_s = true, .factored = true},
};
// clang-format on

int64_t problem_m(const struct problem *problem)
{
    const struct mixer_facts *facts = &mixer_facts[problem->mixer];
    return facts->m != NULL ? facts->m(problem) : 0;
}

int64_t problem_strengths(const struct problem *problem)
{
    const struct mixer_facts *facts = &mixer_facts[problem->mixer];
    return facts->strengths != NULL ? facts->strengths(problem) : 0;
}

bool problem_low_rank(const struct problem *problem)
{
    return MIXERS_LOW_RANK >> problem->mixer & 1;
}
