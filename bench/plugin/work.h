/* Plug-ins in the process that measures a point. */
#ifndef BENCH_PLUGIN_WORK_H
#define BENCH_PLUGIN_WORK_H

#include "bench/base/error.h"

#include <stdio.h>

/* What a worker is told of the plug-in of that name, to be freed: its name, file and digest as JSON. NULL when out of memory. */
char *plugin_request(const char *name);

/* Loads what such a text names, if the file still has that digest. *out is where the answer goes from then on: standard output
 * is no longer that of the process, so that nothing the plug-in prints gets into it. */
bool plugin_work(const char *request, FILE **out, struct error *error);

#endif
