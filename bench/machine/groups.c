/* See groups.h. */
#include "bench/machine/groups.h"

#include "bench/base/files.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALL = 16384 };

static const char MOUNT[] = "/sys/fs/cgroup";

bool groups_read(const char *folder, const char *name, size_t capacity, char text[capacity])
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path && files_read_small(path, capacity, text);
}

bool groups_number(const char *text, const char *key, double *number)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, strlen(key)) == 0) {
            *number = strtod(line + strlen(key), NULL);
            return true;
        }
    }
    return false;
}

static bool lists(const char *controllers, const char *wanted)
{
    size_t length = strlen(wanted);
    for (const char *at = controllers; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, wanted, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* Where the groups of a line of /proc/self/cgroup are: those of the first generation are mounted by the names of their controllers. */
static bool find_mount(const char *root, const char *controllers, const char *controller, enum groups_generation *generation,
                       char mount[PATH_MAX])
{
    *generation = controllers[0] == '\0' ? GROUPS_SECOND : GROUPS_FIRST;
    snprintf(mount, PATH_MAX, "%s%s", root, MOUNT);
    if (*generation == GROUPS_SECOND)
        return true;
    if (!lists(controllers, controller))
        return false;
    snprintf(mount, PATH_MAX, "%s%s/%s", root, MOUNT, controllers);
    if (access(mount, F_OK) != 0)
        snprintf(mount, PATH_MAX, "%s%s/%s", root, MOUNT, controller);
    return true;
}

void groups_visit(const char *root, const char *controller,
                  void (*each)(const char *folder, enum groups_generation generation, void *context), void *context)
{
    char text[SMALL], path[PATH_MAX], mount[PATH_MAX], folder[2 * PATH_MAX], *next = text;
    enum groups_generation generation;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (!files_read_small(path, sizeof text, text))
        return;
    for (char *line; (line = strsep(&next, "\n")) != NULL;) {
        strsep(&line, ":"); /* number:controllers:path */
        const char *controllers = strsep(&line, ":");
        if (line == NULL || !find_mount(root, controllers, controller, &generation, mount))
            continue;
        size_t top = (size_t)snprintf(folder, sizeof folder, "%s%s", mount, line) - strlen(line);
        for (char *slash = folder; slash != NULL;) {
            each(folder, generation, context);
            slash = strrchr(folder + top, '/');
            if (slash != NULL)
                *slash = '\0';
        }
    }
}

/* ---- Processors -------------------------------------------------------------------------------------------------------------- */

/* "20000 100000": microseconds of processors in so many of the clock; "max" or a negative number is no quota. */
static void take_quota(const char *folder, enum groups_generation generation, void *least)
{
    char text[64], period[64];
    char *rest;
    if (!groups_read(folder, generation == GROUPS_SECOND ? "cpu.max" : "cpu.cfs_quota_us", sizeof text, text))
        return;
    double quota = strtod(text, &rest), of = generation == GROUPS_SECOND ? strtod(rest, NULL) : 0;
    if (generation == GROUPS_FIRST && groups_read(folder, "cpu.cfs_period_us", sizeof period, period))
        of = strtod(period, NULL);
    if (rest != text && quota > 0 && of > 0)
        *(double *)least = fmin(*(double *)least, quota / of);
}

double groups_quota(const char *root)
{
    double least = INFINITY;
    groups_visit(root, "cpu", take_quota, &least);
    return least;
}

static void add_stops(const char *folder, enum groups_generation generation, void *total)
{
    char text[SMALL];
    double stops;
    (void)generation; /* both call it the same */
    if (groups_read(folder, "cpu.stat", sizeof text, text) && groups_number(text, "nr_throttled ", &stops))
        *(double *)total = stops + (isnan(*(double *)total) ? 0 : *(double *)total);
}

double groups_stops(const char *root)
{
    double total = NAN;
    groups_visit(root, "cpu", add_stops, &total);
    return total;
}
