/* The plots and quantities of this program, for the reader of sweep files. */
#ifndef BENCH_COMMAND_VOCABULARY_H
#define BENCH_COMMAND_VOCABULARY_H

#include "bench/sweep/vocabulary.h"

extern const struct vocabulary sweep_vocabulary;

#endif
