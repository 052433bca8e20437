/* See parse.h. */
#include "bench/base/parse.h"

#include "bench/base/files.h"
#include "bench/base/shown.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 16 << 20 };

/* jansson's allocators are told nothing of who asks: the innermost watch. */
static struct json_watch *watching;

/* From what a watch has in reserve, once memory is refused. */
static void *take_reserve(struct json_watch *watch, size_t size)
{
    size_t room = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (room < size || room > watch->reserve_size - watch->reserve_used)
        return NULL;
    watch->reserve_used += room;
    return watch->reserve + watch->reserve_used - room;
}

static void *take(size_t size)
{
    void *memory = malloc(size);
    if (memory != NULL || watching == NULL)
        return memory;
    watching->refused = true;
    return take_reserve(watching, size);
}

static void give(void *memory)
{
    uintptr_t at = (uintptr_t)memory, reserve = watching != NULL ? (uintptr_t)watching->reserve : 0;
    if (reserve == 0 || at < reserve || at >= reserve + watching->reserve_size)
        free(memory);
}

void json_watch_begin(struct json_watch *watch)
{
    json_set_alloc_funcs(take, give);
    *watch = (struct json_watch){.outer = watching};
    watching = watch;
}

bool json_watch_end(struct json_watch *watch)
{
    watching = watch->outer;
    return !watch->refused;
}

char *json_watch_print(struct json_watch *watch, const json_t *json, size_t flags)
{
    char *text = json != NULL ? json_dumps(json, flags) : NULL;
    if (json_watch_end(watch))
        return text;
    free(text);
    return NULL;
}

/* ---- Parsing ---------------------------------------------------------------------------------------------------------------- */

/* What the parser reads, piece by piece: after a refusal it gets nothing more, and comes to its end. */
struct input {
    const char *bytes;
    size_t length;
    const struct json_watch *watch;
};

static size_t feed(void *buffer, size_t size, void *context)
{
    struct input *input = context;
    size_t n = input->watch->refused ? 0 : input->length < size ? input->length : size;
    memcpy(buffer, input->bytes, n);
    input->bytes += n;
    input->length -= n;
    return n;
}

/* What the parser can ask for between a refusal and its end: its buffer and tables grow to twice what they are, and they hold no more
 * than was read. Memory that is not used costs nothing. */
static size_t reserve_for(size_t length)
{
    return 16 * length + (1 << 16);
}

bool json_parse(const char *bytes, size_t length, size_t flags, json_t **json, json_error_t *why)
{
    struct json_watch watch;
    struct input input = {bytes, length, &watch};
    unsigned char *reserve = malloc(reserve_for(length));
    *json = NULL;
    if (reserve == NULL)
        return false;
    json_watch_begin(&watch);
    watch.reserve = reserve;
    watch.reserve_size = reserve_for(length);
    *json = json_load_callback(feed, &input, flags, why);
    if (watch.refused) {
        json_decref(*json);
        *json = NULL;
    }
    bool whole = json_watch_end(&watch);
    free(reserve);
    return whole;
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

bool json_parse_file(const char *path, json_t **json, enum seal *seal)
{
    struct stat found = {.st_size = 0};
    struct error ignored;
    bool enough = true;
    *json = NULL;
    *seal = SEAL_NONE;
    int file = files_open(path, FILES_READ, &ignored);
    if (file >= 0 && fstat(file, &found) == 0 && found.st_size > 0 && found.st_size <= FILE_MAX) {
        size_t length = (size_t)found.st_size;
        char *bytes = malloc(length);
        enough = bytes != NULL;
        if (enough && read_all(file, bytes, &length)) {
            enough = json_parse(bytes, length, 0, json, NULL);
            *seal = seal_check(bytes, length);
        }
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
    bool harmless = true;
    for (const char *at = text; *at != '\0' && harmless;) {
        size_t bytes = shown_character(at, &harmless);
        harmless = harmless || *at == '\n' || *at == '\t'; /* JSON spells these */
        at += bytes;
    }
    if (harmless)
        return json_string(text);
    size_t capacity = SHOWN_BYTES_MAX * strlen(text) + 1;
    char *own = strdup(text), *copy = malloc(capacity);
    for (char *at = own; at != NULL && *at != '\0';) {
        size_t bytes = shown_character(at, &harmless);
        if (!harmless && bytes == 1 && (unsigned char)*at >= 0x80) /* no UTF-8, often a character cut in two */
            *at = '?';
        at += bytes;
    }
    json_t *string = own != NULL && copy != NULL ? json_string(shown_copy(own, capacity, copy)) : NULL;
    free(copy);
    free(own);
    return string;
}
