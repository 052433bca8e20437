/* See matrix_scan.h. */
#include "impls/selective/matrix_scan.h"

#include "impls/contract/support.h"
#include "impls/math/power.h"
#include "impls/math/vector.h"
#include "impls/math/groups.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Of parts of time: what was scanned from zero, or truly in the first, and the sums of the steps, for each thread and sequence. */
static int64_t part_size(int64_t size, int64_t groups)
{
    return size + groups * LANES;
}

static int64_t groups_of(const struct problem *p)
{
    return (p->d + LANES - 1) / LANES;
}

int64_t matrix_scan_kept(const struct problem *p)
{
    return p->B * ((p->T + MATRIX_CHUNK - 1) / MATRIX_CHUNK) * groups_of(p) * p->N * LANES;
}

/* Every group is by itself, so that channels are divided before time is: no second pass, and the same bits. */
static enum split split_of(const struct problem *p, const char *word, int threads)
{
    if (word == NULL && p->B % threads != 0 && p->B < 4 * threads && groups_of(p) >= 2 * threads)
        return SPLIT_CHANNELS;
    return scan_split(p, threads, word);
}

/* Reals of the memory that threads scan with: a state each, and of parts of time what each leaves of every sequence. */
static double memory_reals(const struct problem *p, enum split split, int threads)
{
    int64_t groups = groups_of(p), size = groups * p->N * LANES;
    double parts = split == SPLIT_TIME ? (double)p->B * (double)part_size(size, groups) : 0;
    return threads * ((double)size + parts);
}

double matrix_scan_reals(const struct problem *p, const char *split, int threads)
{
    return (double)(groups_of(p) * p->N * LANES) + memory_reals(p, split_of(p, split, threads), threads);
}

bool matrix_scan_open(const struct problem *p, const char *split, int threads, struct matrix_scan *s)
{
    *s = (struct matrix_scan){.B = p->B, .T = p->T, .d = p->d, .N = p->N, .threads = threads};
    s->groups = groups_of(p);
    s->size = s->groups * p->N * LANES;
    s->split = split_of(p, split, threads);
    s->rates = memory_allocate(s->size, sizeof(real));
    s->memory = memory_allocate((int64_t)memory_reals(p, s->split, threads), sizeof(real));
    if (s->rates != NULL && s->memory != NULL)
        return true;
    matrix_scan_close(s);
    return false;
}

void matrix_scan_close(struct matrix_scan *s)
{
    free(s->rates);
    free(s->memory);
    *s = (struct matrix_scan){0};
}

void matrix_scan_states(const struct matrix_scan *s, const real *H, real *state)
{
    memset(state, 0, (size_t)s->size * sizeof(real));
    for (int64_t c = 0; H != NULL && c < s->d; c++)
        for (int64_t n = 0; n < s->N; n++)
            state[(c / LANES * s->N + n) * LANES + c % LANES] = H[c * s->N + n];
}

void matrix_scan_lengthwise(const struct matrix_scan *s, const real *state, bool add, real *H)
{
    for (int64_t c = 0; c < s->d; c++)
        for (int64_t n = 0; n < s->N; n++)
            H[c * s->N + n] = (add ? H[c * s->N + n] : 0) + state[(c / LANES * s->N + n) * LANES + c % LANES];
}

void matrix_scan_begin(struct matrix_scan *s, const real *A)
{
    matrix_scan_states(s, A, s->rates);
    s->shrinking = true;
    for (int64_t k = 0; k < s->size; k++) {
        s->shrinking = s->shrinking && s->rates[k] >= 0;
        s->rates[k] *= -LOG2_E;
    }
}

/* A stretch of one sequence that one thread scans: groups from ... to - 1, tokens begin ... end - 1 (of the sequence). */
struct stretch {
    int64_t b, from, to, begin, end;
};

/* What a group reads of a row lies a whole row from what it reads of the next: nothing is fetched in time, unless it is asked for. Beyond
 * the last row it is asked for in vain. */
static inline void fetch_ahead(const real *rows, int64_t token, int64_t d, int64_t g)
{
    enum { AHEAD = 8 }; /* tokens */
    __builtin_prefetch(rows + (token + AHEAD) * d + g * LANES);
}

