/* See matrix_scan_gradient.h. */
#include "impls/selective/matrix_scan_gradient.h"

#include "impls/contract/support.h"
#include "impls/math/adjoint.h"
#include "impls/math/power.h"
#include "impls/math/vector.h"
#include "impls/math/groups.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* States of a group that are gone through together: with what is carried, their rates and sums in registers, and their chunk of states and
 * decays in the first cache. */
enum { STATES = 4 };

/* What one thread works with, in reals. */
struct room {
    int64_t carried;          /* (groups,N,lanes) Hb */
    int64_t states, decays;   /* (MATRIX_CHUNK,STATES,lanes) of one group: before each token, and of it */
    int64_t b, c;             /* (MATRIX_CHUNK,STATES,lanes) sums of all groups, lane by lane */
    int64_t along_b, along_A; /* (MATRIX_CHUNK,groups,lanes) sums over states: of (Hh b) and of rates . a . Hh . H_{t-1} */
    int64_t A, skip;          /* (groups,N,lanes), (groups,lanes) sums of the thread */
    int64_t size;
};

static struct room room_of(int64_t groups, int64_t N)
{
    struct room room = {0};
    int64_t one = N * LANES, block = MATRIX_CHUNK * STATES * LANES, rows = MATRIX_CHUNK * groups * LANES;
    room.states = room.carried + groups * one;
    room.decays = room.states + block;
    room.b = room.decays + block;
    room.c = room.b + block;
    room.along_b = room.c + block;
    room.along_A = room.along_b + rows;
    room.A = room.along_A + rows;
    room.skip = room.A + groups * one;
    room.size = room.skip + groups * LANES;
    return room;
}

/* Parts of time: one a thread where there are too few sequences, and each has a chunk at least. */
static int64_t parts_of(const struct problem *p, const char *split, int threads)
{
    bool divided = split != NULL ? strcmp(split, "time") == 0 : p->B % threads != 0 && p->B < 4 * threads;
    return divided && p->T >= (int64_t)threads * MATRIX_CHUNK ? threads : 1;
}

static int64_t groups_of(const struct problem *p)
{
    return (p->d + LANES - 1) / LANES;
}

/* Of a part of a sequence: Hb behind it, and the sums of its steps. */
static int64_t part_size(int64_t groups, int64_t N)
{
    return groups * N * LANES + groups * LANES;
}

double matrix_gradient_reals(const struct problem *p, const char *split, int threads)
{
    int64_t parts = parts_of(p, split, threads), groups = groups_of(p);
    double carried = parts > 1 ? (double)(p->B * parts) * (double)part_size(groups, p->N) : 0;
    return (double)threads * (double)room_of(groups, p->N).size + carried;
}

bool matrix_gradient_open(const struct problem *p, const char *split, const struct matrix_scan *scan, struct matrix_gradient *g)
{
    *g = (struct matrix_gradient){.scan = scan, .parts = parts_of(p, split, scan->threads)};
    g->thread = room_of(scan->groups, scan->N).size;
    g->memory = memory_allocate((int64_t)matrix_gradient_reals(p, split, scan->threads), sizeof(real));
    return g->memory != NULL;
}

void matrix_gradient_close(struct matrix_gradient *g)
{
    free(g->memory);
    *g = (struct matrix_gradient){0};
}

/* What the threads of one run share. */
struct run {
    const struct matrix_gradient *g;
    const struct matrix_scan *s;
    const struct matrix_rows *rows;
    const struct matrix_adjoints *adjoints;
    int64_t parts;
    struct room room;
};

/* What of a chunk is gone through at once: tokens token ... end - 1, states n ... n + wide - 1. */
struct block {
    int64_t token, end, n, wide;
};

static lanes_kept *lanes_at(real *memory, int64_t offset)
{
    return (lanes_kept *)(memory + offset);
}

/* A group's block, forward from the states `before` (N) the chunk and then backwards. vectors: adjoints of b and c are wanted; steps: those
 * of dt, A and skip. */
