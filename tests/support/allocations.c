/* See allocations.h. */
#include "tests/support/allocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static atomic_long count, bytes, failing;

long allocations(void)
{
    return atomic_load(&count);
}

long allocations_bytes(void)
{
    return atomic_load(&bytes);
}

void allocations_fail(long n)
{
    atomic_store(&failing, n > 0 ? atomic_load(&count) + n : 0);
}

/* Counts one; true for the one that is to fail. */
static bool fails(size_t size)
{
    atomic_fetch_add(&bytes, (long)size);
    return atomic_fetch_add(&count, 1) + 1 == atomic_load(&failing);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(n * size) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(size) ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails(size) ? NULL : __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size)
{
    return fails(size) ? ENOMEM : __real_posix_memalign(out, alignment, size);
}
