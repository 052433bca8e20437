/* The plots: section of a sweep file. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include "bench/choice.h"
#include "bench/sweep.h"

bool requests_read(const struct source *source, const struct node *node, struct sweep *sweep);

/* A name that becomes part of file names: [A-Za-z0-9._-], not beginning with '.' or '-'. name: what it names, for messages. */
bool name_read(const struct source *source, const struct node *node, const char *what, char name[SWEEP_NAME_MAX]);

#endif
