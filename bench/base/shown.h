/* Texts that came from outside (files, the processor, the environment, other processes) are shown to people here, one function a
 * medium: whatever a terminal, a spreadsheet, a page or gnuplot would act on, or an eye would miss, is written out as \xNN or
 * \uNNNN. */
#ifndef BENCH_BASE_SHOWN_H
#define BENCH_BASE_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { SHOWN_BYTES_MAX = 4 }; /* for each byte of a text: \xNN */

/* How many bytes the first character of a text has, 1 for a byte that is no UTF-8; harmless: to show it does nothing but that. Not
 * harmless are control characters (C0, DEL, C1), those without width, and those that turn the direction of writing (U+202E). */
size_t shown_character(const char *text, bool *harmless);

/* One line of a terminal or of a text file: of ends of lines as well only the code is seen. */
void shown_line(FILE *out, const char *text);

/* Several lines: each ends where the text says. */
void shown_lines(FILE *out, const char *text);

/* shown_line() into memory, cut between characters. Returns copy. */
char *shown_copy(const char *text, size_t capacity, char copy[capacity]);

/* A cell of a CSV table; in quotes where it needs them, which is also where a line ends in it. A text that a spreadsheet would take
 * for a formula begins with '; what is a number stays one. */
void shown_cell(FILE *out, const char *text);

/* A cell of a markdown table: what would end it, or begin markup that was not meant, is escaped. */
void shown_markdown(FILE *out, const char *text);

/* A column of a data file for gnuplot: ASCII, and nothing that would end it or begin a quotation or command. */
void shown_plot(FILE *out, const char *text);

#endif
