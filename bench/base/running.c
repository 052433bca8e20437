/* See running.h. */
#include "bench/base/running.h"

#include "bench/base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#define GAP 2.0 /* seconds between two looks beyond which the process did not run */
#define OF_A_GAP 1.0

void running_begin(struct running *running)
{
    *running = (struct running){.looked = clock_seconds()};
}

double running_look(struct running *running, bool counts)
{
    double now = clock_seconds(), passed = now - running->looked;
    running->looked = now;
    if (counts)
        running->seconds += passed > GAP ? OF_A_GAP : passed;
    return running->seconds;
}

/* ---- Of this process --------------------------------------------------------------------------------------------------------- */

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static struct running here;
static bool watched;

static double look(void)
{
    pthread_mutex_lock(&one);
    double seconds = running_look(&here, true);
    pthread_mutex_unlock(&one);
    return seconds;
}

static void *keep_looking(void *nothing)
{
    const struct timespec half = {.tv_nsec = 500000000};
    for (;;) {
        nanosleep(&half, NULL);
        look();
    }
    return nothing;
}

static void start(void)
{
    pthread_t thread;
    sigset_t all, before;
    running_begin(&here);
    sigfillset(&all); /* signals are for the others */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    watched = pthread_create(&thread, NULL, keep_looking, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (watched)
        pthread_detach(thread);
}

double running_seconds(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
    return watched ? look() : clock_seconds(); /* without the thread a long step would look like a stop */
}
