/* See chunk_gradient.h. */
#include "impls/delta/chunk_gradient.h"

#include "impls/delta/solve.h"
#include "impls/math/blas.h"
#include "impls/math/finite.h"
#include "impls/math/vector.h"

/* Of one thread. */
struct room {
    struct delta_chunk chunk;
    real *begins;    /* (chunks, N, width) the state before each */
    real *S, *G, *H; /* (N, width) */
    real *W;         /* (steps + tokens, width): m, Y' */
    real *s;         /* (steps, width) */
    real *Z;         /* (steps + tokens, steps) */
    real *adjoint;   /* (steps + tokens, N) of K and Q */
    real *pairs;     /* (steps): what g gets of a step with tokens from some one on */
    int64_t taken;
};

static int64_t chunks_of(const struct problem *p, int64_t tokens)
{
    return (p->T + tokens - 1) / tokens;
}

static struct room room_of(const struct problem *p, int64_t tokens, real *memory)
{
    const int64_t width = delta_width(p), size = p->N * width, steps = tokens * p->r, rows = steps + tokens;
    struct room room = {.chunk = delta_chunk(p, tokens, memory), .taken = delta_chunk_size(p, tokens)};
    room.begins = delta_take(memory, &room.taken, chunks_of(p, tokens) * size);
    room.S = delta_take(memory, &room.taken, size);
    room.G = delta_take(memory, &room.taken, size);
    room.H = delta_take(memory, &room.taken, size);
    room.W = delta_take(memory, &room.taken, rows * width);
    room.s = delta_take(memory, &room.taken, steps * width);
    room.Z = delta_take(memory, &room.taken, rows * steps);
    room.adjoint = delta_take(memory, &room.taken, rows * p->N);
    room.pairs = delta_take(memory, &room.taken, steps);
    return room;
}

int64_t delta_chunk_gradient_size(const struct problem *p, int64_t tokens)
{
    return room_of(p, tokens, NULL).taken;
}

/* What does not change on the way. */
struct back {
    struct room *room;
    const struct delta_head *head;
    const real *y_adjoint;
    const struct gradients *to;
};

/* C (rows,columns) = A B + beta C, A (rows,inner), each of A and B as it stands or transposed. */
static void product(enum CBLAS_TRANSPOSE a, enum CBLAS_TRANSPOSE b, int64_t rows, int64_t columns, int64_t inner, const real *A,
                    int64_t lda, const real *B, int64_t ldb, real beta, real *C, int64_t ldc)
{
    blas_gemm(CblasRowMajor, a, b, (int)rows, (int)columns, (int)inner, 1, A, (int)lda, B, (int)ldb, beta, C, (int)ldc);
}

/* Y' of the chunk, zeros where there is none and beyond the channels. */
static void load_outputs(const struct back *back)
{
    const struct delta_head *head = back->head;
    const struct delta_chunk *chunk = &back->room->chunk;
    const struct problem *p = head->problem;
    const int64_t width = delta_width(p);
    real *rows = back->room->W + chunk->steps * width;
    memset(rows, 0, (size_t)(chunk->tokens * width) * sizeof(real));
    for (int64_t t = 0; t < chunk->tokens && back->y_adjoint != NULL; t++)
        memcpy(rows + t * width, back->y_adjoint + (head->b * p->T + chunk->begin + t) * p->d + head->head * head->channels,
               (size_t)head->channels * sizeof(real));
}

