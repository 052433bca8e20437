/* points.txt in the folder of a run: key and label of every point of the run, one per line, as the last execution wrote it,
 * below a checksum of these lines: one that is gone would take its point out of table and plots in silence.
 * Records with other keys (another build, points no longer in the sweep) stay in the journal and do not count. */
#ifndef BENCH_COMMAND_POINTS_H
#define BENCH_COMMAND_POINTS_H

#include "bench/command/tally.h"

struct keys {
    char (*key)[KEY_SIZE]; /* ascending */
    size_t n;
    bool all; /* an older run, which has no such file: every record counts */
};

bool points_write(const char *folder, const struct tally *tally, struct error *error);

/* False when the file exists but cannot be read, holds something other than keys, or changed since it was written. Older ones have
 * no checksum. */
bool points_read(const char *folder, struct keys *keys, struct error *error);
void points_free(struct keys *keys);

bool points_hold(const struct keys *keys, const char *key);

#endif
