/* The words of a page: title, what is constant over the figure, names of panels and curves, and what a reader must know about how
 * it was drawn. */
#ifndef PLOTS_CAPTION_H
#define PLOTS_CAPTION_H

#include "plots/page.h"

#include <stdio.h>

/* Writes a text so that gnuplot takes it literally: no quotes, backslashes or control characters; ASCII
 * alone, since a text cut short may end within a letter. */
void caption_text(FILE *out, const char *text);

/* Writes the page block's rows of words; drawings are those of all its panels and curves, notes what they need said. */
void caption_write(FILE *out, const struct page *page, const struct drawing *drawing, int n, unsigned notes);

#endif
