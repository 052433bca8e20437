/* See safetensors.h. As strict as the format's own reader: the data of the tensors cover the file without gap or overlap. */
#include "bench/base/safetensors.h"

#include "bench/base/files.h"
#include "bench/base/parse.h"
#include "bench/base/seal.h"
#include "bench/base/text.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are little-endian in the file and used in place");

enum { DTYPE_OTHER = DTYPE_COUNT }; /* nothing here computes with it */

/* The dtypes of the format. One that is newer than this table has no size that could be checked. */
static const struct {
    const char *name;
    int bits;
    int dtype;
} dtypes[] = {
    {"F32", 32, DTYPE_FLOAT32}, {"F64", 64, DTYPE_FLOAT64}, {"BOOL", 8, DTYPE_OTHER},    {"U8", 8, DTYPE_OTHER},
    {"I8", 8, DTYPE_OTHER},     {"U16", 16, DTYPE_OTHER},   {"I16", 16, DTYPE_OTHER},    {"F16", 16, DTYPE_OTHER},
    {"BF16", 16, DTYPE_OTHER},  {"U32", 32, DTYPE_OTHER},   {"I32", 32, DTYPE_OTHER},    {"U64", 64, DTYPE_OTHER},
    {"I64", 64, DTYPE_OTHER},   {"C64", 64, DTYPE_OTHER},   {"F8_E4M3", 8, DTYPE_OTHER}, {"F8_E5M2", 8, DTYPE_OTHER},
};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

static const char METADATA[] = "__metadata__";

struct entry {
    struct tensor tensor;
    const char *other; /* the name of a dtype that nothing here computes with, or NULL */
    size_t dimensions; /* rank and shape of the tensor hold no more than TENSOR_RANK_MAX of them */
    size_t begin, end; /* from the first byte of data */
    void *copy;        /* of data that was not aligned in the file, or NULL */
};

struct safetensors {
    const char *path; /* the caller's, while opening */
    unsigned char *map;
    size_t size, data_at;
    json_t *header;
    struct entry *entry; /* n that can be used, in the order of their data; then those that are passed over */
    size_t n, passed_over;
    bool sealed;
};

