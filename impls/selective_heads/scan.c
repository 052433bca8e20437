/* See scan.h. */
#include "impls/selective_heads/scan.h"

#include "impls/math/vector.h"

#define INLINE static inline __attribute__((always_inline))

enum { CHUNK = 32, TOGETHER = 2 };          /* tokens; groups */
enum { STATES = LANE_BYTES == 64 ? 8 : 4 }; /* of a block: with those of two groups they fill half of the registers */

static int64_t blocks_of(const struct problem *p)
{
    return (p->N + STATES - 1) / STATES;
}

/* Where things lie. Pairs of groups lie interleaved, so that a group begins where as many before it end; so does a last one
 * alone. */
struct room {
    real *H;           /* of a group (blocks, STATES) vectors */
    real *u, *a, *out; /* of a group (CHUNK) vectors: what drives it, its decays, H c~ */
    real *bc;          /* (blocks, CHUNK, 2, STATES) zeros beyond N */
    real *b, *c;       /* (CHUNK, N) */
    real *decays;      /* (heads, CHUNK) */
    int64_t size;
};

static real *take(struct room *room, real *memory, int64_t n)
{
    real *at = memory == NULL ? NULL : memory + room->size;
    room->size += (n + 15) / 16 * 16;
    return at;
}

static struct room room_of(const struct problem *p, real *memory)
{
    const int64_t lanes_all = heads_groups(p) * LANES, states = blocks_of(p) * STATES;
    struct room room = {0};
    room.H = take(&room, memory, lanes_all * states);
    room.u = take(&room, memory, lanes_all * CHUNK);
    room.a = take(&room, memory, lanes_all * CHUNK);
    room.out = take(&room, memory, lanes_all * CHUNK);
    room.bc = take(&room, memory, 2 * states * CHUNK);
    room.b = take(&room, memory, heads_unit(p) ? p->N * CHUNK : 0);
    room.c = take(&room, memory, heads_unit(p) ? p->N * CHUNK : 0);
    room.decays = take(&room, memory, p->heads * CHUNK);
    return room;
}

int64_t heads_scan_scratch(const struct problem *p)
{
    return room_of(p, NULL).size;
}

/* n tokens of a block of states of `together` groups; the first block of a chunk begins the sums. */
INLINE void run_block(const int together, const bool first, int64_t n, const real *bc, lanes_kept *H, const lanes_kept *u,
                      const lanes_kept *a, lanes_kept *out)
{
    lanes state[STATES][TOGETHER];
#pragma GCC unroll 8
    for (int i = 0; i < STATES; i++)
#pragma GCC unroll 2
        for (int g = 0; g < together; g++)
            state[i][g] = H[i * together + g];
    for (int64_t t = 0; t < n; t++, bc += 2 * STATES, u += together, a += together, out += together) {
        lanes sum[TOGETHER], drive[TOGETHER], decay[TOGETHER];
#pragma GCC unroll 2
        for (int g = 0; g < together; g++) {
            sum[g] = (lanes){0};
            if (!first)
                sum[g] = out[g];
            drive[g] = u[g];
            decay[g] = a[g];
        }
#pragma GCC unroll 8
        for (int i = 0; i < STATES; i++)
#pragma GCC unroll 2
            for (int g = 0; g < together; g++) {
                state[i][g] = decay[g] * state[i][g] + drive[g] * bc[i];
                sum[g] += state[i][g] * bc[STATES + i];
            }
#pragma GCC unroll 2
        for (int g = 0; g < together; g++)
            out[g] = sum[g];
    }
#pragma GCC unroll 8
    for (int i = 0; i < STATES; i++)
#pragma GCC unroll 2
        for (int g = 0; g < together; g++)
            H[i * together + g] = state[i][g];
}

/* Rows of the next chunk, which are asked for in small portions while this one is computed: a chunk reads and writes its rows all
 * at once, and would have to wait for them else. */
struct ahead {
    const real *rows[3];   /* of x, z and y; NULL: none */
    int64_t n, done, each; /* reals, so many of which have been asked for, in portions of `each` */
};

