/* See process.h. Starting is in spawn.c; this file follows a child to its end. */
#include "bench/base/process.h"

#include "bench/base/clock.h"
#include "bench/base/files.h"
#include "bench/base/running.h"
#include "bench/base/spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const double GRACE = 1;  /* seconds from SIGTERM to SIGKILL */
static const double LOST = 60;  /* seconds from SIGKILL until a child is given up: it hangs in the kernel */
static const double LOOK = 0.1; /* seconds between looks at the child's memory: rare enough to disturb no measurement */

/* What happens to the child when its time is over. */
enum stage { RUNNING, ASKED_TO_END, KILLED };

struct follower {
    struct child child;
    enum stage stage;
    struct running running; /* time that passes for this process, */
    bool stopped;           /* but not for the child while it is stopped */
    double since;           /* of that time: when the stage began */
    const double *limit;    /* of the stage, in seconds */
    int log;
    size_t log_left;
    size_t output_capacity, errors_size;
    size_t memory_limit;
    double next_look;
    void (*meanwhile)(void *context);
    void *context;
    double next_call;
    struct process_result *result;
    bool memory; /* false once there was none for the output */
};

static void kill_group(struct follower *follower, int signal)
{
    kill(-follower->child.pid, signal);
}

static void enter(struct follower *follower, enum stage stage, const double *limit)
{
    follower->stage = stage;
    follower->since = follower->running.seconds;
    follower->limit = limit;
}

static void kill_now(struct follower *follower)
{
    if (follower->stage == KILLED)
        return;
    kill_group(follower, SIGKILL);
    enter(follower, KILLED, &LOST);
}

static bool keep_output(struct follower *follower, const char *bytes, size_t n)
{
    struct process_result *result = follower->result;
    if (result->output_size + n > PROCESS_OUTPUT_MAX) {
        result->flooded = true;
        return false;
    }
    if (result->output_size + n + 1 > follower->output_capacity) {
        size_t capacity = 2 * (result->output_size + n + 1);
        char *grown = realloc(result->output, capacity);
        if (grown == NULL) {
            follower->memory = false;
            return false;
        }
        result->output = grown;
        follower->output_capacity = capacity;
    }
    result->spoke = clock_seconds();
    memcpy(result->output + result->output_size, bytes, n);
    result->output_size += n;
    result->output[result->output_size] = '\0';
    return true;
}

/* The log takes the beginning, the result keeps the end. A log that cannot be written is no reason to stop a measurement. */
static void keep_errors(struct follower *follower, const char *bytes, size_t n)
{
    size_t logged = n < follower->log_left ? n : follower->log_left;
    if (follower->log >= 0 && logged > 0 && write(follower->log, bytes, logged) != (ssize_t)logged)
        logged = follower->log_left;
    follower->log_left -= logged;

    char *errors = follower->result->errors;
    size_t room = PROCESS_ERRORS_SIZE - 1;
    if (n > room) {
        bytes += n - room;
        n = room;
    }
    size_t kept = follower->errors_size < room - n ? follower->errors_size : room - n;
    memmove(errors, errors + follower->errors_size - kept, kept);
    memcpy(errors + kept, bytes, n);
    follower->errors_size = kept + n;
    errors[follower->errors_size] = '\0';
}

/* Takes one block from each pipe without waiting; true while there was something. */
static bool drain(struct follower *follower)
{
    int *pipes[2] = {&follower->child.output, &follower->child.errors};
    bool any = false;
    for (int i = 0; i < 2; i++) {
        char block[65536];
        ssize_t n = *pipes[i] < 0 ? 0 : read(*pipes[i], block, sizeof block);
        if (n > 0) {
            any = true;
            if (i == 1)
                keep_errors(follower, block, (size_t)n);
            else if (!keep_output(follower, block, (size_t)n))
                kill_now(follower);
        } else if (*pipes[i] >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
            close(*pipes[i]);
            *pipes[i] = -1;
        }
    }
    return any;
}

/* Memory of its own that a process holds, by its /proc/PID/status; 0 when that cannot be seen. Pages of files do not count: the
 * system can drop them. Address space is not looked at, let alone limited: sanitizers and CUDA reserve far more than they use. */
static size_t memory_held(const char *status)
{
    static const char *const lines[] = {"RssAnon:", "RssShmem:"};
    size_t bytes = 0;
    for (int i = 0; i < 2; i++) {
        const char *line = strstr(status, lines[i]);
        bytes += line != NULL ? 1024 * strtoull(line + strlen(lines[i]), NULL, 10) : 0;
    }
    return bytes;
}

/* By a signal or a debugger. */
static bool is_stopped(const char *status)
{
    const char *state = strstr(status, "\nState:\t");
    return state != NULL && (state[8] == 'T' || state[8] == 't');
}

