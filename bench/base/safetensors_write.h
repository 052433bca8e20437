/* Writes tensors as a .safetensors file, which safetensors.h and other programs read. Its __metadata__ has a checksum of the whole
 * file (SAFETENSORS_CHECKSUM), so that no bit of it changes unnoticed. */
#ifndef BENCH_BASE_SAFETENSORS_WRITE_H
#define BENCH_BASE_SAFETENSORS_WRITE_H

#include "bench/base/safetensors.h"

#include <jansson.h>

/* n tensors (name, dtype, rank, shape, bytes, data), in this order, and the texts of metadata (an object of strings, or NULL; not
 * taken over). Replaces the file as a whole; it is on the disk when this returns true. */
bool safetensors_write(const char *path, const struct tensor tensor[], size_t n, json_t *metadata, struct error *error);

#endif
