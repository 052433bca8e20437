/* Starts a child with its standard streams connected; process.h is the interface for others. */
#ifndef BENCH_BASE_SPAWN_H
#define BENCH_BASE_SPAWN_H

#include "bench/base/error.h"

#include <stddef.h>
#include <sys/types.h>

struct child {
    pid_t pid;          /* leader of a process group of its own */
    int output, errors; /* non-blocking; the child's standard output and error; -1 once closed */
    int end;            /* readable when the child has ended; -1 where the system cannot tell */
};

/* Starts argv, in the environment of child_environment.h, with input as its standard input. The system kills the child when the
 * calling thread ends. False, with nothing left behind, when it could not be started. */
bool spawn(const char *const *argv, bool (*leave_out)(const char *variable), const char *input, size_t input_size,
           struct child *child, struct error *error);

/* Closes what spawn() opened; does not wait for the child. */
void spawn_close(struct child *child);

#endif
