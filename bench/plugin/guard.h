/* Memory that a plug-in gets: inputs in pages that cannot be written while it runs, outputs between pages that cannot be
 * touched. And what is said of a plug-in that ends the process: a line on standard error, which the parent puts into the result. */
#ifndef BENCH_PLUGIN_GUARD_H
#define BENCH_PLUGIN_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* What such a line begins with; "in forward(): ..." follows. */
#define GUARD_SAYS "[plug-in] "

struct guarded {
    void *data; /* aligned as memory_allocate() does; its end is at most an alignment away from a page that cannot be touched */
    size_t bytes;
    const char *name; /* "the input lambda" */
    bool input;
    unsigned char *map;
    size_t map_size, slack; /* bytes between the untouchable page in front and the data */
    struct guarded *next;
};

enum { GUARDED_NAME_SIZE = 40 };

/* False when out of memory. name is kept. The whole struct must stay where it is until it is freed; zeroed ones may be freed. */
bool guarded_make(struct guarded *guarded, const char *name, size_t bytes, bool input);
void guarded_free(struct guarded *guarded);

/* Copies the bytes of an input; they cannot be written from then on, except by this function. */
void guarded_put(const struct guarded *guarded, const void *bytes);

/* Whether what lies around an output, up to the pages that cannot be touched, is as it was. */
bool guarded_whole(const struct guarded *guarded);

/* What the plug-in is doing from now on: "in forward()"; NULL: it is not running. The text is kept. */
void guard_doing(const char *what);

/* From now on a signal or exit() while the plug-in is running is said. */
void guard_watch(void);

#endif
