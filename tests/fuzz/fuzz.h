/* What the three fuzz targets share: bytes as a file, and the properties that hold of every point and every error sentence. A
 * target is a file of this folder; libFuzzer calls it with made-up bytes (docs/explanation/testing.md). */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "bench/base/error.h"
#include "bench/sweep/point.h"

#include <stddef.h>
#include <stdint.h>

/* Ends the process with the place and the condition, which libFuzzer reports together with the input. */
#define MUST(condition) ((condition) ? (void)0 : fuzz_failed(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_failed(const char *file, int line, const char *condition);

/* A file in memory that holds these bytes, under the descriptor FUZZ_FILES + slot, and its path: fixed, so that one input can name
 * another. The bytes of a slot are replaced by the next call. */
enum { FUZZ_FILES = 100, FUZZ_SLOTS = 2 };
const char *fuzz_file(int slot, const void *bytes, size_t size);

/* The same of a journal, whose lines first get what no mutation finds: a version where they have none, and the checksum of their
 * bytes where they have one, unless its digits are zeros. */
const char *fuzz_journal(int slot, const uint8_t *bytes, size_t size);

/* How many bytes the file holds now; they are copied to bytes as far as they fit. */
size_t fuzz_file_bytes(int slot, void *bytes, size_t capacity);

/* Ends the process unless the sentence begins with prefix, goes on after it, is terminated and harmless on a terminal. Returns what
 * follows the prefix. */
const char *fuzz_sentence(const struct error *error, const char *prefix);

/* Ends the process unless each value is one that its field can have, and comes back equal from its spelling and from JSON. */
void fuzz_point(const struct point *point);

/* libFuzzer's entry. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
