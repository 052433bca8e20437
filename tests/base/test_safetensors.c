/* The reader of .safetensors files: what is right is read, and whatever is wrong is refused in words. Every header below is written
 * with ' for " to stay legible. */
#include "bench/base/safetensors_write.h"
#include "tests/support/scratch.h"

#include <unistd.h>

Suite *suite_safetensors(void);

static struct error error;
static struct safetensors *file;

/* A file of a header and size bytes of data: 0, 1, 2, ... */
static void write_tensors(const char *header, uint64_t claimed, size_t size)
{
    size_t n = strlen(header);
    unsigned char *bytes = malloc(8 + n + size);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, &claimed, 8);
    for (size_t i = 0; i < n; i++)
        bytes[8 + i] = header[i] == '\'' ? '"' : (unsigned char)header[i];
    for (size_t i = 0; i < size; i++)
        bytes[8 + n + i] = (unsigned char)i;
    scratch_write(scratch_path("t.safetensors"), bytes, 8 + n + size);
    free(bytes);
}

static bool open_header(const char *header, size_t size)
{
    write_tensors(header, strlen(header), size);
    return safetensors_open(scratch_path("t.safetensors"), &file, &error);
}

START_TEST(reads_tensors)
{
    ck_assert_msg(open_header("{'__metadata__': {'made_by': 'a test', 'n': '1'},"
                              " 'theta': {'dtype': 'F32', 'shape': [2, 3, 1], 'data_offsets': [16, 40]},"
                              " 'v': {'dtype': 'F64', 'shape': [2], 'data_offsets': [0, 16]}}",
                              40),
                  "%s", error.text);
    const struct tensor *v = safetensors_find(file, "v"), *theta = safetensors_find(file, "theta");
    ck_assert(v != NULL && theta != NULL);
    ck_assert_int_eq(v->dtype, DTYPE_FLOAT64);
    ck_assert_int_eq(v->rank, 1);
    ck_assert_int_eq(v->shape[0], 2);
    ck_assert_uint_eq(v->bytes, 16);
    ck_assert_int_eq(theta->dtype, DTYPE_FLOAT32);
    ck_assert_int_eq(theta->rank, 3);
    ck_assert(theta->shape[0] == 2 && theta->shape[1] == 3 && theta->shape[2] == 1);
    ck_assert_uint_eq(theta->bytes, 24);
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(((const unsigned char *)v->data)[i], i);
    for (int i = 0; i < 24; i++)
        ck_assert_int_eq(((const unsigned char *)theta->data)[i], 16 + i);
    ck_assert_uint_eq(safetensors_count(file), 2);
    ck_assert_ptr_eq(safetensors_get(file, 0), v);
    ck_assert_ptr_eq(safetensors_get(file, 1), theta);
    ck_assert_ptr_null(safetensors_get(file, 2));
    ck_assert_ptr_null(safetensors_find(file, "lambda"));
    ck_assert_ptr_null(safetensors_find(file, "__metadata__"));
    ck_assert_str_eq(safetensors_metadata(file, "made_by"), "a test");
    ck_assert_ptr_null(safetensors_metadata(file, "v"));
    safetensors_close(file);
    safetensors_close(NULL);
}
END_TEST

/* Headers of every length modulo 8, so that the data lie anywhere; a sanitizer would complain about a misaligned read. */
START_TEST(aligns_data)
{
    char header[256];
    for (int pad = 0; pad < 8; pad++) {
        snprintf(header, sizeof header, "{'x': {'dtype': 'F64', 'shape': [2], 'data_offsets': [0, 16]}}%*s", pad, "");
        ck_assert_msg(open_header(header, 16), "%s", error.text);
        const struct tensor *x = safetensors_find(file, "x");
        ck_assert_uint_eq((uintptr_t)x->data % sizeof(double), 0);
        ck_assert_int_eq(((const unsigned char *)x->data)[15], 15);
        safetensors_close(file);
    }
}
END_TEST

// clang-format off
static const struct {
    const char *header;
    size_t size, count;
} good[] = {
    {"{}", 0, 0},
    {"{'__metadata__': {}}", 0, 0},
    {"{'x': {'dtype': 'F32', 'shape': [], 'data_offsets': [0, 4]}}", 4, 1},
    {"{'x': {'dtype': 'F32', 'shape': [0, 7], 'data_offsets': [0, 0]}}", 0, 1},
    {"{'': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}}", 4, 1},
    {"{'a': {'dtype': 'F32', 'shape': [0], 'data_offsets': [4, 4]}, 'x': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]},"
     " 'b': {'dtype': 'F32', 'shape': [0], 'data_offsets': [0, 0]}}", 4, 3},
    {"{'x': {'data_offsets': [0, 8], 'shape': [1,1,1,1,1,1,1,1], 'dtype': 'F64'}}", 8, 1},
};
// clang-format on

