/* One application of the fixed-point map f, as the paper writes it: the channels of every token are mixed, then scanned over time.
 *
 *     w_t = v_t + (I - Q_t) (h_t - v_t)                              [= Q_t v_t + (I - Q_t) h_t]
 *     f_t = Lambda_t f_{t-1} + G_t w_t        (plain: without G_t)
 *
 * Each of the two is a pass over all tokens, parallel over tokens and then as scan.h divides it. A state-dependent mixer reads the
 * shifted h_{t-1} and is activated anew in every application. */
#ifndef IMPLS_MATH_MAP_H
#define IMPLS_MATH_MAP_H

#include "impls/math/mapping.h"
#include "impls/math/scan.h"

#define map_reals VARIANT(map_reals)
#define map_open VARIANT(map_open)
#define map_close VARIANT(map_close)
#define map_begin VARIANT(map_begin)
#define map_mix VARIANT(map_mix)
#define map_apply VARIANT(map_apply)
#define map_mapping VARIANT(map_mapping)

enum { MAP_BLOCK = 256 }; /* tokens whose state-dependent parameters come from one matrix product */

struct map {
    struct problem problem;
    struct scan scan;
    int64_t scratch; /* reals a thread */
    real *memory;    /* scratch of all threads */
    real *q;         /* (B,T,mixer_size) activated parameters; nothing when state-dependent */
};

/* Where a state-dependent application leaves the parameters that it used: raw (B,T,m) and activated (B,T,mixer_size). */
struct map_parameters {
    real *raw, *q;
};

/* Reals that map_open() allocates. */
double map_reals(const struct problem *problem, int threads);

/* `split` is a word of SCAN_OPTIONS or NULL. False: no memory; nothing is left then. */
bool map_open(const struct problem *problem, const char *split, int threads, struct map *map);
void map_close(struct map *map);

/* Activates the parameters that do not depend on the state: before the first application to new inputs. */
void map_begin(const struct map *map, const struct inputs *inputs);

/* w (B,T,d) from h (B,T,d); w is not h. zero: h is known to be zero. parameters may be NULL. */
void map_mix(const struct map *map, const struct inputs *inputs, const real *h, bool zero, const struct map_parameters *parameters,
             real *w);

/* next (B,T,d) = f(h (B,T,d)); next is not h. */
void map_apply(const struct map *map, const struct inputs *inputs, const real *h, bool zero, real *next);

/* The map for what iterates on it; it must outlive that. */
struct mapping map_mapping(const struct map *map);

#endif
