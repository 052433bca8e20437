/* See token_iteration.h. */
#include "bench/problems/token_iteration.h"

#include "bench/problems/elimination.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_mixer.h"
#include "bench/problems/textbook_selective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ITERATIONS = 200000, /* of one token, twice as many as implementations take: at a rate of .9998 it is at rounding */
    STALLED = 20,        /* iterations in a row that did not move less than any before: what is left is rounding, ... */
    TYPICAL = 60
};
#define STALLED_MOST 1e-9 /* ... where it is as little as this of the largest number */

/* What a token begins with, and room to iterate it. */
struct walk {
    struct selective_token token;
    double *H;       /* (d,N) the state before the token */
    double *before;  /* (d) the output before it */
    double *next;    /* (d) */
    double *base;    /* (d) exp(-dt A) . H c: what the token puts out of what was before, ... */
    double *through; /* (d) ... and of each unit of what enters it, dt (b . c) + skip */
    double *M;       /* (d,d), where the map is linear; else NULL */
    double *zero;    /* (d) */
    double *memory;
};

static bool linear(const struct problem *p)
{
    return p->norm != NORM_OUTPUT && p->norm != NORM_BOTH;
}

/* At the first token. */
static bool walk_open(const struct problem *p, const struct inputs *inputs, struct walk *walk)
{
    int64_t d = p->d, size = d * p->N, scratch = textbook_selective_scratch(p);
    walk->memory = calloc((size_t)(scratch + size + 5 * d + (linear(p) ? d * d : 0)), sizeof(double));
    if (walk->memory == NULL)
        return false;
    walk->token = textbook_selective_token(p, walk->memory);
    walk->H = walk->memory + scratch;
    walk->before = walk->H + size;
    walk->next = walk->before + d;
    walk->base = walk->next + d;
    walk->through = walk->base + d;
    walk->zero = walk->through + d;
    walk->M = linear(p) ? walk->zero + d : NULL;
    if (inputs->H0 != NULL)
        memcpy(walk->H, inputs->H0, (size_t)size * sizeof(double));
    if (inputs->y0 != NULL)
        memcpy(walk->before, inputs->y0, (size_t)d * sizeof(double));
    return true;
}

static void walk_begin(const struct problem *p, const struct inputs *inputs, int64_t t, struct walk *walk)
{
    const struct selective_token *token = &walk->token;
    textbook_selective_begin(p, inputs, t, walk->before, &walk->token);
    double both = textbook_inner(token->b, token->c, p->N);
    for (int64_t i = 0; i < p->d; i++) {
        walk->base[i] = 0;
        for (int64_t n = 0; n < p->N; n++)
            walk->base[i] += token->decay[i * p->N + n] * walk->H[i * p->N + n] * token->c[n];
        walk->through[i] = token->dt[i] * both + ((const double *)inputs->skip)[i];
    }
}

/* next (d) = f_t(y (d)): the states do not enter any more. */
static void map(const struct problem *p, const struct inputs *inputs, const double *mixing, int64_t t, const struct walk *walk,
                const double *y, double *next)
{
    textbook_selective_input(p, inputs, mixing, t, &walk->token, y, next);
    for (int64_t i = 0; i < p->d; i++)
        next[i] = walk->base[i] + walk->through[i] * next[i];
    textbook_selective_output(p, inputs, &walk->token, next);
}

/* Past token t, whose output is y (d). */
static void walk_on(const struct problem *p, const struct inputs *inputs, const double *mixing, int64_t t, const double *y,
                    struct walk *walk)
{
    textbook_selective_apply(p, inputs, mixing, t, &walk->token, walk->H, y, walk->next, walk->H);
    memcpy(walk->before, y, (size_t)p->d * sizeof(double));
}

/* y (d) <- f_t(y) until it no longer moves. */
static enum status_code settle(const struct problem *p, const struct inputs *inputs, const double *mixing, int64_t t,
                               struct walk *walk, double *y)
{
    double least = INFINITY;
    for (int i = 0, stalled = 0; i < ITERATIONS; i++) {
        double moved = 0, size = 0;
        map(p, inputs, mixing, t, walk, y, walk->next);
        for (int64_t c = 0; c < p->d; c++) {
            moved = isfinite(walk->next[c]) ? fmax(moved, fabs(walk->next[c] - y[c])) : INFINITY;
            size = fmax(size, fabs(walk->next[c]));
            y[c] = walk->next[c];
        }
        if (isinf(moved))
            return STATUS_DIVERGED;
        stalled = moved < least ? 0 : stalled + 1;
        least = fmin(least, moved);
        if (moved == 0 || (stalled >= STALLED && least <= STALLED_MOST * size))
            return STATUS_OK;
    }
    return STATUS_NO_STABLE_POINT;
}

/* y (d) = f_t(y) of a linear map: (I - J) y = f_t(0), J = diag(what reaches the output of xt) (I - Q). */
static enum status_code solve(const struct problem *p, const struct inputs *inputs, const double *mixing, int64_t t,
                              struct walk *walk, double *y)
{
    int64_t d = p->d;
    map(p, inputs, mixing, t, walk, walk->zero, y);
    if (!isfinite(norm_max(y, d)))
        return STATUS_DIVERGED;
    if (p->mixer == MIXER_NONE)
        return STATUS_OK;
    double *unit = walk->before, *column = walk->next; /* what was before is in the token */
    memset(unit, 0, (size_t)d * sizeof(double));
    for (int64_t j = 0; j < d; j++) {
        unit[j] = 1;
        textbook_mix(p, walk->token.q, unit, column);
        unit[j] = 0;
        for (int64_t i = 0; i < d; i++)
            walk->M[i * d + j] =
                (i == j) - walk->token.gate[i] * walk->through[i] * ((i == j) - column[i]) * (mixing != NULL ? mixing[i] : 1);
    }
    if (!elimination_of(d, walk->M, y))
        return STATUS_SINGULAR;
    return isfinite(norm_max(y, d)) ? STATUS_OK : STATUS_DIVERGED;
}

