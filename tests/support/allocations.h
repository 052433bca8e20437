/* Counts what the code of this project allocates, and lets one of it fail: the tests are linked with --wrap for the functions below. Allocations inside
 * shared libraries are not seen. */
#ifndef TESTS_SUPPORT_ALLOCATIONS_H
#define TESTS_SUPPORT_ALLOCATIONS_H

/* Allocations so far in this process. */
long allocations(void);

/* Bytes asked for so far, whether they were given back or not. */
long allocations_bytes(void);

/* Lets the n-th allocation from now on fail, once; 0: none. */
void allocations_fail(long n);

#endif
