/* See spawn.h. fork and exec rather than posix_spawn, which cannot ask for the parent-death signal. */
#include "bench/base/spawn.h"

#include "bench/base/child_environment.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends of everything between us and the child. Above 2, for the standard streams may be closed here, and dup2() onto itself would
 * leave a stream that closes on exec. */
enum { INPUT, OUTPUT_READ, OUTPUT_WRITE, ERRORS_READ, ERRORS_WRITE, REPORT_READ, REPORT_WRITE, ENDS };

static bool lift(int *end)
{
    if (*end < 0 || *end > STDERR_FILENO)
        return *end >= 0;
    int lifted = fcntl(*end, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int reason = errno;
    close(*end);
    errno = reason;
    *end = lifted;
    return lifted >= 0;
}

static bool make_pipe(int *ends)
{
    return pipe2(ends, O_CLOEXEC) == 0 && lift(&ends[0]) && lift(&ends[1]);
}

/* A file without a name rather than a pipe: a child that never reads cannot block us, and one that ends early sends no SIGPIPE. */
static bool make_input(const char *input, size_t size, int *end)
{
    *end = memfd_create("input", MFD_CLOEXEC);
    if (!lift(end))
        return false;
    for (size_t done = 0; done < size;) {
        ssize_t n = write(*end, input + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return lseek(*end, 0, SEEK_SET) == 0;
}

static void close_all(int ends[ENDS])
{
    int reason = errno;
    for (int i = 0; i < ENDS; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    errno = reason;
}

/* In the child, between fork and exec: only calls that are safe there. */
static _Noreturn void become(const char *const *argv, char *const *environment, const int ends[ENDS], pid_t parent)
{
    sigset_t none;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(127);
    for (int one = 1; one < NSIG; one++) /* some cannot be set; what this process ignores, or was told to, is not for the child */
        signal(one, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(ends[INPUT], STDIN_FILENO) >= 0 && dup2(ends[OUTPUT_WRITE], STDOUT_FILENO) >= 0 &&
        dup2(ends[ERRORS_WRITE], STDERR_FILENO) >= 0)
        execvpe(argv[0], (char *const *)argv, environment);
    int reason = errno;
    while (write(ends[REPORT_WRITE], &reason, sizeof reason) < 0 && errno == EINTR)
        continue;
    _exit(127);
}

/* 0 when the program runs: exec closed the other end. */
static int start_failure(int report)
{
    int reason = 0;
    ssize_t n;
    do
        n = read(report, &reason, sizeof reason);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof reason ? reason : 0;
}

bool spawn(const char *const *argv, bool (*leave_out)(const char *variable), const char *input, size_t input_size,
           struct child *child, struct error *error)
{
    int ends[ENDS] = {-1, -1, -1, -1, -1, -1, -1};
    pid_t pid = -1;
    char **environment = child_environment(leave_out);
    if (environment == NULL)
        return fail_memory(error);
    if (make_input(input, input_size, &ends[INPUT]) && make_pipe(&ends[OUTPUT_READ]) && make_pipe(&ends[ERRORS_READ]) &&
        make_pipe(&ends[REPORT_READ])) {
        pid_t parent = getpid();
        pid = fork();
        if (pid == 0)
            become(argv, environment, ends, parent);
    }
    if (pid < 0) {
        close_all(ends);
        fail(error, "cannot start %s: %s", argv[0], strerror(errno));
    }
    free(environment);
    if (pid < 0)
        return false;
    setpgid(pid, pid); /* here as well: whoever is first */
    close(ends[REPORT_WRITE]);
    ends[REPORT_WRITE] = -1;
    int reason = start_failure(ends[REPORT_READ]);
    if (reason != 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        close_all(ends);
        return fail(error, "cannot run %s: %s", argv[0], strerror(reason));
    }
    *child = (struct child){.pid = pid, .output = ends[OUTPUT_READ], .errors = ends[ERRORS_READ]};
    child->end = (int)syscall(SYS_pidfd_open, pid, 0);
    ends[OUTPUT_READ] = ends[ERRORS_READ] = -1;
    close_all(ends);
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    fcntl(child->errors, F_SETFL, O_NONBLOCK);
    return true;
}

void spawn_close(struct child *child)
{
    int *ends[] = {&child->output, &child->errors, &child->end};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (*ends[i] >= 0)
            close(*ends[i]);
        *ends[i] = -1;
    }
}
