/* See scan.h. */
#include "impls/math/scan.h"

#include "impls/math/lanes.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <string.h>

static const char *const split_names[SPLIT_COUNT] = {"batch", "channels", "time"};

enum { LINE = 64 / sizeof(real) }; /* channels of a cache line: what two threads had better not share */

/* So many chunks of time cost less, second pass and all, than parts of every row: two threads took 2.2 ms for the channels of (1,65536,64)
 * in float32, 1.2 ms for its time. The second pass grows with them, up to all tokens again. */
enum { FEW_CHUNKS = 2 };

enum split scan_split(const struct problem *p, int threads, const char *word)
{
    for (enum split split = SPLIT_BATCH; split < SPLIT_COUNT && word != NULL; split++)
        if (strcmp(split_names[split], word) == 0)
            return split;
    if (p->B % threads == 0 || p->B >= 4 * threads)
        return SPLIT_BATCH;
    if (p->T >= 64 * (int64_t)threads && threads <= FEW_CHUNKS)
        return SPLIT_TIME;
    if (p->d >= (int64_t)threads * LINE)
        return SPLIT_CHANNELS;
    return p->T >= 64 * (int64_t)threads ? SPLIT_TIME : SPLIT_BATCH;
}

bool scan_stream(const struct problem *p, const struct environment *environment, const char *word)
{
    double set = 3 * (double)p->B * (double)p->T * (double)p->d * sizeof(real);
    if (word != NULL)
        return strcmp(word, "stream") == 0;
    return environment->cache_bytes > 0 && set > (double)environment->cache_bytes;
}

int64_t scan_carry(const struct problem *p, int threads)
{
    return (1 + 2 * (int64_t)threads * p->B) * p->d;
}

void scan_count(const struct problem *p, int threads, enum split split, struct work *work)
{
    double elements = (double)p->B * (double)p->T * (double)p->d, later = elements * (threads - 1) / (threads + 1);
    work->bytes = 3 * elements * sizeof(real);
    work->operations = (p->form == FORM_NORMALISED ? 3 : 2) * elements;
    work->library = false;
    work->set = work->bytes;   /* the second pass comes by what the first has touched */
    if (split == SPLIT_TIME) { /* the second pass over all chunks but the first: lambda and out in, out back; two operations */
        work->bytes += 3 * later * sizeof(real);
        work->operations += 2 * later;
    }
}

/* One step for n channels. out may be x or before, never another overlap. */
static void step(bool gated, const real *lambda, const real *before, const real *x, real *out, int64_t n)
{
    if (gated) {
#pragma omp simd
        for (int64_t c = 0; c < n; c++)
            out[c] = x[c] + lambda[c] * (before[c] - x[c]);
    } else {
#pragma omp simd
        for (int64_t c = 0; c < n; c++)
            out[c] = x[c] + lambda[c] * before[c];
    }
}

/* A scan in one direction of time. Its steps are counted in that direction; step i of a sequence reads lambda, x and writes out at
 * i * stride from where the sequence begins. */
struct walk {
    const struct scan *scan;
    int64_t stride;
    const real *lambda, *x; /* where step 0 of the first sequence is */
    const real *h0;         /* the state before step 0; NULL: zero */
    real *out;
    bool gated, reversed, stream;
};

/* Steps from..to of one sequence and n channels, starting from the state before; NULL is a zero state whose lambda is not read. */
static void steps(const struct walk *w, int64_t offset, int64_t from, int64_t to, int64_t n, const real *before)
{
    const real *lambda = w->lambda + offset, *x = w->x + offset;
    real *out = w->out + offset;
    for (int64_t i = from; i < to; i++) {
        if (before != NULL)
            step(w->gated, lambda + i * w->stride, before, x + i * w->stride, out + i * w->stride, n);
        else
            memmove(out + i * w->stride, x + i * w->stride, (size_t)n * sizeof(real));
        before = out + i * w->stride;
    }
}

