/* Progress of a run: on a terminal one line that is redrawn, elsewhere one line per finished point. */
#ifndef BENCH_COMMAND_PROGRESS_H
#define BENCH_COMMAND_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct progress {
    FILE *out;
    bool terminal;
    size_t done, failed, total;
    double started; /* of the monotonic clock */
};

/* total: points that this run will measure, without those finished earlier, so that the estimate rests on measured times. */
void progress_begin(struct progress *progress, FILE *out, size_t total);

/* Shows what runs now (on a terminal only). */
void progress_running(struct progress *progress, const char *label);

/* Says that nothing runs for a while, and why: on a terminal as what runs now, elsewhere in a line of its own. */
void progress_waiting(struct progress *progress, const char *why);

/* One more point is finished; result: its word in the record, failed: whether it counts as a failure. */
void progress_finished(struct progress *progress, const char *label, const char *result, bool failed, double seconds);

/* Removes the redrawn line. May be called twice. */
void progress_end(struct progress *progress);

/* ---- Pure functions -------------------------------------------------------------------------------------------------------- */

enum { PROGRESS_LINE_SIZE = 1024 };

/* "[######------] 12/60, 1 failed, 45 s left: LABEL", cut to fewer than columns characters; elapsed in seconds. Control characters
 * in the label become '?'. */
void progress_line(const struct progress *progress, double elapsed, const char *label, size_t columns,
                   char text[PROGRESS_LINE_SIZE]);

/* "12/60 LABEL ... ok 0.8 s" */
void progress_plain(const struct progress *progress, const char *label, const char *result, double seconds,
                    char text[PROGRESS_LINE_SIZE]);

#endif
