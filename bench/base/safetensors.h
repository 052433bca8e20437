/* Reads tensors from a .safetensors file of any program: 8 bytes with the length of a JSON header, the header, the data. Tensors
 * that nothing here computes with, of other dtypes or with more dimensions, are passed over. The file is mapped, not read: it must
 * not be truncated while it is open. */
#ifndef BENCH_BASE_SAFETENSORS_H
#define BENCH_BASE_SAFETENSORS_H

#include "bench/base/digest.h"
#include "bench/base/error.h"
#include "bench/base/seal.h"
#include "impls/impl.h"

#include <stddef.h>
#include <stdint.h>

enum { TENSOR_RANK_MAX = 8, SAFETENSORS_HEADER_MAX = 16 << 20 /* bytes */, SAFETENSORS_REASON = 160 };

/* The text of __metadata__ that is a checksum of the whole file, its own digits taken as zeros. */
#define SAFETENSORS_CHECKSUM "xxh3"

struct tensor {
    const char *name;
    enum dtype dtype;
    int rank;
    int64_t shape[TENSOR_RANK_MAX];
    size_t bytes;
    const void *data; /* row-major, aligned for its dtype; lives as long as the file is open */
};

struct safetensors;

/* Opens and checks the whole header, and the checksum where there is one (safetensors_write.h): every error names the file, and the
 * tensor where it is about one. */
bool safetensors_open(const char *path, struct safetensors **file, struct error *error);

size_t safetensors_count(const struct safetensors *file);
const struct tensor *safetensors_get(const struct safetensors *file, size_t index);      /* in the order of their data */
const struct tensor *safetensors_find(const struct safetensors *file, const char *name); /* NULL: there is none */

/* Why a tensor that the file has cannot be used: "dtype is \"BF16\"; expected \"F32\" or \"F64\"" in reason. False: it can, or there is
 * none of this name. */
bool safetensors_passed_over(const struct safetensors *file, const char *name, char reason[SAFETENSORS_REASON]);

/* True for a file with a checksum, which then fits. */
bool safetensors_sealed(const struct safetensors *file);

/* A text of the header's __metadata__, or NULL. */
const char *safetensors_metadata(const struct safetensors *file, const char *key);

/* The digest of all bytes of the file, as they are now (bench/base/digest.h). */
void safetensors_digest(const struct safetensors *file, char digest[DIGEST_SIZE]);

void safetensors_close(struct safetensors *file); /* NULL is allowed */

#endif