/* The same, written past the caches: the state (n) is kept beside. n and all rows are multiples of a register's width. */
static void steps_streamed(const struct walk *w, int64_t offset, int64_t from, int64_t to, int64_t n, const real *before,
                           real *state)
{
    memcpy(state, before, (size_t)n * sizeof(real));
    for (int64_t i = from; i < to; i++) {
        const real *lambda = w->lambda + offset + i * w->stride, *x = w->x + offset + i * w->stride;
        real *out = w->out + offset + i * w->stride;
        for (int64_t c = 0; c < n; c += LANES) {
            lanes l = lanes_load(lambda + c), in = lanes_load(x + c), h = lanes_load(state + c);
            h = w->gated ? in + l * (h - in) : in + l * h;
            lanes_store(state + c, h);
            lanes_stream(out + c, h);
        }
    }
    lanes_streamed();
}

/* All steps of n channels of one sequence; scratch (n). */
static void walk_through(const struct walk *w, int64_t offset, int64_t n, const real *before, real *scratch)
{
    if (w->stream)
        steps_streamed(w, offset, 0, w->scan->T, n, before, scratch);
    else
        steps(w, offset, 0, w->scan->T, n, before);
}

/* The state before the first step of sequence b, from channel c on. Backwards there is no lambda to multiply it with. */
static const real *initial(const struct walk *w, int64_t b, int64_t c)
{
    if (w->reversed)
        return NULL;
    return (w->h0 != NULL ? w->h0 + b * w->scan->d : w->scan->carry) + c;
}

/* Share i of n things divided among parts. */
static int64_t share(int64_t n, int64_t i, int64_t parts)
{
    return n * i / parts;
}

static void run_batch(const struct walk *w)
{
    const struct scan *s = w->scan;
#pragma omp parallel for num_threads(s->threads) schedule(static)
    for (int64_t b = 0; b < s->B; b++)
        walk_through(w, b * s->T * s->d, s->d, initial(w, b, 0), s->carry + (1 + omp_get_thread_num()) * s->d);
}

static void run_channels(const struct walk *w)
{
    const struct scan *s = w->scan;
    int64_t lines = (s->d + LINE - 1) / LINE;
#pragma omp parallel for num_threads(s->threads) schedule(static)
    for (int i = 0; i < s->threads; i++) {
        int64_t from = share(lines, i, s->threads) * LINE, to = share(lines, i + 1, s->threads) * LINE;
        to = to < s->d ? to : s->d;
        for (int64_t b = 0; b < s->B && from < to; b++)
            walk_through(w, b * s->T * s->d + from, to - from, initial(w, b, from), s->carry + s->d + from);
    }
}

/* Chunk i of n starts here. The first is twice as long as the others, since it alone needs no second pass. */
static int64_t chunk_start(int64_t T, int i, int n)
{
    return i == 0 ? 0 : share(T, i + 1, n + 1);
}

/* state (B,d) = the rows before step `from`. */
static void last_rows(const struct walk *w, int64_t from, real *state)
{
    const struct scan *s = w->scan;
    for (int64_t b = 0; b < s->B; b++)
        memcpy(state + b * s->d, w->out + b * s->T * s->d + (from - 1) * w->stride, (size_t)s->d * sizeof(real));
}

/* Adds to steps from..to, scanned from zero, what the state (B,d) before them contributes; the state is used up. */
static void add_running(const struct walk *w, int64_t from, int64_t to, real *state)
{
    const struct scan *s = w->scan;
    for (int64_t b = 0; b < s->B; b++) {
        real *running = state + b * s->d;
        for (int64_t t = from; t < to; t++) {
            const real *l = w->lambda + b * s->T * s->d + t * w->stride;
            real *o = w->out + b * s->T * s->d + t * w->stride;
#pragma omp simd
            for (int64_t c = 0; c < s->d; c++) {
                running[c] *= l[c];
                o[c] += running[c];
            }
        }
    }
}

