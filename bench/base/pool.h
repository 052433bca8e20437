/* Memory of a sweep: allocated piece by piece while its file is read, freed at once. */
#ifndef BENCH_BASE_POOL_H
#define BENCH_BASE_POOL_H

#include <stddef.h>

struct pool; /* start with a NULL pointer to it */

/* n zeroed elements of some size, aligned for any type; NULL when out of memory. */
void *pool_take(struct pool **pool, size_t n, size_t size);

/* A copy of a text; NULL when out of memory. */
char *pool_text(struct pool **pool, const char *text);

void pool_free(struct pool *pool);

#endif
