/* Counts what the code of this project allocates: the tests are linked with --wrap for the functions below. Allocations inside
 * shared libraries are not seen. */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

/* Allocations so far in this process. */
long allocations(void);

#endif
