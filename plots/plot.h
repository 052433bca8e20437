/* Draws a sweep's plots from its merged records (bench/report/summary.h), and the limits of the machine from machine.json: for each a picture
 * (SVG), beside it the data and the script that made it. */
#ifndef PLOTS_PLOT_H
#define PLOTS_PLOT_H

#include "bench/journal/records.h"
#include "bench/sweep/sweep.h"

struct plots_drawn {
    size_t pictures;
    char note[2048]; /* lines: what could not be drawn for want of records, and what was too much to draw unasked; may be empty */
};

/* Draws into FOLDER/plots. A sweep that asks for no plots gets those that its measures have. False when a file cannot be
 * written, or gnuplot is missing or fails. */
bool plots_draw(const struct sweep *sweep, const struct records *records, const char *folder, struct plots_drawn *drawn,
                struct error *error);

#endif
