/* A library for LD_PRELOAD that makes one call of one kind fail, as it would on a machine without memory, disk or processes left, or
 * whose clock is set back; or at which the program is held up, so that a test meets it where it wants to, however fast the machine is.
 *
 *   FAULT=KIND:N      the N-th call fails, counted from 1; 0: none, for counting. KIND is a word of the table below
 *   FAULT_IN=run      in the program build/bench itself, or "worker": in the processes that it measures in, counted over all of them;
 *                     "any": in both
 *   FAULT_REASON=N    errno of the kind "disk", as a number
 *   FAULT_COUNT=FILE  where the number of calls is kept, and how many of them failed, as two 64-bit integers: a program that dies
 *                     leaves them as well
 *
 * Other programs (gnuplot, env), and children between fork and exec, are left alone. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum kind {
    FAULT_MALLOC,
    FAULT_WRITE,
    FAULT_SHORT,
    FAULT_FSYNC,
    FAULT_FORK,
    FAULT_CLOCK,
    FAULT_STOP,
    FAULT_LATE,
    FAULT_LOCK,
    FAULT_NO_LOCKS,
    FAULT_DISK,
    FAULT_KINDS
};

static struct {
    const char *name;
    int reason;
} kinds[FAULT_KINDS] = {
    [FAULT_MALLOC] = {"malloc", ENOMEM}, /* of the whole family */
    [FAULT_WRITE] = {"write", ENOSPC},   /* of bytes to a file or stream */
    [FAULT_SHORT] = {"short", 0},        /* half of the bytes are written, which is no error */
    [FAULT_FSYNC] = {"fsync", EIO},
    [FAULT_FORK] = {"fork", EAGAIN},
    [FAULT_CLOCK] = {"clock", 0},          /* from this call on it is a day earlier */
    [FAULT_STOP] = {"stop", 0},            /* before this fsync the process stops, until it is told to go on, or killed */
    [FAULT_LATE] = {"late", 0},            /* from this look at the monotonic clock on each makes it half a second later */
    [FAULT_LOCK] = {"lock", ENOLCK},       /* from this lock on there are none, as on network file systems whose server has none, */
    [FAULT_NO_LOCKS] = {"nolock", ENOSYS}, /* or that have none at all */
    [FAULT_DISK] = {"disk", ENOSPC},       /* from this call on all that change a file system: writes to files, fsync, making, renaming */
};

static struct {
    enum kind kind;
    uint64_t n;
    _Atomic uint64_t *count; /* of calls, and of those that failed; NULL: this process is left alone */
    pid_t process;
} plan = {.kind = FAULT_KINDS};

__attribute__((constructor)) static void prepare(int argc, char **argv)
{
    const char *fault = getenv("FAULT"), *in = getenv("FAULT_IN"), *path = getenv("FAULT_COUNT");
    const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;
    if (fault == NULL || in == NULL || path == NULL || name == NULL || (strcmp(name, "/bench") != 0 && strcmp(name, "/exe") != 0))
        return; /* a worker is /proc/self/exe */
    bool worker = argc > 1 && strcmp(argv[1], "worker") == 0;
    if (worker != (strcmp(in, "worker") == 0) && strcmp(in, "any") != 0)
        return;
    const char *reason = getenv("FAULT_REASON");
    if (reason != NULL)
        kinds[FAULT_DISK].reason = atoi(reason);
    const char *colon = strchr(fault, ':');
    for (enum kind kind = 0; colon != NULL && kind < FAULT_KINDS; kind++)
        if (strncmp(kinds[kind].name, fault, (size_t)(colon - fault)) == 0 && kinds[kind].name[colon - fault] == '\0')
            plan.kind = kind;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* begun is false: this one is not counted */
    if (plan.kind == FAULT_KINDS || file < 0 || ftruncate(file, 2 * sizeof *plan.count) != 0)
        abort();
    void *shared = mmap(NULL, 2 * sizeof *plan.count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED)
        abort();
    close(file);
    plan.n = strtoull(colon + 1, NULL, 10);
    plan.process = getpid();
    plan.count = shared;
}

/* Calls count from the program's main() on: what a library's own start-up makes of a refusal (CUDA's crashes) is none of ours. */
static bool begun;

/* Counts a call of this kind; true, with errno, for the one that is to fail. */
static bool fails(enum kind kind)
{
    if (!begun || plan.kind != kind || plan.count == NULL || plan.process != getpid())
        return false;
    uint64_t n = atomic_fetch_add(plan.count, 1) + 1;
    if (n != plan.n && (kind != FAULT_DISK || plan.n == 0 || n < plan.n)) /* a disk stays full */
        return false;
    atomic_fetch_add(plan.count + 1, 1);
    errno = kinds[kind].reason;
    return true;
}

