/* The build that a result came from. bench/build/build_identity.sh generates the table behind this. */
#ifndef BENCH_BASE_BUILD_H
#define BENCH_BASE_BUILD_H

/* A hash of all source, compiler and flags that decide what an implementation computes, or, for the name of a measure, what it
 * measures. NULL: unknown name. */
const char *build_identity(const char *name);

/* The commit that the program was built from, in hexadecimal, or "unknown"; and whether sources differed from it: 1, 0, or -1
 * where unknown (bench/build/commit.sh). Neither is part of an identity or key. */
const char *build_commit(void);
int build_changed(void);

/* The flags that the implementations were compiled with. */
const char *build_flags(void);

#endif
