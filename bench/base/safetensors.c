/* See safetensors.h. As strict as the format's own reader: the data of the tensors cover the file without gap or overlap. */
#include "bench/base/safetensors.h"

#include "bench/base/parse.h"
#include "bench/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are little-endian in the file and used in place");

static const struct {
    const char *name;
    enum dtype dtype;
} dtypes[] = {{"F32", DTYPE_FLOAT32}, {"F64", DTYPE_FLOAT64}};

static const char METADATA[] = "__metadata__";

struct entry {
    struct tensor tensor;
    size_t begin, end; /* from the first byte of data */
    void *copy;        /* of data that was not aligned in the file, or NULL */
};

struct safetensors {
    const char *path; /* the caller's, while opening */
    unsigned char *map;
    size_t size, data_at;
    json_t *header;
    struct entry *entry;
    size_t n;
};

static bool map_file(struct safetensors *file, struct error *error)
{
    struct stat found = {.st_size = 0};
    int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *reason = NULL;
    if (descriptor < 0 || fstat(descriptor, &found) != 0)
        reason = strerror(errno);
    else if (!S_ISREG(found.st_mode))
        reason = "not a regular file";
    else if (found.st_size < 8)
        reason = "not a safetensors file: shorter than the 8 bytes of a header length";
    if (reason == NULL) {
        file->size = (size_t)found.st_size;
        void *map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (map == MAP_FAILED)
            reason = strerror(errno);
        else
            file->map = map;
    }
    if (reason != NULL)
        fail(error, "cannot read %s: %s", file->path, reason);
    if (descriptor >= 0)
        close(descriptor);
    return file->map != NULL;
}

static bool parse_header(struct safetensors *file, struct error *error)
{
    uint64_t length;
    memcpy(&length, file->map, sizeof length);
    if (length > SAFETENSORS_HEADER_MAX)
        return fail(error, "%s: not a safetensors file: a header of %llu bytes; expected at most %d", file->path,
                    (unsigned long long)length, SAFETENSORS_HEADER_MAX);
    if (length > file->size - sizeof length)
        return fail(error, "%s: truncated: the header needs %llu bytes, the file has %zu", file->path, (unsigned long long)length,
                    file->size - sizeof length);
    file->data_at = sizeof length + (size_t)length;
    json_error_t where;
    char quoted[QUOTED_SIZE];
    if (!json_parse((const char *)file->map + sizeof length, (size_t)length, JSON_REJECT_DUPLICATES, &file->header, &where))
        return fail_memory(error);
    if (file->header == NULL)
        return fail(error, "%s: the header is not JSON: %s at byte %d", file->path, text_quote(where.text, quoted), where.position);
    if (!json_is_object(file->header))
        return fail(error, "%s: the header is not a JSON object", file->path);
    return true;
}

static bool check_metadata(const struct safetensors *file, struct error *error)
{
    json_t *metadata = json_object_get(file->header, METADATA), *value;
    const char *key;
    char quoted[QUOTED_SIZE];
    if (metadata != NULL && !json_is_object(metadata))
        return fail(error, "%s: %s is not a JSON object", file->path, METADATA);
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return fail(error, "%s: %s: the value of %s is not a string", file->path, METADATA, text_quote(key, quoted));
    }
    return true;
}

static bool read_dtype(const json_t *value, enum dtype *dtype)
{
    for (size_t i = 0; json_is_string(value) && i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(json_string_value(value), dtypes[i].name) == 0) {
            *dtype = dtypes[i].dtype;
            return true;
        }
    return false;
}

/* Rank, shape and the bytes they make. */
static bool read_shape(const json_t *value, struct tensor *tensor)
{
    if (!json_is_array(value) || json_array_size(value) > TENSOR_RANK_MAX)
        return false;
    tensor->rank = (int)json_array_size(value);
    tensor->bytes = dtype_size(tensor->dtype);
    bool empty = false;
    for (int i = 0; i < tensor->rank; i++) {
        const json_t *size = json_array_get(value, (size_t)i);
        tensor->shape[i] = json_integer_value(size);
        if (!json_is_integer(size) || tensor->shape[i] < 0)
            return false;
        if (tensor->shape[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(tensor->bytes, (size_t)tensor->shape[i], &tensor->bytes))
            return false;
    }
    if (empty)
        tensor->bytes = 0;
    return true;
}

static bool read_offsets(const json_t *value, size_t available, struct entry *entry)
{
    const json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(begin) || !json_is_integer(end) || json_integer_value(begin) < 0 ||
        json_integer_value(end) < json_integer_value(begin) || (size_t)json_integer_value(end) > available)
        return false;
    entry->begin = (size_t)json_integer_value(begin);
    entry->end = (size_t)json_integer_value(end);
    return true;
}

