/* Loads a plug-in into this process, which may not survive that: only the processes that describe and measure do it. */
#ifndef BENCH_PLUGIN_OPEN_H
#define BENCH_PLUGIN_OPEN_H

#include "bench/base/error.h"
#include "bench/plugin/fprnn.h"
#include "impls/registry/plugins.h"

#include <stdio.h>

/* Loads a file and checks what it says of itself. NULL with an error, which names both versions where
 * they do not go together, and not the file. It is never unloaded. */
const struct fprnn_plugin *plugin_open(const char *path, struct error *error);

/* What it says of itself, as a row of the registry without name, path and digests. Words that this program does not know are
 * left out; an error where none is left. */
bool plugin_facts(const struct fprnn_plugin *plugin, struct plugin_row *row, struct error *error);

/* Whether a list that ends with NULL has a word. NULL is an empty list. */
bool plugin_lists(const char *const *list, const char *word);

/* What this process prints from now on goes to its standard error; the stream that is returned is what its standard output was.
 * NULL with an error. */
FILE *plugin_move_output(struct error *error);

#endif
