/* The iterations whose iterates are kept for errors, and the errors that are looked for. */
#ifndef BENCH_MEASURE_KEPT_H
#define BENCH_MEASURE_KEPT_H

#include <stdint.h>

enum { TARGETS = 3 };
extern const double targets[TARGETS];
extern const char *const target_names[TARGETS]; /* as records spell them */

/* The kept iterations up to l: each of the first 32, then about 5 % apart, and the last. Returns their number; keep may be NULL. */
int64_t kept_iterations(int64_t l, int64_t *keep);

#endif