START_TEST(accepts_unusual_files)
{
    ck_assert_msg(open_header(good[_i].header, good[_i].size), "%s", error.text);
    ck_assert_uint_eq(safetensors_count(file), good[_i].count);
    safetensors_close(file);
}
END_TEST

#define X(fields) "{'x': {" fields "}}"
#define SHAPE(shape) X("'dtype': 'F32', 'shape': " shape ", 'data_offsets': [0, 4]")
#define OFFSETS(offsets) X("'dtype': 'F32', 'shape': [1], 'data_offsets': " offsets)
#define SHAPE_ERROR "tensor \"x\": shape must be non-negative integers whose product fits 64 bits"
#define OFFSETS_ERROR "tensor \"x\": data_offsets must be [begin, end] within the 4 bytes of data"
#define OBJECT_ERROR "tensor \"x\": expected an object of dtype, shape and data_offsets"

// clang-format off
/* All with 4 bytes of data. */
static const struct {
    const char *header, *message; /* after the file's name */
} bad[] = {
    {"", "the header is not JSON: "},
    {"[]", "the header is not a JSON object"},
    {"{", "the header is not JSON: "},
    {"{} x", "the header is not JSON: "},
    {"{'x': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}, 'x': 1}", "the header is not JSON: \"duplicate object key"},
    {"{'\xff': 1}", "the header is not JSON: "},
    {"{'a\\u0000b': 1}", "the header is not JSON: "},
    {"{'x': 1e999}", "the header is not JSON: "},
    {"{'__metadata__': []}", "__metadata__ is not a JSON object"},
    {"{'__metadata__': {'n': 1}}", "__metadata__: the value of \"n\" is not a string"},
    {"{'x': 1}", OBJECT_ERROR},
    {"{'x': null}", OBJECT_ERROR},
    {X("'dtype': 'F32', 'shape': [1]"), OBJECT_ERROR},
    {X("'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4], 'more': 1"), OBJECT_ERROR},
    {X("'dtype': 'F32', 'shape': [1], 'offsets': [0, 4]"), "tensor \"x\": data_offsets must be"},
    {X("'dtype': 'BF16', 'shape': [1], 'data_offsets': [0, 4]"), "tensor \"x\": shape needs 2 bytes, data_offsets span 4"},
    {X("'dtype': 'I64', 'shape': [1], 'data_offsets': [0, 4]"), "tensor \"x\": shape needs 8 bytes, data_offsets span 4"},
    {X("'dtype': 'new', 'shape': [-1], 'data_offsets': [0, 4]"), SHAPE_ERROR},
    {X("'dtype': 'new', 'shape': [1], 'data_offsets': [0, 8]"), OFFSETS_ERROR},
    {X("'dtype': 'new', 'shape': [1], 'data_offsets': [0, 3]"), "the tensors need 3 bytes of data, the file has 4"},
    {X("'dtype': 32, 'shape': [1], 'data_offsets': [0, 4]"), "tensor \"x\": dtype must be"},
    {SHAPE("1"), SHAPE_ERROR},
    {SHAPE("{}"), SHAPE_ERROR},
    {SHAPE("[-1]"), SHAPE_ERROR},
    {SHAPE("[-1, -1]"), SHAPE_ERROR},
    {SHAPE("[1.0]"), SHAPE_ERROR},
    {SHAPE("['1']"), SHAPE_ERROR},
    {SHAPE("[1,1,1,1,1,1,1,1,1,-1]"), SHAPE_ERROR},
    {SHAPE("[1,1,1,1,1,1,1,1,1,2]"), "tensor \"x\": shape needs 8 bytes, data_offsets span 4"},
    {SHAPE("[4611686018427387904, 4]"), SHAPE_ERROR},
    {SHAPE("[4611686018427387905]"), SHAPE_ERROR}, /* times 4 is 4 modulo 2^64 */
    {SHAPE("[9223372036854775808]"), "the header is not JSON: "},
    {SHAPE("[2]"), "tensor \"x\": shape needs 8 bytes, data_offsets span 4"},
    {SHAPE("[0]"), "tensor \"x\": shape needs 0 bytes, data_offsets span 4"},
    {OFFSETS("4"), OFFSETS_ERROR},
    {OFFSETS("[0]"), OFFSETS_ERROR},
    {OFFSETS("[0, 4, 4]"), OFFSETS_ERROR},
    {OFFSETS("[4, 0]"), OFFSETS_ERROR},
    {OFFSETS("[-4, 0]"), OFFSETS_ERROR},
    {OFFSETS("[0, 8]"), OFFSETS_ERROR},
    {OFFSETS("[4, 8]"), OFFSETS_ERROR},
    {OFFSETS("[0, 9223372036854775807]"), OFFSETS_ERROR},
    {OFFSETS("[0.0, 4.0]"), OFFSETS_ERROR},
    {OFFSETS("['0', '4']"), OFFSETS_ERROR},
    {"{}", "the tensors need 0 bytes of data, the file has 4"},
    {"{'x': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}, 'y': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}}",
     "data begin at 0; expected 4, the end of the tensor before"},
    {"{'y': {'dtype': 'F32', 'shape': [0], 'data_offsets': [2, 2]}}",
     "tensor \"y\": data begin at 2; expected 0, the end of the tensor before"},
    {"{'\\u001b[31m': 1}", "tensor \"\\x1b[31m\": expected an object"},
};
// clang-format on

