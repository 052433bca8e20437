/* Runs gnuplot on one data file; a picture appears whole or not at all. */
#ifndef PLOTS_GNUPLOT_H
#define PLOTS_GNUPLOT_H

#include "bench/base/error.h"

/* Writes every script into a folder. */
bool gnuplot_copy_scripts(const char *folder, struct error *error);

/* Draws FOLDER/NAME.svg from FOLDER/NAME.dat with FOLDER/SCRIPT.gp. The error names the package when gnuplot is missing, and
 * carries what gnuplot said when it failed. */
bool gnuplot_draw(const char *folder, const char *script, const char *name, struct error *error);

#endif
