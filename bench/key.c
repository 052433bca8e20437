/* The key of a finished round (point_key of point.h). What a point computes from a file is defined by the file's bytes, wherever it
 * lies, so their hash stands in the key for its name. */
#include "bench/point.h"

#include "bench/build.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define KEY_VERSION "1" /* of what goes into a key, and how */

enum { PIECE = 1 << 16 };

static void print_digest(XXH128_hash_t hash, char text[KEY_SIZE])
{
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, hash);
    for (int i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes.digest[i]);
}

/* The hash of a file's bytes; "unreadable" when it cannot be had. */
static void print_file_digest(const char *path, char text[KEY_SIZE])
{
    ssize_t got = -1;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    XXH3_state_t *state = XXH3_createState();
    unsigned char *piece = malloc(PIECE);
    if (file >= 0 && state != NULL && piece != NULL && XXH3_128bits_reset(state) == XXH_OK)
        while ((got = read(file, piece, PIECE)) > 0)
            XXH3_128bits_update(state, piece, (size_t)got);
    if (got == 0)
        print_digest(XXH3_128bits_digest(state), text);
    else
        snprintf(text, KEY_SIZE, "unreadable");
    if (file >= 0)
        close(file);
    XXH3_freeState(state);
    free(piece);
}

static const char *identity(const char *name)
{
    const char *known = build_identity(name);
    return known != NULL ? known : "unknown";
}

/* The lines that are hashed: room for every field and a few more. */
struct lines {
    char text[(FIELD_COUNT + 4) * VALUE_TEXT_MAX];
    size_t size;
};

static void add_line(struct lines *lines, const char *name, const char *value)
{
    char line[VALUE_TEXT_MAX];
    int length = snprintf(line, sizeof line, "%s=%s\n", name, value);
    size_t size = length < (int)sizeof line ? (size_t)length : sizeof line - 1;
    memcpy(lines->text + lines->size, line, size);
    lines->size += size;
}

void point_key(const struct point *point, const char *machine_type, char key[KEY_SIZE])
{
    struct lines lines = {.size = 0};
    char value[VALUE_TEXT_MAX];
    add_line(&lines, "version", KEY_VERSION);
    for (int field = 0; field < FIELD_COUNT; field++) {
        field_print(field, &point->value[field], sizeof value, value);
        if (field == FIELD_INPUTS && point->value[field].kind == VALUE_TEXT)
            print_file_digest(point->value[field].text, value);
        add_line(&lines, fields[field].name, value);
    }
    field_print(FIELD_IMPLEMENTATION, &point->value[FIELD_IMPLEMENTATION], sizeof value, value);
    value[strcspn(value, " ")] = '\0'; /* without its options */
    add_line(&lines, "build", identity(value));
    add_line(&lines, "harness", identity("harness"));
    add_line(&lines, "machine", machine_type);
    print_digest(XXH3_128bits(lines.text, lines.size), key);
}
