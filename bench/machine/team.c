/* See team.h. */
#include "bench/machine/team.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSORS = 1 << 16 };

/* ---- How many can be started --------------------------------------------------------------------------------------------------- */

/* OpenMP ends the process where it cannot start a thread: they are tried before. Each waits until all have been. */
struct trial {
    pthread_mutex_t gate;
    pthread_t *thread;
};

static void *pass_the_gate(void *context)
{
    struct trial *trial = context;
    pthread_mutex_lock(&trial->gate);
    pthread_mutex_unlock(&trial->gate);
    return NULL;
}

/* Of so many threads beside this one; *refusal: why the next one could not be. */
static int start_and_end(int wanted, int *refusal)
{
    struct trial trial = {.gate = PTHREAD_MUTEX_INITIALIZER, .thread = calloc((size_t)wanted + 1, sizeof *trial.thread)};
    int started = 0;
    *refusal = trial.thread == NULL ? ENOMEM : 0;
    pthread_mutex_lock(&trial.gate);
    while (started < wanted && *refusal == 0) {
        *refusal = pthread_create(&trial.thread[started], NULL, pass_the_gate, &trial);
        started += *refusal == 0;
    }
    pthread_mutex_unlock(&trial.gate);
    for (int i = 0; i < started; i++)
        pthread_join(trial.thread[i], NULL);
    free(trial.thread);
    return started;
}

int team_threads(int wanted, char reason[TEAM_REASON_SIZE])
{
    int refusal, limit = omp_get_thread_limit(), threads = 0;
    reason[0] = '\0';
    omp_set_dynamic(0);
    if (omp_get_max_active_levels() < 1)
        omp_set_max_active_levels(1);
    if (wanted > limit) {
        snprintf(reason, TEAM_REASON_SIZE, "OMP_THREAD_LIMIT is %d; unset it, or ask for fewer in run: {threads: ...}", limit);
        return limit;
    }
    int others = start_and_end(wanted - 1, &refusal);
    if (others < wanted - 1) {
        snprintf(
            reason, TEAM_REASON_SIZE,
            "no more can be started (%s): raise ulimit -u or -v, or the limit of processes of this container, or ask for fewer in "
            "run: {threads: ...}",
            strerror(refusal));
        return others + 1;
    }
#pragma omp parallel num_threads(wanted) reduction(+ : threads)
    threads = 1;
    if (threads < wanted)
        snprintf(reason, TEAM_REASON_SIZE, "OpenMP started no more; unset OMP_ variables, or ask for fewer in run: {threads: ...}");
    return threads;
}

/* ---- Where they may run -------------------------------------------------------------------------------------------------------- */

int team_processors(int threads)
{
    size_t size = CPU_ALLOC_SIZE(PROCESSORS);
    cpu_set_t *all = CPU_ALLOC(PROCESSORS);
    bool known = all != NULL;
    if (known)
        CPU_ZERO_S(size, all);
#pragma omp parallel num_threads(threads) reduction(&& : known)
    {
        cpu_set_t *own = CPU_ALLOC(PROCESSORS);
        known = known && own != NULL && sched_getaffinity(0, size, own) == 0;
#pragma omp critical
        if (known)
            CPU_OR_S(size, all, all, own);
        CPU_FREE(own);
    }
    int processors = known ? CPU_COUNT_S(size, all) : 0;
    CPU_FREE(all);
    return processors;
}
