/* A folder with a plug-in that works, to begin from. */
#ifndef BENCH_PLUGIN_SKELETON_H
#define BENCH_PLUGIN_SKELETON_H

#include "bench/base/error.h"

#include <stdio.h>

/* Makes the folder, which must be new and whose last name is that of the kernel, from what lies below the folder root of the
 * sources, and prints what to do next. */
bool skeleton_make(const char *root, const char *folder, FILE *out, struct error *error);

#endif
