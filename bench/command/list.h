/* The commands list and check. */
#ifndef BENCH_COMMAND_LIST_H
#define BENCH_COMMAND_LIST_H

#include "bench/base/error.h"

#include <limits.h>
#include <stdio.h>

/* The path of this program, as it was when it started, and the folder above it that holds run.sh: where sweeps/ and results/ are. */
bool root_find(char program[PATH_MAX], char root[PATH_MAX], struct error *error);

/* Prints implementations (device, exact or iterative, available or why not), tasks with their options, and the sweeps of
 * root/sweeps with their first line. */
bool list_print(FILE *out, const char *root, struct error *error);

/* Reads a sweep file, at a scale (NULL: its own), and prints its number of points by implementation and measure; measures
 * nothing. */
bool check_print(FILE *out, const char *path, const char *scale, bool many, struct error *error);

#endif