/* Tokens of one group, H (N) being the state before and after them. Returns x - x of all that it wrote. */
static inline __attribute__((always_inline)) lanes run_group(const struct matrix_scan *s, const struct matrix_rows *rows, int64_t g,
                                                             int64_t token, int64_t end, lanes_kept *H, int64_t width)
{
    int64_t d = s->d, N = s->N;
    const lanes_kept *rates = group_lanes(s->rates, g, N);
    lanes skip = group_load(rows->skip + g * LANES, width), odd = {0};
    for (; token < end; token++) {
        const real *b = rows->b + token * N, *c = rows->c + token * N;
        lanes dt = group_load(rows->dt + token * d + g * LANES, width), x = group_load(rows->x + token * d + g * LANES, width);
        lanes in = dt * x, sum = skip * x;
        fetch_ahead(rows->x, token, d, g);
        fetch_ahead(rows->dt, token, d, g);
        fetch_ahead(rows->out, token, d, g);
#pragma GCC unroll 4
        for (int64_t n = 0; n < N; n++) {
            lanes state = lanes_power(dt * rates[n]) * H[n] + in * b[n];
            H[n] = state;
            sum += state * c[n];
        }
        group_store(rows->out + token * d + g * LANES, sum, width);
        odd += sum - sum;
    }
    return odd;
}

/* Of a stretch, from the state (groups,N,lanes) that it is left in at the end. */
static bool run_stretch(const struct matrix_scan *s, const struct matrix_rows *rows, const struct stretch *stretch, real *state)
{
    int64_t chunks = (s->T + MATRIX_CHUNK - 1) / MATRIX_CHUNK, first = stretch->b * s->T;
    lanes odd = {0};
    for (int64_t begin = stretch->begin; begin < stretch->end; begin += MATRIX_CHUNK) {
        int64_t end = begin + MATRIX_CHUNK < stretch->end ? begin + MATRIX_CHUNK : stretch->end;
        for (int64_t g = stretch->from; g < stretch->to; g++) {
            lanes_kept *H = group_lanes(state, g, s->N);
            int64_t width = group_width(s->d, g);
            if (rows->kept != NULL)
                memcpy(group_lanes(rows->kept + (stretch->b * chunks + begin / MATRIX_CHUNK) * s->size, g, s->N), H,
                       (size_t)s->N * sizeof *H);
            if (width == LANES)
                odd += run_group(s, rows, g, first + begin, first + end, H, LANES);
            else
                odd += run_group(s, rows, g, first + begin, first + end, H, width);
        }
        if (s->split == SPLIT_BATCH && rows->finish != NULL)
            odd[0] += rows->finish(rows->context, first + begin, first + end) ? 0 : (real)INFINITY;
    }
    return group_still(odd);
}

static const real *initial(const struct matrix_scan *s, const struct matrix_rows *rows, int64_t b)
{
    return rows->H0 != NULL ? rows->H0 + b * s->d * s->N : NULL;
}

static void leave(const struct matrix_scan *s, const struct matrix_rows *rows, int64_t b, const real *state)
{
    if (rows->final != NULL)
        matrix_scan_lengthwise(s, state, false, rows->final + b * s->d * s->N);
}

static bool run_batch(const struct matrix_scan *s, const struct matrix_rows *rows)
{
    int ok = 1;
#pragma omp parallel for num_threads(s->threads) schedule(static) reduction(& : ok)
    for (int64_t b = 0; b < s->B; b++) {
        real *state = s->memory + omp_get_thread_num() * s->size;
        const struct stretch stretch = {.b = b, .to = s->groups, .end = s->T};
        matrix_scan_states(s, initial(s, rows, b), state);
        ok &= run_stretch(s, rows, &stretch, state);
        leave(s, rows, b, state);
    }
    return ok;
}

static bool run_channels(const struct matrix_scan *s, const struct matrix_rows *rows)
{
    int ok = 1;
    real *state = s->memory;
    for (int64_t b = 0; b < s->B; b++) {
        matrix_scan_states(s, initial(s, rows, b), state);
#pragma omp parallel num_threads(s->threads) reduction(& : ok)
        {
            int64_t i = omp_get_thread_num(), n = omp_get_num_threads();
            const struct stretch stretch = {.b = b, .from = s->groups * i / n, .to = s->groups * (i + 1) / n, .end = s->T};
            ok &= run_stretch(s, rows, &stretch, state);
        }
        leave(s, rows, b, state);
    }
    return ok;
}

