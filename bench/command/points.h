/* points.txt in a run's folder: the key and the label of every point that the run is about, a line each, as its last execution left
 * it. Records with other keys (another build, points that an edited sweep lost) stay in the journal and count no more. */
#ifndef BENCH_COMMAND_POINTS_H
#define BENCH_COMMAND_POINTS_H

#include "bench/command/tally.h"

struct keys {
    char (*key)[KEY_SIZE]; /* ascending */
    size_t n;
    bool all; /* an older run, which has no such file: every record counts */
};

bool points_write(const char *folder, const struct tally *tally, struct error *error);

/* False when the file is there and cannot be read, or holds what are no keys. */
bool points_read(const char *folder, struct keys *keys, struct error *error);
void points_free(struct keys *keys);

bool points_hold(const struct keys *keys, const char *key);

#endif
