/* The machine that measures: what a run records about it, whether two runs may be compared, and what it has to give. */
#ifndef BENCH_MACHINE_MACHINE_H
#define BENCH_MACHINE_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Everything about the machine that a reader of the results may want to know; null where the system does not say. The name of the
 * host is not in it: results are shared. NULL when out of memory. */
json_t *machine_facts(void);

enum { MACHINE_TYPE_SIZE = 17 }; /* 16 hexadecimal digits and the terminator */

/* A hash of what makes two machines comparable: processor, sockets, cores, caches, instruction levels; not memory, system,
 * libraries or date. */
void machine_type(char type[MACHINE_TYPE_SIZE]);

/* A hash of what surrounds the program and can change its figures on one and the same machine: the versions of OpenBLAS and of the C
 * library, and the environment's variables for threads. False when out of memory. */
bool machine_surroundings(char hash[MACHINE_TYPE_SIZE]);

/* Bytes that can be taken without swapping: what is free or reclaimable, and no more than the control groups around this process
 * leave it. 0: not known. */
size_t machine_memory_available(void);

/* The same of a system whose /proc and /sys are below root ("" for this one): for tests. */
size_t machine_memory_available_at(const char *root);

/* Bytes of the largest cache; 0: not known. */
size_t machine_cache_bytes(void);

/* Logical processors that this process may run on; at least 1. */
int machine_threads(void);

/* Sets how the threads of the processes that this one starts behave, where the user has not; machine.json records it. Threads that
 * wait for each other spin briefly and then sleep: while another process has one of the processors, OpenMP's own default, to spin
 * for milliseconds, makes a call of microseconds take as long as a time slice. And each thread stays on a processor of its own: left
 * to itself the system starts two on the same one now and then, and takes a tenth of a second to find out, in which calls of a fresh
 * process take up to a hundred times as long.
 * Where variables of the user's bind threads, OpenMP has bound this one as it loaded, and whatever it starts or counts would have
 * one processor only: it is free again afterwards. */
void machine_settle_threads(void);

#endif
