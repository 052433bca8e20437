/* The machine: what a run records about it, and whether two runs may be compared. Its free resources have headers of their own
 * (machine_memory.h, machine_threads.h): what measures, asks for those, and must not hang on what is recorded. */
#ifndef BENCH_MACHINE_MACHINE_H
#define BENCH_MACHINE_MACHINE_H

#include <jansson.h>
#include <stdbool.h>

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

#endif
