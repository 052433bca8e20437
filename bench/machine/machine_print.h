/* The command machine: prints this machine and its limits, measured now. */
#ifndef BENCH_MACHINE_MACHINE_PRINT_H
#define BENCH_MACHINE_MACHINE_PRINT_H

#include "bench/machine/roofs.h"

/* Measures with one thread and with all, in a child of program, and prints a row per working set, then the arithmetic rates.
 * False when measuring or writing failed. */
bool machine_print(FILE *out, const char *program, struct error *error);

/* The tables alone. */
void roofs_print(FILE *out, const struct roofs *roofs);

#endif
