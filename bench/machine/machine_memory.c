/* Available memory and cache sizes: see machine_memory.h. */
#include "bench/machine/machine_memory.h"

#include "bench/base/files.h"
#include "bench/machine/cpu.h"
#include "bench/machine/groups.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALL = 16384 };

/* The two generations of control groups. */
static const struct {
    const char *limit, *usage, *reclaimable;
} files[] = {
    [GROUPS_FIRST] = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "},
    [GROUPS_SECOND] = {"memory.max", "memory.current", "inactive_file "},
};

/* What the limit of one group leaves, where that is less than *least. Cached file pages that nobody uses count as free. */
static void take_room(const char *folder, enum groups_generation generation, void *least)
{
    char text[SMALL];
    double limit, usage, reclaimable = 0;
    if (!groups_read(folder, files[generation].limit, sizeof text, text) || text[0] < '0' || text[0] > '9') /* "max": no limit */
        return;
    limit = strtod(text, NULL);
    usage = groups_read(folder, files[generation].usage, sizeof text, text) ? strtod(text, NULL) : 0;
    if (usage > 0 && groups_read(folder, "memory.stat", sizeof text, text))
        groups_number(text, files[generation].reclaimable, &reclaimable);
    *(double *)least = fmin(*(double *)least, fmax(limit - fmax(usage - reclaimable, 0), 0));
}

size_t machine_memory_available_at(const char *root)
{
    char path[PATH_MAX], text[SMALL];
    double kilobytes;
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    if (!files_read_small(path, sizeof text, text) || !groups_number(text, "MemAvailable:", &kilobytes))
        return 0;
    double available = 1024 * kilobytes;
    groups_visit(root, "memory", take_room, &available);
    return available < 1 ? 1 : (size_t)available; /* 0 would say "not known" */
}

size_t machine_memory_available(void)
{
    return machine_memory_available_at("");
}

size_t machine_cache_bytes(void)
{
    struct cpu cpu;
    long largest = 0;
    cpu_read(&cpu);
    for (int i = 0; i < cpu.n_caches; i++)
        largest = cpu.cache[i].bytes > largest ? cpu.cache[i].bytes : largest;
    return (size_t)largest;
}