START_TEST(refuses_bad_headers)
{
    char expected[PATH_MAX + 256];
    ck_assert(!open_header(bad[_i].header, 4));
    ck_assert_ptr_null(file);
    snprintf(expected, sizeof expected, "%s: ", scratch_path("t.safetensors"));
    ck_assert_int_eq(strncmp(error.text, expected, strlen(expected)), 0);
    ck_assert_msg(strstr(error.text, bad[_i].message) != NULL, "got: %s", error.text);
}
END_TEST

/* What nothing here computes with, between two tensors that are used: its dtype, shape, and what is said when it is asked for. */
static const struct {
    const char *dtype, *shape, *said;
} others[] = {
    {"I64", "[2]", "dtype is \"I64\"; expected \"F32\" or \"F64\""},
    {"BF16", "[2,4]", "dtype is \"BF16\"; expected \"F32\" or \"F64\""},
    {"F16", "[8]", "dtype is \"F16\"; expected \"F32\" or \"F64\""},
    {"BOOL", "[16]", "dtype is \"BOOL\"; expected \"F32\" or \"F64\""},
    {"U8", "[16]", "dtype is \"U8\"; expected \"F32\" or \"F64\""},
    {"F8_E4M3", "[16]", "dtype is \"F8_E4M3\"; expected \"F32\" or \"F64\""},
    {"C64", "[2]", "dtype is \"C64\"; expected \"F32\" or \"F64\""},
    {"newer than this program", "[5,5]", "dtype is \"newer than this program\"; expected \"F32\" or \"F64\""},
    {"\\u001b[31m", "[]", "dtype is \"\\x1b[31m\"; expected \"F32\" or \"F64\""},
    {"F32", "[1,1,1,1,4,1,1,1,1]", "9 dimensions; expected at most 8"},
    {"F64", "[1,1,1,1,1,1,1,1,1,2]", "10 dimensions; expected at most 8"},
};

START_TEST(passes_over_other_tensors)
{
    char header[512], reason[SAFETENSORS_REASON];
    snprintf(
        header, sizeof header,
        "{'other': {'dtype': '%s', 'shape': %s, 'data_offsets': [4, 20]}, 'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, "
        "4]}, 'b': {'dtype': 'F64', 'shape': [1], 'data_offsets': [20, 28]}}",
        others[_i].dtype, others[_i].shape);
    ck_assert_msg(open_header(header, 28), "%s", error.text);
    ck_assert_uint_eq(safetensors_count(file), 2);
    ck_assert_ptr_eq(safetensors_get(file, 0), safetensors_find(file, "a"));
    ck_assert_ptr_eq(safetensors_get(file, 1), safetensors_find(file, "b"));
    ck_assert_int_eq(((const unsigned char *)safetensors_find(file, "b")->data)[0], 20);
    ck_assert_ptr_null(safetensors_find(file, "other"));
    ck_assert(!safetensors_passed_over(file, "a", reason) && !safetensors_passed_over(file, "none", reason));
    ck_assert(safetensors_passed_over(file, "other", reason));
    ck_assert_str_eq(reason, others[_i].said);
    ck_assert(!safetensors_sealed(file));
    safetensors_close(file);
}
END_TEST

