/* See list.h. */
#include "bench/command/list.h"

#include "bench/base/files.h"
#include "bench/base/shown.h"
#include "bench/command/vocabulary.h"
#include "bench/machine/machine_memory.h"
#include "bench/machine/machine_threads.h"
#include "bench/measure/measure.h"
#include "bench/sweep/sweep.h"
#include "impls/contract/support.h"
#include "impls/cuda/registry.h"
#include "tasks/task.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the kernel adds to the path of a program whose file was replaced since it started. */
static const char REPLACED[] = " (deleted)";

bool root_find(char program[PATH_MAX], char root[PATH_MAX], struct error *error)
{
    ssize_t length = readlink("/proc/self/exe", program, PATH_MAX - 1);
    if (length < 0)
        return fail(error, "/proc/self/exe: cannot find this program: %s", strerror(errno));
    program[length] = '\0';
    size_t without = (size_t)length - (sizeof REPLACED - 1);
    if (length > (ssize_t)sizeof REPLACED && strcmp(program + without, REPLACED) == 0 && access(program, F_OK) != 0)
        program[without] = '\0';
    memcpy(root, program, (size_t)length + 1);
    for (char *slash; (slash = strrchr(root, '/')) != NULL && slash != root;) {
        char front_door[PATH_MAX + 8];
        *slash = '\0';
        snprintf(front_door, sizeof front_door, "%s/run.sh", root);
        if (files_is_there(front_door))
            return true;
    }
    return fail(error, "%s: no folder above this program holds run.sh", program);
}

/* The first cell that it takes. */
static enum cell cell_of(const struct implementation *one)
{
    return (enum cell)__builtin_ctz(one->cells);
}

/* Whether an implementation can do anything at all here: its answer to a small problem of a cell and a mixer that it takes. */
static void availability(int index, struct support *support)
{
    const struct settings settings = {.l_max = 1, .quantile = 1, .damping = 1};
    const struct environment environment = {.threads = machine_threads(), .memory_limit = machine_memory_available()};
    const struct implementation *one = registry_get(index, DTYPE_FLOAT32, level_best());
    enum mixer mixer = MIXER_NONE;
    while ((one->mixers & 1u << mixer) == 0 && mixer + 1 < MIXER_COUNT)
        mixer++;
    const struct cell_facts *facts = &cell_facts[cell_of(one)];
    const struct problem problem = {.cell = cell_of(one),
                                    .B = 1,
                                    .T = 2,
                                    .d = 4,
                                    .N = facts->has_N,
                                    .heads = facts->has_heads,
                                    .mixer = mixer,
                                    .r = facts->has_heads || mixer_facts[mixer].takes_r,
                                    .s = mixer != MIXER_NONE};
    one->supports(&problem, &settings, &environment, support);
}

static int sweep_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

/* The comment that a sweep file begins with, without its "# ". */
static void first_line(const char *folder, const char *name, size_t capacity, char text[capacity])
{
    char path[PATH_MAX + 256], line[256] = "";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct error ignored;
    FILE *file = files_stream(path, &ignored);
    if (file != NULL) {
        if (fgets(line, sizeof line, file) == NULL)
            line[0] = '\0';
        fclose(file);
    }
    line[strcspn(line, "\n")] = '\0';
    snprintf(text, capacity, "%s", strncmp(line, "# ", 2) == 0 ? line + 2 : "");
}

static void put_tasks(FILE *out)
{
    fprintf(out, "\nTasks\n");
    for (int i = 0; task_family(i) != NULL; i++) {
        char options[256];
        task_family_options(i, sizeof options, options);
        fprintf(out, "  %-22s %s\n", task_family(i), task_family_summary(i));
        if (options[0] != '\0')
            fprintf(out, "  %-22s options: %s\n", "", options);
    }
}

/* What an implementation does in other cells than its first, where it has a row of its own. */
static void put_cells(FILE *out, int index, const struct implementation *first)
{
    for (enum cell cell = 0; cell < CELL_COUNT; cell++) {
        const struct implementation *one = registry_get_for(index, cell, DTYPE_FLOAT32, LEVEL_BASELINE);
        if (one == first || (one->cells >> cell & 1) == 0)
            continue;
        fprintf(out, "  %-26s cell %s: ", "", cell_names[cell]);
        shown_line(out, one->summary);
        fputc('\n', out);
        if (one->options != NULL)
            fprintf(out, "  %-26s options there: %s\n", "", one->options);
    }
}

