/* See record.h. */
#include "bench/journal/record.h"

#include <string.h>

/* What only the harness can see, in the order of enum result. */
static const char *const harness_names[RESULT_COUNT - STATUS_COUNT] = {
    "explodes", "wrong", "crashed", "timed_out", "target_not_reached", "untrained", "inaccurate", "elsewhere",
};

const char *result_name(enum result result)
{
    int index = (int)result;
    if (index < 0 || index >= RESULT_COUNT)
        return "unknown";
    return index < STATUS_COUNT ? status_names[index] : harness_names[index - STATUS_COUNT];
}

enum result result_find(const char *name)
{
    int index = 0;
    while (index < RESULT_COUNT && strcmp(name, result_name((enum result)index)) != 0)
        index++;
    return (enum result)index;
}

bool result_failed(enum result result)
{
    return result == (enum result)STATUS_INTERNAL || result == (enum result)STATUS_OUT_OF_MEMORY || result == RESULT_WRONG ||
           result == RESULT_CRASHED || result == RESULT_TIMED_OUT;
}
