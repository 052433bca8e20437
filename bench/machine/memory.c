/* See memory.h. */
#include "bench/machine/memory.h"

#include "bench/base/files.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line such as "VmHWM:   1234 kB" of /proc/self/status, in bytes; NaN when it is not there. */
static double status_bytes(const char *name)
{
    char line[256];
    double bytes = NAN;
    struct error ignored;
    FILE *file = files_stream("/proc/self/status", &ignored);
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            bytes = 1024 * strtod(line + strlen(name), NULL);
    if (file != NULL)
        fclose(file);
    return bytes;
}

void memory_watch_begin(struct memory_watch *watch)
{
    bool cleared = files_tell("/proc/self/clear_refs", "5"); /* 5 sets the largest resident set back to the present one */
    watch->resident = cleared ? status_bytes("VmRSS:") : NAN;
}

double memory_watch_end(const struct memory_watch *watch)
{
    return fmax(status_bytes("VmHWM:") - watch->resident, 0) + (isnan(watch->resident) ? NAN : 0);
}
