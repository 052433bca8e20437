/* The facts and the type of the machine, see machine.h. */
#include "bench/machine/machine.h"
#include "bench/machine/machine_threads.h"

#include "bench/base/build.h"
#include "bench/base/files.h"
#include "bench/base/parse.h"
#include "bench/machine/cpu.h"
#include "bench/machine/device.h"
#include "impls/impl.h"

#include <cblas.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <xxhash.h>
#include <yaml.h>

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* Texts and numbers that the system did not tell are null. */
static json_t *known_text(const char *text)
{
    return json_text(text != NULL && text[0] != '\0' ? text : NULL);
}

static json_t *known_number(long number)
{
    return number > 0 ? json_integer(number) : json_null();
}

/* 1 true, 0 false, anything else null. */
static json_t *known_truth(int truth)
{
    return truth == 1 ? json_true() : truth == 0 ? json_false() : json_null();
}

static json_t *first_line(const char *path)
{
    char text[256];
    files_read_small(path, sizeof text, text);
    return known_text(text);
}

static json_t *caches(const struct cpu *cpu)
{
    json_t *list = json_array();
    for (int i = 0; list != NULL && i < cpu->n_caches; i++) {
        const struct cache *cache = &cpu->cache[i];
        json_array_append_new(list, json_pack("{s:i, s:o, s:o, s:o}", "level", cache->level, "kind", known_text(cache->kind),
                                              "bytes", known_number(cache->bytes), "sharing", known_number(cache->sharing)));
    }
    return list;
}

static json_t *levels(void)
{
    json_t *list = json_array();
    for (int level = 0; list != NULL && level < LEVEL_COUNT; level++)
        if (level_available((enum level)level))
            json_array_append_new(list, json_string(level_names[level]));
    return list;
}

/* Whether the clock may rise above its nominal rate: two drivers, two files, opposite meanings. */
static int turbo(void)
{
    char text[16];
    if (files_read_small("/sys/devices/system/cpu/intel_pstate/no_turbo", sizeof text, text))
        return text[0] == '0';
    if (files_read_small("/sys/devices/system/cpu/cpufreq/boost", sizeof text, text))
        return text[0] == '1';
    return -1;
}

static json_t *processor(const struct cpu *cpu)
{
    // clang-format off
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o}",
                     "model", known_text(cpu->model),
                     "vendor", known_text(cpu->vendor),
                     "family", known_text(cpu->family),
                     "number", known_text(cpu->number),
                     "stepping", known_text(cpu->stepping),
                     "sockets", known_number(cpu->sockets),
                     "cores_per_socket", known_number(cpu->cores_per_socket),
                     "threads_per_core", known_number(cpu->threads_per_core),
                     "online", known_number(cpu->online),
                     "usable", machine_threads(),
                     "caches", caches(cpu),
                     "levels", levels(),
                     "virtualised", known_truth(cpu->virtualised),
                     "governor", first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
                     "turbo", known_truth(turbo()));
    // clang-format on
}

static json_t *memory_bytes(void)
{
    struct sysinfo info;
    return sysinfo(&info) == 0 ? json_integer((json_int_t)info.totalram * (json_int_t)info.mem_unit) : json_null();
}

static json_t *kernel(void)
{
    struct utsname name;
    char text[sizeof name.sysname + sizeof name.release + sizeof name.machine];
    if (uname(&name) != 0)
        return json_null();
    snprintf(text, sizeof text, "%s %s %s", name.sysname, name.release, name.machine);
    return json_text(text);
}

static json_t *distribution(void)
{
    static const char key[] = "\nPRETTY_NAME=\"";
    char text[4096] = "\n";
    files_read_small("/etc/os-release", sizeof text - 1, text + 1);
    char *name = strstr(text, key);
    if (name == NULL)
        return json_null();
    name += strlen(key);
    name[strcspn(name, "\"\n")] = '\0';
    return known_text(name);
}

