/* Inputs that rounds share: the same bits as drawn ones, whatever happened to the file; and the tensors that are written. */
#include "bench/measure/cache.h"

#include "bench/base/safetensors_write.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <unistd.h>

static struct error error;

/* A problem with every tensor that can be drawn. */
static struct point a_point(const char *seed, const char *dtype)
{
    const char *const settings[][2] = {{"measure", "throughput"}, {"B", "2"},          {"T", "5"},           {"d", "3"},
                                       {"mixer", "householder"},  {"feedback", "raw"}, {"initial", "drawn"}, {"seed", seed},
                                       {"dtype", dtype}};
    struct point point;
    for (int field = 0; field < FIELD_COUNT; field++) {
        point.value[field] = (struct value){0};
        if (fields[field].default_text != NULL)
            ck_assert(field_read(field, fields[field].default_text, &point.value[field]));
    }
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        ck_assert(field_read(field_find_any(settings[i][0]), settings[i][1], &point.value[field_find_any(settings[i][0])]));
    point_canonical(&point);
    return point;
}

static void same(const struct tensors *a, const struct tensors *b)
{
    struct tensor left[TENSORS_MAX], right[TENSORS_MAX];
    size_t n = tensors_list(a, left);
    ck_assert_uint_eq(n, 5);
    ck_assert_uint_eq(tensors_list(b, right), n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(left[i].bytes, right[i].bytes);
        ck_assert_mem_eq(left[i].data, right[i].data, left[i].bytes);
    }
    ck_assert(b->inputs.v == b->owned[0] && b->inputs.h0 == b->owned[4]);
}

/* The one file in the cache. */
static void only_file(const char *cache, char path[PATH_MAX])
{
    int n = 0;
    DIR *entries = opendir(cache);
    ck_assert_ptr_nonnull(entries);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] != '.') {
            snprintf(path, PATH_MAX, "%s/%s", cache, entry->d_name);
            n++;
        }
    closedir(entries);
    ck_assert_int_eq(n, 1);
}

START_TEST(same_bits)
{
    static const char *const dtypes[] = {"float32", "float64"};
    char cache[PATH_MAX], path[PATH_MAX];
    struct tensors drawn, first, second;
    struct point point = a_point("3", dtypes[_i]), other = a_point("4", dtypes[_i]);
    scratch_make();
    snprintf(cache, sizeof cache, "%s/inputs", scratch);
    ck_assert(!cache_load(cache, &point, &drawn));
    ck_assert(tensors_make(&point, NULL, NULL, &drawn, &error));
    ck_assert(tensors_make(&point, cache, NULL, &first, &error));
    only_file(cache, path);
    ck_assert(cache_load(cache, &point, &second));
    same(&drawn, &first);
    same(&drawn, &second);
    ck_assert(!cache_load(cache, &other, &second));
    tensors_free(&first);
    tensors_free(&second);

    struct stat about; /* one bit of the data lost, then all after the first half */
    ck_assert_int_eq(stat(path, &about), 0);
    for (int k = 0; k < 2; k++) {
        FILE *file = fopen(path, "r+b");
        ck_assert(file != NULL && fseek(file, -1, SEEK_END) == 0);
        int last = fgetc(file);
        ck_assert(fseek(file, -1, SEEK_END) == 0 && fputc(last ^ 1, file) != EOF && fclose(file) == 0);
        if (k == 1)
            ck_assert_int_eq(truncate(path, about.st_size / 2), 0);
        ck_assert(!cache_load(cache, &point, &second));
        ck_assert(tensors_make(&point, cache, NULL, &second, &error)); /* drawn and kept again */
        same(&drawn, &second);
        tensors_free(&second);
        ck_assert(cache_load(cache, &point, &second));
        tensors_free(&second);
    }
    tensors_free(&drawn);
    cache_remove(cache);
    ck_assert_int_ne(access(cache, F_OK), 0);
    cache_remove(cache);
    scratch_remove();
}
END_TEST

/* Where nothing can be written inputs are drawn all the same. */
START_TEST(without_a_place)
{
    struct tensors tensors;
    struct point point = a_point("3", "float32");
    ck_assert(tensors_make(&point, "/proc/nowhere", NULL, &tensors, &error));
    tensors_free(&tensors);
}
END_TEST

START_TEST(written_tensors_are_read)
{
    static const double numbers[] = {1, 2, 3, 4, 5, 6};
    static const float one[] = {7};
    const struct tensor tensor[] = {
        {.name = "a", .dtype = DTYPE_FLOAT32, .rank = 1, .shape = {1}, .bytes = 4, .data = one},
        {.name = "b \"quoted\"", .dtype = DTYPE_FLOAT64, .rank = 3, .shape = {2, 3, 1}, .bytes = 48, .data = numbers},
        {.name = "none", .dtype = DTYPE_FLOAT64, .rank = 2, .shape = {0, 3}, .bytes = 0, .data = numbers}};
    struct safetensors *file;
    scratch_make();
    const char *path = scratch_path("x.safetensors");
    json_t *metadata = json_pack("{ss}", "step", "12");
    ck_assert_msg(safetensors_write(path, tensor, 3, metadata, &error), "%s", error.text);
    json_decref(metadata);
    ck_assert_msg(safetensors_open(path, &file, &error), "%s", error.text);
    ck_assert_uint_eq(safetensors_count(file), 3);
    ck_assert_str_eq(safetensors_metadata(file, "step"), "12");
    for (size_t i = 0; i < 3; i++) {
        const struct tensor *found = safetensors_find(file, tensor[i].name);
        ck_assert_ptr_nonnull(found);
        ck_assert(found->dtype == tensor[i].dtype && found->rank == tensor[i].rank && found->bytes == tensor[i].bytes);
        ck_assert_int_eq(memcmp(found->shape, tensor[i].shape, (size_t)found->rank * sizeof found->shape[0]), 0);
        ck_assert_int_eq(memcmp(found->data, tensor[i].data, found->bytes), 0);
    }
    safetensors_close(file);
    ck_assert(!safetensors_write("/proc/nowhere/x", tensor, 3, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "/proc/nowhere/x"));
    scratch_remove();
}
END_TEST

Suite *suite_cache(void);

Suite *suite_cache(void)
{
    Suite *suite = suite_create("cache");
    TCase *tests = tcase_create("cache");
    tcase_add_loop_test(tests, same_bits, 0, 2);
    tcase_add_test(tests, without_a_place);
    tcase_add_test(tests, written_tensors_are_read);
    suite_add_tcase(suite, tests);
    return suite;
}
