/* See head.h. */
#include "impls/delta/head.h"

#include "impls/math/vector.h"

struct delta_head delta_head(const struct problem *p, const struct inputs *inputs, int64_t b, int64_t head)
{
    const int64_t heads = p->heads, channels = p->d / heads, tokens = b * p->T, steps = tokens * p->r;
    return (struct delta_head){.problem = p,
                               .b = b,
                               .head = head,
                               .channels = channels,
                               .q = (const real *)inputs->q + (tokens * heads + head) * p->N,
                               .k = (const real *)inputs->k + (steps * heads + head) * p->N,
                               .v = (const real *)inputs->v + steps * p->d + head * channels,
                               .beta = (const real *)inputs->beta + steps * heads + head,
                               .g = inputs->g != NULL ? (const real *)inputs->g + tokens * heads + head : NULL,
                               .of_k = heads * p->N,
                               .of_v = p->d,
                               .of_heads = heads};
}

real delta_kept(const struct delta_head *head, int64_t t)
{
    return head->g != NULL ? real_exp(head->g[t * head->of_heads]) : 1;
}

int64_t delta_scratch(const struct problem *p)
{
    return 6 * delta_width(p);
}

/* A walk takes the steps in groups of two, so that the state is read and written once for both; or one by one, where there is no
 * other, or where the state after each is to be kept. */
struct walk {
    const struct delta_head *head;
    int64_t width, begin, end; /* steps */
    real *y;
    const struct delta_kept_states *keep;
    real *read[2], *ahead; /* of the state before the group: S^T k of its steps, S^T q of the first, where it is to answer */
    real *u[2], *out;      /* what its steps write, and S^T q after the last */
};

/* The logarithm of what the state is multiplied with before step i. */
static real gate_before(const struct walk *walk, int64_t i)
{
    const struct delta_head *head = walk->head;
    const int64_t r = head->problem->r;
    return head->g != NULL && i % r == 0 ? head->g[i / r * head->of_heads] : 0;
}

/* Two gates that grow are not multiplied: the product may overflow where each of them does not. */
static int64_t group_size(const struct walk *walk, int64_t i)
{
    if (i >= walk->end)
        return 0;
    const bool two = walk->keep == NULL && i + 1 < walk->end && gate_before(walk, i) + gate_before(walk, i + 1) <= 0;
    return two ? 2 : 1;
}

/* The query of step i, where there is an answer after it; else NULL. */
static const real *asked(const struct walk *walk, int64_t i)
{
    const struct delta_head *head = walk->head;
    const int64_t r = head->problem->r;
    return walk->y != NULL && i % r == r - 1 ? head->q + i / r * head->of_k : NULL;
}

static const real *key(const struct walk *walk, int64_t i)
{
    return walk->head->k + i * walk->head->of_k;
}

static real kept_before(const struct walk *walk, int64_t i)
{
    const int64_t r = walk->head->problem->r;
    return i % r == 0 ? delta_kept(walk->head, i / r) : 1;
}

/* Lanes of a row of so many reals, and zeros beyond them. */
static lanes load_some(const real *row, int64_t c, int64_t n)
{
    lanes some = {0};
    if (c + LANES <= n)
        return lanes_load(row + c);
    memcpy(&some, row + c, (size_t)(n - c) * sizeof *row);
    return some;
}

/* y of the token of step i, from S^T q. */
static void answer(const struct walk *walk, int64_t i, const real *read)
{
    const struct delta_head *head = walk->head;
    const struct problem *p = head->problem;
    const real scale = 1 / real_sqrt((real)p->N);
    real *y = walk->y + (head->b * p->T + i / p->r) * p->d + head->head * head->channels;
    for (int64_t c = 0; c < head->channels; c++)
        y[c] = scale * read[c];
}

/* What step i, alone, writes. */
static void write_one(const struct walk *walk, int64_t i)
{
    const struct delta_head *head = walk->head;
    const real kept = kept_before(walk, i), beta = head->beta[i * head->of_heads], *v = head->v + i * head->of_v;
    for (int64_t c = 0; c < walk->width; c += LANES) {
        const lanes error = load_some(v, c, head->channels) - kept * lanes_load(walk->read[0] + c);
        lanes_store(walk->u[0] + c, beta * error);
        if (walk->keep != NULL)
            lanes_store(walk->keep->errors + (i - walk->begin) * walk->width + c, error);
    }
}

