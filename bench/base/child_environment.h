/* The environment of the processes that this one starts: the user's, without what would make them speak, draw or look for files in
 * another way than they were made for. bench/build/environment.sh is the same for the build. */
#ifndef BENCH_BASE_CHILD_ENVIRONMENT_H
#define BENCH_BASE_CHILD_ENVIRONMENT_H

#include <stdbool.h>

/* Also without the variables ("NAME=value") that leave_out() names, where it is not NULL. NULL-terminated; to be freed, while its texts
 * are those of environ. NULL when out of memory. */
char **child_environment(bool (*leave_out)(const char *variable));

#endif
