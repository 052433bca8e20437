/* Fuzz target: safetensors files. What is refused is refused in a sentence that names the file; what is accepted are tensors whose
 * data lie in the file's, in order, and cover them where none was passed over. */
#include "tests/fuzz/fuzz.h"

#include "bench/base/safetensors.h"

#include <string.h>

static void check_tensors(const struct safetensors *file, const uint8_t *bytes, size_t size)
{
    uint64_t header;
    MUST(size >= sizeof header);
    memcpy(&header, bytes, sizeof header);
    MUST(header <= size - sizeof header);
    size_t at = sizeof header + header, total = 0;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct tensor *tensor = safetensors_get(file, i);
        size_t expected;
        MUST(tensor != NULL && safetensors_find(file, tensor->name) == tensor);
        MUST(tensor->dtype == DTYPE_FLOAT32 || tensor->dtype == DTYPE_FLOAT64);
        MUST(tensor->rank >= 0 && tensor->rank <= TENSOR_RANK_MAX);
        expected = dtype_size(tensor->dtype);
        for (int k = 0; k < tensor->rank; k++) {
            MUST(tensor->shape[k] >= 0);
            expected *= (size_t)tensor->shape[k]; /* one that wrapped around would not cover the file */
        }
        MUST(tensor->bytes == expected && tensor->bytes <= size - at);
        MUST(tensor->bytes == 0 || (uintptr_t)tensor->data % dtype_size(tensor->dtype) == 0);
        const uint8_t *found = tensor->bytes > 0 ? memmem(bytes + at, size - at, tensor->data, tensor->bytes) : bytes + at;
        MUST(found != NULL); /* the first place that looks like it: the true one is not before it */
        at = (size_t)(found - bytes) + tensor->bytes;
        total += tensor->bytes;
        safetensors_metadata(file, tensor->name);
    }
    MUST(at <= size && total <= size - sizeof header - header);
    MUST(safetensors_get(file, safetensors_count(file)) == NULL);
    safetensors_metadata(file, "format");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct safetensors *file;
    struct error error;
    char prefix[64];
    const char *path = fuzz_file(0, bytes, size);
    memset(&error, 'x', sizeof error);
    if (safetensors_open(path, &file, &error)) {
        check_tensors(file, bytes, size);
        safetensors_close(file);
        return 0;
    }
    MUST(file == NULL);
    snprintf(prefix, sizeof prefix, strncmp(error.text, "cannot read ", 12) == 0 ? "cannot read %s: " : "%s: ", path);
    fuzz_sentence(&error, prefix);
    return 0;
}
