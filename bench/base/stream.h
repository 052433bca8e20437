/* A stream that writes to memory and says at its end whether everything was written. open_memstream() does not, when memory runs
 * out. */
#ifndef BENCH_BASE_STREAM_H
#define BENCH_BASE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct stream {
    FILE *file; /* to write to */
    char *text; /* after stream_close(): terminated, to be freed */
    size_t length, capacity;
};

/* False when out of memory: there is nothing to close then. */
bool stream_open(struct stream *stream);

/* False when something that was written is not there; the text is freed then. */
bool stream_close(struct stream *stream);

#endif
