/* The folders of a sweep's runs, RESULTS/NAME/run-1, run-2, ...: numbered, because clocks jump. The same command goes on in the last
 * one, unless that was measured on another type of machine. */
#ifndef BENCH_COMMAND_FOLDER_H
#define BENCH_COMMAND_FOLDER_H

#include "bench/base/files.h"

#include <limits.h>
#include <stddef.h>

struct folder {
    char path[FOLDER_SIZE];
    bool continued; /* it was there, with a journal that may hold rounds */
    char note[512]; /* why a new one was begun although there was one; may be empty */
};

/* Finds the folder to go on in, or makes the next one: where there is none, where fresh is set, and where the last one names another
 * machine type. */
bool folder_open(const char *results, const char *name, bool fresh, const char *machine_type, struct folder *folder,
                 struct error *error);

/* Keeps which of its sweep file's scales a run is at, for when it is drawn again; "" for none. */
bool folder_keep_scale(const char *folder, const char *scale, struct error *error);
/* The kept one, or "" where there is none, or none that can be read. */
void folder_scale(const char *folder, size_t capacity, char scale[capacity]);

/* The number of a run's folder by its name, "run-12": 12; 0 for any other name. */
int folder_number(const char *name);

#endif