double token_iteration_operations(const struct problem *p)
{
    double d = (double)p->d, N = (double)p->N, m = (double)problem_m(p),
           token = 20 * d + (p->r > 0 ? 8 * (double)p->r * d : 2 * d * d);
    double read = 20 * d * N + 2 * d * (p->feedback != FEEDBACK_NONE ? m : 0) + 2 * d * (2 * N + d * (p->reads != READS_NONE));
    return (double)p->T * (read + (linear(p) ? d * token + d * d * d : TYPICAL * token));
}

static struct status at(enum status_code code, int64_t t)
{
    static const char *const words[STATUS_COUNT] = {
        [STATUS_NO_STABLE_POINT] = "no stable fixed point: the iteration of this token comes to no rest",
        [STATUS_SINGULAR] = "the matrix of this token is singular",
        [STATUS_DIVERGED] = "the state is not finite",
    };
    return code == STATUS_OK ? status_ok() : status_at(code, 0, t, "%s", words[code]);
}

struct status token_iteration_solve(const struct problem *p, const struct inputs *inputs, const double *mixing, double *y)
{
    int64_t d = p->d;
    struct walk walk;
    struct status status = status_ok();
    if (!walk_open(p, inputs, &walk))
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory for the exact answer");
    memset(y, 0, (size_t)(p->T * d) * sizeof *y);
    for (int64_t t = 0; t < p->T && status.code == STATUS_OK; t++) {
        const double *mix = mixing != NULL ? mixing + t * d : NULL;
        walk_begin(p, inputs, t, &walk);
        status = at((linear(p) ? solve : settle)(p, inputs, mix, t, &walk, y + t * d), t);
        if (status.code == STATUS_OK)
            walk_on(p, inputs, mix, t, y + t * d, &walk);
    }
    free(walk.memory);
    return status;
}

/* ---- Where two answers part ------------------------------------------------------------------------------------------------------- */

static double distance(int64_t d, const double *a, const double *b)
{
    double most = 0;
    for (int64_t i = 0; i < d; i++)
        most = isfinite(a[i]) && isfinite(b[i]) ? fmax(most, fabs(a[i] - b[i])) : INFINITY;
    return most;
}

/* Where the iteration of token t ends, with the state that an answer leads to before it: begun at 0 and at what is claimed there. */
struct ends {
    bool settle;
    double from_zero, from_claim; /* how far from the sequential answer, and from the claimed one */
    double apart;
};

static void find_ends(const struct problem *p, const struct inputs *inputs, int64_t t, const double *led, const double *claimed,
                      const double *sequential, struct walk *walk, double *room, struct ends *ends)
{
    int64_t d = p->d;
    double *zero = room, *claim = room + d;
    for (int64_t k = 0; k <= t; k++) {
        walk_begin(p, inputs, k, walk);
        if (k < t)
            walk_on(p, inputs, NULL, k, led + k * d, walk);
    }
    memset(zero, 0, (size_t)d * sizeof *zero);
    memcpy(claim, claimed + t * d, (size_t)d * sizeof *claim);
    ends->settle = settle(p, inputs, NULL, t, walk, zero) == STATUS_OK && settle(p, inputs, NULL, t, walk, claim) == STATUS_OK;
    ends->from_zero = distance(d, zero, sequential + t * d);
    ends->from_claim = distance(d, claim, claimed + t * d);
    ends->apart = distance(d, zero, claim);
}

bool token_iteration_part(const struct problem *p, const struct inputs *inputs, const double *claimed, const double *sequential,
                          double tolerance, struct parting *parting)
{
    int64_t d = p->d, t = 0;
    const double *led[] = {sequential, claimed};
    *parting = (struct parting){.t = -1};
    while (t < p->T && distance(d, claimed + t * d, sequential + t * d) <= tolerance)
        t++;
    if (t == p->T)
        return true;
    parting->t = t;
    if (linear(p) || !isfinite(norm_max(claimed, p->T * d)) || !isfinite(norm_max(sequential, p->T * d)))
        return true; /* a linear map has one fixed point */
    double *room = calloc((size_t)(2 * d), sizeof *room);
    bool memory = room != NULL;
    for (int i = 0; i < 2 && memory && !parting->proven; i++) {
        struct walk walk;
        struct ends ends;
        memory = walk_open(p, inputs, &walk);
        if (!memory)
            break;
        find_ends(p, inputs, t, led[i], claimed, sequential, &walk, room, &ends);
        free(walk.memory);
        parting->apart = ends.apart;
        parting->claimed = ends.from_claim;
        parting->proven = ends.settle && ends.apart > 4 * tolerance &&
                          ends.from_zero <= fmax(tolerance, i == 1 ? ends.apart / 8 : 0) &&
                          ends.from_claim <= fmax(tolerance, i == 0 ? ends.apart / 8 : 0);
    }
    free(room);
    return memory;
}