/* Each chunk is scanned from zero, leaving its last state and the product of its lambdas; the true state at the start of each chunk
 * follows from those of the chunks before, and is added times the running product in a second pass. The recurrence is linear, so
 * this is exact up to rounding. The two arrays of a chunk and sequence: products (d), then the running product of the second
 * pass.
 *
 * Products of lambdas above 1 may overflow where no state does (a state of 0 stays 0), or lose in a subnormal number what grows
 * again. Where there is one, chunk after chunk makes the second pass, from the true state: then nothing is multiplied with a product. */
static void run_time(const struct walk *w)
{
    const struct scan *s = w->scan;
    int64_t size = s->T * s->d, d = s->d;
    const real *zero = s->carry;
    real *carry = s->carry + d;
    bool growing = false;
#pragma omp parallel num_threads(s->threads)
    {
        int i = omp_get_thread_num(), n = omp_get_num_threads();
        int64_t from = chunk_start(s->T, i, n), to = chunk_start(s->T, i + 1, n);
        real *product = carry + 2 * i * s->B * d;
        int above = 0;
        for (int64_t b = 0; b < s->B; b++) {
            steps(w, b * size, from, to, d, i == 0 ? initial(w, b, 0) : zero);
            fill(product + b * d, 1, d);
            for (int64_t t = from; t < to && i > 0 && i < n - 1; t++) {
                const real *l = w->lambda + b * size + t * w->stride;
#pragma omp simd reduction(| : above)
                for (int64_t c = 0; c < d; c++) {
                    product[b * d + c] *= l[c];
                    above |= !(l[c] * l[c] <= 1);
                }
            }
        }
        if (above) {
#pragma omp atomic write
            growing = true;
        }
#pragma omp barrier
        real *state = product + s->B * d;
        if (growing)
            for (int k = 1; k < n; k++) {
                if (k == i) {
                    last_rows(w, from, state);
                    add_running(w, from, to, state);
                }
#pragma omp barrier
            }
        /* Only chunk 0 is true so far: walk over the chunks before this one. Nobody writes a chunk's last row before all have
         * read it, hence the copy and the second barrier. */
        for (int64_t b = 0; b < s->B && i > 0 && !growing; b++) {
            const real *out = w->out + b * size;
            memcpy(state + b * d, out + (chunk_start(s->T, 1, n) - 1) * w->stride, (size_t)d * sizeof(real));
            for (int k = 1; k < i; k++) {
                const real *last = out + (chunk_start(s->T, k + 1, n) - 1) * w->stride;
                step(false, carry + (2 * k * s->B + b) * d, state + b * d, last, state + b * d, d);
            }
        }
#pragma omp barrier
        if (i > 0 && !growing)
            add_running(w, from, to, state);
    }
}

static void run(const struct walk *w)
{
    static void (*const run_split[SPLIT_COUNT])(const struct walk *) = {
        [SPLIT_BATCH] = run_batch, [SPLIT_CHANNELS] = run_channels, [SPLIT_TIME] = run_time};
    const struct scan *s = w->scan;
    bool short_time = s->T <= s->threads && s->split == SPLIT_TIME; /* too short for a chunk a thread */
    fill(s->carry, 0, s->d);                                        /* the zero initial state */
    run_split[short_time ? SPLIT_BATCH : s->split](w);
}

static bool aligned(const real *tensor)
{
    return (uintptr_t)tensor % LANE_BYTES == 0;
}

void scan_run(const struct scan *s, const real *lambda, const real *x, const real *h0, real *out)
{
    struct walk w = {.scan = s, .stride = s->d, .lambda = lambda, .x = x, .h0 = h0, .out = out, .gated = s->gated};
    w.stream = s->stream && out != x && s->d % LANES == 0 && aligned(lambda) && aligned(x) && aligned(out);
    run(&w);
}

void scan_run_reversed(const struct scan *s, const real *lambda, const real *x, real *out)
{
    int64_t last = (s->T - 1) * s->d;
    const struct walk w = {.scan = s,
                           .stride = -s->d,
                           .lambda = lambda + last + s->d, /* lambda_{t+1}; step 0 does not read it */
                           .x = x + last,
                           .out = out + last,
                           .reversed = true};
    run(&w);
}