/* Chunk where part i of n begins. The first is twice as long as the others, since it alone needs no second pass. */
static int64_t part_begin(const struct matrix_scan *s, int64_t i, int64_t n)
{
    int64_t chunks = (s->T + MATRIX_CHUNK - 1) / MATRIX_CHUNK, begin = i == 0 ? 0 : chunks * (i + 1) / (n + 1) * MATRIX_CHUNK;
    return begin < s->T ? begin : s->T;
}

/* sums (groups,lanes) += the steps of the tokens. */
static void add_steps(const struct matrix_scan *s, const struct matrix_rows *rows, int64_t token, int64_t end, real *sums)
{
    for (; token < end; token++)
        for (int64_t c = 0; c < s->d; c++)
            sums[c] += rows->dt[token * s->d + c];
}

/* Of one group, adds to what was scanned from zero what the state R (N) before it contributes; R is that of the last token then. */
static inline __attribute__((always_inline)) lanes add_group(const struct matrix_scan *s, const struct matrix_rows *rows, int64_t g,
                                                             int64_t token, int64_t end, lanes_kept *R, int64_t width)
{
    int64_t d = s->d, N = s->N;
    const lanes_kept *rates = group_lanes(s->rates, g, N);
    lanes odd = {0};
    for (; token < end; token++) {
        const real *c = rows->c + token * N;
        fetch_ahead(rows->dt, token, d, g);
        fetch_ahead(rows->out, token, d, g);
        lanes dt = group_load(rows->dt + token * d + g * LANES, width), sum = group_load(rows->out + token * d + g * LANES, width);
#pragma GCC unroll 4
        for (int64_t n = 0; n < N; n++) {
            R[n] *= lanes_power(dt * rates[n]);
            sum += R[n] * c[n];
        }
        group_store(rows->out + token * d + g * LANES, sum, width);
        odd += sum - sum;
    }
    return odd;
}

static bool add_stretch(const struct matrix_scan *s, const struct matrix_rows *rows, const struct stretch *stretch, real *running)
{
    int64_t chunks = (s->T + MATRIX_CHUNK - 1) / MATRIX_CHUNK, first = stretch->b * s->T;
    lanes odd = {0};
    for (int64_t begin = stretch->begin; begin < stretch->end; begin += MATRIX_CHUNK) {
        int64_t end = begin + MATRIX_CHUNK < stretch->end ? begin + MATRIX_CHUNK : stretch->end;
        if (rows->kept != NULL)
            add_scaled(1, running, rows->kept + (stretch->b * chunks + begin / MATRIX_CHUNK) * s->size, s->size);
        for (int64_t g = stretch->from; g < stretch->to; g++) {
            lanes_kept *R = group_lanes(running, g, s->N);
            int64_t width = group_width(s->d, g);
            if (width == LANES)
                odd += add_group(s, rows, g, first + begin, first + end, R, LANES);
            else
                odd += add_group(s, rows, g, first + begin, first + end, R, width);
        }
    }
    return group_still(odd);
}

void matrix_scan_pass(const struct matrix_scan *s, const real *sums, const real *before, const real *more, real *after)
{
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t n = 0; n < s->N; n++) {
            int64_t k = (g * s->N + n) * LANES;
            lanes decay = lanes_power(lanes_load(sums + g * LANES) * lanes_load(s->rates + k));
            lanes_store(after + k, decay * lanes_load(before + k) + lanes_load(more + k));
        }
}

/* Each part is scanned from zero, leaving its last state; what comes before a part follows from the parts before, the product of many
 * decays being one exponential, and is added times the running decay in a second pass. The recurrence is linear, so this is exact up to
 * rounding. Decays above 1 would break it where their products overflow: they are for a split of the batch. */
