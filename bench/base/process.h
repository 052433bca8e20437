/* A child process that cannot harm its parent: text in, text out, time limit, memory limit, and how it ended. Points are
 * measured in such children, and gnuplot runs in one. No shell is involved. */
#ifndef BENCH_BASE_PROCESS_H
#define BENCH_BASE_PROCESS_H

#include "bench/base/error.h"

#include <stddef.h>

enum {
    PROCESS_OUTPUT_MAX = 64 << 20, /* bytes of output; a child that writes more is killed */
    PROCESS_LOG_MAX = 1 << 20,     /* bytes of a child's errors that reach the log; the rest is dropped */
    PROCESS_ERRORS_SIZE = 2048
};

/* As argv[0]: this very program, also where another has taken the place of its file since it started. */
#define PROCESS_SELF "/proc/self/exe"

struct process_request {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up on PATH unless it has a slash */
    const char *input;       /* what the child reads from its standard input; may be NULL */
    size_t input_size;
    bool (*leave_out)(const char *variable); /* of its environment, "NAME=value"; NULL: none beside those of child_environment.h */
    const char *log;                         /* file to which its standard error is appended; NULL: none */
    double
        time_limit; /* seconds, of those in which it runs: not stopped, nor frozen with this process (running.h); looked at while it does.
                        * After them SIGTERM, and a second later SIGKILL, to the child and whatever it started */
    void (*meanwhile)(void *context); /* called about once a second while the child runs; NULL: nothing */
    void *context;
    size_t memory_limit; /* bytes that the child may hold; looked at ten times a second, and killed when it holds more. 0: any */
};

struct process_result {
    bool timed_out, flooded;
    size_t over_memory; /* what it held when it was killed for that, or 0 */
    double started;     /* of the monotonic clock, just before it began */
    double spoke;       /* likewise, when the last of its output was read while it ran; 0: never */
    int signal;         /* that ended it, or 0; after a time-out or a flood: ours */
    int exit_status;    /* when no signal did */
    double wall;        /* seconds */
    size_t peak_bytes;  /* largest resident set; Linux counts what this process itself held when it started the child as well */
    char *output;       /* everything it wrote to its standard output, terminated; never NULL after success */
    size_t output_size;
    char errors[PROCESS_ERRORS_SIZE]; /* the end of what it wrote to its standard error, terminated */
};

/* Runs a child to its end, whatever that is. False when it cannot be started (no such program, out of memory) or cannot be
 * killed. The child never outlives this process; what it started is killed when it ends. */
bool process_run(const struct process_request *request, struct process_result *result, struct error *error);

void process_result_free(struct process_result *result);

#endif
