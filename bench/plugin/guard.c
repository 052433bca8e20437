/* See guard.h. */
#include "bench/plugin/guard.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64, UNTOUCHED = 0xa5, STACK = 1 << 16 };

static struct guarded *all;          /* that there are; changed while the plug-in is not running */
static const char *volatile running; /* what it does */

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

bool guarded_make(struct guarded *guarded, const char *name, size_t bytes, bool input)
{
    size_t size = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, inner = (size + page() - 1) / page() * page();
    *guarded =
        (struct guarded){.bytes = bytes, .name = name, .input = input, .map_size = inner + 2 * page(), .slack = inner - size};
    void *map = mmap(NULL, guarded->map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return false;
    guarded->map = map;
    if (inner > 0 && mprotect(guarded->map + page(), inner, PROT_READ | PROT_WRITE) != 0) {
        munmap(map, guarded->map_size);
        guarded->map = NULL;
        return false;
    }
    guarded->data = guarded->map + page() + guarded->slack;
    memset(guarded->map + page(), UNTOUCHED, inner);
    guarded->next = all;
    all = guarded;
    return true;
}

void guarded_free(struct guarded *guarded)
{
    if (guarded->map == NULL)
        return;
    struct guarded **at = &all;
    while (*at != guarded)
        at = &(*at)->next;
    *at = guarded->next;
    munmap(guarded->map, guarded->map_size);
    *guarded = (struct guarded){.map = NULL};
}

void guarded_put(const struct guarded *guarded, const void *bytes)
{
    size_t inner = guarded->map_size - 2 * page();
    mprotect(guarded->map + page(), inner, PROT_READ | PROT_WRITE);
    memcpy(guarded->data, bytes, guarded->bytes);
    mprotect(guarded->map + page(), inner, PROT_READ);
}

static bool untouched(const unsigned char *from, const unsigned char *to)
{
    while (from < to && *from == UNTOUCHED)
        from++;
    return from == to;
}

bool guarded_whole(const struct guarded *guarded)
{
    const unsigned char *data = guarded->data;
    return untouched(data - guarded->slack, data) && untouched(data + guarded->bytes, guarded->map + guarded->map_size - page());
}

/* ---- What ends the process ------------------------------------------------------------------------------------------------- */

/* All that a signal handler may do. */
static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void say_address(uintptr_t address)
{
    for (const struct guarded *one = all; one != NULL; one = one->next) {
        uintptr_t first = (uintptr_t)one->map, data = (uintptr_t)one->data;
        if (address < first || address >= first + one->map_size)
            continue;
        bool before = address < data, beyond = address >= data + one->bytes;
        say(before ? ": touched what lies before " : beyond ? ": touched what lies behind " : ": wrote to ");
        say(one->name);
        return;
    }
}

/* The signal comes again when this has returned, and ends the process as it would have. */
static void caught(int number, siginfo_t *about, void *context)
{
    (void)context;
    const char *what = running;
    if (what != NULL) {
        running = NULL;
        say("\n" GUARD_SAYS);
        say(what);
        if (number == SIGSEGV || number == SIGBUS)
            say_address((uintptr_t)about->si_addr);
        say("\n");
    }
    signal(number, SIG_DFL);
    if (number != SIGSEGV && number != SIGBUS && number != SIGFPE && number != SIGILL)
        raise(number);
}

static void ended(void)
{
    if (running == NULL)
        return;
    say("\n" GUARD_SAYS);
    say(running);
    say(": called exit()\n");
}

void guard_doing(const char *what)
{
    running = what;
}

void guard_watch(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM};
    static char stack[STACK]; /* a plug-in may have used up its own */
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    atexit(ended);
}