static inline __attribute__((always_inline)) void run_block(const struct run *run, real *memory, int64_t g,
                                                            const struct block *block, const lanes_kept *before, int64_t width,
                                                            int64_t wide, bool vectors, bool steps)
{
    const struct matrix_scan *s = run->s;
    const struct matrix_rows *rows = run->rows;
    int64_t d = s->d, N = s->N, tokens = block->end - block->token;
    const lanes_kept *of_rates = group_lanes(s->rates, g, N) + block->n;
    lanes_kept *carried = group_lanes(memory + run->room.carried, g, N) + block->n,
               *total = group_lanes(memory + run->room.A, g, N);
    lanes_kept *states = lanes_at(memory, run->room.states), *decays = lanes_at(memory, run->room.decays);
    lanes_kept *sums_b = lanes_at(memory, run->room.b), *sums_c = lanes_at(memory, run->room.c);
    lanes_kept *along_b = lanes_at(memory, run->room.along_b) + g, *along_A = lanes_at(memory, run->room.along_A) + g;
    lanes rates[STATES] = {{0}}, state[STATES] = {{0}}, Hb[STATES] = {{0}}, sum_A[STATES] = {{0}};
#pragma GCC unroll 4
    for (int k = 0; k < wide; k++) {
        rates[k] = of_rates[k];
        state[k] = before[block->n + k];
        Hb[k] = carried[k];
    }
    for (int64_t i = 0; i < tokens; i++) {
        const real *b = rows->b + (block->token + i) * N + block->n;
        int64_t at = (block->token + i) * d + g * LANES;
        lanes dt = group_load(rows->dt + at, width), in = dt * group_load(rows->x + at, width);
#pragma GCC unroll 4
        for (int k = 0; k < wide; k++) {
            lanes decay = lanes_power(dt * rates[k]);
            decays[i * STATES + k] = decay;
            states[i * STATES + k] = state[k];
            state[k] = decay * state[k] + in * b[k];
        }
    }
    for (int64_t i = tokens - 1; i >= 0; i--) {
        const real *b = rows->b + (block->token + i) * N + block->n, *c = rows->c + (block->token + i) * N + block->n;
        int64_t at = (block->token + i) * d + g * LANES;
        lanes dt = group_load(rows->dt + at, width), o = group_load(run->adjoints->out + at, width);
        lanes in = dt * group_load(rows->x + at, width), sum_b = along_b[i * s->groups], sum_rates = along_A[i * s->groups];
#pragma GCC unroll 4
        for (int k = 0; k < wide; k++) {
            int64_t at_state = i * STATES + k;
            lanes whole = Hb[k] + o * c[k];
            Hb[k] = decays[at_state] * whole;
            sum_b += whole * b[k];
            if (vectors) {
                sums_b[at_state] += whole * in;
                sums_c[at_state] += state[k] * o;
            }
            state[k] = states[at_state];
            if (steps) {
                lanes e = Hb[k] * state[k];
                sum_rates += e * rates[k];
                sum_A[k] += e * dt;
            }
        }
        along_b[i * s->groups] = sum_b;
        if (steps)
            along_A[i * s->groups] = sum_rates;
    }
#pragma GCC unroll 4
    for (int k = 0; k < wide; k++) {
        carried[k] = Hb[k];
        if (steps)
            total[block->n + k] -= sum_A[k];
    }
}

/* The same of a group whose width may be known. */
static inline __attribute__((always_inline)) void run_group(const struct run *run, real *memory, int64_t g,
                                                            const struct block *block, const lanes_kept *before, int64_t width,
                                                            int64_t wide)
{
    bool vectors = run->adjoints->b != NULL, steps = run->adjoints->dt != NULL;
    if (vectors && steps)
        run_block(run, memory, g, block, before, width, wide, true, true);
    else if (vectors)
        run_block(run, memory, g, block, before, width, wide, true, false);
    else if (steps)
        run_block(run, memory, g, block, before, width, wide, false, true);
    else
        run_block(run, memory, g, block, before, width, wide, false, false);
}

/* out (T,N)'s columns of a block = the sums over lanes of sums (tokens,STATES,lanes). */
static void sum_lanes(const struct block *block, real *sums, int64_t N, real *out)
{
    real flat[MATRIX_CHUNK * STATES];
    int64_t tokens = block->end - block->token;
    for (int64_t k = 0; k < tokens * STATES; k += LANES) {
        lanes a[LANES];
        for (int j = 0; j < LANES; j++)
            a[j] = lanes_load(sums + (k + j) * LANES);
        lanes_store(flat + k, lanes_sums(a));
    }
    for (int64_t i = 0; i < tokens; i++)
        memcpy(out + (block->token + i) * N + block->n, flat + i * STATES, (size_t)block->wide * sizeof(real));
}

