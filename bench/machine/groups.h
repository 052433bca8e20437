/* The control groups that this process is in: limits of a container, a service or a batch job. Both generations of them. */
#ifndef BENCH_MACHINE_GROUPS_H
#define BENCH_MACHINE_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

enum groups_generation { GROUPS_FIRST, GROUPS_SECOND };

/* Calls each() with the folder of every group that limits this process by a controller ("memory", "cpu"), and of all groups around
 * it: what any of them allows is what there is. Of a system whose /proc and /sys are below root ("" for this one). In a container
 * some folders cannot be seen. */
void groups_visit(const char *root, const char *controller,
                  void (*each)(const char *folder, enum groups_generation generation, void *context), void *context);

/* The text of a file of a group; false where there is none. */
bool groups_read(const char *folder, const char *name, size_t capacity, char text[capacity]);

/* The number after a key that begins a line of a text; false where there is none. */
bool groups_number(const char *text, const char *key, double *number);

/* Processors that the quotas of all groups leave; INFINITY where there is none. */
double groups_quota(const char *root);

/* How often a quota has stopped the processes of a group, of all groups together; NAN where none counts it. */
double groups_stops(const char *root);

#endif