static bool map_file(struct safetensors *file, struct error *error)
{
    struct stat found = {.st_size = 0};
    struct error reason;
    int descriptor = files_open(file->path, FILES_READ, &reason);
    if (descriptor < 0)
        return fail_outside(error, "cannot read %.300s: %.600s", file->path, reason.text);
    if (fstat(descriptor, &found) == 0 && found.st_size < 8) {
        fail(error, "cannot read %s: not a safetensors file: shorter than the 8 bytes of a header length", file->path);
    } else {
        file->size = (size_t)found.st_size;
        void *map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (map == MAP_FAILED)
            fail_outside(error, "cannot read %.300s: %s", file->path, error_reason(errno));
        else
            file->map = map;
    }
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

/* Rank, shape and the bytes they make. */
static bool read_shape(const json_t *value, size_t bits, struct entry *entry)
{
    struct tensor *tensor = &entry->tensor;
    size_t numbers = 1;
    bool empty = false;
    if (!json_is_array(value))
        return false;
    entry->dimensions = json_array_size(value);
    tensor->rank = entry->dimensions < TENSOR_RANK_MAX ? (int)entry->dimensions : TENSOR_RANK_MAX;
    for (size_t i = 0; i < entry->dimensions; i++) {
        const json_t *size = json_array_get(value, i);
        json_int_t length = json_integer_value(size);
        if (!json_is_integer(size) || length < 0)
            return false;
        if (i < TENSOR_RANK_MAX)
            tensor->shape[i] = length;
        if (length == 0)
            empty = true;
        else if (__builtin_mul_overflow(numbers, (size_t)length, &numbers))
            return false;
    }
    if (__builtin_mul_overflow(numbers, bits / 8, &tensor->bytes))
        return false;
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
    size_t available = file->size - file->data_at, i = 0;
    struct tensor *tensor = &entry->tensor;
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    text_quote(name, quoted);
    tensor->name = name;
    if (json_object_size(value) != 3) /* 0 for what is no object */
        return fail(error, "%s: tensor %s: expected an object of dtype, shape and data_offsets", file->path, quoted);
    if (dtype == NULL)
        return fail(error, "%s: tensor %s: dtype must be a text such as \"F32\"", file->path, quoted);
    while (i < DTYPES && strcmp(dtype, dtypes[i].name) != 0)
        i++;
    if (i == DTYPES || dtypes[i].dtype == DTYPE_OTHER)
        entry->other = dtype;
    else
        tensor->dtype = (enum dtype)dtypes[i].dtype;
    if (!read_shape(json_object_get(value, "shape"), i < DTYPES ? (size_t)dtypes[i].bits : 8, entry))
        return fail(error, "%s: tensor %s: shape must be non-negative integers whose product fits 64 bits", file->path, quoted);
    if (!read_offsets(json_object_get(value, "data_offsets"), available, entry))
        return fail(error, "%s: tensor %s: data_offsets must be [begin, end] within the %zu bytes of data", file->path, quoted,
                    available);
    if (i < DTYPES && entry->end - entry->begin != tensor->bytes)
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

static bool is_usable(const struct entry *entry)
{
    return entry->other == NULL && entry->dimensions <= TENSOR_RANK_MAX;
}

/* Moves what cannot be used behind the rest. */
static bool pass_over(struct safetensors *file, struct error *error)
{
    struct entry *others = calloc(file->n + 1, sizeof *others);
    size_t kept = 0;
    if (others == NULL)
        return fail_memory(error);
    for (size_t i = 0; i < file->n; i++)
        if (is_usable(&file->entry[i]))
            file->entry[kept++] = file->entry[i];
        else
            others[file->passed_over++] = file->entry[i];
    memcpy(file->entry + kept, others, file->passed_over * sizeof *others);
    file->n = kept;
    free(others);
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
    if (!check_cover(file, error) || !pass_over(file, error))
        return false;
    for (size_t i = 0; i < file->n; i++)
        if (!place_data(file, &file->entry[i], error))
            return false;
    return true;
}

/* The file with the checksum's digits as zeros; false: there is no memory. */
static bool hash_file(const struct safetensors *file, const unsigned char *digits, char found[SEAL_DIGITS + 1])
{
    size_t before = (size_t)(digits - file->map), after = before + SEAL_DIGITS;
    const struct seal_part part[] = {{file->map, before}, {SEAL_ZEROS, SEAL_DIGITS}, {file->map + after, file->size - after}};
    return seal_digits_of_parts(part, sizeof part / sizeof part[0], found);
}

/* The checksum stands in the header as the writer spells it: elsewhere a text has no bare quotation marks. */
static bool check_seal(struct safetensors *file, struct error *error)
{
    static const char mark[] = "\"" SAFETENSORS_CHECKSUM "\":\"";
    char expected[SEAL_DIGITS + 1] = "";
    const unsigned char *header = file->map + sizeof(uint64_t), *end = file->map + file->data_at,
                        *at = memmem(header, (size_t)(end - header), mark, sizeof mark - 1);
    if (safetensors_metadata(file, SAFETENSORS_CHECKSUM) == NULL)
        return true;
    const unsigned char *digits = at != NULL ? at + sizeof mark - 1 : end;
    if ((size_t)(end - digits) > SEAL_DIGITS && !hash_file(file, digits, expected))
        return fail_memory(error);
    file->sealed = expected[0] != '\0' && memcmp(digits, expected, SEAL_DIGITS) == 0;
    return file->sealed || fail(error, "%s: changed since it was written: %s of __metadata__, a checksum, does not fit", file->path,
                                SAFETENSORS_CHECKSUM);
}

bool safetensors_open(const char *path, struct safetensors **file, struct error *error)
{
    *file = NULL;
    struct safetensors *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fail_memory(error);
    opened->path = path;
    if (!map_file(opened, error) || !parse_header(opened, error) || !check_metadata(opened, error) || !check_seal(opened, error) ||
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

bool safetensors_passed_over(const struct safetensors *file, const char *name, char reason[SAFETENSORS_REASON])
{
    char quoted[QUOTED_SIZE];
    for (size_t i = file->n; i < file->n + file->passed_over; i++) {
        const struct entry *entry = &file->entry[i];
        if (strcmp(entry->tensor.name, name) != 0)
            continue;
        if (entry->other != NULL)
            snprintf(reason, SAFETENSORS_REASON, "dtype is %s; expected \"F32\" or \"F64\"", text_quote(entry->other, quoted));
        else
            snprintf(reason, SAFETENSORS_REASON, "%zu dimensions; expected at most %d", entry->dimensions, TENSOR_RANK_MAX);
        return true;
    }
    return false;
}

bool safetensors_sealed(const struct safetensors *file)
{
    return file->sealed;
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
