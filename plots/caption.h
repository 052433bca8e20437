/* The texts of a page: title, what is constant over the figure, names of panels and curves, and notes on how it was drawn. */
#ifndef PLOTS_CAPTION_H
#define PLOTS_CAPTION_H

#include "plots/pages.h"

#include <stdio.h>

/* Names of a curve and of a panel of a page, counted from 0, by what tells them apart among the page's records. */
void caption_curve(FILE *out, const struct page *page, int series, struct record *const *record, size_t n);
void caption_panel(FILE *out, const struct page *page, int panel);

/* Writes the page block's rows of words; record: those of the page, notes: what its drawings need said. */
void caption_write(FILE *out, const struct page *page, struct record *const *record, size_t n, unsigned notes);

#endif
