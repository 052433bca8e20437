/* See inherited.h. */
#include "bench/base/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Signals whose dispositions this program changes, and what it makes of them at its start. */
static struct {
    int signal;
    bool changed;
    void (*disposition)(int);
    struct sigaction before;
} kept[] = {
    {.signal = SIGPIPE, .changed = true, .disposition = SIG_IGN},
    {.signal = SIGXFSZ, .changed = true, .disposition = SIG_IGN},
    {.signal = SIGCHLD, .changed = true, .disposition = SIG_DFL},
    {.signal = SIGINT},
    {.signal = SIGTERM},
    {.signal = SIGHUP},
};
enum { KEPT = sizeof kept / sizeof kept[0] };

static sigset_t blocked;

/* The wrong way round, so that reading and writing fail as they would without a file. */
static void hold_streams(void)
{
    static const int ways[] = {[STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDONLY};
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 && errno == EBADF && open("/dev/null", ways[file]) != file)
            _exit(2); /* without /dev/null there is no way to be safe, nor to say so */
}

void inherited_settle(void)
{
    sigset_t none;
    hold_streams();
    for (int i = 0; i < KEPT; i++) {
        sigaction(kept[i].signal, NULL, &kept[i].before);
        if (kept[i].changed)
            signal(kept[i].signal, kept[i].disposition);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, &blocked);
}

void inherited_restore(void)
{
    for (int i = 0; i < KEPT; i++)
        sigaction(kept[i].signal, &kept[i].before, NULL);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

bool inherited_ignored(int signal)
{
    for (int i = 0; i < KEPT; i++)
        if (kept[i].signal == signal)
            return kept[i].before.sa_handler == SIG_IGN;
    return false;
}

/* Nobody reads the other end of a pipe any more, or the terminal was closed. */
static bool reader_gone(int file)
{
    struct pollfd end = {.fd = file};
    return poll(&end, 1, 0) > 0 && (end.revents & (POLLERR | POLLHUP)) != 0;
}

bool inherited_output_whole(FILE *out, struct error *error)
{
    errno = 0;
    bool flushed = fflush(out) == 0;
    int reason = errno;
    if ((flushed && !ferror(out)) || reason == EPIPE || reader_gone(fileno(out)))
        return true;
    return fail(error, "standard output: cannot be written%s%s: what was printed is not whole", flushed ? "" : ": ",
                flushed ? "" : strerror(reason));
}
