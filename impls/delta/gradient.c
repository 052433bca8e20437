/* See gradient.h. */
#include "impls/delta/gradient.h"

#include "impls/math/vector.h"

#define INLINE static inline __attribute__((always_inline))

/* Tokens of a stretch, the root of T rounded up, and how many stretches there are. */
static int64_t stretch_size(const struct problem *p)
{
    int64_t n = 1;
    while (n * n < p->T)
        n++;
    return n;
}

static int64_t stretches(const struct problem *p)
{
    return (p->T + stretch_size(p) - 1) / stretch_size(p);
}

/* Of one thread. */
struct room {
    real *begins;           /* (stretches, N, width) states before each */
    real *states, *errors;  /* of a stretch: (tokens, r, N, width), (tokens, r, width) */
    real *S, *G;            /* (N, width) */
    real *slope, *y;        /* (width): G^T k, and the adjoint of the output, zeros beyond it */
    real *drive, *key, *to; /* (width), (N), (N): rows that nobody asks for */
    real *walk;
    int64_t size; /* reals taken */
};

static real *take(struct room *room, real *memory, int64_t n)
{
    real *at = memory == NULL ? NULL : memory + room->size;
    room->size += (n + 15) / 16 * 16;
    return at;
}

static struct room room_of(const struct problem *p, real *memory)
{
    const int64_t width = delta_width(p), size = p->N * width, steps = stretch_size(p) * p->r;
    struct room room = {0};
    room.begins = take(&room, memory, stretches(p) * size);
    room.states = take(&room, memory, steps * size);
    room.errors = take(&room, memory, steps * width);
    room.S = take(&room, memory, size);
    room.G = take(&room, memory, size);
    room.slope = take(&room, memory, width);
    room.y = take(&room, memory, width);
    room.drive = take(&room, memory, width);
    room.key = take(&room, memory, p->N);
    room.to = take(&room, memory, p->N);
    room.walk = take(&room, memory, delta_scratch(p));
    return room;
}

int64_t delta_gradient_scratch(const struct problem *p)
{
    return room_of(p, NULL).size;
}

/* What a head goes back with. */
struct back {
    const struct delta_head *head;
    const struct room *room;
    const struct gradients *to;
    const real *y_adjoint, *start; /* the state before the stretch */
    int64_t begin;                 /* of the stretch */
};

/* The sums of the lanes of `rows` vectors, at most LANES of them, times a. */
INLINE void put_sums(lanes sum[LANES], int64_t rows, real a, real *to)
{
    const lanes sums = a * lanes_sums(sum);
    memcpy(to, &sums, (size_t)rows * sizeof(real));
}

/* Of all rows n of G and S, each read once for all of that: to_n = beta (<G_n, error> - a <S_n, s>), then
 * G_n <- G_n - beta k_n s. */
static void rows_back(int64_t N, int64_t width, real beta, const real *k, const real *error, real a, const real *s, const real *S,
                      real *G, real *to)
{
    for (int64_t n = 0; n < N; n += LANES) {
        const int64_t rows = N - n < LANES ? N - n : LANES;
        lanes sum[LANES] = {{0}};
        for (int64_t i = 0; i < rows; i++, S += width, G += width) {
            const real b = beta * k[n + i];
            for (int64_t c = 0; c < width; c += LANES) {
                const lanes before = lanes_load(G + c), slope = lanes_load(s + c);
                sum[i] += before * lanes_load(error + c) - a * lanes_load(S + c) * slope;
                lanes_store(G + c, before - b * slope);
            }
        }
        put_sums(sum, rows, beta, to + n);
    }
}

/* Likewise of the output: to_n = scale <S_n, y>, and G_n <- G_n + scale q_n y. */
static void rows_of_output(int64_t N, int64_t width, real scale, const real *q, const real *y, const real *S, real *G, real *to)
{
    for (int64_t n = 0; n < N; n += LANES) {
        const int64_t rows = N - n < LANES ? N - n : LANES;
        lanes sum[LANES] = {{0}};
        for (int64_t i = 0; i < rows; i++, S += width, G += width) {
            const real b = scale * q[n + i];
            for (int64_t c = 0; c < width; c += LANES) {
                const lanes out = lanes_load(y + c);
                sum[i] += lanes_load(S + c) * out;
                lanes_store(G + c, lanes_load(G + c) + b * out);
            }
        }
        put_sums(sum, rows, scale, to + n);
    }
}

/* And of the gate: the sum of G . S is returned, and G <- a G. */
static real rows_of_gate(int64_t N, int64_t width, real a, const real *S, real *G)
{
    lanes sum[LANES] = {{0}};
    real sums[LANES], all = 0;
    for (int64_t n = 0; n < N; n++, S += width, G += width)
        for (int64_t c = 0; c < width; c += LANES) {
            const lanes before = lanes_load(G + c);
            sum[n % LANES] += before * lanes_load(S + c);
            lanes_store(G + c, a * before);
        }
    put_sums(sum, LANES, a, sums);
    for (int64_t i = 0; i < LANES; i++)
        all += sums[i];
    return all;
}

/* The part of tensor `row` of a gradient that belongs to the head, `of` reals each; or, where it is not asked for, a row to
 * forget. */
