/* See fuzz.h. */
#include "tests/fuzz/fuzz.h"

#include "bench/base/seal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void fuzz_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

const char *fuzz_file(int slot, const void *bytes, size_t size)
{
    static char path[FUZZ_SLOTS][32];
    int file = FUZZ_FILES + slot;
    if (path[slot][0] == '\0') {
        int made = memfd_create("fuzz", MFD_CLOEXEC);
        MUST(made >= 0 && dup2(made, file) == file);
        close(made);
        snprintf(path[slot], sizeof path[slot], "/proc/self/fd/%d", file);
    }
    MUST(pwrite(file, bytes, size, 0) == (ssize_t)size && ftruncate(file, (off_t)size) == 0);
    return path[slot];
}

/* Appends one line, its newline not counted, to text. */
static size_t add_line(char *text, const char *line, size_t size)
{
    static const char version[] = "{\"version\":2,";
    size_t n = 0;
    if (size > 2 && line[0] == '{' && line[1] == '"' && memmem(line, size, "\"version\"", 9) == NULL) {
        memcpy(text, version, n = sizeof version - 1);
        line++, size--;
    }
    memcpy(text + n, line, size);
    n += size;
    if (seal_check(text, n) == SEAL_BROKEN && memmem(text, n, SEAL_ZEROS "\"}", SEAL_DIGITS + 2) == NULL) {
        while (text[n - 1] != ',') /* of the checksum: its digits, name and colon have none */
            n--;
        text[n - 1] = '}';
        n = seal_put(text, n, false);
    }
    return n;
}

const char *fuzz_journal(int slot, const uint8_t *bytes, size_t size)
{
    size_t lines = 1, n = 0;
    for (size_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    char *text = malloc(size + lines * (SEAL_SIZE + 32));
    MUST(text != NULL);
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(bytes + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - bytes) - at : size - at;
        n += add_line(text + n, (const char *)bytes + at, length);
        if (end != NULL)
            text[n++] = '\n';
        at += length + 1;
    }
    const char *path = fuzz_file(slot, text, n);
    free(text);
    return path;
}

size_t fuzz_file_bytes(int slot, void *bytes, size_t capacity)
{
    off_t size = lseek(FUZZ_FILES + slot, 0, SEEK_END);
    MUST(size >= 0);
    size_t wanted = (size_t)size < capacity ? (size_t)size : capacity;
    MUST(pread(FUZZ_FILES + slot, bytes, wanted, 0) == (ssize_t)wanted);
    return (size_t)size;
}

const char *fuzz_sentence(const struct error *error, const char *prefix)
{
    size_t length = strlen(prefix);
    const char *end = memchr(error->text, '\0', sizeof error->text);
    MUST(end != NULL && (size_t)(end - error->text) > length);
    MUST(strncmp(error->text, prefix, length) == 0);
    for (const char *c = error->text; c < end; c++)
        MUST(*c >= 0x20 && *c < 0x7f);
    return error->text + length;
}

static void check_value(int field, const struct point *point)
{
    const struct value *value = &point->value[field];
    const struct field *row = &fields[field];
    bool special = value_is_special(field, value);
    if (value->kind == VALUE_NONE) {
        MUST(row->used != NULL || !field_used(field, point) || field_may_be_none(field));
        return;
    }
    MUST(value->kind == row->kind);
    if (value->kind == VALUE_INTEGER)
        MUST(special || ((double)value->integer >= row->low && (double)value->integer <= row->high));
    if (value->kind == VALUE_REAL)
        MUST(special || (value->real >= row->low && value->real <= row->high && !(row->open_low && value->real == row->low)));
    if (value->kind == VALUE_WORD)
        MUST(field_word(field, (int)value->integer) != NULL);
    if (value->kind == VALUE_TEXT)
        MUST(value->text != NULL && strlen(value->text) < VALUE_TEXT_MAX);
}

void fuzz_point(const struct point *point)
{
    struct point again;
    struct error error;
    for (int field = 0; field < FIELD_COUNT; field++)
        check_value(field, point);
    json_t *json = point_to_json(point);
    MUST(json != NULL && point_from_json(json, &again, &error));
    MUST(point_equal(point, &again));
    json_t *json_again = point_to_json(&again);
    MUST(json_equal(json, json_again));
    json_decref(json_again);
    json_decref(json);
}
