/* machine.json in the folder of a run: what was known of the machine, and its limits, as the last execution left them. It has a
 * checksum; records name the limits that their bounds follow from (throughput.bound.roofs). */
#ifndef BENCH_MACHINE_MACHINE_FILE_H
#define BENCH_MACHINE_MACHINE_FILE_H

#include "bench/base/error.h"
#include "bench/base/seal.h"

#include <jansson.h>

/* Replaces FOLDER/machine.json. */
bool machine_file_write(const char *folder, const json_t *facts, struct error *error);

/* The facts of FOLDER/machine.json, for the caller to free. NULL where there is no such file, and where it changed since it was
 * written: *changed, and nothing of it counts. One of an older program, without a checksum, is taken as it is. False: out of
 * memory. */
bool machine_file_read(const char *folder, json_t **facts, bool *changed);

/* The name of some machine limits in records: a checksum of their figures. False: out of memory. */
bool machine_limits_name(const json_t *roofs, char name[SEAL_DIGITS + 1]);

#endif