/* s and m, and v' and beta'. Leaves in pairs[j] what g gets of M_last,j. Whether s is finite. */
static bool errors_back(const struct back *back, const real *G)
{
    const struct room *room = back->room;
    const struct delta_chunk *chunk = &room->chunk;
    const struct delta_head *head = back->head;
    const struct problem *p = head->problem;
    const int64_t N = p->N, width = delta_width(p), steps = chunk->steps, tokens = chunk->tokens, channels = head->channels;
    product(CblasNoTrans, CblasNoTrans, steps, width, N, chunk->keys, N, G, width, 0, room->s, width);
    for (int64_t i = 0; i < steps && head->g != NULL; i++) {
        room->pairs[i] = dot(chunk->kept + i * width, room->s + i * width, width);
        set_scaled(chunk->M[(tokens - 1) * steps + i], room->s + i * width, room->s + i * width, width);
    }
    product(CblasTrans, CblasNoTrans, steps, width, tokens, chunk->pairs + steps * steps, steps, room->W + steps * width, width, 1,
            room->s, width);
    delta_solve_back(steps, width, chunk->pairs, chunk->beta, room->s, room->W);
    for (int64_t i = 0; i < steps; i++) {
        const int64_t step = (head->b * p->T + chunk->begin) * p->r + i, at = step * p->heads + head->head;
        if (back->to->v != NULL)
            set_scaled(-1, room->W + i * width, (real *)back->to->v + step * p->d + head->head * channels, channels);
        if (back->to->beta != NULL)
            ((real *)back->to->beta)[at] = dot(room->s + i * width, chunk->errors + i * width, width);
    }
    return row_finite(room->s, steps * width);
}

/* g', from what M_last has (pairs), Z before its M, and D [m; Y']; then Z has its M. all: of D_last. Whether g' is finite. */
static bool gates_back(const struct back *back, real all)
{
    const struct room *room = back->room;
    const struct delta_chunk *chunk = &room->chunk;
    const struct delta_head *head = back->head;
    const struct problem *p = head->problem;
    const int64_t r = p->r, width = delta_width(p), steps = chunk->steps;
    real finite = 0;
    for (int64_t t = chunk->tokens - 1; t >= 0; t--) {
        const real *M = chunk->M + t * steps;
        real sum = 0;
        for (int64_t k = 0; k <= r; k++) {
            const int64_t row = k < r ? t * r + k : steps + t;
            const real *pair = chunk->pairs + row * steps;
            real *Z = room->Z + row * steps;
            all += dot(chunk->read + row * width, room->W + row * width, width);
#pragma omp simd
            for (int64_t j = 0; j < t * r; j++) {
                room->pairs[j] += Z[j] * pair[j];
                Z[j] *= M[j];
            }
        }
        for (int64_t j = 0; j < t * r; j++)
            sum += room->pairs[j];
        finite += (all + sum) - (all + sum);
        if (back->to->g != NULL)
            ((real *)back->to->g)[(head->b * p->T + chunk->begin + t) * p->heads + head->head] = all + sum;
    }
    return finite == 0;
}

/* K' and Q'. */
static void keys_back(const struct back *back, const real *S, const real *G)
{
    const struct room *room = back->room;
    const struct delta_chunk *chunk = &room->chunk;
    const struct delta_head *head = back->head;
    const struct problem *p = head->problem;
    const int64_t N = p->N, width = delta_width(p), steps = chunk->steps, rows = steps + chunk->tokens;
    const int64_t token = head->b * p->T + chunk->begin;
    const real scale = 1 / real_sqrt((real)N);
    real *adjoint = room->adjoint;
    product(CblasNoTrans, CblasNoTrans, rows, N, steps, room->Z, steps, chunk->keys, N, 0, adjoint, N);
    product(CblasNoTrans, CblasTrans, rows, N, width, room->W, width, S, width, 1, adjoint, N);
    product(CblasTrans, CblasNoTrans, steps, N, rows, room->Z, steps, chunk->keys, N, 1, adjoint, N);
    product(CblasNoTrans, CblasTrans, steps, N, width, chunk->kept, width, G, width, 1, adjoint, N);
    for (int64_t i = 0; i < steps && back->to->k != NULL; i++)
        memcpy((real *)back->to->k + ((token * p->r + i) * p->heads + head->head) * N, adjoint + i * N, (size_t)N * sizeof(real));
    for (int64_t t = 0; t < chunk->tokens && back->to->q != NULL; t++)
        set_scaled(scale, adjoint + (steps + t) * N, (real *)back->to->q + ((token + t) * p->heads + head->head) * N, N);
}

