/* The machine: what a run records about it, whether two runs may be compared, and its free resources. */
#ifndef BENCH_MACHINE_MACHINE_H
#define BENCH_MACHINE_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* All facts about the machine that a reader of the results may need; null where the system does not say. Without the host name:
 * results are shared. NULL when out of memory. */
json_t *machine_facts(void);

enum { MACHINE_TYPE_SIZE = 17 }; /* 16 hexadecimal digits and the terminator */

/* A hash of what makes two machines comparable: processor, sockets, cores, caches, instruction sets; not memory, system,
 * libraries or date. */
void machine_type(char type[MACHINE_TYPE_SIZE]);

/* A hash of what can change results on the same machine: the versions of OpenBLAS and of the C library, and the environment
 * variables for threads. False when out of memory. */
bool machine_surroundings(char hash[MACHINE_TYPE_SIZE]);

/* Bytes that can be allocated without swapping: free or reclaimable, and within the control groups of this process. 0: not
 * known. */
size_t machine_memory_available(void);

/* The same of a system whose /proc and /sys are below root ("" for this one): for tests. */
size_t machine_memory_available_at(const char *root);

/* Bytes of the largest cache; 0: not known. */
size_t machine_cache_bytes(void);

/* The threads that `threads: all` stands for: logical processors that this process may run on, but no more than its control groups' quotas and
 * OpenMP's limit leave; at least 1. */
int machine_threads(void);

/* So many, within the quotas of a system whose /proc and /sys are below root: for tests. */
int machine_threads_at(const char *root, int threads);

/* Sets how the OpenMP threads of child processes behave, unless the user has; machine.json records it. Waiting threads spin
 * briefly, then sleep: OpenMP's default, to spin for milliseconds, makes a call of microseconds take a time slice when another
 * process has one of the processors. Each thread is pinned to a processor: otherwise the system sometimes starts two on one
 * processor, and needs a tenth of a second to notice.
 * If the user's variables bind threads, OpenMP has bound this process as it loaded, and its children would inherit one
 * processor: this function unbinds it. */
void machine_settle_threads(void);

#endif
