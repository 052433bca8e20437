/* See kept.h. */
#include "bench/measure/kept.h"

#include <math.h>
#include <stddef.h>

enum { EVERY = 32 };
#define SPACING 1.05 /* between kept iterates after the first EVERY */

const double targets[TARGETS] = {1e-1, 1e-3, 1e-6};
const char *const target_names[TARGETS] = {"1e-1", "1e-3", "1e-6"};

int64_t kept_iterations(int64_t l, int64_t *keep)
{
    int64_t n = 0, next = 1;
    while (next < l) {
        if (keep != NULL)
            keep[n] = next;
        n++;
        int64_t spaced = (int64_t)ceil((double)next * SPACING);
        next = next < EVERY ? next + 1 : spaced;
    }
    if (keep != NULL)
        keep[n] = l;
    return n + 1;
}
