/* See matrix_scan_gradient.h. */
#include "impls/selective/matrix_scan_gradient.h"

#include "impls/contract/support.h"
#include "impls/math/adjoint.h"
#include "impls/math/power.h"
#include "impls/math/vector.h"
#include "impls/selective/groups.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* States, rounded up to whole registers: what sums across lanes are made of. */
static int64_t padded(int64_t N)
{
    return (N + LANES - 1) / LANES * LANES;
}

/* What one thread works with, in reals. */
struct room {
    int64_t carried;        /* (groups,N,lanes) Hb */
    int64_t states, decays; /* (MATRIX_CHUNK + 1,N,lanes), (MATRIX_CHUNK,N,lanes) of one group */
    int64_t b, c;           /* (MATRIX_CHUNK,padded N,lanes) sums of all groups, lane by lane */
    int64_t chunk;          /* (N,lanes) A's sum of a chunk: two levels of sums lose less */
    int64_t A, skip;        /* (groups,N,lanes), (groups,lanes) sums of the thread */
    int64_t size;
};

static struct room room_of(int64_t groups, int64_t N)
{
    struct room room;
    int64_t one = N * LANES, wide = padded(N) * LANES;
    room.carried = 0;
    room.states = room.carried + groups * one;
    room.decays = room.states + (MATRIX_CHUNK + 1) * one;
    room.b = room.decays + MATRIX_CHUNK * one;
    room.c = room.b + MATRIX_CHUNK * wide;
    room.chunk = room.c + MATRIX_CHUNK * wide;
    room.A = room.chunk + one;
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

/* The states and decays of a group's tokens, from that before them. */
static inline __attribute__((always_inline)) void recompute(const struct run *run, int64_t g, int64_t token, int64_t end,
                                                            const lanes_kept *before, lanes_kept *states, lanes_kept *decays,
                                                            int64_t width)
{
    const struct matrix_scan *s = run->s;
    const struct matrix_rows *rows = run->rows;
    const lanes_kept *rates = group_lanes(s->rates, g, s->N);
    int64_t d = s->d, N = s->N;
    memcpy(states, before, (size_t)N * sizeof *states);
    for (; token < end; token++, states += N, decays += N) {
        const real *b = rows->b + token * N;
        lanes dt = group_load(rows->dt + token * d + g * LANES, width);
        lanes in = dt * group_load(rows->x + token * d + g * LANES, width);
#pragma GCC unroll 4
        for (int64_t n = 0; n < N; n++) {
            lanes decay = lanes_power(dt * rates[n]);
            decays[n] = decay;
            states[N + n] = decay * states[n] + in * b[n];
        }
    }
}

/* The tokens of a group backwards. vectors: adjoints of b and c are wanted; rates: those of dt, A and skip. */
static inline __attribute__((always_inline)) void reverse(const struct run *run, real *memory, int64_t g, int64_t token,
                                                          int64_t end, int64_t width, bool vectors, bool rates_too)
{
    const struct matrix_scan *s = run->s;
    const struct matrix_rows *rows = run->rows;
    const struct matrix_adjoints *adjoints = run->adjoints;
    int64_t d = s->d, N = s->N, wide = padded(N);
    const lanes_kept *rates = group_lanes(s->rates, g, N);
    lanes_kept *carried = group_lanes(memory + run->room.carried, g, N), *sum_A = (lanes_kept *)(memory + run->room.chunk);
    lanes_kept *sums_b = (lanes_kept *)(memory + run->room.b), *sums_c = (lanes_kept *)(memory + run->room.c);
    lanes skip = group_load(rows->skip + g * LANES, width), sum_skip = {0};
    const lanes_kept *states = (lanes_kept *)(memory + run->room.states), *decays = (lanes_kept *)(memory + run->room.decays);
    if (rates_too)
        memset(sum_A, 0, (size_t)N * sizeof *sum_A);
    for (int64_t i = end - token - 1; i >= 0; i--) {
        const real *b = rows->b + (token + i) * N, *c = rows->c + (token + i) * N;
        int64_t at = (token + i) * d + g * LANES;
        lanes dt = group_load(rows->dt + at, width), x = group_load(rows->x + at, width), o = group_load(adjoints->out + at, width);
        lanes in = dt * x, along_b = {0}, along_A = {0};
        const lanes_kept *decay = decays + i * N, *before = states + i * N, *after = before + N;
        lanes_kept *of_b = sums_b + i * wide, *of_c = sums_c + i * wide;
#pragma GCC unroll 4
        for (int64_t n = 0; n < N; n++) {
            lanes whole = carried[n] + o * c[n], decayed = decay[n] * whole;
            along_b += whole * b[n];
            carried[n] = decayed;
            if (vectors) {
                of_b[n] += whole * in;
                of_c[n] += after[n] * o;
            }
            if (rates_too) {
                lanes e = decayed * before[n];
                along_A += e * rates[n];
                sum_A[n] += e * dt;
            }
        }
        group_store(adjoints->x + at, dt * along_b + skip * o, width);
        if (rates_too) {
            group_store(adjoints->dt + at, x * along_b + along_A * (real)0.6931471805599453, width); /* rates: -log2(e) A */
            sum_skip += o * x;
        }
    }
    if (rates_too) {
        lanes_kept *total = group_lanes(memory + run->room.A, g, N), *total_skip = (lanes_kept *)(memory + run->room.skip) + g;
        *total_skip += sum_skip;
        for (int64_t n = 0; n < N; n++)
            total[n] -= sum_A[n];
    }
}

/* Both for a group whose width may be known. */
static inline __attribute__((always_inline)) void chunk_group(const struct run *run, real *memory, int64_t g, int64_t token,
                                                              int64_t end, const lanes_kept *before, int64_t width)
{
    bool vectors = run->adjoints->b != NULL, rates = run->adjoints->dt != NULL;
    recompute(run, g, token, end, before, (lanes_kept *)(memory + run->room.states), (lanes_kept *)(memory + run->room.decays),
              width);
    if (vectors && rates)
        reverse(run, memory, g, token, end, width, true, true);
    else if (vectors)
        reverse(run, memory, g, token, end, width, true, false);
    else if (rates)
        reverse(run, memory, g, token, end, width, false, true);
    else
        reverse(run, memory, g, token, end, width, false, false);
}

/* out (n,N) = the sums over lanes of sums (n,padded N,lanes). */
static void sum_lanes(const real *sums, int64_t n, int64_t N, real *out)
{
    int64_t wide = padded(N);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < wide; k += LANES) {
            lanes a[LANES];
            for (int j = 0; j < LANES; j++)
                a[j] = lanes_load(sums + (i * wide + k + j) * LANES);
            group_store(out + i * N + k, lanes_sums(a), group_width(N, k / LANES));
        }
}