static json_t *libraries(void)
{
    char xxhash[16];
    unsigned number = XXH_versionNumber();
    snprintf(xxhash, sizeof xxhash, "%u.%u.%u", number / 10000, number / 100 % 100, number % 100);
    // clang-format off
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
                     "openblas", known_text(openblas_get_config()),
                     "openblas_core", known_text(openblas_get_corename()),
                     "libyaml", known_text(yaml_get_version_string()),
                     "jansson", known_text(JANSSON_VERSION),
                     "xxhash", known_text(xxhash),
                     "glibc", known_text(gnu_get_libc_version()));
    // clang-format on
}

static json_t *date(void)
{
    char text[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return json_text(text);
}

/* What the environment tells OpenMP and OpenBLAS: it can change times. */
static json_t *threading_variables(void)
{
    static const char *const prefixes[] = {"OMP_", "GOMP_", "OPENBLAS_"};
    json_t *found = json_object();
    for (char **variable = environ; *variable != NULL; variable++)
        for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
            char name[64];
            size_t length = strcspn(*variable, "=");
            if (strncmp(*variable, prefixes[i], strlen(prefixes[i])) != 0 || length >= sizeof name)
                continue;
            snprintf(name, sizeof name, "%.*s", (int)length, *variable);
            json_object_set_new(found, name, json_text(*variable + length + 1));
        }
    return found;
}

json_t *machine_facts(void)
{
    struct cpu cpu;
    char type[MACHINE_TYPE_SIZE];
    cpu_read(&cpu);
    machine_type(type);
    struct json_watch watch;
    json_watch_begin(&watch);
    // clang-format off
    json_t *facts = json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                              "type", type,
                              "date", date(),
                              "commit", build_commit(),
                              "changed", known_truth(build_changed()),
                              "cpu", processor(&cpu),
                              "memory_bytes", memory_bytes(),
                              "page_bytes", json_integer(sysconf(_SC_PAGESIZE)),
                              "device", device_to_json(),
                              "kernel", kernel(),
                              "distribution", distribution(),
                              "compiler", json_text(COMPILER),
                              "flags", json_text(build_flags()),
                              "libraries", libraries(),
                              "threading_variables", threading_variables());
    // clang-format on
    if (json_watch_end(&watch))
        return facts;
    json_decref(facts);
    return NULL;
}

void machine_type(char type[MACHINE_TYPE_SIZE])
{
    struct cpu cpu;
    char text[2048];
    cpu_read(&cpu);
    int n = snprintf(text, sizeof text, "%s\n%s\n%s\n%s\n%s\n%d %d %d %d\n", cpu.model, cpu.vendor, cpu.family, cpu.number,
                     cpu.stepping, cpu.sockets, cpu.cores_per_socket, cpu.threads_per_core, cpu.online);
    for (int i = 0; i < cpu.n_caches; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "L%d %s %ld\n", cpu.cache[i].level, cpu.cache[i].kind, cpu.cache[i].bytes);
    for (int level = 0; level < LEVEL_COUNT; level++)
        if (level_available((enum level)level))
            n += snprintf(text + n, sizeof text - (size_t)n, "%s\n", level_names[level]);
    snprintf(type, MACHINE_TYPE_SIZE, "%016llx", (unsigned long long)XXH3_64bits(text, (size_t)n));
}

bool machine_surroundings(char hash[MACHINE_TYPE_SIZE])
{
    struct json_watch watch;
    json_watch_begin(&watch);
    json_t *variables = threading_variables();
    char *sorted = json_watch_print(&watch, variables, JSON_SORT_KEYS), text[4096];
    json_decref(variables);
    if (sorted == NULL)
        return false;
    int n = snprintf(text, sizeof text, "%s\n%s\n%s\n%s\n", openblas_get_config(), openblas_get_corename(), gnu_get_libc_version(),
                     sorted);
    free(sorted);
    snprintf(hash, MACHINE_TYPE_SIZE, "%016llx",
             (unsigned long long)XXH3_64bits(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1));
    return true;
}