/* ---- The calls ------------------------------------------------------------------------------------------------------------- */

#ifndef __SANITIZE_ADDRESS__ /* its allocator must come before any other */
/* glibc's own names of its allocator: asking dlsym() for it could allocate. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    return fails(FAULT_MALLOC) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails(FAULT_MALLOC) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return fails(FAULT_MALLOC) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(FAULT_MALLOC) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *found = fails(FAULT_MALLOC) ? NULL : __libc_memalign(alignment, size);
    if (found == NULL)
        return ENOMEM;
    *memory = found;
    return 0;
}
#endif

/* The function that a program would get without this library. */
#define THEIRS(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

/* Whether a file lies on a disk: it has a name, which no pipe and no memory has. */
static bool on_disk(int file)
{
    struct stat about;
    return fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_nlink > 0;
}

ssize_t write(int file, const void *bytes, size_t size)
{
    if (fails(FAULT_WRITE) || (plan.kind == FAULT_DISK && on_disk(file) && fails(FAULT_DISK)))
        return -1;
    return THEIRS(write)(file, bytes, size > 1 && fails(FAULT_SHORT) ? size / 2 : size);
}

/* What a stream keeps in mind once it could not be written: glibc's _IO_ERR_SEEN. */
static void spoil(FILE *stream)
{
    enum { ERROR_SEEN = 0x20 };
    stream->_flags |= ERROR_SEEN;
}

size_t fwrite(const void *bytes, size_t size, size_t n, FILE *stream)
{
    if (!fails(FAULT_WRITE))
        return THEIRS(fwrite)(bytes, size, n, stream);
    spoil(stream);
    return 0;
}

int fflush(FILE *stream)
{
    if (!fails(FAULT_WRITE))
        return THEIRS(fflush)(stream);
    if (stream != NULL)
        spoil(stream);
    return EOF;
}

int fsync(int file)
{
    if (fails(FAULT_STOP))
        raise(SIGSTOP);
    return fails(FAULT_FSYNC) || fails(FAULT_DISK) ? -1 : THEIRS(fsync)(file);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    struct stat about;
    bool makes = (flags & O_CREAT) != 0 && plan.kind == FAULT_DISK && fstatat(folder, path, &about, AT_SYMLINK_NOFOLLOW) != 0;
    return makes && fails(FAULT_DISK) ? -1 : THEIRS(openat)(folder, path, flags, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    return fails(FAULT_DISK) ? -1 : THEIRS(mkdirat)(folder, path, mode);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return fails(FAULT_DISK) ? -1 : THEIRS(renameat)(from_folder, from, to_folder, to);
}

int flock(int file, int operation)
{
    static _Atomic int none;
    if (fails(FAULT_LOCK) || fails(FAULT_NO_LOCKS))
        none = errno;
    if (none == 0)
        return THEIRS(flock)(file, operation);
    errno = none;
    return -1;
}

pid_t fork(void)
{
    return fails(FAULT_FORK) ? -1 : THEIRS(fork)();
}

time_t time(time_t *out)
{
    static _Atomic time_t ahead;
    if (fails(FAULT_CLOCK))
        ahead = 24 * 60 * 60;
    time_t now = THEIRS(time)(NULL) - ahead;
    if (out != NULL)
        *out = now;
    return now;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static _Atomic int64_t halves, since;
    if (clock == CLOCK_MONOTONIC && fails(FAULT_LATE))
        since = 1;
    int status = THEIRS(clock_gettime)(clock, now);
    if (clock == CLOCK_MONOTONIC && status == 0 && since) {
        int64_t ahead = ++halves;
        now->tv_sec += ahead / 2 + (now->tv_nsec + ahead % 2 * 500000000) / 1000000000;
        now->tv_nsec = (now->tv_nsec + ahead % 2 * 500000000) % 1000000000;
    }
    return status;
}

/* ---- Where the program begins ---------------------------------------------------------------------------------------------- */

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
start_function __libc_start_main;

static main_function *main_of_program;

static int begin(int argc, char **argv, char **environment)
{
    begun = true;
    return main_of_program(argc, argv, environment);
}

int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void), void (*fini)(void), void (*loader)(void),
                      void *stack)
{
    main_of_program = program;
    return THEIRS(__libc_start_main)(begin, argc, argv, init, fini, loader, stack);
}