/* Of n tokens from i on, in about so many portions. */
INLINE struct ahead ahead_of(const struct problem *p, const struct inputs *inputs, const real *y, int64_t i, int64_t n,
                             int64_t portions)
{
    const int64_t at = i * p->d, line = 64 / (int64_t)sizeof(real);
    return (struct ahead){.rows = {(const real *)inputs->x + at, inputs->z != NULL ? (const real *)inputs->z + at : NULL, y + at},
                          .n = n * p->d,
                          .each = (n * p->d / portions / line + 1) * line};
}

/* The next portion, if there is one left. */
INLINE void ahead_ask(struct ahead *ahead)
{
    const int64_t end = ahead->done + ahead->each < ahead->n ? ahead->done + ahead->each : ahead->n;
    for (int64_t i = ahead->done; i < end; i += 64 / (int64_t)sizeof(real)) {
        __builtin_prefetch(ahead->rows[0] + i, 0, 2);
        __builtin_prefetch(ahead->rows[2] + i, 1, 2);
        if (ahead->rows[1] != NULL)
            __builtin_prefetch(ahead->rows[1] + i, 0, 2);
    }
    ahead->done = end;
}

INLINE void run_groups(const int together, const struct problem *p, const struct room *room, int64_t g, int64_t n,
                       struct ahead *ahead)
{
    const int64_t blocks = blocks_of(p), block = STATES * together;
    lanes_kept *H = (lanes_kept *)(room->H + g * blocks * STATES * LANES), *out = (lanes_kept *)(room->out + g * CHUNK * LANES);
    const lanes_kept *u = (lanes_kept *)(room->u + g * CHUNK * LANES), *a = (lanes_kept *)(room->a + g * CHUNK * LANES);
    ahead_ask(ahead);
    run_block(together, true, n, room->bc, H, u, a, out);
    for (int64_t k = 1; k < blocks; k++) {
        ahead_ask(ahead);
        run_block(together, false, n, room->bc + k * CHUNK * 2 * STATES, H + k * block, u, a, out);
    }
}

/* Vector v of a row of channels that begins at group g, of `to - from` groups, seen from their pair: where it lies. */
INLINE int64_t place(int64_t g, int64_t groups, int64_t row, int64_t rows)
{
    const int64_t pair = g / TOGETHER * TOGETHER, together = groups - pair < TOGETHER ? groups - pair : TOGETHER;
    return (pair * rows + row * together + g - pair) * LANES;
}

/* The state of a channel in a row (N) of H (d,N), to the block and back. */
static void load_state(const struct problem *p, const struct room *room, int64_t from, int64_t to, const real *H)
{
    const int64_t rows = blocks_of(p) * STATES, groups = to - from;
    memset(room->H, 0, (size_t)(groups * rows * LANES) * sizeof(real));
    for (int64_t c = from * LANES; H != NULL && c < to * LANES && c < p->d; c++)
        for (int64_t n = 0; n < p->N; n++)
            room->H[place(c / LANES - from, groups, n, rows) + c % LANES] = H[c * p->N + n];
}

static void store_state(const struct problem *p, const struct room *room, int64_t from, int64_t to, real *H)
{
    const int64_t rows = blocks_of(p) * STATES, groups = to - from;
    for (int64_t c = from * LANES; c < to * LANES && c < p->d; c++)
        for (int64_t n = 0; n < p->N; n++)
            H[c * p->N + n] = room->H[place(c / LANES - from, groups, n, rows) + c % LANES];
}

/* b~ and c~ of n tokens from i on, block by block of states. */
static void pack_vectors(const struct problem *p, const struct inputs *inputs, const struct room *room, int64_t i, int64_t n)
{
    const real *const row[2] = {heads_vectors(p, inputs->b, i, n, room->b), heads_vectors(p, inputs->c, i, n, room->c)};
    const int64_t N = p->N;
    for (int64_t k = 0; k < blocks_of(p); k++) {
        const int64_t width = N - k * STATES < STATES ? N - k * STATES : STATES;
        for (int64_t t = 0; t < n; t++)
            for (int which = 0; which < 2; which++) {
                real *to = room->bc + ((k * CHUNK + t) * 2 + which) * STATES;
                const real *from = row[which] + t * N + k * STATES;
                if (width == STATES)
                    memcpy(to, from, STATES * sizeof(real));
                else
                    for (int64_t j = 0; j < STATES; j++)
                        to[j] = j < width ? from[j] : 0;
            }
    }
}

