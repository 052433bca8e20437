/* What the words of a sweep file mean in this program. */
#ifndef BENCH_COMMAND_VOCABULARY_H
#define BENCH_COMMAND_VOCABULARY_H

#include "bench/sweep/vocabulary.h"

extern const struct vocabulary sweep_vocabulary;

#endif