/* Tokens begin ... end - 1 of sequence b, chunk by chunk from the last; what is carried lies in the thread's memory. */
static void run_part(const struct run *run, int64_t b, int64_t begin, int64_t end, real *memory)
{
    const struct matrix_scan *s = run->s;
    int64_t chunks = (s->T + MATRIX_CHUNK - 1) / MATRIX_CHUNK, first = b * s->T, wide = padded(s->N) * LANES;
    for (int64_t chunk = (end - 1) / MATRIX_CHUNK; chunk >= begin / MATRIX_CHUNK; chunk--) {
        int64_t from = chunk * MATRIX_CHUNK, to = from + MATRIX_CHUNK < end ? from + MATRIX_CHUNK : end;
        real *kept = run->rows->kept + (b * chunks + chunk) * s->size;
        if (run->adjoints->b != NULL)
            memset(memory + run->room.b, 0, (size_t)(2 * MATRIX_CHUNK * wide) * sizeof(real)); /* and c */
        for (int64_t g = 0; g < s->groups; g++) {
            int64_t width = group_width(s->d, g);
            if (width == LANES)
                chunk_group(run, memory, g, first + from, first + to, group_lanes(kept, g, s->N), LANES);
            else
                chunk_group(run, memory, g, first + from, first + to, group_lanes(kept, g, s->N), width);
        }
        if (run->adjoints->b != NULL) {
            sum_lanes(memory + run->room.b, to - from, s->N, run->adjoints->b + (first + from) * s->N);
            sum_lanes(memory + run->room.c, to - from, s->N, run->adjoints->c + (first + from) * s->N);
        }
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
