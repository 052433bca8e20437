/* The gnuplot scripts, carried inside the program so that it draws wherever it is run from, and leaves them beside what it drew. */
#ifndef PLOTS_SCRIPTS_H
#define PLOTS_SCRIPTS_H

#include <stddef.h>

struct plot_script {
    const char *name, *text, *end;
};

/* The i-th script, NULL past the last. */
const struct plot_script *plot_script_get(int i);

#endif
