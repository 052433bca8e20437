/* The gnuplot scripts, embedded in the program so that it draws from any folder, and written beside the plots. */
#ifndef PLOTS_SCRIPTS_H
#define PLOTS_SCRIPTS_H

#include <stddef.h>

struct plot_script {
    const char *name, *text, *end;
};

/* The i-th script, NULL past the last. */
const struct plot_script *plot_script_get(int i);

#endif