static real *part(void *gradient, int64_t row, int64_t of, const struct delta_head *head, real *otherwise)
{
    return gradient != NULL ? (real *)gradient + (row * head->problem->heads + head->head) * of : otherwise;
}

/* The state before step i, counted in the stretch, and after it. */
static const real *state_before(const struct back *back, int64_t i)
{
    const struct problem *p = back->head->problem;
    const int64_t size = p->N * delta_width(p);
    return i > 0 ? back->room->states + (i - 1) * size : back->start;
}

/* Back through the output of token t. */
static void output_back(const struct back *back, int64_t t)
{
    const struct delta_head *head = back->head;
    const struct problem *p = head->problem;
    const struct room *room = back->room;
    const int64_t N = p->N, width = delta_width(p), token = head->b * p->T + t;
    const real scale = 1 / real_sqrt((real)N), *q = head->q + t * head->of_k;
    const real *S = state_before(back, (t + 1 - back->begin) * p->r);
    const real *y = back->y_adjoint != NULL ? back->y_adjoint + token * p->d + head->head * head->channels : NULL;
    real *q_adjoint = part(back->to->q, token, N, head, room->to);
    if (y == NULL) {
        fill(q_adjoint, 0, N);
        return;
    }
    memcpy(room->y, y, (size_t)head->channels * sizeof(real));
    rows_of_output(N, width, scale, q, room->y, S, room->G, q_adjoint);
}

/* Back through step j of token t; false where that is not finite. */
static bool step_back(const struct back *back, int64_t t, int64_t j)
{
    const struct delta_head *head = back->head;
    const struct problem *p = head->problem;
    const struct room *room = back->room;
    const int64_t N = p->N, width = delta_width(p), channels = head->channels, i = t * p->r + j, kept_at = i - back->begin * p->r;
    const int64_t step = head->b * p->T * p->r + i;
    const real *k = head->k + i * head->of_k, *error = room->errors + kept_at * width, *S = state_before(back, kept_at);
    const real beta = head->beta[i * head->of_heads], kept = j == 0 ? delta_kept(head, t) : 1;
    real *k_adjoint = part(back->to->k, step, N, head, room->to), *v_adjoint = part(back->to->v, step, channels, head, room->drive);
    real finite = 0;
    delta_read(N, width, room->G, k, room->slope);
    rows_back(N, width, beta, k, error, kept, room->slope, S, room->G, k_adjoint);
    *part(back->to->beta, step, 1, head, room->key) = dot(room->slope, error, channels);
#pragma omp simd reduction(+ : finite)
    for (int64_t c = 0; c < channels; c++) {
        v_adjoint[c] = beta * room->slope[c];
        finite += room->slope[c] - room->slope[c];
    }
    return finite == 0;
}

/* Back through the gate of token t; false where that is not finite. */
static bool gate_back(const struct back *back, int64_t t)
{
    const struct delta_head *head = back->head;
    const struct problem *p = head->problem;
    const int64_t width = delta_width(p);
    const real kept = delta_kept(head, t), *S = state_before(back, (t - back->begin) * p->r);
    if (head->g == NULL)
        return true;
    const real slope = rows_of_gate(p->N, width, kept, S, back->room->G);
    *part(back->to->g, head->b * p->T + t, 1, head, back->room->key) = slope;
    return slope - slope == 0;
}

int64_t delta_gradient_run(const struct problem *p, const struct inputs *inputs, const real *y_adjoint, const real *final_adjoint,
                           int64_t b, int64_t h, const struct gradients *gradients, real *scratch)
{
    const struct room room = room_of(p, scratch);
    const struct delta_head head = delta_head(p, inputs, b, h);
    const int64_t size = p->N * delta_width(p), length = stretch_size(p), last = stretches(p) - 1, matrix = p->d * p->N;
    struct back back = {.head = &head, .room = &room, .to = gradients, .y_adjoint = y_adjoint};
    int64_t failed = p->B * p->T;
    delta_load(p, h, inputs->H0 != NULL ? (const real *)inputs->H0 + b * matrix : NULL, room.S);
    for (int64_t i = 0; i <= last; i++) {
        memcpy(room.begins + i * size, room.S, (size_t)size * sizeof(real));
        if (i < last)
            delta_walk(&head, i * length, (i + 1) * length, room.S, NULL, NULL, room.walk);
    }
    fill(room.y, 0, delta_width(p));
    delta_load(p, h, final_adjoint != NULL ? final_adjoint + b * matrix : NULL, room.G);
    for (int64_t i = last; i >= 0; i--) {
        const int64_t end = i < last ? (i + 1) * length : p->T;
        const struct delta_kept_states keep = {.states = room.states, .errors = room.errors};
        back.begin = i * length;
        back.start = room.begins + i * size;
        delta_walk(&head, back.begin, end, room.begins + i * size, NULL, &keep, room.walk);
        for (int64_t t = end - 1; t >= back.begin; t--) {
            bool finite = true;
            output_back(&back, t);
            for (int64_t j = p->r - 1; j >= 0; j--)
                finite = step_back(&back, t, j) && finite;
            finite = gate_back(&back, t) && finite;
            if (!finite && failed == p->B * p->T)
                failed = b * p->T + t;
        }
    }
    if (gradients->H0 != NULL)
        delta_store(p, h, room.G, (real *)gradients->H0 + b * matrix);
    return failed;
}
