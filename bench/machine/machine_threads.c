/* Usable processors, and the behaviour of threads: see machine_threads.h. */
#include "bench/machine/machine_threads.h"

#include "bench/machine/groups.h"

#include <omp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define SPIN_COUNT "10000" /* tens of microseconds */

static int within(double quota, int threads)
{
    int most = quota < 1         ? 1
               : quota < threads ? (int)quota
                                 : threads; /* half a processor more would make all wait for one thread */
    return most < omp_get_thread_limit() ? most : omp_get_thread_limit();
}

int machine_threads_at(const char *root, int threads)
{
    return within(groups_quota(root), threads);
}

static int processors(void)
{
    /* The kernel refuses a mask smaller than its own. */
    for (int most = 1024; most <= 1 << 20; most *= 2) {
        cpu_set_t *mask = CPU_ALLOC((size_t)most);
        size_t size = CPU_ALLOC_SIZE((size_t)most);
        int count = mask != NULL && sched_getaffinity(0, size, mask) == 0 ? CPU_COUNT_S(size, mask) : 0;
        CPU_FREE(mask);
        if (count > 0)
            return count;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

int machine_threads(void)
{
    static double quota = -1; /* read once: each point of a sweep asks */
    if (quota < 0)
        quota = groups_quota("");
    return within(quota, processors());
}

/* The processors of one of OpenMP's places, added to the mask. */
static bool add_place(int place, cpu_set_t *mask, size_t size)
{
    int n = omp_get_place_num_procs(place), *processor = n > 0 ? malloc((size_t)n * sizeof *processor) : NULL;
    if (processor == NULL)
        return false;
    omp_get_place_proc_ids(place, processor);
    for (int i = 0; i < n; i++)
        CPU_SET_S((size_t)processor[i], size, mask);
    free(processor);
    return true;
}

static void release_this_thread(void)
{
    enum { PROCESSORS = 1 << 16 };
    int places = omp_get_num_places();
    cpu_set_t *mask = places > 0 ? CPU_ALLOC(PROCESSORS) : NULL;
    if (mask == NULL)
        return;
    size_t size = CPU_ALLOC_SIZE(PROCESSORS);
    CPU_ZERO_S(size, mask);
    bool known = true;
    for (int place = 0; place < places && known; place++)
        known = add_place(place, mask, size);
    if (known)
        sched_setaffinity(0, size, mask);
    CPU_FREE(mask);
}

void machine_settle_threads(void)
{
    setenv("GOMP_SPINCOUNT", SPIN_COUNT, 0);
    setenv("OMP_PROC_BIND", "true", 0);
    release_this_thread();
}
