/* The folders of the runs of a sweep, RESULTS/NAME/run-1, run-2, ...: numbered, because clocks jump. Repeating the command
 * resumes the last one, unless it was measured on another type of machine. */
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

/* Finds the folder to resume, or makes the next one: if there is none, if fresh is set, or if the last one was measured on
 * another type of machine. */
bool folder_open(const char *results, const char *name, bool fresh, const char *machine_type, struct folder *folder,
                 struct error *error);

/* Stores the scale of a run ("": none), for when it is drawn again. */
bool folder_keep_scale(const char *folder, const char *scale, struct error *error);
/* The stored scale, or "" where there is none or it cannot be read. */
void folder_scale(const char *folder, size_t capacity, char scale[capacity]);

/* The number of a run's folder by its name, "run-12": 12; 0 for any other name. */
int folder_number(const char *name);

#endif