/* Every bit of a file with a checksum, in turn. What is still read is as it was, but for the checksum's name. */
START_TEST(no_bit_changes_unnoticed)
{
    const char *path = scratch_path("sealed");
    const float data[] = {1, 2, 3};
    const struct tensor tensor = {.name = "x", .dtype = DTYPE_FLOAT32, .rank = 1, .shape = {3}, .bytes = sizeof data, .data = data};
    json_t *metadata = json_pack("{ss}", "made_by", "a \"xxh3\":\"test");
    size_t unsealed = 0;
    ck_assert_msg(safetensors_write(path, &tensor, 1, metadata, &error), "%s", error.text);
    json_decref(metadata);
    ck_assert_msg(safetensors_open(path, &file, &error), "%s", error.text);
    ck_assert(safetensors_sealed(file));
    safetensors_close(file);
    struct stat about;
    ck_assert_int_eq(stat(path, &about), 0);
    char *bytes = scratch_read(path);
    for (size_t bit = 0; bit < 8 * (size_t)about.st_size; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        scratch_write(path, bytes, (size_t)about.st_size);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        if (!safetensors_open(path, &file, &error))
            continue;
        const struct tensor *x = safetensors_find(file, "x");
        unsealed++;
        ck_assert_msg(!safetensors_sealed(file) && x != NULL && x->rank == 1 && memcmp(x->data, data, sizeof data) == 0 &&
                          strcmp(safetensors_metadata(file, "made_by"), "a \"xxh3\":\"test") == 0,
                      "bit %zu", bit);
        safetensors_close(file);
    }
    ck_assert_uint_lt(unsealed, 8 * strlen("xxh3__metadata__")); /* renamed */
    free(bytes);
}
END_TEST

START_TEST(refuses_bad_lengths)
{
    static const uint64_t lengths[] = {
        3, 100, SAFETENSORS_HEADER_MAX, SAFETENSORS_HEADER_MAX + 1, INT64_MAX, UINT64_MAX - 7, UINT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_tensors("{}", lengths[i], 0);
        ck_assert(!safetensors_open(scratch_path("t.safetensors"), &file, &error));
        ck_assert_ptr_nonnull(strstr(error.text, lengths[i] > SAFETENSORS_HEADER_MAX ? "expected at most" : "truncated"));
    }
    for (size_t size = 0; size < 8; size++) {
        scratch_write(scratch_path("t.safetensors"), "\2\0\0\0\0\0\0\0", size);
        ck_assert(!safetensors_open(scratch_path("t.safetensors"), &file, &error));
        ck_assert_ptr_nonnull(strstr(error.text, "shorter than"));
    }
}
END_TEST

START_TEST(refuses_every_truncation)
{
    const char *header = "{'x': {'dtype': 'F32', 'shape': [3], 'data_offsets': [0, 12]}}";
    const char *path = scratch_path("t.safetensors");
    ck_assert(open_header(header, 12));
    safetensors_close(file);
    for (off_t size = (off_t)(8 + strlen(header) + 12 - 1); size >= 0; size--) {
        ck_assert_int_eq(truncate(path, size), 0);
        ck_assert(!safetensors_open(path, &file, &error));
    }
}
END_TEST

START_TEST(refuses_runaway_nesting)
{
    size_t depth = 1000000;
    char *header = malloc(depth + 6);
    ck_assert_ptr_nonnull(header);
    memcpy(header, "{'x':", 5);
    memset(header + 5, '[', depth);
    header[depth + 5] = '\0';
    ck_assert(!open_header(header, 0));
    ck_assert_ptr_nonnull(strstr(error.text, "not JSON"));
    free(header);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
    ck_assert(!safetensors_open(scratch, &file, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "not a regular file"));
    ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0600), 0);
    ck_assert(!safetensors_open(scratch_path("fifo"), &file, &error));
    ck_assert(!safetensors_open(scratch_path("none"), &file, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "No such file"));
}
END_TEST

Suite *suite_safetensors(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *tests = tcase_create("safetensors");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_test(tests, reads_tensors);
    tcase_add_test(tests, aligns_data);
    tcase_add_loop_test(tests, accepts_unusual_files, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tests, passes_over_other_tensors, 0, sizeof others / sizeof *others);
    tcase_add_test(tests, no_bit_changes_unnoticed);
    tcase_add_loop_test(tests, refuses_bad_headers, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tests, refuses_bad_lengths);
    tcase_add_test(tests, refuses_every_truncation);
    tcase_add_test(tests, refuses_runaway_nesting);
    tcase_add_test(tests, refuses_what_is_no_file);
    suite_add_tcase(suite, tests);
    return suite;
}
