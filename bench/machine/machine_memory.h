/* The memory of the machine that a point may use. */
#ifndef BENCH_MACHINE_MACHINE_MEMORY_H
#define BENCH_MACHINE_MACHINE_MEMORY_H

#include <stddef.h>

/* Bytes that can be allocated without swapping: free or reclaimable, and within the control groups of this process. 0: not
 * known. */
size_t machine_memory_available(void);

/* The same of a system whose /proc and /sys are below root ("" for this one): for tests. */
size_t machine_memory_available_at(const char *root);

/* Bytes of the largest cache; 0: not known. */
size_t machine_cache_bytes(void);

#endif