static void watch_child(struct follower *follower)
{
    char path[40], status[4096];
    if (follower->stage == KILLED || clock_seconds() < follower->next_look)
        return;
    follower->next_look = clock_seconds() + LOOK;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)follower->child.pid);
    files_read_small(path, sizeof status, status);
    follower->stopped = is_stopped(status);
    size_t held = follower->memory_limit > 0 ? memory_held(status) : 0;
    if (held > follower->memory_limit) {
        follower->result->over_memory = held;
        kill_now(follower);
    }
}

/* Whoever waits for the child may show what it does. */
static void call_meanwhile(struct follower *follower)
{
    if (follower->meanwhile == NULL || follower->stage != RUNNING || clock_seconds() < follower->next_call)
        return;
    follower->next_call = clock_seconds() + 1;
    follower->meanwhile(follower->context);
}

/* Of the stage, in seconds; negative when it is over. Who is asked to end, or killed, has no right to be stopped. */
static double time_left(struct follower *follower)
{
    return *follower->limit + follower->since - running_look(&follower->running, follower->stage != RUNNING || !follower->stopped);
}

static void wait_a_little(struct follower *follower)
{
    struct pollfd watched[3] = {
        {.fd = follower->child.output, .events = POLLIN},
        {.fd = follower->child.errors, .events = POLLIN},
        {.fd = follower->child.end, .events = POLLIN},
    };
    double seconds = time_left(follower);
    double most = follower->child.end < 0 ? 0.01 : follower->memory_limit > 0 ? LOOK : 1; /* without notice of its end, look */
    if (seconds > most)
        seconds = most;
    poll(watched, 3, seconds > 0 ? (int)(seconds * 1000) + 1 : 0);
}

static bool ended(struct follower *follower, bool *lost)
{
    siginfo_t about = {.si_pid = 0};
    if (waitid(P_PID, (id_t)follower->child.pid, &about, WEXITED | WNOHANG | WNOWAIT) == 0)
        return about.si_pid == follower->child.pid;
    *lost = errno != EINTR;
    return *lost;
}

static bool follow(struct follower *follower, struct error *error)
{
    bool lost = false;
    while (!ended(follower, &lost)) {
        if (!(time_left(follower) > 0)) {
            switch (follower->stage) {
            case RUNNING:
                follower->result->timed_out = true;
                kill_group(follower, SIGTERM);
                enter(follower, ASKED_TO_END, &GRACE);
                break;
            case ASKED_TO_END:
                kill_now(follower);
                break;
            case KILLED:
                return fail(error, "process %ld cannot be killed", (long)follower->child.pid);
            }
        }
        wait_a_little(follower);
        drain(follower);
        watch_child(follower);
        call_meanwhile(follower);
    }
    return !lost || fail(error, "cannot wait for process %ld: another part of the program already did", (long)follower->child.pid);
}

static bool account(struct follower *follower, struct error *error)
{
    struct process_result *result = follower->result;
    bool followed = follow(follower, error);
    result->wall = clock_seconds() - result->started;
    /* The child, dead but not yet waited for, keeps its number: this cannot hit a stranger. */
    if (followed)
        kill_group(follower, SIGKILL);
    /* What is still in the pipes; bounded, for a stray descendant may go on writing. */
    for (int i = 0; i < 64 && drain(follower); i++)
        continue;
    int status;
    struct rusage usage;
    if (!followed)
        return false;
    if (wait4(follower->child.pid, &status, 0, &usage) < 0)
        return fail(error, "cannot wait for process %ld: %s", (long)follower->child.pid, strerror(errno));
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    result->peak_bytes = (size_t)usage.ru_maxrss * 1024;
    return follower->memory || fail_memory(error);
}

bool process_run(const struct process_request *request, struct process_result *result, struct error *error)
{
    *result = (struct process_result){.output = calloc(1, 1)};
    if (result->output == NULL)
        return fail_memory(error);
    struct follower follower = {.log = -1,
                                .log_left = PROCESS_LOG_MAX,
                                .output_capacity = 1,
                                .limit = &request->time_limit,
                                .result = result,
                                .memory = true,
                                .memory_limit = request->memory_limit,
                                .meanwhile = request->meanwhile,
                                .context = request->context};
    if (request->log != NULL) {
        struct error reason;
        follower.log = files_open(request->log, FILES_APPEND, &reason);
        if (follower.log < 0) {
            fail_outside(error, "cannot write %.300s: %.600s", request->log, reason.text);
            process_result_free(result);
            return false;
        }
    }
    result->started = clock_seconds();
    running_begin(&follower.running);
    bool done = spawn(request->argv, request->leave_out, request->input, request->input_size, &follower.child, error);
    if (done) {
        done = account(&follower, error);
        spawn_close(&follower.child);
    }
    if (follower.log >= 0)
        close(follower.log);
    if (!done)
        process_result_free(result);
    return done;
}

void process_result_free(struct process_result *result)
{
    free(result->output);
    result->output = NULL;
}
