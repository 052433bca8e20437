/* An implementation and its own options as one text: "diagonal_scan chunk=64 split=time". */
#ifndef BENCH_SWEEP_OPTIONS_H
#define BENCH_SWEEP_OPTIONS_H

#include "bench/base/error.h"
#include "impls/impl.h"

struct options {
    int implementation; /* index in the registry */
    struct option option[OPTIONS_MAX];
    int n; /* sorted by name, so that one choice has one spelling */
};

/* False, with what is wrong and what was expected, for a name that is not registered or an option that is not name=value. */
bool options_read(const char *text, struct options *options, struct error *error);

/* The canonical spelling: name and options separated by single blanks. Always terminated. */
void options_print(const struct options *options, size_t capacity, char text[capacity]);

#endif
