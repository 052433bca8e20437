/* See vocabulary.h. */
#include "bench/sweep/vocabulary.h"

#include <stddef.h>
#include <string.h>

int vocabulary_find(const char *(*name)(int i), const char *text)
{
    for (int i = 0; name(i) != NULL; i++)
        if (strcmp(name(i), text) == 0)
            return i;
    return -1;
}

int vocabulary_names(const char *(*name)(int i), int n, const char *names[])
{
    int found = 0;
    for (; found < n && name(found) != NULL; found++)
        names[found] = name(found);
    return found;
}
