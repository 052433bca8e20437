/* What a program inherits from whoever starts it and cannot choose: standard streams that are closed, signals that are ignored or
 * blocked. Called first in main(), before anything is opened. */
#ifndef BENCH_BASE_INHERITED_H
#define BENCH_BASE_INHERITED_H

#include "bench/base/error.h"

#include <stdio.h>

/* A closed standard stream would give its number to the next file that is opened, and what is printed would go there: it is held by
 * a file that can be neither read nor written. Blocked signals are let through. Ignored ones stay ignored, save SIGCHLD, without
 * which no child can be waited for. SIGPIPE and SIGXFSZ are ignored from now on: they become errors of write(). */
void inherited_settle(void);

/* Signals as they were inherited, for a program that takes the place of this one (exec). */
void inherited_restore(void);

/* Whether a signal was ignored when the program started, as HUP is under nohup: it must not end the program then. */
bool inherited_ignored(int signal);

/* Whether all that was printed has arrived, at the end of a program. A reader that has gone has read what it wanted: that is no
 * error. */
bool inherited_output_whole(FILE *out, struct error *error);

#endif
