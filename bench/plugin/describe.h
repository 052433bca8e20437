/* What a plug-in says of itself, found out by a process that may come to harm: the one that runs a sweep never loads it. */
#ifndef BENCH_PLUGIN_DESCRIBE_H
#define BENCH_PLUGIN_DESCRIBE_H

#include "bench/base/error.h"

#include <jansson.h>
#include <stdio.h>

/* The command that such a process runs: loads a file and prints its description as JSON. */
bool plugin_describe_command(const char *path, struct error *error);

/* Has another process describe a file, and adds it to the registry under a name; once for each name. An error says what became
 * of that process: it crashed, hung or ended, or what was wrong with the file. */
bool plugin_describe(const char *name, const char *path, struct error *error);

/* Keeps the descriptions of all that were described, as plugins.json in the folder of a run; removes that file where there are
 * none. */
bool plugins_write(const char *folder, struct error *error);

/* Adds those that a run has kept to the registry, so that what it measured is understood without their files. What cannot be
 * read is as if it were not there. */
void plugins_read(const char *folder);

#endif