/* What steps i and i + 1 write: the second finds what the first left, (a S + k u^T)^T k' = a S^T k' + <k, k'> u, and so does its
 * query. */
static void write_two(const struct walk *walk, int64_t i)
{
    const struct delta_head *head = walk->head;
    const int64_t N = head->problem->N;
    const real *k = key(walk, i), *q = asked(walk, i), *v = head->v + i * head->of_v, *beta = head->beta + i * head->of_heads;
    const real kept[2] = {kept_before(walk, i), kept_before(walk, i + 1)}, both = dot(k, key(walk, i + 1), N);
    const real seen = q != NULL ? dot(k, q, N) : 0;
    for (int64_t c = 0; c < walk->width; c += LANES) {
        const lanes first = beta[0] * (load_some(v, c, head->channels) - kept[0] * lanes_load(walk->read[0] + c));
        const lanes found = kept[0] * lanes_load(walk->read[1] + c) + both * first;
        lanes_store(walk->u[0] + c, kept[1] * first);
        lanes_store(walk->u[1] + c, beta[head->of_heads] * (load_some(v + head->of_v, c, head->channels) - kept[1] * found));
        if (q != NULL)
            lanes_store(walk->ahead + c, kept[0] * lanes_load(walk->ahead + c) + seen * first);
    }
    if (q != NULL)
        answer(walk, i, walk->ahead);
}

static void add_reading(struct delta_pass *pass, const real *by, real *out)
{
    if (by == NULL)
        return;
    pass->by[pass->readings] = by;
    pass->out[pass->readings++] = out;
}

/* The group of steps that begins with i; returns the state after it. */
static real *advance(const struct walk *walk, int64_t i, const real *S, real *to)
{
    const int64_t n = group_size(walk, i), next = group_size(walk, i + n), last = i + n - 1;
    const real *q = asked(walk, last);
    struct delta_pass pass = {.kept = kept_before(walk, i) * (n > 1 ? kept_before(walk, last) : 1),
                              .from = S,
                              .to = to,
                              .writes = (int)n,
                              .k = {key(walk, i), key(walk, last)},
                              .u = {walk->u[0], walk->u[1]}};
    if (n > 1)
        write_two(walk, i);
    else
        write_one(walk, i);
    for (int64_t k = 0; k < next; k++)
        add_reading(&pass, key(walk, i + n + k), walk->read[k]);
    add_reading(&pass, q, walk->out);
    add_reading(&pass, next > 1 ? asked(walk, i + n) : NULL, walk->ahead);
    delta_run_pass(walk->head->problem->N, walk->width, &pass);
    if (q != NULL)
        answer(walk, last, walk->out);
    return to;
}

void delta_walk(const struct delta_head *head, int64_t begin, int64_t end, real *S, real *y, const struct delta_kept_states *keep,
                real *scratch)
{
    const int64_t r = head->problem->r, N = head->problem->N, width = delta_width(head->problem), size = N * width;
    const struct walk walk = {.head = head,
                              .width = width,
                              .begin = begin * r,
                              .end = end * r,
                              .y = y,
                              .keep = keep,
                              .read = {scratch, scratch + width},
                              .ahead = scratch + 2 * width,
                              .u = {scratch + 3 * width, scratch + 4 * width},
                              .out = scratch + 5 * width};
    const int64_t first = group_size(&walk, walk.begin);
    for (int64_t k = 0; k < first; k++)
        delta_read(N, width, S, key(&walk, walk.begin + k), walk.read[k]);
    if (first > 1 && asked(&walk, walk.begin) != NULL)
        delta_read(N, width, S, asked(&walk, walk.begin), walk.ahead);
    for (int64_t i = walk.begin; i < walk.end; i += group_size(&walk, i))
        S = advance(&walk, i, S, keep != NULL ? keep->states + (i - walk.begin) * size : S);
}