/* The rows of a chunk once all its states are gone through. */
static void finish_rows(const struct run *run, real *memory, int64_t token, int64_t end)
{
    const struct matrix_scan *s = run->s;
    const struct matrix_adjoints *adjoints = run->adjoints;
    const lanes_kept *along_b = lanes_at(memory, run->room.along_b), *along_A = lanes_at(memory, run->room.along_A);
    lanes_kept *sum_skip = lanes_at(memory, run->room.skip);
    for (; token < end; token++)
        for (int64_t g = 0; g < s->groups; g++, along_b++, along_A++) {
            int64_t at = token * s->d + g * LANES, width = group_width(s->d, g);
            lanes dt = group_load(run->rows->dt + at, width), x = group_load(run->rows->x + at, width);
            lanes o = group_load(adjoints->out + at, width), skip = group_load(run->rows->skip + g * LANES, width);
            group_store(adjoints->x + at, dt * *along_b + skip * o, width);
            if (adjoints->dt == NULL)
                continue;
            group_store(adjoints->dt + at, x * *along_b + *along_A * (real)0.6931471805599453, width); /* rates: -log2(e) A */
            sum_skip[g] += o * x;
        }
}

/* Tokens begin ... end - 1 of sequence b, chunk by chunk from the last; what is carried lies in the thread's memory. */
static void run_part(const struct run *run, int64_t b, int64_t begin, int64_t end, real *memory)
{
    const struct matrix_scan *s = run->s;
    int64_t chunks = (s->T + MATRIX_CHUNK - 1) / MATRIX_CHUNK, first = b * s->T;
    for (int64_t chunk = (end - 1) / MATRIX_CHUNK; chunk >= begin / MATRIX_CHUNK; chunk--) {
        int64_t from = chunk * MATRIX_CHUNK, to = from + MATRIX_CHUNK < end ? from + MATRIX_CHUNK : end;
        real *kept = run->rows->kept + (b * chunks + chunk) * s->size;
        memset(memory + run->room.along_b, 0, (size_t)(run->room.A - run->room.along_b) * sizeof(real));
        for (int64_t n = 0; n < s->N; n += STATES) {
            const struct block block = {first + from, first + to, n, s->N - n < STATES ? s->N - n : STATES};
            memset(memory + run->room.b, 0, (size_t)(run->room.along_b - run->room.b) * sizeof(real)); /* and c */
            for (int64_t g = 0; g < s->groups; g++) {
                int64_t width = group_width(s->d, g);
                if (width == LANES && block.wide == STATES)
                    run_group(run, memory, g, &block, group_lanes(kept, g, s->N), LANES, STATES);
                else
                    run_group(run, memory, g, &block, group_lanes(kept, g, s->N), width, block.wide);
            }
            if (run->adjoints->b != NULL) {
                sum_lanes(&block, memory + run->room.b, s->N, run->adjoints->b);
                sum_lanes(&block, memory + run->room.c, s->N, run->adjoints->c);
            }
        }
        finish_rows(run, memory, first + from, first + to);
    }
}

static int64_t part_begin(const struct run *run, int64_t part)
{
    int64_t chunks = (run->s->T + MATRIX_CHUNK - 1) / MATRIX_CHUNK, begin = chunks * part / run->parts * MATRIX_CHUNK;
    return begin < run->s->T ? begin : run->s->T;
}

/* Only what is carried over a part, from what `carried` holds behind it; sums (groups,lanes) are those of its steps. */
static void carry_part(const struct run *run, int64_t b, int64_t begin, int64_t end, real *carried, real *sums)
{
    const struct matrix_scan *s = run->s;
    memset(sums, 0, (size_t)(s->groups * LANES) * sizeof(real));
    for (int64_t token = b * s->T + end - 1; token >= b * s->T + begin; token--) {
        const real *c = run->rows->c + token * s->N;
        for (int64_t g = 0; g < s->groups; g++) {
            int64_t at = token * s->d + g * LANES, width = group_width(s->d, g);
            lanes dt = group_load(run->rows->dt + at, width), o = group_load(run->adjoints->out + at, width);
            lanes_kept *Hb = group_lanes(carried, g, s->N), *sum = (lanes_kept *)sums + g;
            const lanes_kept *rates = group_lanes(s->rates, g, s->N);
            *sum += dt;
            for (int64_t n = 0; n < s->N; n++)
                Hb[n] = lanes_power(dt * rates[n]) * (Hb[n] + o * c[n]);
        }
    }
}

