/* See cache.h. */
#include "bench/measure/cache.h"

#include "bench/base/files.h"
#include "bench/base/safetensors_write.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <xxhash.h>

static const char CONTENTS[] = "contents";

enum { DESCRIPTION_SIZE = FIELD_COUNT * 64, ROOM = 8 /* the disk must have room for so many times a file's size */ };

/* What defines drawn inputs: the problem, the regime, the seed, and the code that draws. */
static void describe(const struct point *point, char text[DESCRIPTION_SIZE])
{
    int used = snprintf(text, DESCRIPTION_SIZE, "drawn by %s:", point_harness(point));
    for (int field = 0; field < FIELD_COUNT; field++) {
        char value[VALUE_TEXT_MAX];
        bool defines = fields[field].section == SECTION_PROBLEM || fields[field].section == SECTION_REGIME || field == FIELD_SEED;
        if (!defines || field == FIELD_LIMIT)
            continue;
        field_print(field, &point->value[field], sizeof value, value);
        used += snprintf(text + used, used < DESCRIPTION_SIZE ? (size_t)(DESCRIPTION_SIZE - used) : 0, " %s=%s", fields[field].name,
                         value);
    }
}

static void file_of(const char *folder, const char *description, char path[PATH_MAX])
{
    XXH128_hash_t hash = XXH3_128bits(description, strlen(description));
    snprintf(path, PATH_MAX, "%s/%016" PRIx64 "%016" PRIx64 ".safetensors", folder, (uint64_t)hash.high64, (uint64_t)hash.low64);
}

/* Results folders are copied, and what is measured must not hang on a copy that was cut short: the reader holds the checksum. */
static bool is_of(const char *path, const char *description)
{
    struct safetensors *file;
    struct error ignored;
    if (!safetensors_open(path, &file, &ignored))
        return false;
    const char *contents = safetensors_metadata(file, CONTENTS);
    bool same = safetensors_sealed(file) && contents != NULL && strcmp(contents, description) == 0;
    safetensors_close(file);
    return same;
}

bool cache_load(const char *folder, const struct point *point, struct tensors *tensors)
{
    struct problem problem = point_problem(point);
    char description[DESCRIPTION_SIZE], path[PATH_MAX];
    struct error ignored;
    describe(point, description);
    file_of(folder, description, path);
    return is_of(path, description) && tensors_read(path, &problem, NULL, tensors, &ignored);
}

void cache_store(const char *folder, const struct point *point, const struct tensors *tensors)
{
    char description[DESCRIPTION_SIZE], path[PATH_MAX];
    struct tensor tensor[TENSORS_MAX];
    struct error ignored;
    struct statvfs disk;
    double bytes = 0;
    size_t n = tensors_list(tensors, tensor);
    for (size_t i = 0; i < n; i++)
        bytes += (double)tensor[i].bytes;
    if (!files_make_folder(folder, &ignored) || statvfs(folder, &disk) != 0 ||
        (double)disk.f_bavail * (double)disk.f_frsize < ROOM * bytes)
        return;
    describe(point, description);
    file_of(folder, description, path);
    json_t *metadata = json_pack("{ss}", CONTENTS, description);
    if (metadata != NULL)
        safetensors_write(path, tensor, n, metadata, &ignored);
    json_decref(metadata);
}

bool tensors_make(const struct point *point, const char *folder, const char *digest, struct tensors *tensors, struct error *error)
{
    struct problem problem = point_problem(point);
    struct regime regime = point_regime(point);
    if (regime.file != NULL)
        return tensors_read(regime.file, &problem, digest, tensors, error);
    if (folder != NULL && cache_load(folder, point, tensors))
        return true;
    if (!tensors_sample(&problem, &regime, tensors, error))
        return false;
    if (folder != NULL)
        cache_store(folder, point, tensors);
    return true;
}

static bool is_inputs(const char *name, void *context)
{
    (void)context;
    return strstr(name, ".safetensors") != NULL; /* and those that were being written */
}

void cache_remove(const char *folder)
{
    files_clear(folder, is_inputs, NULL);
    files_remove_folder(folder);
}
