/* What the rounds of a run depend on beside the program itself, as it was when the run began: the files that inputs come from,
 * plug-ins, and the shared libraries. Whoever replaces one while the run is under way must not change what rounds of one key
 * mean. */
#ifndef BENCH_COMMAND_HELD_H
#define BENCH_COMMAND_HELD_H

#include "bench/sweep/sweep.h"

struct held;

/* NULL when out of memory. The sweep is not kept. */
struct held *held_begin(const struct sweep *sweep);
void held_free(struct held *held); /* NULL is allowed */

/* The digest of the file that the inputs of a point come from; NULL where they come from none. */
const char *held_digest(const struct held *held, const struct point *point);

/* The file, that of the inputs or that of a plug-in, which no longer has its digest; NULL where both are as they were, or are
 * none. Reads them. */
const char *held_changed(const struct held *held, const struct point *point);

/* Whether the files of the shared libraries are still those that the program was started with: a process that is started now gets
 * what is there now. The error names the one that is not. */
bool held_same_libraries(const struct held *held, struct error *error);

#endif
