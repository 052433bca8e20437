/* Reads tensors from a .safetensors file of any program: 8 bytes with the length of a JSON header, the header, the data. The
 * file is mapped, not read: it must not be truncated while it is open. */
#ifndef BENCH_BASE_SAFETENSORS_H
#define BENCH_BASE_SAFETENSORS_H

#include "bench/base/digest.h"
#include "bench/base/error.h"
#include "impls/impl.h"

#include <stddef.h>
#include <stdint.h>

enum { TENSOR_RANK_MAX = 8, SAFETENSORS_HEADER_MAX = 16 << 20 /* bytes */ };

struct tensor {
    const char *name;
    enum dtype dtype; /* F32 or F64: a file that holds any other is refused */
    int rank;
    int64_t shape[TENSOR_RANK_MAX];
    size_t bytes;
    const void *data; /* row-major, aligned for its dtype; lives as long as the file is open */
};

struct safetensors;

/* Opens and checks the whole header: every error names the file, and the tensor where it is about one. */
bool safetensors_open(const char *path, struct safetensors **file, struct error *error);

size_t safetensors_count(const struct safetensors *file);
const struct tensor *safetensors_get(const struct safetensors *file, size_t index);      /* in the order of their data */
const struct tensor *safetensors_find(const struct safetensors *file, const char *name); /* NULL: there is none */

/* A text of the header's __metadata__, or NULL. */
const char *safetensors_metadata(const struct safetensors *file, const char *key);

/* The digest of all bytes of the file, as they are now (bench/base/digest.h). */
void safetensors_digest(const struct safetensors *file, char digest[DIGEST_SIZE]);

void safetensors_close(struct safetensors *file); /* NULL is allowed */

#endif