static bool run_time(const struct matrix_scan *s, const struct matrix_rows *rows)
{
    int64_t one = part_size(s->size, s->groups);
    real *parts = s->memory + s->threads * s->size;
    int ok = 1;
#pragma omp parallel num_threads(s->threads) reduction(& : ok)
    {
        int64_t i = omp_get_thread_num(), n = omp_get_num_threads();
        struct stretch stretch = {.to = s->groups, .begin = part_begin(s, i, n), .end = part_begin(s, i + 1, n)};
        real *own = parts + i * s->B * one, *running = s->memory + i * s->size;
        for (int64_t b = stretch.b = 0; b < s->B; stretch.b = ++b) {
            real *state = own + b * one, *sums = state + s->size;
            matrix_scan_states(s, i == 0 ? initial(s, rows, b) : NULL, state);
            memset(sums, 0, (size_t)(s->groups * LANES) * sizeof(real));
            add_steps(s, rows, b * s->T + stretch.begin, i > 0 ? b * s->T + stretch.end : 0, sums);
            ok &= run_stretch(s, rows, &stretch, state);
        }
#pragma omp barrier
        for (int64_t b = stretch.b = 0; b < s->B && i > 0; stretch.b = ++b) {
            memcpy(running, parts + b * one, (size_t)s->size * sizeof(real));
            for (int64_t k = 1; k < i; k++) {
                const real *part = parts + (k * s->B + b) * one;
                matrix_scan_pass(s, part + s->size, running, part, running);
            }
            ok &= add_stretch(s, rows, &stretch, running);
            if (i == n - 1) {
                add_scaled(1, own + b * one, running, s->size);
                leave(s, rows, b, running);
            }
        }
    }
    return ok;
}

bool matrix_scan_divisible(const struct matrix_scan *s, const real *dt)
{
    int ok = s->shrinking;
#pragma omp parallel for simd num_threads(s->threads) schedule(static) reduction(& : ok)
    for (int64_t k = 0; k < s->B * s->T * s->d; k++)
        ok &= dt[k] >= 0;
    return ok;
}

/* Whether time can be divided: into parts of a chunk at least. */
static bool divides(const struct matrix_scan *s, const struct matrix_rows *rows)
{
    return s->threads > 1 && s->T >= (s->threads + 1) * (int64_t)MATRIX_CHUNK && matrix_scan_divisible(s, rows->dt);
}

bool matrix_scan_run(const struct matrix_scan *scan, const struct matrix_rows *rows)
{
    static bool (*const run_split[SPLIT_COUNT])(const struct matrix_scan *, const struct matrix_rows *) = {
        [SPLIT_BATCH] = run_batch, [SPLIT_CHANNELS] = run_channels, [SPLIT_TIME] = run_time};
    struct matrix_scan s = *scan;
    if (s.split == SPLIT_TIME && !divides(&s, rows))
        s.split = SPLIT_BATCH;
    int ok = run_split[s.split](&s, rows);
    int64_t tokens = s.split != SPLIT_BATCH && rows->finish != NULL ? s.B * s.T : 0;
#pragma omp parallel for num_threads(s.threads) schedule(static) reduction(& : ok)
    for (int64_t from = 0; from < tokens; from += MATRIX_CHUNK)
        ok &= rows->finish(rows->context, from, from + MATRIX_CHUNK < tokens ? from + MATRIX_CHUNK : tokens);
    return ok;
}

void matrix_scan_count(const struct problem *p, int threads, const char *split, struct work *work)
{
    double rows = (double)p->B * (double)p->T, d = (double)p->d, N = (double)p->N;
    /* of a channel and a state: the decay's argument, two products and a sum, a product and a sum */
    *work = (struct work){.bytes = rows * (3 * d + 2 * N) * sizeof(real),
                          .operations = rows * d * (6 * N + 2),
                          .set = rows * (3 * d + 2 * N) * sizeof(real),
                          .exponentials = rows * d * N};
    if (split_of(p, split, threads) == SPLIT_TIME) { /* the second pass over all parts but the first */
        double later = (double)(threads - 1) / (threads + 1);
        work->bytes += later * rows * (3 * d + N) * sizeof(real);
        work->operations += later * rows * d * (4 * N);
        work->exponentials += later * rows * d * N;
    }
}
