/* See roofs.h: the measuring. Each thread has memory of its own, which it touches first and of which every working set takes the
 * beginning; it makes its passes without waiting for the others, and the slowest ends the sample. The best sample counts: what
 * disturbs a measurement can only slow it. The whole ladder is climbed several times, so that the samples of a limit lie seconds
 * apart: a host may have two virtual processors share a core, or the path to memory, for as long as one climb takes. */
#include "bench/machine/roofs.h"

#include "bench/base/clock.h"
#include "bench/machine/team.h"
#include "impls/contract/support.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLE_SECONDS 2e-3                          /* a sample has as many passes as last so long */
#define ENOUGH_SECONDS 8e-3                          /* of undisturbed samples: then fewer will do */
#define PATIENCE 0.05                                /* seconds to wait for undisturbed ones */
enum { CLIMBS = 3, SAMPLES = 2, SAMPLES_LEAST = 1 }; /* samples a climb */
enum { FMA_STEPS = 1000 };                           /* of a pass */

/* Of the arrays; bandwidth does not depend on it. */
typedef double number;
static const enum dtype DTYPE = DTYPE_FLOAT64;

enum { ALIGNMENT = 4096, PAGE = ALIGNMENT / sizeof(number), ARRAYS_MAX = 3 };

/* The memory of all threads. */
struct memory {
    number *block;
    int64_t region; /* numbers a thread */
};

/* What is repeated: a pass over arrays; or without memory, multiply-adds in registers, or exponentials. */
struct trial {
    const struct roof_kernels *kernels;
    int threads;
    const struct memory *memory;
    enum roof_kernel kernel;
    bool exponentials;
    int64_t n; /* numbers an array and thread */
};

/* So many numbers, and what fills up their last page. */
static int64_t whole_pages(int64_t n)
{
    return (n + PAGE - 1) / PAGE * PAGE;
}

/* Bytes, or operations, of one pass by all threads. */
static double pass_amount(const struct trial *trial)
{
    double one = trial->exponentials     ? (double)trial->kernels->exponential_numbers
                 : trial->memory == NULL ? 2.0 * trial->kernels->fma_numbers * FMA_STEPS
                                         : (double)roof_kernel_arrays[trial->kernel] * (double)trial->n * sizeof(number);
    return one * trial->threads;
}

/* The i-th array of a thread, NULL where the kernel has fewer. */
static number *array(const struct trial *trial, int thread, int i)
{
    const struct memory *memory = trial->memory;
    return i < roof_kernel_arrays[trial->kernel] ? memory->block + thread * memory->region + i * whole_pages(trial->n) : NULL;
}

static void make_passes(const struct trial *trial, int thread, int64_t passes)
{
    if (trial->exponentials) {
        trial->kernels->exponentials(passes);
        return;
    }
    if (trial->memory == NULL) {
        trial->kernels->fma(passes * FMA_STEPS, 0.5, 1); /* which tends to 2: neither huge nor tiny */
        return;
    }
    number *b = array(trial, thread, 0), *a = array(trial, thread, 1), *c = array(trial, thread, 2);
    for (int64_t i = 0; i < passes; i++)
        trial->kernels->pass[trial->kernel](a, b, c, trial->n);
}

/* Seconds of the calling thread alone, without those in which other processes had its processor. */
static double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct sample {
    int threads;    /* that took part */
    double seconds; /* from the start of the first thread to the end of the last */
    double busy;    /* of the thread that worked longest */
};

static struct sample sample(const struct trial *trial, int64_t passes)
{
    double began = INFINITY, ended = 0, busy = 0;
    int threads = 0;
#pragma omp parallel num_threads(trial->threads) reduction(min : began) reduction(max : ended, busy) reduction(+ : threads)
    {
        threads = 1;
#pragma omp barrier
        began = clock_seconds();
        double worked = thread_seconds();
        make_passes(trial, omp_get_thread_num(), passes);
        busy = thread_seconds() - worked;
        ended = clock_seconds();
    }
    return (struct sample){threads, ended - began, busy};
}

/* Raises a rate to the amount a second of the best sample. A sample is long enough by the time that its threads worked, not by that
 * of the clock, which runs on while one of them waits for a processor; samples that were so disturbed are repeated for a while. */
