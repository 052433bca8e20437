/* Checksums of what is kept: bytes that changed on a disk, in a copy or under an editor are noticed before a figure is taken from
 * them. XXH3, 64 bits, as 16 hexadecimal digits. */
#ifndef BENCH_BASE_SEAL_H
#define BENCH_BASE_SEAL_H

#include <stdbool.h>
#include <stddef.h>

enum seal {
    SEAL_NONE,  /* there is no checksum */
    SEAL_FITS,  /* there is one, and it is that of the bytes */
    SEAL_BROKEN /* there is one, of other bytes */
};

enum { SEAL_DIGITS = 16, SEAL_SIZE = 64 /* bytes that seal_put() adds, at most */ };

/* The checksum of some bytes. */
void seal_digits(const void *bytes, size_t length, char digits[SEAL_DIGITS + 1]);

/* The same of several parts that follow each other. False: out of memory. */
struct seal_part {
    const void *bytes;
    size_t length;
};
bool seal_digits_of_parts(const struct seal_part part[], size_t n, char digits[SEAL_DIGITS + 1]);

/* What stands for the digits of a checksum that is a part of what it is of. */
#define SEAL_ZEROS "0000000000000000"

/* The text of a JSON object that has members, length bytes up to its '}', gets a last member "checksum" of all that stands before
 * it; on_a_line: on a line of its own. There must be room for SEAL_SIZE more bytes. Returns the length, without a terminator. */
size_t seal_put(char *text, size_t length, bool on_a_line);

/* Whether the text of a JSON object (blanks may follow) ends with such a member, and whether it fits. */
enum seal seal_check(const char *text, size_t length);

#endif