static bool read_entry(const struct safetensors *file, const char *name, const json_t *value, struct entry *entry,
                       struct error *error)
{
    char quoted[QUOTED_SIZE];
    size_t available = file->size - file->data_at;
    struct tensor *tensor = &entry->tensor;
    text_quote(name, quoted);
    tensor->name = name;
    if (json_object_size(value) != 3) /* 0 for what is no object */
        return fail(error, "%s: tensor %s: expected an object of dtype, shape and data_offsets", file->path, quoted);
    if (!read_dtype(json_object_get(value, "dtype"), &tensor->dtype))
        return fail(error, "%s: tensor %s: dtype must be \"F32\" or \"F64\"", file->path, quoted);
    if (!read_shape(json_object_get(value, "shape"), tensor))
        return fail(error, "%s: tensor %s: shape must be at most %d non-negative integers whose product fits 64 bits", file->path,
                    quoted, TENSOR_RANK_MAX);
    if (!read_offsets(json_object_get(value, "data_offsets"), available, entry))
        return fail(error, "%s: tensor %s: data_offsets must be [begin, end] within the %zu bytes of data", file->path, quoted,
                    available);
    if (entry->end - entry->begin != tensor->bytes)
        return fail(error, "%s: tensor %s: shape needs %zu bytes, data_offsets span %zu", file->path, quoted, tensor->bytes,
                    entry->end - entry->begin);
    return true;
}

static int by_offsets(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static bool check_cover(struct safetensors *file, struct error *error)
{
    size_t at = 0;
    char quoted[QUOTED_SIZE];
    qsort(file->entry, file->n, sizeof *file->entry, by_offsets);
    for (size_t i = 0; i < file->n; i++) {
        const struct entry *entry = &file->entry[i];
        if (entry->begin != at)
            return fail(error, "%s: tensor %s: data begin at %zu; expected %zu, the end of the tensor before", file->path,
                        text_quote(entry->tensor.name, quoted), entry->begin, at);
        at = entry->end;
    }
    if (at != file->size - file->data_at)
        return fail(error, "%s: the tensors need %zu bytes of data, the file has %zu", file->path, at, file->size - file->data_at);
    return true;
}

/* In place where the file happens to align it, which good writers see to; else a copy. */
static bool place_data(struct safetensors *file, struct entry *entry, struct error *error)
{
    const unsigned char *data = file->map + file->data_at + entry->begin;
    entry->tensor.data = data;
    if (entry->tensor.bytes == 0 || (uintptr_t)data % dtype_size(entry->tensor.dtype) == 0)
        return true;
    entry->copy = malloc(entry->tensor.bytes);
    if (entry->copy == NULL)
        return fail_memory(error);
    memcpy(entry->copy, data, entry->tensor.bytes);
    entry->tensor.data = entry->copy;
    return true;
}

static bool read_entries(struct safetensors *file, struct error *error)
{
    const char *name;
    json_t *value;
    file->entry = calloc(json_object_size(file->header) + 1, sizeof *file->entry);
    if (file->entry == NULL)
        return fail_memory(error);
    json_object_foreach(file->header, name, value)
    {
        if (strcmp(name, METADATA) == 0)
            continue;
        if (!read_entry(file, name, value, &file->entry[file->n], error))
            return false;
        file->n++;
    }
    if (!check_cover(file, error))
        return false;
    for (size_t i = 0; i < file->n; i++)
        if (!place_data(file, &file->entry[i], error))
            return false;
    return true;
}

bool safetensors_open(const char *path, struct safetensors **file, struct error *error)
{
    *file = NULL;
    struct safetensors *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fail_memory(error);
    opened->path = path;
    if (!map_file(opened, error) || !parse_header(opened, error) || !check_metadata(opened, error) ||
        !read_entries(opened, error)) {
        safetensors_close(opened);
        return false;
    }
    opened->path = NULL;
    *file = opened;
    return true;
}

size_t safetensors_count(const struct safetensors *file)
{
    return file->n;
}

const struct tensor *safetensors_get(const struct safetensors *file, size_t index)
{
    return index < file->n ? &file->entry[index].tensor : NULL;
}

const struct tensor *safetensors_find(const struct safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->n; i++)
        if (strcmp(file->entry[i].tensor.name, name) == 0)
            return &file->entry[i].tensor;
    return NULL;
}

const char *safetensors_metadata(const struct safetensors *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->header, METADATA), key));
}

void safetensors_digest(const struct safetensors *file, char digest[DIGEST_SIZE])
{
    digest_bytes(file->map, file->size, digest);
}

void safetensors_close(struct safetensors *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->n; i++)
        free(file->entry[i].copy);
    free(file->entry);
    json_decref(file->header);
    if (file->map != NULL)
        munmap(file->map, file->size);
    free(file);
}
