/* See digest.h. XXH3 in both: a file that is read in pieces has the digest of its bytes as a whole. */
#include "bench/base/digest.h"

#include "bench/base/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

enum { PIECE = 1 << 16 };

static void print(XXH128_hash_t hash, char text[DIGEST_SIZE])
{
    snprintf(text, DIGEST_SIZE, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

void digest_bytes(const void *bytes, size_t size, char text[DIGEST_SIZE])
{
    print(XXH3_128bits(bytes, size), text);
}

bool digest_file(const char *path, char text[DIGEST_SIZE])
{
    ssize_t got = -1;
    struct error ignored;
    int file = files_open(path, FILES_READ, &ignored);
    XXH3_state_t *state = XXH3_createState();
    unsigned char *piece = malloc(PIECE);
    if (file >= 0 && state != NULL && piece != NULL && XXH3_128bits_reset(state) == XXH_OK)
        while ((got = read(file, piece, PIECE)) > 0)
            XXH3_128bits_update(state, piece, (size_t)got);
    if (got == 0)
        print(XXH3_128bits_digest(state), text);
    else
        snprintf(text, DIGEST_SIZE, "unreadable");
    if (file >= 0)
        close(file);
    XXH3_freeState(state);
    free(piece);
    return got == 0;
}