bool list_print(FILE *out, const char *root, struct error *error)
{
    fprintf(out, "Implementations\n");
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT32, LEVEL_BASELINE);
        struct support support;
        availability(i, &support);
        fprintf(out, "  %-26s %-4s  %-9s  %s", one->name, device_names[one->device],
                one->exact    ? "exact"
                : one->solver ? "solver"
                              : "iterative",
                support.yes ? "available: " : "not available: ");
        if (support.yes && cell_of(one) != CELL_VECTOR)
            fprintf(out, "cell %s: ", cell_names[cell_of(one)]);
        shown_line(out, support.yes ? one->summary : support.reason);
        fputc('\n', out);
        if (one->options != NULL)
            fprintf(out, "  %-26s options: %s\n", "", one->options);
        put_cells(out, i, one);
    }
    fprintf(out, "cells: the first line of each is of the cell %s unless it names another; others stand where they are taken.\n",
            cell_names[0]);
    fprintf(out, "cuda: %s (docs/reference/cuda.md).\n", CUDA_PROOF);
    fprintf(out, "\nInstruction sets of this processor:");
    for (enum level level = LEVEL_BASELINE; level < LEVEL_COUNT; level++)
        if (level_available(level))
            fprintf(out, " %s", level_names[level]);
    fprintf(out, "; %d processors\n", machine_threads());
    put_tasks(out);
    fprintf(out, "\nSweeps\n");

    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s/sweeps", PATH_MAX - 16, root);
    struct dirent **entry;
    int n = scandir(folder, &entry, sweep_file, alphasort);
    if (n < 0)
        return fail(error, "%s: cannot be listed: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        char text[256];
        first_line(folder, entry[i]->d_name, sizeof text, text);
        char name[256];
        fprintf(out, "  sweeps/%-22s ", shown_copy(entry[i]->d_name, sizeof name, name));
        shown_line(out, text);
        fputc('\n', out);
        free(entry[i]);
    }
    free(entry);
    return true;
}

/* How many points of a sweep each measure has, of each implementation; the last row is of points without one. */
static size_t *count_points(const struct sweep *sweep, int n_measures)
{
    size_t *count = calloc((size_t)(registry_count() + 1) * (size_t)n_measures, sizeof *count);
    for (size_t k = 0; count != NULL && k < sweep->n_points; k++) {
        const struct point *point = &sweep->point[k];
        struct options options;
        bool has = point->value[FIELD_IMPLEMENTATION].kind != VALUE_NONE && point_options(point, FIELD_IMPLEMENTATION, &options);
        count[(has ? options.implementation : registry_count()) * n_measures + (int)point->value[FIELD_MEASURE].integer]++;
    }
    return count;
}

static bool put_points(FILE *out, const struct sweep *sweep)
{
    int n_measures = 0;
    while (measure_word(n_measures) != NULL)
        n_measures++;
    size_t *count = count_points(sweep, n_measures);
    for (int i = 0; count != NULL && i <= registry_count(); i++)
        for (int measure = 0; measure < n_measures; measure++) {
            size_t n = count[i * n_measures + measure];
            bool of = i < registry_count();
            if (n > 0)
                fprintf(out, "  %6zu  %s%s%s\n", n, measure_word(measure), of ? " of " : "",
                        of ? registry_get(i, DTYPE_FLOAT32, LEVEL_BASELINE)->name : "");
        }
    bool good = count != NULL;
    free(count);
    return good;
}

bool check_print(FILE *out, const char *path, const char *scale, bool many, struct error *error)
{
    struct sweep *sweep = calloc(1, sizeof *sweep);
    if (sweep == NULL)
        return fail_memory(error);
    bool good = sweep_read(&sweep_vocabulary, path, scale, many, sweep, error);
    if (good) {
        shown_line(out, path);
        fprintf(out, "%s%s: %zu point%s (%zu duplicates, %zu skipped)\n", sweep->scale[0] != '\0' ? " at the scale " : "",
                sweep->scale, sweep->n_points, sweep->n_points == 1 ? "" : "s", sweep->n_shared, sweep->n_skipped);
        good = put_points(out, sweep) || fail_memory(error);
        sweep_free(sweep);
    }
    free(sweep);
    return good;
}