static bool raise_rate(const struct trial *trial, double *rate, struct error *error)
{
    const double calm = 1.1;
    double worked = 0, waited = 0;
    int64_t passes = 1;
    for (int n = 0, undisturbed = 0;
         n < SAMPLES_LEAST || (undisturbed < SAMPLES && worked < ENOUGH_SECONDS && waited < PATIENCE);) {
        struct sample one = sample(trial, passes);
        if (one.threads < trial->threads)
            return fail(error, "machine limits: only %d of %d threads started", one.threads, trial->threads);
        if (one.busy < SAMPLE_SECONDS) {
            passes = (int64_t)ceil((double)passes * 1.2 * SAMPLE_SECONDS / fmax(one.busy, SAMPLE_SECONDS / 100));
            continue;
        }
        *rate = fmax(*rate, (double)passes * pass_amount(trial) / one.seconds);
        waited += one.seconds;
        n++;
        if (one.seconds < calm * one.busy) {
            undisturbed++;
            worked += one.busy;
        }
    }
    return true;
}

static bool memory_make(int threads, double most, struct memory *memory, struct error *error)
{
    memory->region = whole_pages((int64_t)(most / threads / sizeof(number))) + ARRAYS_MAX * PAGE;
    memory->block = aligned_alloc(ALIGNMENT, (size_t)(memory->region * threads) * sizeof(number));
    if (memory->block == NULL)
        return fail_memory(error);
#pragma omp parallel num_threads(threads)
    {
        number *own = memory->block + omp_get_thread_num() * memory->region;
        for (int64_t i = 0; i < memory->region; i++)
            own[i] = 1;
    }
    return true;
}

static bool climb_bandwidths(const struct roofs *roofs, const struct memory *memory, struct roof *roof, struct error *error)
{
    struct trial trial = {.kernels = roof_kernels_get(DTYPE, roofs->level), .threads = roof->threads, .memory = memory};
    bool good = true;
    for (int i = 0; i < roofs->n_sets && good; i++)
        for (enum roof_kernel k = 0; k < ROOF_KERNEL_COUNT && good; k++) {
            const int64_t line = ROOF_ALIGNMENT / sizeof(number);
            double share = roofs->set[i] / roof->threads / roof_kernel_arrays[k] / sizeof(number);
            trial.kernel = k;
            trial.n = share < (double)line ? line : (int64_t)share / line * line;
            good = trial.kernels->pass[k] == NULL || raise_rate(&trial, &roof->bandwidth[k][i], error);
        }
    return good;
}

static bool climb_rates(struct roof *roof, struct error *error)
{
    bool good = true;
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
        for (enum level level = 0; level < LEVEL_COUNT && good; level++) {
            struct trial trial = {.kernels = roof_kernels_get(dtype, level), .threads = roof->threads};
            good = !level_available(level) || raise_rate(&trial, &roof->rate[dtype][level], error);
            trial.exponentials = true;
            good = good && (!level_available(level) || raise_rate(&trial, &roof->exponentials[dtype][level], error));
        }
    return good;
}

static bool measure_roof(const struct roofs *roofs, struct roof *roof, struct error *error)
{
    struct memory memory;
    team_start(roof->threads);
    if (!memory_make(roof->threads, roofs->set[roofs->n_sets - 1], &memory, error))
        return false;
    bool good = true;
    for (int climb = 0; climb < CLIMBS && good; climb++)
        good = climb_rates(roof, error) && climb_bandwidths(roofs, &memory, roof, error);
    free(memory.block);
    return good;
}

bool roofs_measure(const int *threads, int n, struct roofs *roofs, struct error *error)
{
    if (n < 1 || n > ROOF_COUNTS_MAX)
        return fail(error, "machine limits: %d numbers of threads; expected 1 to %d", n, ROOF_COUNTS_MAX);
    char reason[TEAM_REASON_SIZE];
    roofs->level = level_best();
    bool good = true;
    for (roofs->n_roofs = 0; roofs->n_roofs < n && good; roofs->n_roofs++) {
        struct roof *roof = &roofs->roof[roofs->n_roofs];
        *roof = (struct roof){.threads = threads[roofs->n_roofs]};
        int working = team_threads(roof->threads, reason);
        good = working < roof->threads
                   ? fail(error, "machine limits: only %d of %d threads work here: %s", working, roof->threads, reason)
                   : measure_roof(roofs, roof, error);
    }
    return good;
}
