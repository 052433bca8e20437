/* One application of the map of the selective cell, as the paper writes it (token.h has the equations): all tokens read the output before
 * and mix their channels, then the matrix state is scanned over time, then rows are gated and normalised. The first and the last are
 * passes over tokens, the scan is divided as matrix_scan.h says. What does not depend on the iterate is made once. */
#ifndef IMPLS_SELECTIVE_MAP_H
#define IMPLS_SELECTIVE_MAP_H

#include "impls/math/mapping.h"
#include "impls/selective/matrix_scan.h"
#include "impls/selective/token.h"

#define selective_map_reals VARIANT(selective_map_reals)
#define selective_map_open VARIANT(selective_map_open)
#define selective_map_close VARIANT(selective_map_close)
#define selective_map_begin VARIANT(selective_map_begin)
#define selective_map_rows VARIANT(selective_map_rows)
#define selective_block VARIANT(selective_block)
#define selective_map_apply VARIANT(selective_map_apply)
#define selective_map_count VARIANT(selective_map_count)
#define selective_map_mapping VARIANT(selective_map_mapping)

/* Tokens whose reads come from one matrix product, at most. How many, and where blocks begin, does not depend on the threads: a product's
 * rounding hangs on its size. */
enum { SELECTIVE_BLOCK = 128 };

struct selective_map {
    struct problem problem;
    struct token_layout layout;
    struct matrix_scan scan;
    int64_t scratch; /* reals a thread */
    real *memory;    /* scratch of all threads */
    real *stack;     /* (width,d) */
    real *q;         /* (B,T,mixer_size) activated parameters; nothing where they read */
    real *b, *c;     /* (B,T,N) as they are used; nothing where they are the inputs themselves */
    real *dt;        /* (B,T,d) likewise */
    real *final;     /* (B,d,N) where applications leave their last states, or NULL */
};

/* Where an application leaves what its gradient needs. NULL of what there is none of. */
struct selective_point {
    real *rows; /* (B,T,width) */
    real *q;    /* (B,T,mixer_size) where they read */
    real *x;    /* (B,T,d) xt, where there is a mixer */
    real *w;    /* (B,T,d) before gate and LayerNorm, where there is either */
    real *kept; /* matrix_scan_kept() */
};

/* Tokens of a block: some for every thread of a machine, even where there are few. */
int64_t selective_block(const struct problem *problem);

/* Reals that selective_map_open() allocates. */
double selective_map_reals(const struct problem *problem, const char *split, int threads);

/* `split` is a word of SCAN_OPTIONS or NULL. False: no memory; nothing is left then. */
bool selective_map_open(const struct problem *problem, const char *split, int threads, struct selective_map *map);
void selective_map_close(struct selective_map *map);

/* Before the first application to new inputs; final (B,d,N) or NULL: where all of them leave their last states. */
void selective_map_begin(struct selective_map *map, const struct inputs *inputs, real *final);

/* next (B,T,d) = f(y (B,T,d)); next is not y. zero: y is known to be zero. point may be NULL. Diverged where next is not finite. */
struct status selective_map_apply(const struct selective_map *map, const struct inputs *inputs, const real *y, bool zero,
                                  const struct selective_point *point, real *next);

/* The scan's rows after an application: what it read. */
struct matrix_rows selective_map_rows(const struct selective_map *map, const struct inputs *inputs, const real *xt);

/* The map for what iterates on it (mapping.h); it must outlive that. */
struct mapping selective_map_mapping(const struct selective_map *map);

/* What l applications to new inputs read, write and compute (impl.h, count). */
void selective_map_count(const struct problem *problem, int threads, const char *split, int64_t l, struct work *work);

#endif