/* A chunk whose errors are there, from S; G from after it to before it. Whether s and g' are finite. */
static bool chunk_back(const struct back *back, const real *S, const real *G, real *before)
{
    const struct room *room = back->room;
    const struct delta_chunk *chunk = &room->chunk;
    const struct problem *p = back->head->problem;
    const int64_t N = p->N, r = p->r, width = delta_width(p), steps = chunk->steps, rows = steps + chunk->tokens;
    const real D = chunk->D[chunk->tokens - 1];
    load_outputs(back);
    bool finite = errors_back(back, G);
    product(CblasNoTrans, CblasTrans, rows, steps, width, room->W, width, chunk->X, width, 0, room->Z, steps);
    for (int64_t row = 0; row < rows; row++) {
        const int64_t t = row < steps ? row / r : row - steps, end = row < steps ? row : (t + 1) * r;
        fill(room->Z + row * steps + end, 0, steps - end);
        if (back->head->g != NULL)
            set_scaled(chunk->D[t], room->W + row * width, room->W + row * width, width);
    }
    if (back->head->g != NULL)
        finite = gates_back(back, D * dot(G, S, N * width)) && finite;
    keys_back(back, S, G);
    set_scaled(D, G, before, N * width);
    product(CblasTrans, CblasNoTrans, N, width, rows, chunk->keys, N, room->W, width, 1, before, width);
    return finite;
}

/* The same of its tokens one by one, the last first, each from the state before it; the token at which something is not finite, or
 * -1. What is not finite is rare: states are found by walking there from the beginning. */
static int64_t tokens_back(const struct back *back, int64_t begin, int64_t end, const real *S, real *G)
{
    struct room *room = back->room;
    const int64_t size = back->head->problem->N * delta_width(back->head->problem);
    int64_t failed = -1;
    for (int64_t t = end - 1; t >= begin; t--) {
        memcpy(room->S, S, (size_t)size * sizeof(real));
        for (int64_t u = begin; u < t; u++) {
            delta_chunk_errors(&room->chunk, back->head, u, 1, room->S);
            delta_chunk_state(&room->chunk, room->S);
        }
        delta_chunk_errors(&room->chunk, back->head, t, 1, room->S);
        if (!chunk_back(back, room->S, G, G) && failed < 0)
            failed = t;
    }
    return failed;
}

int64_t delta_chunk_gradient(const struct problem *p, int64_t tokens, const struct inputs *inputs, const real *y_adjoint,
                             const real *final_adjoint, int64_t b, int64_t h, const struct gradients *gradients, real *scratch)
{
    struct room room = room_of(p, tokens, scratch);
    const struct delta_head head = delta_head(p, inputs, b, h);
    const struct back back = {.room = &room, .head = &head, .y_adjoint = y_adjoint, .to = gradients};
    const int64_t size = p->N * delta_width(p), matrix = p->d * p->N, chunks = chunks_of(p, tokens);
    int64_t failed = -1;
    delta_load(p, h, inputs->H0 != NULL ? (const real *)inputs->H0 + b * matrix : NULL, room.begins);
    for (int64_t i = 0; i + 1 < chunks; i++) {
        memcpy(room.begins + (i + 1) * size, room.begins + i * size, (size_t)size * sizeof(real));
        delta_chunk_run(&room.chunk, &head, i * tokens, tokens, room.begins + (i + 1) * size, NULL);
    }
    delta_load(p, h, final_adjoint != NULL ? final_adjoint + b * matrix : NULL, room.G);
    for (int64_t i = chunks - 1; i >= 0; i--) {
        const int64_t begin = i * tokens, end = begin + tokens < p->T ? begin + tokens : p->T;
        const real *S = room.begins + i * size;
        delta_chunk_errors(&room.chunk, &head, begin, end - begin, S);
        const bool finite = chunk_back(&back, S, room.G, room.H);
        if (finite || failed >= 0) {
            real *G = room.G;
            room.G = room.H;
            room.H = G;
        } else {
            failed = tokens_back(&back, begin, end, S, room.G);
        }
    }
    if (gradients->H0 != NULL)
        delta_store(p, h, room.G, (real *)gradients->H0 + b * matrix);
    return failed < 0 ? p->B * p->T : b * p->T + failed;
}
