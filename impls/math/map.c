/* See map.h. */
#include "impls/math/map.h"

#include "impls/contract/support.h"
#include "impls/math/feedback.h"
#include "impls/math/finite.h"
#include "impls/math/mixer.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <stdlib.h>

static int64_t kept_parameters(const struct problem *p)
{
    return p->feedback != FEEDBACK_NONE ? 0 : mixer_size(p);
}

/* Of one thread: of a block the states (MAP_BLOCK,d) and theta (MAP_BLOCK,m), q of one token, h - v (d), then the mixer's. */
static int64_t scratch_size(const struct problem *p)
{
    int64_t block = p->feedback != FEEDBACK_NONE ? MAP_BLOCK * (problem_m(p) + p->d) + mixer_size(p) : 0;
    return block + p->d + mixer_scratch(p) + 64;
}

double map_reals(const struct problem *p, int threads)
{
    return (double)p->B * (double)p->T * (double)kept_parameters(p) + (double)scratch_size(p) * threads +
           (double)scan_carry(p, threads);
}

bool map_open(const struct problem *p, const char *split, int threads, struct map *map)
{
    *map = (struct map){.problem = *p, .scratch = scratch_size(p)};
    map->scan = (struct scan){.B = p->B, .T = p->T, .d = p->d, .gated = p->form == FORM_NORMALISED, .threads = threads};
    map->scan.split = scan_split(p, threads, split);
    map->scan.carry = memory_allocate(scan_carry(p, threads), sizeof(real));
    map->memory = memory_allocate(map->scratch * threads, sizeof(real));
    map->q = memory_allocate(p->B * p->T * kept_parameters(p), sizeof(real));
    if (map->scan.carry != NULL && map->memory != NULL && map->q != NULL)
        return true;
    map_close(map);
    return false;
}

void map_close(struct map *map)
{
    free(map->scan.carry);
    free(map->memory);
    free(map->q);
    *map = (struct map){0};
}

void map_begin(const struct map *map, const struct inputs *inputs)
{
    const struct problem *p = &map->problem;
    int64_t m = problem_m(p), size = kept_parameters(p), tokens = size > 0 ? p->B * p->T : 0;
#pragma omp parallel for num_threads(map->scan.threads) schedule(static)
    for (int64_t i = 0; i < tokens; i++)
        mixer_activate(p, (const real *)inputs->theta + i * m, map->q + i * size,
                       map->memory + omp_get_thread_num() * map->scratch);
}

/* w of one token from its activated parameters; scratch begins with a difference (d). */
static void mix_token(const struct problem *p, const real *q, const real *v, const real *h, real *w, real *scratch)
{
    int64_t d = p->d;
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        scratch[c] = h[c] - v[c];
    mixer_apply(p, q, scratch, w, scratch + d);
    add_scaled(1, v, w, d);
}

static void mix(const struct map *map, const struct inputs *inputs, const real *h, real *w)
{
    const struct problem *p = &map->problem;
    int64_t d = p->d, size = mixer_size(p), tokens = p->B * p->T;
#pragma omp parallel for num_threads(map->scan.threads) schedule(static)
    for (int64_t i = 0; i < tokens; i++)
        mix_token(p, map->q + i * size, (const real *)inputs->v + i * d, h + i * d, w + i * d,
                  map->memory + omp_get_thread_num() * map->scratch);
}

/* The tokens from ... to - 1 with parameters theta_t + W k(h_{t-1}), which are one matrix product. When h is zero nothing is added
 * to theta, unless there is an initial state. */
static void mix_block(const struct map *map, const struct inputs *inputs, const real *h, bool zero, int64_t from, int64_t to,
                      const struct map_parameters *parameters, real *w, real *scratch)
{
    const struct problem *p = &map->problem;
    int64_t d = p->d, m = problem_m(p), size = mixer_size(p);
    real *states = scratch, *theta = states + MAP_BLOCK * d, *q = theta + MAP_BLOCK * m, *rest = q + size;
    const real *raw = (const real *)inputs->theta + from * m;
    if (parameters != NULL)
        theta = parameters->raw + from * m;
    if (!zero || inputs->h0 != NULL || parameters != NULL) {
        feedback_states(p, inputs, h, from, to, states);
        feedback_rows(p, inputs->W, states, raw, m, to - from, theta);
        raw = theta;
    }
    for (int64_t i = from; i < to; i++) {
        if (parameters != NULL)
            q = parameters->q + i * size;
        mixer_activate(p, raw + (i - from) * m, q, rest);
        mix_token(p, q, (const real *)inputs->v + i * d, h + i * d, w + i * d, rest);
    }
}

void map_mix(const struct map *map, const struct inputs *inputs, const real *h, bool zero, const struct map_parameters *parameters,
             real *w)
{
    const struct problem *p = &map->problem;
    if (p->feedback == FEEDBACK_NONE) {
        mix(map, inputs, h, w);
        return;
    }
#pragma omp parallel num_threads(map->scan.threads)
    {
        int64_t tokens = p->B * p->T, thread = omp_get_thread_num(), n = omp_get_num_threads(), end = tokens * (thread + 1) / n;
        for (int64_t from = tokens * thread / n; from < end; from += MAP_BLOCK) {
            int64_t to = from + MAP_BLOCK < end ? from + MAP_BLOCK : end;
            mix_block(map, inputs, h, zero, from, to, parameters, w, map->memory + thread * map->scratch);
        }
    }
}

void map_apply(const struct map *map, const struct inputs *inputs, const real *h, bool zero, real *next)
{
    map_mix(map, inputs, h, zero, NULL, next);
    scan_run(&map->scan, inputs->lambda, next, inputs->h0, next);
}

static struct status apply(const void *of, const struct inputs *inputs, const real *h, bool zero, real *next)
{
    const struct map *map = of;
    map_apply(map, inputs, h, zero, next);
    return finite_status(&map->problem, next);
}

struct mapping map_mapping(const struct map *map)
{
    return (struct mapping){.problem = &map->problem, .threads = map->scan.threads, .map = map, .apply = apply};
}
