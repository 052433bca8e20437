/* Ends the program, with a message, where its stack is too small for it, or its address space for OpenBLAS. OpenBLAS reserves a
 * block for each of its threads while it is loaded, before main(), and for this thread when it first multiplies; where it gets none
 * it tries again for ever. What is in .preinit_array runs before any library's own start. Sanitizers are not ready there, and
 * reserve far more than anybody would allow. */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { KIBIBYTE = 1 << 10, LEAST_STACK = 256 /* KiB: paths and sentences lie on it */ };
enum { MEBIBYTE = 1 << 20, BLOCK = 128, STACK = 8, REST = 64 /* for all else, in MiB as they are */, THREADS_MOST = 128 };

/* A positive number of the environment, or 0. The library's own functions for that may not be ready. */
static int number_of(char **environment, const char *name)
{
    size_t length = strlen(name);
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') {
            int number = atoi(*environment + length + 1);
            return number > 0 ? number : 0;
        }
    return 0;
}

/* How many threads OpenBLAS will have, as it decides that itself. */
static int threads_of_blas(char **environment)
{
    static const char *const names[] = {"OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"};
    cpu_set_t mask;
    int wanted = 0, usable = sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : THREADS_MOST;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && wanted == 0; i++)
        wanted = number_of(environment, names[i]);
    int threads = wanted > 0 && wanted < usable ? wanted : usable;
    return threads < THREADS_MOST ? threads : THREADS_MOST;
}

static size_t limit_of(int resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur / MEBIBYTE : 0;
}

static _Noreturn void end(const char *text, int length)
{
    if (write(STDERR_FILENO, text, (size_t)length) < 0)
        _exit(2); /* the same without a word */
    _exit(2);
}

/* What a thread has is decided with the limit that the program is started with, so raising it here would not do. */
static void check_stack(void)
{
    char text[160];
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= LEAST_STACK * KIBIBYTE)
        return;
    end(text, snprintf(text, sizeof text, "too little stack: ulimit -s allows %zu KiB, and %d are needed; raise the limit\n",
                       (size_t)limit.rlim_cur / KIBIBYTE, LEAST_STACK));
}

static void check_address_space(char **environment)
{
    int threads = threads_of_blas(environment);
    size_t needed = REST + (size_t)threads * (BLOCK + STACK);
    /* Not touched, so it costs nothing; address space, data and commitment are all asked for. */
    void *room = mmap(NULL, needed * MEBIBYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room != MAP_FAILED) {
        munmap(room, needed * MEBIBYTE);
        return;
    }
    char text[512];
    size_t space = limit_of(RLIMIT_AS), data = limit_of(RLIMIT_DATA);
    int length =
        snprintf(text, sizeof text, "too little address space: OpenBLAS and its %d threads need %zu MiB; ", threads, needed);
    if (space + data > 0)
        length += snprintf(text + length, sizeof text - (size_t)length, "ulimit -%c allows %zu MiB; ", space > 0 ? 'v' : 'd',
                           space > 0 ? space : data);
    length += snprintf(text + length, sizeof text - (size_t)length, "raise the limit%s\n",
                       threads > 1 ? ", or set OPENBLAS_NUM_THREADS=1" : "");
    end(text, length);
}

static void check(int argc, char **argv, char **environment)
{
    (void)argc, (void)argv;
    check_stack();
    check_address_space(environment);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = check;

#else
typedef int nothing_to_check;
#endif
