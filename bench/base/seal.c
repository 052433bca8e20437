/* See seal.h. */
#include "bench/base/seal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

static const char NAME[] = "\"checksum\"";

_Static_assert(sizeof SEAL_ZEROS == SEAL_DIGITS + 1, "zeros take as much room as digits");

static void print_digits(XXH64_hash_t hash, char digits[SEAL_DIGITS + 1])
{
    snprintf(digits, SEAL_DIGITS + 1, "%016" PRIx64, (uint64_t)hash);
}

void seal_digits(const void *bytes, size_t length, char digits[SEAL_DIGITS + 1])
{
    print_digits(XXH3_64bits(bytes, length), digits);
}

bool seal_digits_of_parts(const struct seal_part part[], size_t n, char digits[SEAL_DIGITS + 1])
{
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        return false;
    XXH3_64bits_reset(state);
    for (size_t i = 0; i < n; i++)
        XXH3_64bits_update(state, part[i].bytes, part[i].length);
    print_digits(XXH3_64bits_digest(state), digits);
    XXH3_freeState(state);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The length without blanks at the end. */
static size_t trimmed(const char *text, size_t length)
{
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    return length;
}

/* Takes an ending off, and the blanks before it; false where the text ends otherwise. */
static bool take_off(const char *text, size_t *length, const char *ending)
{
    size_t n = strlen(ending);
    if (*length < n || memcmp(text + *length - n, ending, n) != 0)
        return false;
    *length = trimmed(text, *length - n);
    return true;
}

size_t seal_put(char *text, size_t length, bool on_a_line)
{
    char digits[SEAL_DIGITS + 1];
    length = trimmed(text, length);
    take_off(text, &length, "}");
    seal_digits(text, length, digits);
    return length + (size_t)snprintf(text + length, SEAL_SIZE, on_a_line ? ",\n  %s: \"%s\"\n}" : ",%s:\"%s\"}", NAME, digits);
}

enum seal seal_check(const char *text, size_t length)
{
    char digits[SEAL_DIGITS + 1];
    length = trimmed(text, length);
    if (!take_off(text, &length, "}") || !take_off(text, &length, "\"") || length < SEAL_DIGITS)
        return SEAL_NONE;
    const char *found = text + length - SEAL_DIGITS;
    length -= SEAL_DIGITS;
    if (!take_off(text, &length, "\"") || !take_off(text, &length, ":") || !take_off(text, &length, NAME) ||
        !take_off(text, &length, ","))
        return SEAL_NONE;
    seal_digits(text, length, digits);
    return memcmp(found, digits, SEAL_DIGITS) == 0 ? SEAL_FITS : SEAL_BROKEN;
}