static const real *final_of(const struct run *run, int64_t b)
{
    return run->adjoints->final != NULL ? run->adjoints->final + b * run->s->d * run->s->N : NULL;
}

/* What is carried into each part but the last, in the place of the part behind it: first what that leaves from nothing, then with what
 * came into it. */
static void carry(const struct run *run, real *carried)
{
    const struct matrix_scan *s = run->s;
    int64_t one = part_size(s->groups, s->N), parts = run->parts;
#pragma omp for schedule(static)
    for (int64_t u = 0; u < s->B * parts; u++) {
        int64_t b = u / parts, part = u % parts;
        real *own = carried + u * one;
        matrix_scan_states(s, part == parts - 1 ? final_of(run, b) : NULL, own);
        if (part > 0)
            carry_part(run, b, part_begin(run, part), part_begin(run, part + 1), own, own + s->size);
    }
#pragma omp for schedule(static)
    for (int64_t b = 0; b < s->B; b++)
        for (int64_t part = parts - 2; part > 0; part--) {
            real *own = carried + (b * parts + part) * one;
            matrix_scan_pass(s, own + s->size, own + one, own, own);
        }
}

/* to <- the threads' sums, in their order. */
static void gather(const struct run *run, int n, int64_t offset, int64_t size, real *to)
{
    for (int64_t k = 0; k < size; k++) {
        real sum = 0;
        for (int thread = 0; thread < n; thread++)
            sum += run->g->memory[thread * run->g->thread + offset + k];
        to[k] = sum;
    }
}

void matrix_gradient_run(const struct matrix_gradient *g, const struct matrix_rows *rows, const struct matrix_adjoints *adjoints)
{
    const struct matrix_scan *s = g->scan;
    struct run run = {.g = g, .s = s, .rows = rows, .adjoints = adjoints, .parts = g->parts, .room = room_of(s->groups, s->N)};
    if (run.parts > 1 && !matrix_scan_divisible(s, rows->dt))
        run.parts = 1;
    int64_t one = part_size(s->groups, s->N);
    real *carried = g->memory + s->threads * g->thread;
    int team = 1;
#pragma omp parallel num_threads(s->threads)
    {
        real *memory = g->memory + omp_get_thread_num() * g->thread;
        memset(memory + run.room.A, 0, (size_t)(run.room.size - run.room.A) * sizeof(real));
        if (run.parts > 1)
            carry(&run, carried);
#pragma omp single
        team = omp_get_num_threads();
#pragma omp for schedule(static)
        for (int64_t u = 0; u < s->B * run.parts; u++) {
            int64_t b = u / run.parts, part = u % run.parts, begin = part_begin(&run, part), end = part_begin(&run, part + 1);
            real *own = memory + run.room.carried;
            if (part == run.parts - 1)
                matrix_scan_states(s, final_of(&run, b), own);
            else
                memcpy(own, carried + (u + 1) * one, (size_t)s->size * sizeof(real));
            run_part(&run, b, begin, end, memory);
            if (part == 0 && adjoints->H0 != NULL)
                matrix_scan_lengthwise(s, own, adjoints->add, adjoints->H0 + b * s->d * s->N);
        }
    }
    /* the first thread's sums become those of all */
    if (adjoints->A != NULL) {
        gather(&run, team, run.room.A, s->size, g->memory + run.room.A);
        matrix_scan_lengthwise(s, g->memory + run.room.A, adjoints->add, adjoints->A);
    }
    if (adjoints->skip != NULL) {
        gather(&run, team, run.room.skip, s->d, g->memory + run.room.skip);
        adjoint_put(adjoints->skip, g->memory + run.room.skip, s->d, adjoints->add);
    }
}