/* Of group g the n rows of u and a, from x and dt of the first token on. */
static void pack_group(const struct problem *p, const struct room *room, int64_t g, int64_t from, int64_t to, int64_t n,
                       const real *x, const real *dt)
{
    const int64_t channels = p->d / p->heads, first = g * LANES, width = group_width(p->d, g), head = first / channels;
    const int64_t at = place(g - from, to - from, 0, CHUNK), next = place(g - from, to - from, 1, CHUNK) - at;
    const bool alone = (first + width - 1) / channels == head; /* one head has all lanes */
    const real *decays = room->decays + head * CHUNK;
    lanes_kept *u = (lanes_kept *)(room->u + at), *a = (lanes_kept *)(room->a + at);
    for (int64_t t = 0; t < n; t++, x += p->d, dt += p->heads, u += next / LANES, a += next / LANES) {
        *u = dt[head] * group_load(x + first, width);
        *a = (lanes){0} + decays[t];
        for (int64_t c = 0; c < width && !alone; c++) {
            const int64_t its = (first + c) / channels;
            (*u)[c] = dt[its] * x[first + c];
            (*a)[c] = room->decays[its * CHUNK + t];
        }
    }
}

/* What drives the groups and by how much they decay, n tokens from i on. */
static void pack_tokens(const struct problem *p, const struct inputs *inputs, const struct room *room, int64_t from, int64_t to,
                        int64_t i, int64_t n)
{
    heads_decays(p, inputs, i, n, 0, p->heads, CHUNK, room->decays);
    for (int64_t g = from; g < to; g++)
        pack_group(p, room, g, from, to, n, (const real *)inputs->x + i * p->d, (const real *)inputs->dt + i * p->heads);
}

static void put_rows(const struct problem *p, const struct room *room, int64_t from, int64_t to, int64_t n, real *y)
{
    for (int64_t t = 0; t < n; t++, y += p->d)
        for (int64_t g = from; g < to; g++)
            group_store(y + g * LANES, lanes_load(room->out + place(g - from, to - from, t, CHUNK)), group_width(p->d, g));
}

bool heads_scan(const struct problem *p, const struct inputs *inputs, int64_t b, int64_t from, int64_t to, real *y, real *final,
                real *scratch)
{
    const struct room room = room_of(p, scratch);
    const int64_t groups = to - from, matrix = p->d * p->N;
    const bool whole = from == 0 && to == heads_groups(p);
    const int64_t portions = (groups + TOGETHER - 1) / TOGETHER * blocks_of(p);
    bool finite = true;
    load_state(p, &room, from, to, inputs->H0 != NULL ? (const real *)inputs->H0 + b * matrix : NULL);
    for (int64_t begin = 0; begin < p->T; begin += CHUNK) {
        const int64_t n = p->T - begin < CHUNK ? p->T - begin : CHUNK, i = b * p->T + begin;
        pack_vectors(p, inputs, &room, i, n);
        pack_tokens(p, inputs, &room, from, to, i, n);
        const int64_t left = p->T - begin - n, next = left < CHUNK ? left : CHUNK;
        /* nothing of a part of the channels: the rest of a row is for other threads to read */
        struct ahead ahead = ahead_of(p, inputs, y, i + n, whole ? next : 0, portions);
        for (int64_t g = 0; g < groups; g += TOGETHER)
            if (groups - g >= TOGETHER)
                run_groups(TOGETHER, p, &room, g, n, &ahead);
            else
                run_groups(1, p, &room, g, n, &ahead);
        put_rows(p, &room, from, to, n, y + i * p->d);
        if (whole)
            finite = heads_finish(p, inputs, i, n, y) && finite;
    }
    if (final != NULL)
        store_state(p, &room, from, to, final + b * matrix);
    return finite;
}
