/* Numbers as sweep files and records spell them: strict to read (the whole text, no octal, hex, "1_000", "+5", inf or nan), and one
 * canonical spelling to print. */
#ifndef BENCH_BASE_NUMBER_H
#define BENCH_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False, and *number untouched, when the text is not a whole number or does not fit. */
bool number_read_integer(const char *text, int64_t *number);

/* False, and *number untouched, when the text is not a finite decimal number (".5" and "1e-3" are). */
bool number_read_real(const char *text, double *number);

/* The shortest decimal that reads back as the same finite number: "0.1", "1e-6". */
void number_print_real(double number, size_t capacity, char text[capacity]);

#endif
