/* See parse.h. */
#include "bench/base/parse.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 16 << 20 };

/* What the parser gets after a refusal, to come to its end: all of it is given up with the parse. Costs nothing until it is used. */
enum { RESERVE = 1 << 22 };
static _Alignas(max_align_t) unsigned char reserve[RESERVE];
static size_t used;
static bool parsing, refused;

static void *take(size_t size)
{
    void *memory = malloc(size);
    if (memory != NULL)
        return memory;
    refused = true;
    size_t room = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!parsing || room < size || room > RESERVE - used)
        return NULL;
    used += room;
    return reserve + used - room;
}

static void give(void *memory)
{
    uintptr_t at = (uintptr_t)memory;
    if (at < (uintptr_t)reserve || at >= (uintptr_t)reserve + RESERVE)
        free(memory);
}

void json_watch(void)
{
    json_set_alloc_funcs(take, give);
    refused = false;
}

bool json_refused(void)
{
    return refused;
}

char *json_print(const json_t *json, size_t flags)
{
    char *text = json != NULL ? json_dumps(json, flags) : NULL;
    if (!refused)
        return text;
    free(text);
    return NULL;
}

bool json_parse(const char *bytes, size_t length, size_t flags, json_t **json, json_error_t *why)
{
    json_watch();
    parsing = true;
    used = 0;
    *json = json_loadb(bytes, length, flags, why);
    parsing = false;
    if (!refused)
        return true;
    json_decref(*json);
    *json = NULL;
    return false;
}

/* Up to *length bytes. */
static bool read_all(int file, char *bytes, size_t *length)
{
    size_t wanted = *length;
    ssize_t n = 1;
    for (*length = 0; n > 0 && *length<wanted; *length += n> 0 ? (size_t)n : 0)
        n = read(file, bytes + *length, wanted - *length);
    return n >= 0;
}

bool json_parse_file(const char *path, json_t **json)
{
    struct stat found = {.st_size = 0};
    bool enough = true;
    *json = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file >= 0 && fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0 && found.st_size <= FILE_MAX) {
        size_t length = (size_t)found.st_size;
        char *bytes = malloc(length);
        enough = bytes != NULL;
        if (enough && read_all(file, bytes, &length))
            enough = json_parse(bytes, length, 0, json, NULL);
        free(bytes);
    }
    if (file >= 0)
        close(file);
    return enough;
}

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    json_t *string = json_string(text);
    char *plain = string == NULL ? strdup(text) : NULL;
    if (plain == NULL)
        return string;
    for (char *c = plain; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    string = json_string(plain);
    free(plain);
    return string;
}
