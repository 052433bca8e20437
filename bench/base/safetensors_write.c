/* See safetensors_write.h. */
#include "bench/base/safetensors_write.h"

#include "bench/base/files.h"
#include "bench/base/parse.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 }; /* of the first byte of data in the file */

static const char MARK[] = "\"" SAFETENSORS_CHECKSUM "\":\"";

/* The header, padded with blanks, zeros for the checksum; NULL when out of memory. The order of its keys is that of the data. */
static char *header_text(const struct tensor tensor[], size_t n, json_t *metadata)
{
    static const char *const dtypes[DTYPE_COUNT] = {"F32", "F64"};
    struct json_watch watch;
    json_watch_begin(&watch);
    json_t *header = json_object(), *texts = metadata != NULL ? json_copy(metadata) : json_object();
    json_int_t at = 0;
    json_object_set_new(texts, SAFETENSORS_CHECKSUM, json_string(SEAL_ZEROS));
    json_object_set_new(header, "__metadata__", texts);
    for (size_t i = 0; i < n; i++) {
        json_t *shape = json_array();
        for (int k = 0; k < tensor[i].rank; k++)
            json_array_append_new(shape, json_integer(tensor[i].shape[k]));
        json_int_t begin = at, end = begin + (json_int_t)tensor[i].bytes;
        json_t *entry = json_pack("{ss so s[II]}", "dtype", dtypes[tensor[i].dtype], "shape", shape, "data_offsets", begin, end);
        json_object_set_new(header, tensor[i].name, entry);
        at = end;
    }
    char *text = json_watch_print(&watch, header, JSON_COMPACT);
    json_decref(header);
    size_t length = text != NULL ? strlen(text) : 0, padded = (8 + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - 8;
    char *grown = text != NULL ? realloc(text, padded + 1) : NULL;
    if (grown == NULL) {
        free(text);
        return NULL;
    }
    memset(grown + length, ' ', padded - length);
    grown[padded] = '\0';
    return grown;
}

/* Puts the checksum of all parts into the header, which is one of them. False: out of memory. */
static bool seal(const struct files_part part[], size_t n, char *header)
{
    char digits[SEAL_DIGITS + 1];
    struct seal_part *sealed = calloc(n, sizeof *sealed);
    for (size_t i = 0; sealed != NULL && i < n; i++)
        sealed[i] = (struct seal_part){part[i].bytes, part[i].length};
    bool good = sealed != NULL && seal_digits_of_parts(sealed, n, digits);
    free(sealed);
    if (good) /* a text of the header that looked the same would have its quotation marks escaped */
        memcpy(strstr(header, MARK) + sizeof MARK - 1, digits, SEAL_DIGITS);
    return good;
}

bool safetensors_write(const char *path, const struct tensor tensor[], size_t n, json_t *metadata, struct error *error)
{
    char *header = header_text(tensor, n, metadata);
    struct files_part *part = calloc(n + 2, sizeof *part);
    uint64_t length = header != NULL ? strlen(header) : 0;
    bool good = header != NULL && part != NULL;
    if (good) {
        part[0] = (struct files_part){&length, sizeof length};
        part[1] = (struct files_part){header, (size_t)length};
        for (size_t i = 0; i < n; i++)
            part[2 + i] = (struct files_part){tensor[i].data, tensor[i].bytes};
        good = seal(part, n + 2, header);
    }
    good = good ? files_write_parts(path, part, n + 2, error) : fail_memory(error);
    free(part);
    free(header);
    return good;
}
