/* The section plots: of a sweep file. */
#ifndef BENCH_SWEEP_REQUEST_H
#define BENCH_SWEEP_REQUEST_H

#include "bench/sweep/choice.h"
#include "bench/sweep/sweep.h"

bool requests_read(const struct source *source, const struct node *node, struct sweep *sweep);

/* A name that becomes part of file names: [A-Za-z0-9._-], not beginning with '.' or '-'. */
#define NAME_EXPECTED "1 to 63 letters, digits or . _ -, beginning with a letter, a digit or _"
bool name_good(const char *text);

/* Reads one. what: what it names, for messages. */
bool name_read(const struct source *source, const struct node *node, const char *what, char name[SWEEP_NAME_MAX]);

#endif
