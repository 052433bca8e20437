/* See measures.h. */
#include "bench/sweep/measures.h"

#include "bench/sweep/field.h"

#include <stddef.h>

const struct measure measures[] = {
#define ROW(name, of, repeats) {#name, of, repeats},
    MEASURES(ROW)
#undef ROW
};

const char *measure_word(int index)
{
    return index >= 0 && (size_t)index < sizeof measures / sizeof measures[0] ? measures[index].name : NULL;
}
