/* Text on a terminal: how wide it is, and paragraphs that fit a page. */
#ifndef BENCH_REPORT_WRAP_H
#define BENCH_REPORT_WRAP_H

#include <stddef.h>
#include <stdio.h>

enum { PAGE_WIDTH = 80 };

/* Columns on the screen: bytes that do not continue a letter. */
int wrap_width(const char *text);

/* One paragraph in lines of so many columns, its first line indented by `first` columns and the others by `next`; control characters count as
 * blanks, and a word longer than a line is cut. */
void wrap_print(FILE *out, const char *text, int columns, int first, int next);

#endif
