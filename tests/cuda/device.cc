/* impls/cuda/device.h in host memory, under the tests' runner: what is fresh holds NaN, and every launch has ended when it returns. */
#include "impls/cuda/device.h"
extern "C" {
#include "tests/support/allocations.h"
}

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void runner_allow(const void *kernel, size_t bytes);

/* As of a small card: what chooses by size then chooses differently within the tests' cases. */
const struct device_facts *device_get(void)
{
    static struct device_facts facts;
    facts.there = true;
    snprintf(facts.name, sizeof facts.name, "the tests' runner");
    facts.major = 8;
    facts.multiprocessors = 1;
    facts.threads = 64;
    facts.memory = (size_t)4 << 30;
    facts.cache = 1 << 20;
    facts.shared = 99 << 10;
    facts.shared_all = 100 << 10;
    return &facts;
}

static long allocated;

/* Those of the device, which forward() and backward() must not make. */
long allocations(void)
{
    return allocated;
}

struct status device_allocate_at(void **pointer, size_t bytes, const char *file, int line)
{
    allocated++;
    *pointer = bytes > 0 ? malloc(bytes) : NULL;
    if (bytes > 0 && *pointer == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "%s:%d: %zu bytes", file, line, bytes);
    if (bytes > 0)
        memset(*pointer, 0xff, bytes);
    return status_ok();
}

void device_free(void *pointer)
{
    free(pointer);
}

static struct status copy(void *to, const void *from, size_t bytes)
{
    if (bytes > 0 && from != NULL)
        memcpy(to, from, bytes);
    return status_ok();
}

struct status device_upload_at(void *to, const void *from, size_t bytes, const char *, int)
{
    return copy(to, from, bytes);
}

struct status device_download_at(void *to, const void *from, size_t bytes, const char *, int)
{
    return copy(to, from, bytes);
}

struct status device_copy_at(void *to, const void *from, size_t bytes, const char *, int)
{
    return copy(to, from, bytes);
}

struct status device_fill_at(void *to, int byte, size_t bytes, const char *, int)
{
    if (bytes > 0)
        memset(to, byte, bytes);
    return status_ok();
}

struct status device_shared_allow_at(const void *kernel, size_t bytes, const char *file, int line)
{
    if (bytes > device_get()->shared)
        return status_at(STATUS_INTERNAL, -1, -1, "%s:%d: %zu bytes of shared memory", file, line, bytes);
    runner_allow(kernel, bytes);
    return status_ok();
}

struct status device_wait_at(const char *, int)
{
    return status_ok();
}

struct status device_flush(struct plan *)
{
    return status_ok();
}

struct device_timer {
    struct timespec begin;
    double seconds;
};

struct status device_timer_create_at(struct device_timer **timer, const char *, int)
{
    *timer = (struct device_timer *)calloc(1, sizeof **timer);
    if (*timer == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory for a timer");
    (*timer)->seconds = NAN;
    return status_ok();
}

struct status device_timer_begin_at(struct device_timer *timer, const char *, int)
{
    clock_gettime(CLOCK_MONOTONIC, &timer->begin);
    return status_ok();
}

struct status device_timer_end_at(struct device_timer *timer, const char *, int)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    timer->seconds = (double)(end.tv_sec - timer->begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - timer->begin.tv_nsec);
    return status_ok();
}

double device_timer_seconds(const struct device_timer *timer)
{
    return timer->seconds;
}

void device_timer_destroy(struct device_timer *timer)
{
    free(timer);
}
