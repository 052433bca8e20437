/* Available memory and cache sizes: see machine_memory.h. */
#include "bench/machine/machine_memory.h"

#include "bench/base/files.h"
#include "bench/machine/cpu.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 16384 };

/* The two generations of control groups. */
static const struct generation {
    const char *controller; /* as /proc/self/cgroup lists it */
    const char *mount, *limit, *usage, *reclaimable;
} generations[] = {
    {"", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "},
    {"memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "},
};

/* The number after a key that begins a line. */
static bool find_number(const char *text, const char *key, uint64_t *number)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, strlen(key)) == 0) {
            *number = strtoull(line + strlen(key), NULL, 10);
            return true;
        }
    }
    return false;
}

static bool read_file(const char *folder, const char *name, size_t capacity, char text[capacity])
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path && files_read_small(path, capacity, text);
}

/* What the limit of one group leaves; UINT64_MAX where it sets none. Cached file pages that nobody uses count as free. */
static uint64_t group_room(const struct generation *generation, const char *folder)
{
    char text[SMALL];
    uint64_t limit, usage, reclaimable = 0;
    if (!read_file(folder, generation->limit, sizeof text, text) || text[0] < '0' || text[0] > '9') /* "max": no limit */
        return UINT64_MAX;
    limit = strtoull(text, NULL, 10);
    if (!read_file(folder, generation->usage, sizeof text, text))
        return limit;
    usage = strtoull(text, NULL, 10);
    if (read_file(folder, "memory.stat", sizeof text, text))
        find_number(text, generation->reclaimable, &reclaimable);
    usage = usage > reclaimable ? usage - reclaimable : 0;
    return limit > usage ? limit - usage : 0;
}

/* The least that a group and those it is in leave. In a container the path may name folders that cannot be seen from within. */
static uint64_t groups_room(const char *root, const struct generation *generation, const char *group)
{
    char folder[PATH_MAX];
    uint64_t least = UINT64_MAX;
    size_t top = strlen(root) + strlen(generation->mount);
    if (snprintf(folder, sizeof folder, "%s%s%s", root, generation->mount, group) >= (int)sizeof folder)
        return least;
    for (;;) {
        uint64_t room = group_room(generation, folder);
        if (room < least)
            least = room;
        char *slash = strrchr(folder + top, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

static bool lists_controller(const char *controllers, const char *wanted)
{
    size_t length = strlen(wanted);
    if (length == 0)
        return controllers[0] == '\0';
    for (const char *at = controllers; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, wanted, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

static uint64_t all_groups_room(const char *root)
{
    char text[SMALL], *next = text;
    uint64_t least = UINT64_MAX;
    if (!read_file(root, "proc/self/cgroup", sizeof text, text))
        return least;
    for (char *line; (line = strsep(&next, "\n")) != NULL;) {
        strsep(&line, ":"); /* number:controllers:path */
        const char *controllers = strsep(&line, ":");
        for (size_t i = 0; line != NULL && i < sizeof generations / sizeof *generations; i++)
            if (lists_controller(controllers, generations[i].controller)) {
                uint64_t room = groups_room(root, &generations[i], line);
                least = room < least ? room : least;
            }
    }
    return least;
}

size_t machine_memory_available_at(const char *root)
{
    char text[SMALL];
    uint64_t kilobytes, available;
    if (!read_file(root, "proc/meminfo", sizeof text, text) || !find_number(text, "MemAvailable:", &kilobytes))
        return 0;
    available = kilobytes * 1024;
    uint64_t room = all_groups_room(root);
    if (room < available)
        available = room;
    return available == 0 ? 1 : available > SIZE_MAX ? SIZE_MAX : (size_t)available; /* 0 would say "not known" */
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
