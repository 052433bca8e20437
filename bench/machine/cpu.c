/* See cpu.h. */
#include "bench/machine/cpu.h"

#include "bench/base/files.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lines of /proc/cpuinfo that are kept as they are, for the first processor; x86 spells them one way, Arm another. */
static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    // clang-format off
    {"model name",       offsetof(struct cpu, model)},
    {"vendor_id",        offsetof(struct cpu, vendor)},
    {"CPU implementer",  offsetof(struct cpu, vendor)},
    {"cpu family",       offsetof(struct cpu, family)},
    {"CPU architecture", offsetof(struct cpu, family)},
    {"model",            offsetof(struct cpu, number)},
    {"CPU part",         offsetof(struct cpu, number)},
    {"stepping",         offsetof(struct cpu, stepping)},
    {"CPU revision",     offsetof(struct cpu, stepping)},
    // clang-format on
};

struct topology {
    int cores, siblings;
    int socket[64], n_sockets; /* distinct numbers */
};

static void count_socket(struct topology *topology, int number)
{
    for (int i = 0; i < topology->n_sockets; i++)
        if (topology->socket[i] == number)
            return;
    if (topology->n_sockets < (int)(sizeof topology->socket / sizeof *topology->socket))
        topology->socket[topology->n_sockets++] = number;
}

static void take_line(struct cpu *cpu, struct topology *topology, const char *key, const char *value)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *text = (char *)cpu + texts[i].offset;
        if (strcmp(key, texts[i].key) == 0 && text[0] == '\0')
            snprintf(text, CPU_TEXT_MAX, "%s", value);
    }
    if (strcmp(key, "flags") == 0)
        cpu->virtualised = strstr(value, " hypervisor") != NULL;
    else if (strcmp(key, "cpu cores") == 0)
        topology->cores = (int)strtol(value, NULL, 10);
    else if (strcmp(key, "siblings") == 0)
        topology->siblings = (int)strtol(value, NULL, 10);
    else if (strcmp(key, "physical id") == 0)
        count_socket(topology, (int)strtol(value, NULL, 10));
}

static void read_cpuinfo(struct cpu *cpu)
{
    struct topology topology = {.cores = 0};
    char *line = NULL;
    size_t capacity = 0;
    struct error ignored;
    FILE *file = files_stream("/proc/cpuinfo", &ignored);
    while (file != NULL && getline(&line, &capacity, file) >= 0) {
        char *colon = strchr(line, ':');
        if (colon == NULL)
            continue;
        char *value = colon + 1;
        while (colon > line && (colon[-1] == ' ' || colon[-1] == '\t'))
            colon--;
        *colon = '\0';
        value += strspn(value, " \t");
        value[strcspn(value, "\n")] = '\0';
        take_line(cpu, &topology, line, value);
    }
    free(line);
    if (file != NULL)
        fclose(file);
    cpu->sockets = topology.n_sockets;
    cpu->cores_per_socket = topology.cores;
    cpu->threads_per_core = topology.cores > 0 ? topology.siblings / topology.cores : 0;
}

/* "1024K" */
static long read_size(const char *text)
{
    static const char units[] = "KMG";
    char *unit;
    long size = strtol(text, &unit, 10);
    const char *found = *unit != '\0' ? strchr(units, *unit) : NULL;
    return found != NULL ? size << (10 * (found - units + 1)) : size;
}

/* How many processors a list such as "0-3,8" names; 0 for what is none. */
static int count_listed(const char *text)
{
    long n = 0;
    while (*text >= '0' && *text <= '9') {
        char *end;
        long first = strtol(text, &end, 10), last = *end == '-' ? strtol(end + 1, &end, 10) : first;
        n += last >= first ? last - first + 1 : 0;
        text = end + (*end == ',');
    }
    return (int)n;
}

static void read_caches(struct cpu *cpu)
{
    for (int i = 0; i < CPU_CACHES_MAX; i++) {
        struct cache *cache = &cpu->cache[cpu->n_caches];
        char path[96], level[16], size[32], sharing[256];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", i);
        if (!files_read_small(path, sizeof level, level))
            break;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/type", i);
        files_read_small(path, sizeof cache->kind, cache->kind);
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i);
        files_read_small(path, sizeof size, size);
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/shared_cpu_list", i);
        files_read_small(path, sizeof sharing, sharing);
        cache->level = (int)strtol(level, NULL, 10);
        cache->sharing = count_listed(sharing);
        cache->bytes = read_size(size);
        cpu->n_caches++;
    }
}

void cpu_read(struct cpu *cpu)
{
    *cpu = (struct cpu){.virtualised = -1};
    read_cpuinfo(cpu);
    read_caches(cpu);
    cpu->online = (int)sysconf(_SC_NPROCESSORS_ONLN);
}
